import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Producer, type DiagnosticEvents, type KafkaError, type ProducerOptions } from '../../src/index.ts'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import { createTopic, readTopic } from '../support/kafka/readers.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { allow, putUser, unsecuredToken } from '../support/kafka/security-admin.ts'

const PASSWORD_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const
const LISTENERS = ['saslPlaintext', 'saslSsl'] as const
/** Those with a name or a password that a careless client gets wrong. */
const USERS = ['alice', 'co,mma', 'equ=als', 'both=,2C,=3D', 'carol']
const CLIENT = 'User:CN=headrace-client'
const TOKEN_SESSION_MS = 1500

type Login = Pick<ProducerOptions, 'brokers' | 'tls' | 'sasl'>

let producers: Producer[] = []

function open(options: ProducerOptions): Producer {
  const producer = new Producer({ maxBlockMs: 10_000, ...options })
  producers.push(producer)
  return producer
}

afterEach(async () => {
  await Promise.allSettled(producers.map((producer) => producer.close({ timeoutMs: 0 })))
  producers = []
})

async function failureOf(work: Promise<unknown>): Promise<KafkaError> {
  return await work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as KafkaError,
  )
}

function addressOf(cluster: RealCluster, listener: keyof RealCluster['listeners']): string {
  return cluster.listeners[listener] ?? ''
}

function caOf({ files }: RealCluster): string {
  return readFileSync(files.ca ?? '', 'utf8')
}

function byPassword(
  cluster: RealCluster,
  listener: (typeof LISTENERS)[number],
  mechanism: (typeof PASSWORD_MECHANISMS)[number],
  username: string,
): Login {
  const sasl = { mechanism, username, password: cluster.users[username] ?? '' }
  const tls = listener === 'saslSsl' ? { tls: { ca: caOf(cluster) } } : {}
  return { brokers: addressOf(cluster, listener), sasl, ...tls }
}

/** What is logged in while `work` runs. */
async function loginsDuring<T>(
  work: () => Promise<T>,
): Promise<{ result: T; logins: DiagnosticEvents['headrace:connection:authenticated'][] }> {
  const logins: DiagnosticEvents['headrace:connection:authenticated'][] = []
  const listen = (event: unknown): void =>
    void logins.push(event as DiagnosticEvents['headrace:connection:authenticated'])
  subscribe('headrace:connection:authenticated', listen)
  try {
    return { result: await work(), logins }
  } finally {
    unsubscribe('headrace:connection:authenticated', listen)
  }
}

describeBrokers('security on Apache Kafka 4.3.1', () => {
  let cluster: RealCluster
  const topic = 'allowed'

  beforeAll(async () => {
    cluster = await startCluster({
      ...{ version: '4.3.1', nodes: 1, security: true, authorizer: true },
      properties: {
        'auto.create.topics.enable': 'false',
        'listener.name.sasl_plaintext.oauthbearer.connections.max.reauth.ms': String(TOKEN_SESSION_MS),
      },
    })
    for (const name of [topic, 'forbidden']) {
      await createTopic({ ...cluster.at, topic: name, partitions: 1, replicationFactor: 1 })
    }
    // Bob and nobody else is left out: what gets in below is known to the broker by its right name.
    for (const principal of [...USERS.map((user) => `User:${user}`), CLIENT]) {
      await allow(cluster, { principal, topic, operations: ['write'] })
    }
    await vi.waitUntil(
      async () => (await attempt(byPassword(cluster, 'saslPlaintext', 'plain', USERS.at(-1) ?? ''))) === 'written',
      { timeout: 30_000 },
    )
  })

  afterAll(() => cluster.close())

  async function attempt(login: Login, to = topic): Promise<string> {
    const producer = open(login)
    return await producer.send({ topic: to, value: 'x' }).then(
      () => 'written',
      (error: unknown) => (error as KafkaError).code,
    )
  }

  describe.each(LISTENERS)('%s', (listener) => {
    it.each(PASSWORD_MECHANISMS)('%s: users with hard names and passwords are who they are', async (mechanism) => {
      for (const username of USERS) {
        const value = `${listener} ${mechanism} ${username}`
        const { result, logins } = await loginsDuring(() =>
          open(byPassword(cluster, listener, mechanism, username)).send({ topic, value }),
        )
        expect(result.offset).toBeGreaterThanOrEqual(0n)
        expect(logins[0]).toMatchObject({ mechanism: mechanism.toUpperCase(), user: username, sessionLifetimeMs: 0n })
      }
      const written = (await readTopic({ ...cluster.at, topic })).map(({ value }) => value?.toString())
      expect(written).toEqual(expect.arrayContaining(USERS.map((user) => `${listener} ${mechanism} ${user}`)))
      expect(await attempt(byPassword(cluster, listener, mechanism, 'bob'))).toBe('TOPIC_AUTHORIZATION_FAILED')
    })

    it('oauthbearer: a token is its subject, while it is valid', async () => {
      const tls = listener === 'saslSsl' ? { tls: { ca: caOf(cluster) } } : {}
      const login = (sub: string, lifetimeSeconds: number): Login => ({
        ...{ brokers: addressOf(cluster, listener), ...tls },
        sasl: { mechanism: 'oauthbearer', token: () => ({ value: unsecuredToken({ sub, lifetimeSeconds }) }) },
      })
      expect(await attempt(login('alice', 60))).toBe('written')
      expect(await attempt(login('bob', 60))).toBe('TOPIC_AUTHORIZATION_FAILED')
      const error = await failureOf(open(login('alice', -60)).connect())
      expect(error).toMatchObject({ name: 'AuthenticationError', code: 'SASL_AUTHENTICATION_FAILED' })
      expect(error.message).toContain('OAUTHBEARER: the broker refuses the token')
    })
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'TLS and mutual TLS, %s: our principal is that of the certificate',
    async (version) => {
      const { clientCert = '', clientKey = '' } = cluster.files
      const [cert, key] = [readFileSync(clientCert), readFileSync(clientKey, 'utf8')]
      const tls = { ca: caOf(cluster), minVersion: version, maxVersion: version }
      expect(await attempt({ brokers: addressOf(cluster, 'ssl'), tls }, 'forbidden')).toBe('written') // anonymous may all
      const mutual = { brokers: addressOf(cluster, 'mtls'), tls: { ...tls, cert, key } }
      expect(await attempt(mutual)).toBe('written')
      expect(await attempt(mutual, 'forbidden')).toBe('TOPIC_AUTHORIZATION_FAILED')
      expect(await attempt({ brokers: addressOf(cluster, 'mtls'), tls: () => ({ ...tls, cert, key }) })).toBe('written')
      expect(await attempt({ brokers: addressOf(cluster, 'mtls'), tls })).toBe('CLIENT_CERTIFICATE_REQUIRED')
    },
  )

  it('A7: a password that changes while records flow', async () => {
    const username = 'dora'
    await allow(cluster, { principal: `User:${username}`, topic, operations: ['write'] })
    let password = 'the first one'
    await putUser(cluster, username, password)
    const sasl = { mechanism: 'scram-sha-512', username, password: () => password } as const
    const options = { brokers: addressOf(cluster, 'saslPlaintext'), sasl }
    const old = open(options)
    await expect.poll(() => old.send({ topic, value: 'before' }).then(() => 'written', String)).toBe('written')
    await putUser(cluster, username, 'the second one')
    await old.send({ topic, value: 'on the old connection' })
    const refused = await failureOf(open(options).connect())
    expect(refused).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', retriable: false })
    password = 'the second one'
    await open(options).send({ topic, value: 'on a new one' })
    await old.send({ topic, value: 'and still on the old one' })
  })

  it('A5: another principal in the middle of a session: a fresh connection, and no record is lost', async () => {
    let sub = 'alice'
    const token = () => ({ value: unsecuredToken({ sub, lifetimeSeconds: 600 }) })
    const producer = open({ brokers: addressOf(cluster, 'saslPlaintext'), sasl: { mechanism: 'oauthbearer', token } })
    const lost: string[] = []
    const onClosed = (event: unknown): void =>
      void lost.push((event as DiagnosticEvents['headrace:connection:closed']).error.message)
    subscribe('headrace:connection:closed', onClosed)
    const { logins } = await loginsDuring(async () => {
      await producer.send({ topic, value: 'A5 0' })
      sub = 'carol'
      for (let i = 1; lost.length === 0; i++) await producer.send({ topic, value: `A5 ${i}` })
      await producer.send({ topic, value: 'A5 last' })
    })
    unsubscribe('headrace:connection:closed', onClosed)
    expect(lost).toHaveLength(1)
    expect(lost[0]).toMatch(/authenticating again failed: .*Cannot change principals/)
    expect(logins.map(({ isReauthentication }) => isReauthentication)).toEqual([false, false])
    expect(Number(logins[0]?.sessionLifetimeMs)).toBeLessThanOrEqual(TOKEN_SESSION_MS)
    const { delivered, failed } = producer.stats()
    const values = (await readTopic({ ...cluster.at, topic })).map(({ value }) => value?.toString() ?? '')
    expect(failed).toBe(0)
    expect(values.filter((value) => value.startsWith('A5'))).toHaveLength(delivered)
  })
})

for (const version of ['2.8.2', '0.10.2.2'])
  describeBrokers(`security on Apache Kafka ${version}`, () => {
    let cluster: RealCluster
    const topic = 'old'

    beforeAll(async () => {
      cluster = await startCluster({ version, nodes: 1, security: true })
      await createTopic({ ...cluster.at, topic, partitions: 1, replicationFactor: 1 })
    })

    afterAll(() => cluster.close())

    it.each(LISTENERS)('%s: PLAIN and SCRAM, in SaslAuthenticate or bare', async (listener) => {
      const values: string[] = []
      for (const mechanism of PASSWORD_MECHANISMS) {
        for (const username of USERS) {
          const value = `${listener} ${mechanism} ${username}`
          await open(byPassword(cluster, listener, mechanism, username)).send({ topic, value })
          values.push(value)
        }
      }
      const written = (await readTopic({ ...cluster.at, topic })).map((record) => record.value?.toString())
      expect(written).toEqual(expect.arrayContaining(values))
    })

    it.each(PASSWORD_MECHANISMS)('a wrong password for %s is named, and fails the first send', async (mechanism) => {
      const right = byPassword(cluster, 'saslPlaintext', mechanism, 'alice')
      const wrong = { ...right, sasl: { mechanism, username: 'alice', password: 'another one' } }
      const error = await failureOf(open({ ...wrong, maxBlockMs: 60_000 }).send({ topic, value: 'x' }))
      expect(error).toMatchObject({
        name: 'AuthenticationError',
        code: 'SASL_AUTHENTICATION_FAILED',
        maybeWritten: false,
      })
      expect(error.message).toContain(`${mechanism.toUpperCase()}, user "alice": the broker`)
      expect(error.message).not.toContain('another one')
    })

    // Before 0.11 a listener has no name but its protocol's: there is one for TLS, and that is one-sided.
    if (version !== '0.10.2.2') {
      it('mutual TLS', async () => {
        const { clientCert = '', clientKey = '' } = cluster.files
        const tls = { ca: caOf(cluster), cert: readFileSync(clientCert), key: readFileSync(clientKey) }
        const { offset } = await open({ brokers: addressOf(cluster, 'mtls'), tls }).send({ topic, value: 'x' })
        expect(offset).toBeGreaterThanOrEqual(0n)
      })
    }
  })
