import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Producer, type ProducerOptions } from '../../src/index.ts'
import { ROLE_SECRET, ROLE_TOKEN, withSts } from '../sasl/fake-sts.ts'
import { newKeys, startMskCluster, type AwsKeys, type MskCluster } from '../support/kafka/msk-cluster.ts'
import * as readers from '../support/kafka/readers.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'

const SESSION_MS = 1_000
const ROLE = 'arn:aws:iam::123456789012:role/writer'
/** The keys that the fake STS gives out for ROLE, one after the other. */
const ROLE_KEY_IDS = [1, 2, 3, 4, 5, 6].map((number) => `ASIAROLE${number}`)
const ROLE_KEYS = { secretAccessKey: ROLE_SECRET, sessionToken: ROLE_TOKEN }

interface Login {
  readonly keys: AwsKeys
  readonly host?: string
}

/** Whom the broker refuses, and in which words. */
const REFUSALS: readonly [name: string, login: (msk: MskCluster) => Login, words: RegExp][] = [
  [
    'a wrong secret',
    ({ keys }) => ({ keys: { ...keys.lasting, secretAccessKey: 'wrong' } }),
    /signature does not match/,
  ],
  ['a wrong key', () => ({ keys: newKeys('NOBODY') }), /there is no access key AKIANOBODY/],
  [
    'a wrong token',
    ({ keys }) => ({ keys: { ...keys.temporary, sessionToken: 'wrong' } }),
    /token is not the one of ASIA/,
  ],
  ['a token that is missing', ({ keys }) => ({ keys: withoutToken(keys.temporary) }), /token is not the one of ASIA/],
  [
    'a token too many',
    ({ keys }) => ({ keys: { ...keys.lasting, sessionToken: 'none' } }),
    /token is not the one of AKIA/,
  ],
  ['another host', ({ keys, otherHost }) => ({ keys: keys.lasting, host: otherHost }), /signed for host b-1\.other/],
  ['a date that has expired', ({ misjudged }) => ({ keys: misjudged.expired }), /signature has expired/],
  ['a date to come', ({ misjudged }) => ({ keys: misjudged.future }), /signed in the future/],
]

describeBrokers('a broker that lets in by AWS_MSK_IAM', () => {
  let msk: MskCluster
  let topic: string

  beforeAll(async () => {
    const keys = ROLE_KEY_IDS.map((accessKeyId) => ({ accessKeyId, ...ROLE_KEYS, principal: `${ROLE}/headrace` }))
    msk = await startMskCluster({ sessionMs: SESSION_MS, keys })
    topic = `msk-${randomUUID()}`
    await readers.createTopic({ ...msk.cluster.at, topic, partitions: 1, replicationFactor: 1 })
  })

  afterAll(async () => {
    await msk.close()
  })

  const end = async () => (await (await readers.sharedJavaHelper()).endOffsets({ ...msk.cluster.at, topic }))[0] ?? 0n

  async function lastWritten(count: number): Promise<string[]> {
    const records = await readers.readTopic({ ...msk.cluster.at, topic })
    return records.slice(-count).map(({ value }) => String(value))
  }

  /** Options of ours that a user of MSK would give; the names of Amazon lead to 127.0.0.1. */
  function options({ keys, host = msk.host }: Login): ProducerOptions {
    return {
      ...{ brokers: `${host}:${msk.port}`, tls: { ca: readFileSync(msk.cluster.files.ca ?? '') } },
      sasl: { mechanism: 'aws-msk-iam', credentials: keys },
      mapAddress: ({ port }) => ({ host: '127.0.0.1', port }),
    }
  }

  async function sendOne(given: ProducerOptions): Promise<void> {
    const producer = new Producer(given)
    try {
      await producer.send({ topic, value: 'by headrace' })
    } finally {
      await producer.close()
    }
  }

  /** One record after the other until `isEnough`, which is given every login so far: whether it was one of many. */
  async function sendThrough(given: ProducerOptions, isEnough: (logins: readonly boolean[]) => boolean) {
    const [sent, logins]: [string[], boolean[]] = [[], []]
    const onLogin = (login: unknown) => logins.push((login as { isReauthentication: boolean }).isReauthentication)
    subscribe('headrace:connection:authenticated', onLogin)
    const producer = new Producer(given)
    try {
      while (!isEnough(logins)) {
        const value = `${sent.length} of ${randomUUID()}`
        await producer.send({ topic, value })
        sent.push(value)
      }
    } finally {
      unsubscribe('headrace:connection:authenticated', onLogin)
      await producer.close()
    }
    return { sent, logins }
  }

  describe.each([
    ["AWS's own client", (login: Login) => msk.aws.produce({ ...login, topic })],
    ['headrace', (login: Login) => sendOne(options(login))],
  ] as const)('and %s', (_name, produce) => {
    it.each(['lasting', 'temporary'] as const)('let in with %s keys', async (kind) => {
      const before = await end()
      await produce({ keys: msk.keys[kind] })
      expect(await end()).toBe(before + 1n)
    })

    it.each(REFUSALS)('refused with %s', async (_, login, words) => {
      const error: unknown = await produce(login(msk)).catch((reason: unknown) => reason)
      expect(String(error)).toMatch(/^(AuthenticationError|Error: Kafka's client: SaslAuthenticationException): /)
      expect(String(error)).toMatch(words)
    })
  })

  it('refuses ours where the region is another than the host says', async () => {
    const login = options({ keys: msk.keys.lasting })
    const sasl = { mechanism: 'aws-msk-iam', credentials: msk.keys.lasting, region: 'eu-west-1' } as const
    await expect(sendOne({ ...login, sasl })).rejects.toThrow(/signed for region eu-west-1/)
  })

  it("ends sessions of AWS's own client, which logs in again while it produces", async () => {
    const before = await end()
    const count = await msk.aws.produceThrough({ keys: msk.keys.temporary, topic, times: 2 })
    expect(await end()).toBe(before + BigInt(count))
  })

  it('ends sessions of ours, which log in again three times while we produce', async () => {
    const isEnough = (logins: readonly boolean[]) => logins.filter(Boolean).length === 3
    const { sent } = await sendThrough(options({ keys: msk.keys.temporary }), isEnough)
    expect(await lastWritten(sent.length)).toEqual(sent)
  })

  it('lets in who has assumed a role', async () => {
    await withSts(msk.keys.lasting.secretAccessKey, async (sts) => {
      const before = await end()
      const sasl = { mechanism: 'aws-msk-iam', credentials: msk.keys.lasting, roleArn: ROLE } as const
      await sendOne({ ...options({ keys: msk.keys.lasting }), sasl })
      expect(await end()).toBe(before + 1n)
      expect(sts.requests.map(({ form }) => form['RoleArn'])).toEqual([ROLE])
    })
  })

  it('takes the next keys of the same role on the same connection', async () => {
    let asked = 0
    const credentials = () => Promise.resolve({ accessKeyId: ROLE_KEY_IDS[asked++ % 6]!, ...ROLE_KEYS })
    const given = { ...options({ keys: msk.keys.lasting }), sasl: { mechanism: 'aws-msk-iam', credentials } as const }
    const { sent } = await sendThrough(given, (logins) => logins.at(-1) === true)
    expect(asked).toBeGreaterThan(1)
    expect(await lastWritten(sent.length)).toEqual(sent)
  })

  it('ends the connection that logs in again as somebody else, and no record is lost', async () => {
    const [first, second] = [msk.keys.lasting, msk.keys.temporary]
    let asked = 0
    const credentials = () => Promise.resolve(asked++ % 2 === 0 ? first : second)
    const closed: string[] = []
    const onClosed = (event: unknown) => closed.push((event as { error: Error }).error.message)
    subscribe('headrace:connection:closed', onClosed)
    try {
      const given = { ...options({ keys: first }), sasl: { mechanism: 'aws-msk-iam', credentials } as const }
      const { sent } = await sendThrough(given, () => closed.length > 0)
      expect(closed[0]).toContain('Cannot change principals during re-authentication')
      expect(await lastWritten(sent.length)).toEqual(sent)
    } finally {
      unsubscribe('headrace:connection:closed', onClosed)
    }
  })
})

function withoutToken({ accessKeyId, secretAccessKey }: AwsKeys): AwsKeys {
  return { accessKeyId, secretAccessKey }
}
