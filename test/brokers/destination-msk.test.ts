import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KafkaDestination, type DestinationSettings } from '../../src/destination/destination.ts'
import { ROLE_SECRET, ROLE_TOKEN, withSts } from '../sasl/fake-sts.ts'
import { canarySecret, registerSecret } from '../support/canary.ts'
import { startMskCluster, type MskCluster } from '../support/kafka/msk-cluster.ts'
import { readTopic } from '../support/kafka/readers.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'

const ROLE = 'arn:aws:iam::123456789012:role/writer'
const event = { type: 'track', event: 'Bought' }

/** It makes topics that are asked for, too: `auto.create.topics.enable` is on. */
describeBrokers('the destination and AWS IAM', () => {
  let msk: MskCluster

  beforeAll(async () => {
    const keys = [{ accessKeyId: 'ASIAROLE1', secretAccessKey: ROLE_SECRET, sessionToken: ROLE_TOKEN, principal: ROLE }]
    msk = await startMskCluster({ keys })
  })

  afterAll(() => msk.close())

  function settings(more: Partial<DestinationSettings> = {}): DestinationSettings {
    const { accessKeyId, secretAccessKey } = msk.keys.lasting
    return {
      ...{ clientId: 'c', brokers: `${msk.host}:${msk.port}`, mechanism: 'aws', accessKeyId },
      secretAccessKey: registerSecret('secret key of AWS', secretAccessKey),
      ssl_ca: readFileSync(msk.cluster.files.ca ?? '', 'utf8'),
      ...more,
    }
  }

  async function deliver(given: DestinationSettings, topic: string) {
    const fields = { topic, payload: { '@path': '$.' } }
    // The names of Amazon lead to 127.0.0.1.
    const mapAddress = ({ port }: { port: number }) => ({ host: '127.0.0.1', port })
    const destination = new KafkaDestination({
      settings: given,
      mappings: [{ name: 'm', fields }],
      producer: { mapAddress },
    })
    try {
      return await destination.deliver([event])
    } finally {
      await destination.close()
    }
  }

  test('seg-S4: access keys are let in, the first event of a topic that the cluster makes arrives', async () => {
    expect(await deliver(settings(), 'made')).toMatchObject([{ status: 200, topic: 'made', offset: 0n }])
    const records = await readTopic({ ...msk.cluster.at, topic: 'made' })
    expect(records.map(({ value }) => String(value))).toEqual([JSON.stringify(event)])
  })

  test('seg-S4: a wrong secret is 401, and not tried again', async () => {
    const results = await deliver(settings({ secretAccessKey: canarySecret('wrong key of AWS') }), 'made')
    expect(results).toMatchObject([{ status: 401, retry: false, error: { code: 'SASL_AUTHENTICATION_FAILED' } }])
  })

  test('seg-S4: the role in authorizationIdentity is assumed', async () => {
    await withSts(msk.keys.lasting.secretAccessKey, async (sts) => {
      const results = await deliver(settings({ authorizationIdentity: ROLE }), 'made')
      expect(results).toMatchObject([{ status: 200 }])
      expect(sts.requests.map(({ form }) => form['RoleArn'])).toEqual([ROLE])
    })
  })

  test('seg-S2: anything else there, and a region that nobody tells, are 400', async () => {
    const wrong = [
      { authorizationIdentity: 'AIDAEXAMPLE' },
      { brokers: `127.0.0.1:${msk.port}` },
      { ssl_enabled: false },
    ]
    const codes: unknown[] = []
    for (const more of wrong) {
      await deliver(settings(more), 'made').catch((reason: unknown) => {
        const error = reason as { code: string; status: number }
        codes.push([error.code, error.status])
      })
    }
    expect(codes).toEqual([
      ['AWS_ROLE_INVALID', 400],
      ['AWS_REGION_UNKNOWN', 400],
      ['SSL_REQUIRED', 400],
    ])
  })
})
