/**
 * The cases of the suite of Segment's own Kafka destination (A.14) that are about settings and the client made from them.
 * Those about sending are in segment-cases.ts, which runs in two frameworks.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { settingsKey, toProducerOptions, validateSettings } from '../../src/destination/destination.ts'
import { Producer } from '../../src/index.ts'
import { Authority, type Issued } from '../support/tls/authority.ts'
import { newDestination, startCluster, track } from './harness.ts'
import { aws, plain } from './settings/valid-settings.ts'

let authority: Authority
let client: Issued

beforeAll(async () => {
  authority = await Authority.root('upstream-cases')
  client = await authority.issue({ usage: 'clientAuth' })
}, 60_000)

afterAll(async () => {
  await authority.remove()
})

/** As Segment wants it pasted: without the first and the last line. */
const bare = (pem: string): string => pem.replaceAll(/-----(?:BEGIN|END) [A-Z ]+-----/g, '').trim()

function brokerCodes(brokers: unknown): string[] {
  return validateSettings({ ...plain, brokers }).map(({ code }) => code)
}

describe('seg-S20: the client that settings give', () => {
  test.each(['plain', 'scram-sha-256', 'scram-sha-512'].map((mechanism, index) => [index + 1, mechanism] as const))(
    'seg-S20 case %i: %s has the user and the password',
    (_, mechanism) => {
      const { username, password } = plain
      const options = toProducerOptions({ ...plain, mechanism, brokers: ' one:9092 , two:9093' })
      expect(options).toMatchObject({
        clientId: 'a-client',
        brokers: ['one:9092', 'two:9093'],
        requestTimeoutMs: 10_000,
      })
      expect(options.sasl).toEqual({ mechanism, username, password })
    },
  )

  test('seg-S20 case 4: aws has the keys and the role, and means AWS_MSK_IAM', () => {
    const { accessKeyId, secretAccessKey } = aws
    const authorizationIdentity = 'arn:aws:iam::123456789012:role/writer'
    expect(toProducerOptions({ ...aws, authorizationIdentity }).sasl).toEqual({
      ...{ mechanism: 'aws-msk-iam', region: 'eu-west-1', roleArn: authorizationIdentity },
      credentials: { accessKeyId, secretAccessKey },
    })
  })

  test('seg-S20 case 5: ssl_ca without its first and last line is a certificate, and the broker must prove itself', async () => {
    const options = toProducerOptions({
      ...plain,
      ssl_ca: bare(authority.cert),
      ssl_reject_unauthorized_ca: true,
    })
    expect(options.tls).toMatchObject({ rejectUnauthorized: true, ca: expect.any(String) as string })
    await new Producer(options).close()
    const off = toProducerOptions({ ...plain, ssl_ca: bare(authority.cert), ssl_reject_unauthorized_ca: false })
    expect(off.tls).toMatchObject({ rejectUnauthorized: false })
  })

  test('seg-S20 case 6: a client certificate is sent, and there is no login besides', async () => {
    const material = { ssl_cert: bare(client.cert), ssl_key: bare(client.key), ssl_ca: bare(authority.cert) }
    const settings = { clientId: 'c', brokers: 'h:1', mechanism: 'client-cert-auth', ...material }
    const options = toProducerOptions(settings)
    expect(options.sasl).toBeUndefined()
    expect(options.tls).toMatchObject({ cert: material.ssl_cert, key: material.ssl_key, ca: material.ssl_ca })
    // The engine reads all three; it would refuse them otherwise.
    await new Producer(options).close()
    const damaged = { ...settings, ssl_key: material.ssl_key.slice(20) }
    expect(() => toProducerOptions(damaged)).toThrow(/SSL Client Key/)
  })

  test("seg-S20 case 7: partitions are chosen as by kafkajs's default: given, by key, in turn", async () => {
    expect(toProducerOptions(plain).partitioner).toBe('round-robin')
    const cluster = await startCluster({ topics: { t: 4 } })
    const path = (name: string): object => ({ '@path': `$.properties.${name}` })
    const destination = newDestination(cluster, { fields: { partition: path('p'), key: path('k') } })
    const events = [
      { p: 3, k: 'user1234' },
      { k: 'user1234' },
      { k: '日本語' },
      ...Array.from({ length: 8 }, () => ({})),
    ]
    const results = await destination.deliver(events.map(track))
    // Of A.5: murmur2 of these keys, over four partitions.
    expect(results.slice(0, 3).map(({ partition }) => partition)).toEqual([3, 0, 2])
    const turns = results.slice(3).map(({ partition }) => partition)
    expect([0, 1, 2, 3].map((index) => turns.filter((one) => one === index).length)).toEqual([2, 2, 2, 2])
  })

  test('seg-S20 cases 9 and 10: equal settings have equal keys, whatever the order of the brokers; others do not', () => {
    const settings = { ...plain, brokers: 'b1:9092, b2:9092' }
    const key = settingsKey(settings)
    expect(settingsKey({ ...settings, brokers: ' b2:9092,b1:9092 ' })).toBe(key)
    expect(settingsKey(Object.fromEntries(Object.entries(settings).reverse()))).toBe(key)
    const changes = [
      ...[{ clientId: 'x' }, { brokers: 'b1:9092' }, { mechanism: 'scram-sha-256' }, { username: 'x' }],
      ...[{ password: 'x' }, { ssl_enabled: false }, { ssl_ca: 'x' }, { ssl_reject_unauthorized_ca: false }],
    ]
    const keys = changes.map((change) => settingsKey({ ...settings, ...change }))
    expect(new Set([key, ...keys]).size).toBe(changes.length + 1)
    expect(key).not.toContain(plain.password)
  })

  test.each(['localhost:9092', 'kafka-broker:0', 'kafka.internal.local:65535'])(
    'seg-S20 case 16: %s is a broker',
    (brokers) => {
      expect(brokerCodes(brokers)).toEqual([])
    },
  )

  const none = ['localhost', ':9092', 'broker:', 'broker:not-a-number', 'broker:-1', 'broker:70000']
  test.each([...none, 'https://broker1:9092', '', null])('seg-S20 case 17: %s is none', (brokers) => {
    expect(brokerCodes(brokers)).toContain('BROKER_FORMAT_INVALID')
  })

  test("seg-S20 case 18: one wrong broker among others is refused in Segment's words", () => {
    expect(validateSettings({ ...plain, brokers: 'valid-host:9092, invalid-host' })).toMatchObject([
      { code: 'BROKER_FORMAT_INVALID', status: 400, message: 'Brokers must be in the format host:port' },
    ])
  })

  test('seg-S20 case 19: spaces around brokers are nothing', () => {
    const brokers = ' valid1:9092 , valid2:1234,valid3:65535 '
    expect(brokerCodes(brokers)).toEqual([])
    expect(toProducerOptions({ ...plain, brokers }).brokers).toEqual(['valid1:9092', 'valid2:1234', 'valid3:65535'])
  })
})
