import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  KafkaDestination,
  type DeliveryResult,
  type DestinationSettings,
  type KafkaDestinationOptions,
} from '../../src/destination/destination.ts'
import { canarySecret, registerSecret } from '../support/canary.ts'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import { createTopic, dumpBatches, readTopic, sharedJavaHelper, type ReadRecord } from '../support/kafka/readers.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { allow, showCertificate } from '../support/kafka/security-admin.ts'
import { Authority } from '../support/tls/authority.ts'

type Settings = Partial<DestinationSettings>
type Options = Partial<KafkaDestinationOptions> & { readonly fields?: Record<string, unknown>; readonly as?: Settings }

const CLIENT = 'User:CN=headrace-client'
const PASSWORD_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const
const wholeEvent = { payload: { '@path': '$.' } }
const path = (name: string): object => ({ '@path': `$.properties.${name}` })

const track = (properties: Record<string, unknown> = {}): Record<string, unknown> => ({ type: 'track', properties })
const brief = ({ status, retry, error }: DeliveryResult): unknown[] => [status, retry, error?.code]

describeBrokers('the destination on Apache Kafka 4.3.1', () => {
  let cluster: RealCluster
  let authority: Authority
  const open: KafkaDestination[] = []

  beforeAll(async () => {
    authority = await Authority.root('destination authority')
    cluster = await startCluster({
      ...{ version: '4.3.1', nodes: 1, security: true, authorizer: true },
      properties: {
        'auto.create.topics.enable': 'false',
        // Each thread of a listener has its certificate for itself: with one, all connections meet the same.
        'num.network.threads': '1',
      },
    })
    await Promise.all([
      ...[
        newTopic('t', 3),
        newTopic('u', 1),
        newTopic('bobs', 1),
        newTopic('certs', 1),
        newTopic('__consumer_offsets', 1),
      ],
      newTopic('small', 1, { 'max.message.bytes': '2000' }),
      newTopic('compacted', 1, { 'cleanup.policy': 'compact' }),
      newTopic('punctual', 1, { 'message.timestamp.after.max.ms': '60000' }),
    ])
    await allow(cluster, { principal: 'User:alice', topic: '*', operations: ['write'] })
    await allow(cluster, { principal: 'User:bob', topic: 'bobs', operations: ['write'] })
    await allow(cluster, { principal: CLIENT, topic: 'certs', operations: ['write'] })
    const isKnown = async (): Promise<boolean> => (await destination().deliver([track()]))[0]?.status === 200
    await vi.waitUntil(isKnown, { timeout: 30_000 })
  })

  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()))
  })

  afterAll(async () => {
    await cluster.close()
    await authority.remove()
  })

  async function newTopic(topic: string, partitions: number, configs: Record<string, string> = {}): Promise<void> {
    await createTopic({ ...cluster.at, topic, partitions, replicationFactor: 1, configs })
  }

  const at = (listener: 'saslPlaintext' | 'saslSsl' | 'mtls' | 'ssl'): string => cluster.listeners[listener] ?? ''
  const fileOf = (file: keyof RealCluster['files']): string => readFileSync(cluster.files[file] ?? '', 'utf8')
  const read = async (topic: string): Promise<ReadRecord[]> => await readTopic({ ...cluster.at, topic })
  const values = async (topic: string): Promise<string[]> => (await read(topic)).map(({ value }) => String(value))

  function settings(more: Settings = {}): DestinationSettings {
    const login = { mechanism: 'scram-sha-256', username: 'alice', password: cluster.users['alice'] ?? '' } as const
    return { clientId: 'destination', brokers: at('saslPlaintext'), ...login, ssl_enabled: false, ...more }
  }

  function destination({ fields, as, ...options }: Options = {}): KafkaDestination {
    const mappings = [{ name: 'all', fields: { ...wholeEvent, topic: 't', ...fields } }]
    const made = new KafkaDestination({ settings: settings(as), mappings, ...options })
    open.push(made)
    return made
  }

  const mutual = (more: Settings = {}): Settings => ({
    ...{ brokers: at('mtls'), mechanism: 'client-cert-auth', ssl_enabled: true },
    ...{
      ssl_key: registerSecret('client key of the destination', fileOf('clientKey')),
      ssl_cert: fileOf('clientCert'),
    },
    ...more,
  })

  describe('seg-S4: passwords', () => {
    test.each(PASSWORD_MECHANISMS)('%s, without TLS and with it', async (mechanism) => {
      const plain = { mechanism }
      const secure = { ...plain, brokers: at('saslSsl'), ssl_enabled: true, ssl_ca: fileOf('ca') }
      for (const as of [plain, secure]) {
        const properties = { by: mechanism, secure: as === secure }
        expect(await destination({ as }).deliver([track(properties)])).toMatchObject([{ status: 200 }])
        expect(await values('t')).toContain(JSON.stringify(track(properties)))
      }
    })

    test.each(PASSWORD_MECHANISMS)(
      'a wrong one for %s is 401 within seconds, and not to be tried again',
      async (mechanism) => {
        const as = { mechanism, password: canarySecret('wrong password') }
        const began = performance.now()
        const results = await destination({ as }).deliver([track(), track()])
        expect(performance.now() - began).toBeLessThan(5000)
        expect(results.map(brief)).toEqual(Array.from({ length: 2 }, () => [401, false, 'SASL_AUTHENTICATION_FAILED']))
        expect(results[0]?.error?.message).toMatch(/^Kafka Connection Error - SASL_AUTHENTICATION_FAILED: /)
        await expect(destination({ as }).testAuthentication()).rejects.toMatchObject({ status: 401 })
      },
    )

    test('ssl_enabled off, with credentials, works and warns once', async () => {
      const warnings: string[] = []
      const logger = {
        debug: () => 0,
        info: () => 0,
        warn: (_: object, text: string) => warnings.push(text),
        error: () => 0,
      }
      for (const _ of [1, 2])
        expect(await destination({ as: { mechanism: 'plain' }, logger }).deliver([track()])).toMatchObject([
          { status: 200 },
        ])
      expect(warnings.filter((text) => text.includes('can read the password'))).toHaveLength(1)
    })
  })

  describe('seg-S5: a client certificate', () => {
    const deliver = async (as: Settings): Promise<unknown[]> => {
      const [result] = await destination({ as, fields: { topic: 'certs' } }).deliver([track()])
      return result === undefined ? [] : brief(result)
    }
    const written = [200, undefined, undefined]

    test('is shown with ssl_ca and without it: the broker knows its common name', async () => {
      expect(await deliver(mutual({ ssl_ca: fileOf('ca') }))).toEqual(written)
      expect(await deliver(mutual({ ssl_reject_unauthorized_ca: false }))).toEqual(written)
      // Who has no certificate has no name, and may do all; who has another name may not do this.
      expect(await deliver({ username: 'bob', password: cluster.users['bob'] ?? '' })).toEqual([
        403,
        false,
        'TOPIC_AUTHORIZATION_FAILED',
      ])
      const others = destination({ as: mutual({ ssl_ca: fileOf('ca') }), fields: { topic: 'bobs' } })
      expect((await others.deliver([track()])).map(brief)).toEqual([[403, false, 'TOPIC_AUTHORIZATION_FAILED']])
    })

    test('its key may be PKCS#1, or have neither lines nor label', async () => {
      const pkcs1 = createPrivateKey(fileOf('clientKey')).export({ type: 'pkcs1', format: 'pem' }) as string
      const bare = (pem: string): string => pem.replaceAll(/-----[^-]+-----|\s/g, '')
      const ssl_ca = bare(fileOf('ca'))
      expect(await deliver(mutual({ ssl_ca, ssl_key: registerSecret('the same key in PKCS#1', pkcs1) }))).toEqual(
        written,
      )
      const ssl_key = registerSecret('the same key in base64', bare(fileOf('clientKey')))
      expect(await deliver(mutual({ ssl_ca, ssl_key, ssl_cert: bare(fileOf('clientCert')) }))).toEqual(written)
    })
  })

  describe('seg-S6: the certificate of a broker', () => {
    const deliver = async (as: Settings): Promise<DeliveryResult | undefined> => {
      const [result] = await destination({ as: { brokers: at('saslSsl'), ssl_enabled: true, ...as } }).deliver([
        track(),
      ])
      return result
    }

    test('of an authority that nobody knows', async () => {
      const unknown = await deliver({})
      expect(unknown).toMatchObject({ status: 401, retry: false })
      expect(unknown?.error?.message).toContain('headrace test CA')
      expect(await deliver({ ssl_ca: fileOf('ca') })).toMatchObject({ status: 200 })
      expect(await deliver({ ssl_reject_unauthorized_ca: false })).toMatchObject({ status: 200 })
    })

    test('self-signed, and for another host', async () => {
      const selfSigned = await authority.selfSigned('localhost')
      await showCertificate(cluster, selfSigned)
      expect(await deliver({})).toMatchObject({ status: 401, error: { code: 'CERTIFICATE_SELF_SIGNED' } })
      expect(await deliver({ ssl_reject_unauthorized_ca: false })).toMatchObject({ status: 200 })
      await showCertificate(cluster, await authority.issue({ names: 'DNS:elsewhere.test' }))
      const mismatch = await deliver({ ssl_ca: authority.cert })
      expect(mismatch).toMatchObject({ status: 401, error: { code: 'CERTIFICATE_HOST_MISMATCH' } })
    })
  })

  test('seg-S3: spaces, commas and a broker that is down in the list', async () => {
    const as = { brokers: ` 127.0.0.1:1 , ${at('saslPlaintext')},` }
    expect(await destination({ as }).deliver([track()])).toMatchObject([{ status: 200 }])
  })

  describe('seg-S8: topics', () => {
    test('topics() are those of the cluster, its own ones marked', async () => {
      const topics = await destination().topics()
      const own = topics.filter(({ isInternal }) => isInternal).map(({ name }) => name)
      expect(own).toEqual(['__consumer_offsets'])
      const helper = await sharedJavaHelper()
      for (const { name, partitions } of topics) {
        expect(await helper.describeTopic({ ...cluster.at, topic: name })).toHaveLength(partitions)
      }
      const made = ['t', 'u', 'bobs', 'certs', 'small', 'compacted', 'punctual']
      expect(topics.map(({ name }) => name)).toEqual(expect.arrayContaining(made))
      // Bob may see one only.
      const bobs = destination({ as: { username: 'bob', password: cluster.users['bob'] ?? '' } })
      expect((await bobs.topics()).map(({ name }) => name)).toEqual(['bobs'])
    })

    test('one that does not exist, and is not made, has failed within ten seconds', async () => {
      const began = performance.now()
      const results = await destination({ fields: { topic: path('to') }, topicAllowList: 'any' }).deliver([
        track({ to: 'nowhere' }),
        track({ to: 'u' }),
      ])
      expect(performance.now() - began).toBeLessThan(10_000)
      expect(results.map(brief)).toEqual([
        [404, true, 'UNKNOWN_TOPIC_OR_PARTITION'],
        [200, undefined, undefined],
      ])
    })
  })

  describe('seg-S9: partition', () => {
    test('precedence of partition, default partition, key and rotation', async () => {
      const fields = { partition: path('p'), default_partition: path('d'), key: path('k') }
      const k = 'user1234' // 1 of 3 by murmur2
      const given = [{ p: 0, d: 2, k }, { p: 2, d: 0 }, { p: 0, k }, { p: 0 }, { d: 0, k }, { d: 2 }, { k }]
      const nothing = Array.from({ length: 6 }, () => ({}))
      const results = await destination({ fields }).deliver([...given, ...nothing].map(track))
      expect(results.slice(0, 7).map(({ partition }) => partition)).toEqual([0, 2, 0, 0, 0, 2, 1])
      expect(
        results
          .slice(7)
          .map(({ partition }) => partition ?? -1)
          .sort(),
      ).toEqual([0, 0, 1, 1, 2, 2])
      const records = await read('t')
      for (const [index, { partition, offset }] of results.entries()) {
        const record = records.find((each) => each.partition === partition && each.offset === offset)
        expect(String(record?.value)).toBe(JSON.stringify(track([...given, ...nothing][index])))
      }
    })

    test('one that does not exist fails its event within two seconds, and no other', async () => {
      const one = destination({ fields: { partition: path('p') } })
      await one.deliver([track({ p: 0 })])
      const began = performance.now()
      const results = await one.deliver([99, 1, -1, 2].map((p) => track({ p })))
      expect(performance.now() - began).toBeLessThan(2000)
      expect(results.map(brief)).toEqual([
        [400, false, 'UNKNOWN_PARTITION'],
        [200, undefined, undefined],
        [400, false, 'PAYLOAD_VALIDATION_FAILED'],
        [200, undefined, undefined],
      ])
    })
  })

  test("seg-S10: keys go where Kafka's own partitioner has them", async () => {
    const counts = [3, 4, 6, 12]
    await Promise.all(counts.map((count) => newTopic(`keys-${count}`, count)))
    // A.5: the partitions of 3, 4, 6 and 12.
    const table: Readonly<Record<string, readonly number[]>> = {
      ...{ user1234: [1, 0, 4, 4], '97980cfea0067': [2, 1, 5, 5], '019mr8mf4r': [0, 0, 0, 0] },
      ...{ '0e8c78ea9d97a7b8185e8632': [2, 1, 5, 5], '': [0, 1, 3, 9], '42': [1, 0, 4, 4] },
      ...{ é: [0, 3, 3, 3], 日本語: [1, 2, 4, 10] },
    }
    const keys = Object.keys(table)
    const answers = await (
      await sharedJavaHelper()
    ).murmur2(
      keys.map((key) => Buffer.from(key)),
      counts,
    )
    const fields = { topic: { '@template': 'keys-{{properties.count}}' }, key: path('key') }
    const events = keys.flatMap((key) => counts.map((count) => track({ key, count })))
    const results = await destination({ fields }).deliver(events)
    const taken = keys.map((_, index) => results.slice(4 * index, 4 * index + 4).map(({ partition }) => partition))
    expect(taken).toEqual(Object.values(table))
    expect(taken).toEqual(answers.map(({ partitions }) => partitions))
  })

  test("seg-S11: headers of each kind, as Kafka's own consumer sees them", async () => {
    const headers = { s: 'text', u: 'é日', e: '', list: ['a', 'b', 3], n: 4.5, b: false, z: null, o: { a: [1, null] } }
    const [result] = await destination({ fields: { topic: 'u', headers: path('headers') } }).deliver([
      track({ headers }),
    ])
    const record = (await read('u')).find(({ offset }) => offset === result?.offset)
    expect(record?.headers.map(([name, value]) => [name, value === null ? null : String(value)])).toEqual([
      ...[
        ['s', 'text'],
        ['u', 'é日'],
        ['e', ''],
        ['list', 'a'],
        ['list', 'b'],
        ['list', '3'],
      ],
      ...[
        ['n', '4.5'],
        ['b', 'false'],
        ['z', null],
        ['o', '{"a":[1,null]}'],
      ],
    ])
  })

  test('seg-S12: 1002 events in one call, two topics: in order per partition, and once', async () => {
    await Promise.all([newTopic('even', 3), newTopic('odd', 3)])
    const fields = { topic: path('to'), key: path('k'), payload: { n: path('n') } }
    const events = Array.from({ length: 1002 }, (_, n) =>
      track({ n, to: n % 2 === 0 ? 'even' : 'odd', k: `k${n % 11}` }),
    )
    const wrong = [track({ n: 'no topic' }), null]
    const results = await destination({ fields, topicAllowList: ['even', 'odd'] }).deliver([...wrong, ...events])
    expect(results.map(({ event }) => event)).toEqual(Array.from({ length: 1004 }, (_, index) => index))
    expect(results.map(({ status }) => status)).toEqual([400, 400, ...events.map(() => 200)])
    for (const [topic, rest] of [
      ['even', 0],
      ['odd', 1],
    ] as const) {
      const records = await read(topic)
      const numbers = records.map(({ partition, value }) => ({
        partition,
        n: (JSON.parse(String(value)) as { n: number }).n,
      }))
      expect(numbers.map(({ n }) => n).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 501 }, (_, i) => 2 * i + rest),
      )
      for (const partition of [0, 1, 2]) {
        const own = numbers.filter((record) => record.partition === partition).map(({ n }) => n)
        expect(own).toEqual([...own].sort((a, b) => a - b))
      }
    }
  })

  test('seg-S13: batch_size and batch_bytes cut what is written', async () => {
    await newTopic('cut', 1)
    const events = Array.from({ length: 12 }, (_, n) => track({ n, text: 'x'.repeat(2000) }))
    for (const fields of [{}, { batch_size: 5 }, { batch_bytes: 7000 }]) {
      const results = await destination({ fields: { topic: 'cut', ...fields } }).deliver(events)
      expect(results.every(({ status }) => status === 200)).toBe(true)
    }
    const stored = await dumpBatches({ logDir: cluster.logDirs[0] ?? '', topic: 'cut', partition: 0 })
    expect(stored.map(({ count }) => count)).toEqual([12, 5, 5, 2, 3, 3, 3, 3])
  })

  describe('seg-S14, seg-S15: refused by the broker', () => {
    test('an event that is too large is 413, and takes none along', async () => {
      const events = [
        track(),
        track({ text: 'x'.repeat(5000) }),
        track({ n: 2 }),
        track({ text: 'x'.repeat(2_000_000) }),
      ]
      const results = await destination({ fields: { topic: 'small' } }).deliver(events)
      expect(results.map(brief)).toEqual([
        [200, undefined, undefined],
        [413, false, 'MESSAGE_TOO_LARGE'],
        [200, undefined, undefined],
        [413, false, 'RECORD_TOO_LARGE'],
      ])
      expect(results[1]?.error?.message).toMatch(/^Kafka Producer Error - MESSAGE_TOO_LARGE: /)
      expect(await values('small')).toEqual([JSON.stringify(track()), JSON.stringify(track({ n: 2 }))])
    })

    test('a topic that is forbidden is 403, and the other is written', async () => {
      const as = { username: 'bob', password: cluster.users['bob'] ?? '' }
      const one = destination({ as, fields: { topic: path('to') }, topicAllowList: 'any' })
      const results = await one.deliver(['bobs', 't', 'bobs'].map((to) => track({ to })))
      expect(results.map(brief)).toEqual([
        [200, undefined, undefined],
        [403, false, 'TOPIC_AUTHORIZATION_FAILED'],
        [200, undefined, undefined],
      ])
    })

    test('without a key in a compacted topic, or with a time to come: 400, and the others are written', async () => {
      const keyed = destination({ fields: { topic: 'compacted', key: path('k') } })
      const byKey = await keyed.deliver([{ k: 'a' }, {}, { k: 'b' }].map(track))
      expect(byKey.map(brief)).toEqual([
        [200, undefined, undefined],
        [400, false, 'INVALID_RECORD'],
        [200, undefined, undefined],
      ])
      const timed = destination({ fields: { topic: 'punctual' }, timestamp: 'event' })
      const now = new Date().toISOString()
      const byTime = await timed.deliver(['2100-01-01T00:00:00Z', now].map((timestamp) => ({ ...track(), timestamp })))
      expect(byTime.map(brief)).toEqual([
        [400, false, 'INVALID_TIMESTAMP'],
        [200, undefined, undefined],
      ])
      expect((await read('punctual')).map(({ timestamp }) => timestamp)).toEqual([Date.parse(now)])
    })

    test('a broker that is silent is 504, and may be tried again', async () => {
      const one = destination({ producer: { deliveryTimeoutMs: 1500, requestTimeoutMs: 1000 } })
      await one.deliver([track()])
      await cluster.pause(1)
      const [result] = await one.deliver([track()])
      await cluster.resume(1)
      expect(result).toMatchObject({
        status: 504,
        retry: true,
        maybeWritten: true,
        error: { code: 'DELIVERY_TIMEOUT' },
      })
    })
  })

  test('seg-S16: testAuthentication lets in who may, and says who may not, within a bound', async () => {
    await expect(destination().testAuthentication()).resolves.toBeUndefined()
    const began = performance.now()
    const nobody = destination({ as: { brokers: '127.0.0.1:1' } })
    await expect(nobody.testAuthentication()).rejects.toMatchObject({ status: 503 })
    const plaintext = destination({ as: { brokers: at('saslSsl') } })
    await expect(plaintext.testAuthentication()).rejects.toMatchObject({
      status: 400,
      message: /^Credentials are invalid: {2}.*TLS/,
    })
    expect(performance.now() - began).toBeLessThan(30_000)
  })
})
