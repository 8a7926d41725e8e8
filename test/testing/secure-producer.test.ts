import { connect } from 'node:net'
import { duplexPair, type Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { KafkaError, Producer, type ProducerOptions } from '../../src/index.ts'
import type { SaslOptions } from '../../src/sasl/sasl-options.ts'
import { selfSigned } from '../../src/testing/self-signed.ts'
import { TestCluster, type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import type { Transport } from '../../src/testing/transport.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { Authority, type Issued } from '../support/tls/authority.ts'

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const users = { alice: 'alice-secret' }
const SOON = { retryBackoffMs: 1, retryBackoffMaxMs: 2, reconnectBackoffMs: 1, reconnectBackoffMaxMs: 2 }

async function clusterOf(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await TestCluster.start({ topics: { t: 1 }, ...options })
  open.push(() => cluster.close())
  return cluster
}

function producerOf(cluster: TestCluster, options: Partial<ProducerOptions> = {}, clock?: FakeClock): Producer {
  const all = { brokers: cluster.bootstrap, ...SOON, ...options }
  const producer = clock === undefined ? new Producer(all) : new Producer(all, clock)
  open.push(() => producer.close({ timeoutMs: 0 }).catch(() => undefined)) // gives up what a test left unsettled
  return producer
}

async function failureOf(work: Promise<unknown>): Promise<KafkaError> {
  const outcome: unknown = await work.then(
    () => 'success',
    (error: unknown) => error,
  )
  if (outcome instanceof KafkaError) return outcome
  throw new Error(`expected a KafkaError, got ${String(outcome)}`)
}

/** Lets time pass, a little at a time, until `done` is there. */
async function passing<T>(clock: FakeClock, done: Promise<T>): Promise<T> {
  const settled: true[] = []
  const watched = done.finally(() => settled.push(true))
  watched.catch(() => undefined) // the caller gets it
  while (settled.length === 0) {
    await turns(5)
    await clock.advance(1)
  }
  return watched
}

function tokenFor(sub: string, expiresAtMs: number): { value: string; expiresAtMs: number } {
  const parts = [{ alg: 'none' }, { sub, exp: Math.floor(expiresAtMs / 1000) }]
  const [header, body] = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  return { value: `${header}.${body}.`, expiresAtMs }
}

const password = users.alice
const LOGINS: readonly SaslOptions[] = [
  { mechanism: 'plain', username: 'alice', password },
  { mechanism: 'scram-sha-256', username: 'alice', password },
  { mechanism: 'scram-sha-512', username: 'alice', password },
  { mechanism: 'oauthbearer', token: () => tokenFor('alice', Date.now() + 3_600_000) },
]

describe('a producer', () => {
  describe.each([false, true])('with tls: %s', (tls) => {
    it.each(LOGINS)('gets in with $mechanism', async (sasl) => {
      const cluster = await clusterOf({ brokers: 2, topics: { t: 2 }, tls, sasl: { users } })
      const producer = producerOf(cluster, { sasl, ...(tls ? { tls: { ca: cluster.ca } } : {}) })
      await producer.sendAll([0, 1].map((partition) => ({ topic: 't', value: `${partition}`, partition })))
      expect(cluster.records('t').map(({ value }) => String(value))).toEqual(['0', '1'])
      const writers = cluster.requests.filter(({ api }) => api === 'Produce').map(({ principal }) => principal)
      expect(new Set(writers)).toEqual(new Set(['User:alice']))
      const { logins, refused, illegal } = cluster.loginStats()
      expect(logins).toBeGreaterThanOrEqual(2)
      expect([refused, illegal, cluster.violations]).toEqual([0, 0, []])
    })
  })

  it('gets in to an old broker by raw tokens', async () => {
    const cluster = await clusterOf({ kafkaVersion: '0.10.2', sasl: { users } })
    const producer = producerOf(cluster, { sasl: LOGINS[1], idempotent: false })
    await producer.send({ topic: 't', value: 'a' })
    const tokens = cluster.requests.filter(({ api }) => api === 'SaslAuthenticate')
    expect(new Set(tokens.map(({ version }) => version))).toEqual(new Set([-1]))
    expect(cluster.loginStats()).toMatchObject({ refused: 0, illegal: 0 })
  })

  it('is told at once that its password is wrong', async () => {
    const cluster = await clusterOf({ sasl: { users } })
    const producer = producerOf(cluster, { sasl: { mechanism: 'plain', username: 'alice', password: 'wrong' } })
    const error = await failureOf(producer.send({ topic: 't', value: 'a' }))
    expect(error).toMatchObject({
      name: 'AuthenticationError',
      code: 'SASL_AUTHENTICATION_FAILED',
      maybeWritten: false,
    })
    expect(error.message).toContain('Invalid username or password')
    expect(cluster.violations).toEqual([])
  })

  it('without sasl is hung up on, which is no violation', async () => {
    const cluster = await clusterOf({ sasl: { users } })
    await failureOf(producerOf(cluster, { maxBlockMs: 100 }).send({ topic: 't', value: 'a' }))
    expect(cluster.loginStats()).toMatchObject({ logins: 0, refused: 0 })
    expect(cluster.loginStats().illegal).toBeGreaterThan(0)
    expect(cluster.violations).toEqual([])
  })
})

describe('a session that ends', () => {
  /** Above a second: a broker takes no second login within one. */
  const sessionLifetimeMs = 1200
  const secret = LOGINS[0]!

  it('is renewed each second under load: nothing is lost, doubled or out of order, nothing is illegal', async () => {
    const clock = new FakeClock()
    const cluster = await clusterOf({ clock, sasl: { users, sessionLifetimeMs } })
    const producer = producerOf(cluster, { sasl: secret }, clock)
    let next = 0
    const sends: Promise<unknown>[] = []
    for (let step = 0; step < 600; step++) {
      for (let i = 0; i < 5; i++) sends.push(producer.send({ topic: 't', value: `${next++}` }))
      await turns(2)
      await clock.advance(20)
    }
    await passing(clock, Promise.all(sends))
    expect(cluster.records('t').map(({ value }) => Number(value))).toEqual(Array.from({ length: next }, (_, i) => i))
    const { logins, reauthentications, refused, illegal, expired } = cluster.loginStats()
    // 12 s of sessions that are renewed after 85 to 95 % of 1.2 s.
    expect(reauthentications).toBeGreaterThanOrEqual(10 * logins - 2)
    expect([refused, illegal, expired, cluster.violations]).toEqual([0, 0, 0, []])
  })

  it('is renewed with the new password, if that is asked for at each login', async () => {
    const clock = new FakeClock()
    const cluster = await clusterOf({ clock, sasl: { users, sessionLifetimeMs } })
    let current = users.alice
    const sasl = { mechanism: 'plain', username: 'alice', password: () => current } as const
    const producer = producerOf(cluster, { sasl }, clock)
    await passing(clock, producer.send({ topic: 't', value: 'a' }))
    cluster.setUser('alice', (current = 'new-secret'))
    await clock.advance(1150)
    await passing(clock, producer.send({ topic: 't', value: 'b' }))
    expect(cluster.loginStats()).toMatchObject({ refused: 0, illegal: 0, expired: 0 })
    expect(cluster.loginStats().reauthentications).toBeGreaterThan(0)
    expect(cluster.recordCount('t')).toBe(2)
  })

  it('is the end, if the password is another one meanwhile', async () => {
    const clock = new FakeClock()
    const cluster = await clusterOf({ clock, sasl: { users, sessionLifetimeMs } })
    const producer = producerOf(cluster, { sasl: secret }, clock)
    await passing(clock, producer.send({ topic: 't', value: 'a' }))
    cluster.setUser('alice', 'new-secret')
    await clock.advance(1150)
    const error = await passing(clock, failureOf(producer.send({ topic: 't', value: 'b' })))
    expect(error.maybeWritten).toBe(false)
    expect(cluster.loginStats().refused).toBeGreaterThan(0)
    expect(cluster.recordCount('t')).toBe(1)
  })
})

describe('over whatever carries the bytes', () => {
  it.each(['plain', 'oauthbearer'] as const)(
    '%s logs in, and again, on the clock of the cluster alone',
    async (name) => {
      const clock = new FakeClock()
      let onConnection: (socket: Duplex) => void = () => undefined
      const transport: Transport = {
        listen: (_nodeId, _host, _port, onClient) => {
          onConnection = onClient
          return Promise.resolve({ port: 9092, close: () => Promise.resolve() })
        },
      }
      const cluster = await clusterOf({ clock, transport, sasl: { users, sessionLifetimeMs: 1200 } })
      const createSocket = () => {
        const [client, broker] = duplexPair()
        onConnection(broker)
        return client
      }
      const sasl: SaslOptions =
        name === 'plain'
          ? { mechanism: name, username: 'alice', password }
          : { mechanism: name, token: () => tokenFor('alice', clock.wallNow() + 3_600_000) }
      const options = { brokers: 'nowhere:9092', createSocket, sasl, allowPlaintextCredentials: true }
      const producer = producerOf(cluster, options, clock)
      await passing(clock, producer.send({ topic: 't', value: 'a' }))
      await clock.advance(1150)
      await passing(clock, producer.send({ topic: 't', value: 'b' }))
      expect(cluster.loginStats().reauthentications).toBe(1)
      expect(cluster.loginStats()).toMatchObject({ refused: 0, illegal: 0, expired: 0 })
    },
  )
})

describe('tls', () => {
  let root: Authority
  let server: Issued
  let client: Issued

  beforeAll(async () => {
    root = await Authority.root('the root')
    server = await root.issue()
    client = await root.issue({ usage: 'clientAuth', commonName: 'orders' })
  })
  afterAll(() => root.remove())

  it('takes the certificate that it is given', async () => {
    const cluster = await clusterOf({ tls: server })
    await producerOf(cluster, { tls: { ca: root.cert } }).send({ topic: 't', value: 'a' })
    expect([cluster.ca, cluster.recordCount('t')]).toEqual([undefined, 1])
    expect(new Set(cluster.requests.map(({ principal }) => principal))).toEqual(new Set(['User:ANONYMOUS']))
  })

  it.each(['127.0.0.1', 'localhost', '::1'])('makes itself a certificate that is good for %s', async (host) => {
    const cluster = await clusterOf({ tls: true, host })
    await producerOf(cluster, { tls: { ca: cluster.ca } }).send({ topic: 't', value: 'a' })
    expect(cluster.recordCount('t')).toBe(1)
  })

  it('makes itself another certificate for each cluster', async () => {
    const [a, b] = [await clusterOf({ tls: true }), await clusterOf({ tls: true })]
    const error = await failureOf(producerOf(a, { tls: { ca: b.ca } }).send({ topic: 't', value: 'a' }))
    expect(error.code).toMatch(/^CERTIFICATE_/)
    expect(a.violations).toEqual([])
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('names a client by its certificate, %s', async (version) => {
    const tls = { ...server, ca: root.cert, requestCert: true, minVersion: version, maxVersion: version }
    const cluster = await clusterOf({ tls })
    await producerOf(cluster, { tls: { ca: root.cert, ...client } }).send({ topic: 't', value: 'a' })
    const principals = new Set(cluster.requests.map(({ principal }) => principal))
    expect(principals).toEqual(new Set(['User:CN=orders,O=headrace test']))
    const error = await failureOf(producerOf(cluster, { tls: { ca: root.cert } }).send({ topic: 't', value: 'b' }))
    expect(error.code).toMatch(/^CLIENT_CERTIFICATE_/)
    expect(cluster.recordCount('t')).toBe(1)
  })

  it('with sasl the user is who logged in, whatever the certificate says', async () => {
    const tls = { ...server, ca: root.cert, requestCert: true }
    const cluster = await clusterOf({ tls, sasl: { users } })
    await producerOf(cluster, { tls: { ca: root.cert, ...client }, sasl: LOGINS[0] }).send({ topic: 't', value: 'a' })
    expect(cluster.requests.at(-1)?.principal).toBe('User:alice')
  })

  it('waits behind a black hole, and goes on after it', async () => {
    const cluster = await clusterOf({ tls: true })
    cluster.blackHole(1)
    const producer = producerOf(cluster, { tls: { ca: cluster.ca } })
    const sent = producer.send({ topic: 't', value: 'a' })
    const socket = connectTls({ port: cluster.ports[0]!, host: '127.0.0.1', ca: cluster.ca })
    open.push(() => socket.destroy())
    const greeted: true[] = []
    socket.on('error', () => undefined).on('secureConnect', () => greeted.push(true))
    await until(() => !socket.connecting, 'it is open')
    await turns(50)
    expect([cluster.requests, greeted]).toEqual([[], []])
    cluster.blackHole(1, 'none')
    await until(() => greeted.length === 1, 'it is greeted')
    expect(await sent).toMatchObject({ offset: 0n })
  })

  it('lets a broker stop in the middle of a handshake', async () => {
    const cluster = await clusterOf({ tls: true })
    const socket = connect(cluster.ports[0]!, '127.0.0.1')
    let isClosed = false
    socket.on('error', () => undefined).on('close', () => (isClosed = true))
    await until(() => !socket.connecting, 'it is open')
    socket.write(Buffer.from('1603010200', 'hex'))
    await turns(20)
    await cluster.stopBroker(1)
    await until(() => isClosed, 'it is closed')
    await cluster.startBroker(1)
    await producerOf(cluster, { tls: { ca: cluster.ca } }).send({ topic: 't', value: 'a' })
  })

  it('tells a client that speaks plaintext nothing, and is none the worse', async () => {
    const cluster = await clusterOf({ tls: true })
    const error = await failureOf(producerOf(cluster, { maxBlockMs: 1000 }).send({ topic: 't', value: 'a' }))
    expect(error.message).toMatch(/TLS/)
    expect(cluster.violations).toEqual([])
  })

  it.each<[string, unknown, string]>([
    ['a certificate without its key', { cert: selfSigned(['a']).cert }, 'tls: cert and key belong together'],
    ['a key of another certificate', { cert: selfSigned(['a']).cert, key: selfSigned(['a']).key }, 'tls: '],
    ['no PEM', { cert: 'x', key: 'y' }, 'tls: '],
    ['something else', 'yes', 'tls: got "yes", expected true, or an object'],
  ])('refuses %s', async (_, tls, message) => {
    await expect(TestCluster.start({ tls } as TestClusterOptions)).rejects.toThrow(message)
  })
})
