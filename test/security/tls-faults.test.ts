import { connect, type Socket } from 'node:net'
import { TLSSocket, type TlsOptions } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KafkaError, ProducerOptions } from '../../src/index.ts'
import { deliveredAt, runWithLedger, type FaultRun } from '../faults/support.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { advanceUntilSettled } from '../support/settling.ts'
import { Authority, daysFromNow, type Issued } from '../support/tls/authority.ts'
import { Peer } from '../support/tls/tls-peer.ts'
import { brokerOf, closeLater, failureOf, guardTests, PASSWORD, PLAIN, producerOf } from './harness.ts'
import { metadataFrame, NOTHING, type ScriptedBroker } from './scripted-broker.ts'

// Rows A8 to A10, all the way through connect() and send(). test/tls has each of them on `secure()` alone.

guardTests()

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const
type Version = (typeof VERSIONS)[number]

let root: Authority
let other: Authority
let middle: Authority
let good: Issued
let ours: Issued
let foreign: Issued
beforeAll(async () => {
  ;[root, other] = [await Authority.root('the root'), await Authority.root('another root')]
  middle = await root.intermediate('the intermediate')
  good = await root.issue()
  ours = await root.issue({ usage: 'clientAuth' })
  foreign = await other.issue({ usage: 'clientAuth' })
})
afterAll(() => Promise.all([root.remove(), other.remove()]))

/** Certificates are judged by OpenSSL's clock, which is the system's. */
function clockOfToday(): FakeClock {
  const clock = new FakeClock()
  clock.wallNow = () => Date.now()
  return clock
}

const USES = ['connect', 'send'] as const

/** What connect() or send() fails with, and the virtual time that it took: none, if it must not take any. */
async function attempt(
  use: (typeof USES)[number],
  address: string,
  options: Partial<ProducerOptions>,
  isFirstFinal = false,
): Promise<{ error: KafkaError; tookMs: number }> {
  const clock = clockOfToday()
  const startMs = clock.now()
  const producer = producerOf(address, options, clock)
  const failed = failureOf(use === 'connect' ? producer.connect() : producer.send({ topic: 't', value: 'v' }))
  if (!isFirstFinal) await advanceSlowly(clock, failed)
  return { error: await failed, tookMs: clock.now() - startMs }
}

/** TLS takes real turns of the event loop, in which no time must pass. */
async function advanceSlowly(clock: FakeClock, promise: Promise<unknown>): Promise<void> {
  for (;;) {
    for (let i = 0; i < 40 && !(await isSettled(promise)); i++) await turns(5)
    if (await isSettled(promise)) return
    await clock.advance(50)
  }
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = {}
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending
}

interface Fault {
  readonly name: string
  readonly server: () => Promise<TlsOptions> | TlsOptions
  readonly tls?: () => object
  readonly code: string
  readonly says: string | RegExp
  readonly versions?: readonly Version[]
}

const wanting = (): TlsOptions => ({ ...good, requestCert: true, rejectUnauthorized: true, ca: root.cert })
const clientCertificate = ({ cert, key }: Issued): object => ({ ca: root.cert, cert, key })

const FAULTS: readonly Fault[] = [
  {
    ...{ name: 'expired', server: () => root.issue({ from: daysFromNow(-10), to: daysFromNow(-1) }) },
    ...{ code: 'CERTIFICATE_EXPIRED', says: 'expired on' },
  },
  {
    ...{ name: 'not yet valid', server: () => root.issue({ from: daysFromNow(10), to: daysFromNow(20) }) },
    ...{ code: 'CERTIFICATE_NOT_YET_VALID', says: 'are the clocks right?' },
  },
  {
    ...{ name: 'wrong host name', server: () => root.issue({ names: 'DNS:kafka-1.example' }) },
    ...{ code: 'CERTIFICATE_HOST_MISMATCH', says: 'is not for 127.0.0.1, but for kafka-1.example' },
  },
  {
    ...{ name: 'common name only', server: () => root.issue({ names: null, commonName: '127.0.0.1' }) },
    ...{ code: 'CERTIFICATE_HOST_MISMATCH', says: 'only as common name' },
  },
  {
    ...{ name: 'unknown CA, its root sent', server: () => ({ ...good, cert: good.cert + root.cert }) },
    ...{ tls: () => ({ ca: other.cert }), code: 'CERTIFICATE_UNTRUSTED', says: 'set tls.ca' },
  },
  {
    ...{ name: 'unknown CA, nothing of it sent', server: () => good, tls: () => ({ ca: other.cert }) },
    ...{ code: 'CERTIFICATE_CHAIN_INCOMPLETE', says: 'set tls.ca to it (it has "another root")' },
  },
  {
    ...{ name: 'self-signed leaf', server: () => root.selfSigned('lonely') },
    ...{ code: 'CERTIFICATE_SELF_SIGNED', says: '("lonely") is signed by itself and not in tls.ca' },
  },
  {
    ...{ name: 'intermediate missing', server: () => middle.issue() },
    ...{ code: 'CERTIFICATE_CHAIN_INCOMPLETE', says: 'the broker must send it' },
  },
  {
    ...{ name: 'no server-auth usage', server: () => root.issue({ usage: 'clientAuth' }) },
    ...{ code: 'CERTIFICATE_PURPOSE', says: 'not meant for servers' },
  },
  {
    name: "key too short for OpenSSL's minimum",
    server: async () => ({ ...(await root.issue({ rsaBits: 512 })), ciphers: 'DEFAULT@SECLEVEL=0' }),
    ...{ code: 'CERTIFICATE_TOO_WEAK', says: 'too weak for OpenSSL', versions: ['TLSv1.2'] },
  },
  {
    ...{ name: 'client certificate missing', server: wanting },
    ...{ code: 'CLIENT_CERTIFICATE_REQUIRED', says: 'asks for a client certificate: set tls.cert and tls.key' },
  },
]

describe('A8: a certificate that does not do', () => {
  for (const { name, server, tls = () => ({ ca: root.cert }), code, says, versions = VERSIONS } of FAULTS) {
    it.each(versions)(`${name}, %s: connect() and send() say so without any time`, async (version) => {
      const broker = await brokerOf({ tls: { ...(await server()), minVersion: version, maxVersion: version } })
      for (const use of USES) {
        const { error } = await attempt(use, broker.address, { tls: tls(), sasl: PLAIN }, true)
        expect(error).toMatchObject({ name: 'AuthenticationError', code, retriable: false, maybeWritten: false })
        expect(error.message.startsWith(`${broker.address}: ${code}: `)).toBe(true)
        expect(error.message).toMatch(says)
      }
      expect(
        broker.asked().filter((api) => api !== 'ApiVersions'),
        'nothing secret was said',
      ).toEqual([])
      await until(() => broker.openSockets === 0, 'the client hangs up')
    })
  }

  it.each(VERSIONS)(
    'client certificate of an unknown CA, %s: a guess at first, and then it is said',
    async (version) => {
      const broker = await brokerOf({ tls: { ...wanting(), minVersion: version, maxVersion: version } })
      for (const use of USES) {
        const { error, tookMs } = await attempt(use, broker.address, { tls: clientCertificate(foreign) })
        expect(error).toMatchObject({ name: 'AuthenticationError', code: 'CLIENT_CERTIFICATE_REFUSED' })
        expect(error.message).toContain('our client certificate, tls.cert, is probably refused')
        expect(tookMs).toBeLessThan(1000)
      }
      expect(broker.seen.filter(({ api }) => api !== 'ApiVersions')).toEqual([])
    },
  )

  it.each(VERSIONS)('and one that does, %s: the record is delivered', async (version) => {
    const broker = await brokerOf({ tls: { ...wanting(), minVersion: version, maxVersion: version } })
    const options = { tls: clientCertificate(ours), sasl: PLAIN, idempotent: false }
    expect((await producerOf(broker.address, options, clockOfToday()).send({ topic: 't', value: 'v' })).offset).toBe(0n)
  })

  it('the leader has it, and not the broker that was asked: records wait, and say why at their deadline', async () => {
    const leader = await brokerOf({ tls: await root.issue({ names: 'DNS:kafka-1.example' }) })
    const first = await brokerOf({ tls: good })
    first.script = (seen) => (seen.api === 'Metadata' ? metadataFrame(seen, '127.0.0.1', leader.port) : null)
    const clock = clockOfToday()
    const deadlines = { deliveryTimeoutMs: 40_000, requestTimeoutMs: 5000 }
    const producer = producerOf(first.address, { tls: { ca: root.cert }, idempotent: false, ...deadlines }, clock)
    const failed = failureOf(producer.send({ topic: 't', value: 'v' }))
    await advanceUntilSettled(clock, failed, 100)
    const error = await failed
    expect(error).toMatchObject({ code: 'DELIVERY_TIMEOUT', maybeWritten: false })
    expect(error.message).toContain(`last: ${leader.address}: CERTIFICATE_HOST_MISMATCH`)
    expect(leader.seen).toEqual([])
  })
})

describe('a function for tls that fails for a while', () => {
  it('costs no record', async () => {
    const state = { isDown: false }
    const tls = (): object => {
      if (state.isDown) throw new Error('the file is being written')
      return { ca: root.cert }
    }
    const broker = await brokerOf({ tls: good })
    const clock = clockOfToday()
    const producer = producerOf(broker.address, { tls, sasl: PLAIN, idempotent: false }, clock)
    await producer.send({ topic: 't', value: 'v' })
    state.isDown = true
    broker.dropAll()
    const sent = producer.send({ topic: 't', value: 'v' })
    for (let i = 0; i < 100; i++) await clock.advance(200)
    expect(broker.count('Produce')).toBe(1)
    state.isDown = false
    await advanceSlowly(clock, sent)
    expect((await sent).offset).toBe(1n)
  })
})

describe('A9: the wrong kind of port, in words and within a second', () => {
  const cases: readonly [string, () => Promise<string>, () => Partial<ProducerOptions>, string, RegExp][] = [
    [
      'plaintext on a TLS port',
      async () => (await brokerOf({ tls: good })).address,
      () => ({ sasl: PLAIN }),
      'PEER_SPEAKS_TLS',
      /this port speaks TLS: set tls$/,
    ],
    [
      'TLS on a plaintext port, which hangs up without a word as Kafka does',
      async () => {
        const peer = await Peer.plain((socket) => socket.once('data', () => socket.destroy()))
        closeLater(() => peer.close())
        return `127.0.0.1:${peer.port}`
      },
      () => ({ tls: { ca: root.cert }, sasl: PLAIN }),
      'PEER_NOT_TLS',
      /is this a plaintext listener\? Leave out tls, or use the port of the TLS listener$/,
    ],
    [
      'no sasl on a SASL port',
      async () => (await saslPort()).address,
      () => ({}),
      'CONNECTION_CLOSED',
      /after ApiVersions: does this listener want SASL\?$/,
    ],
    [
      'no sasl on a SASL port with TLS',
      async () => (await saslPort({ tls: good })).address,
      () => ({ tls: { ca: root.cert } }),
      'CONNECTION_CLOSED',
      /after ApiVersions: does this listener want SASL\?$/,
    ],
  ]

  /** Hangs up on requests before the login, as Kafka does. */
  async function saslPort(options: { tls?: TlsOptions } = {}): Promise<ScriptedBroker> {
    return brokerOf({
      ...options,
      script: ({ api }, { socket }) => (api === 'Metadata' ? (socket.end(), NOTHING) : null),
    })
  }

  it.each(cases)('%s', async (_what, at, options, code, says) => {
    for (const use of USES) {
      const { error, tookMs } = await attempt(use, await at(), options())
      expect(error.code).toBe(code)
      expect(error.message).toMatch(says)
      expect(tookMs).toBeLessThan(1000)
    }
  })
})

describe('A10: TLS in the middle of the stream', () => {
  /** A TestCluster with TLS and SASL, records on their way, judged by the oracles. */
  async function played(work: (run: FaultRun) => Promise<void>, version?: Version): Promise<void> {
    const bounds = version && { minVersion: version, maxVersion: version }
    await runWithLedger(
      {
        cluster: { brokers: 1, tls: { ...good, ...bounds }, sasl: { users: { alice: PASSWORD } } },
        producer: { tls: { ca: root.cert }, sasl: PLAIN },
      },
      async (run) => {
        run.clock.wallNow = () => Date.now()
        await work(run)
      },
    )
  }

  const junk: readonly [string, Buffer][] = [
    ['a record that nobody can decrypt', Buffer.from(`1703030020${'ab'.repeat(32)}`, 'hex')],
    ['a record of a length that cannot be', Buffer.from('170303ffff', 'hex')],
    ['a record of a kind that there is not', Buffer.from('6303030004deadbeef', 'hex')],
    ['a fatal alert in plaintext', Buffer.from('15030300020228', 'hex')],
    ['a second greeting', Buffer.from('160303000401000000', 'hex')],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ]

  describe.each(VERSIONS)('%s', (version) => {
    it.each(junk)('%s: the connection ends, and no record is lost or doubled', async (_what, bytes) => {
      await played(async (run) => {
        deliveredAt(await settledSlowly(run, run.send()))
        run.cluster.fail({ api: 'Produce', silent: true })
        const sent = [run.send(), run.send({ partition: 1 })]
        await until(() => run.records().length === 2, 'the record is in the log')
        const connections = run.sockets.length
        run.socketTo().push(bytes)
        for (const end of sent) deliveredAt(await settledSlowly(run, end))
        expect(run.sockets.length).toBeGreaterThan(connections)
      }, version)
    })
  })

  it.each(VERSIONS)(
    "close_notify, and data after it, %s: the data is nobody's, the record goes again",
    async (version) => {
      const behind = new Set<Socket>()
      const broker = await brokerOf({ tls: { ...good, minVersion: version, maxVersion: version } })
      const relay = await relayTo(broker.port, behind)
      broker.script = (seen, { socket, number }) => {
        if (seen.api !== 'Produce' || number > 1) return null
        socket.end() // close_notify; what follows comes from somebody between us
        setImmediate(() => behind.forEach((client) => client.write(Buffer.from(`1703030020${'ab'.repeat(32)}`, 'hex'))))
        return NOTHING
      }
      const clock = clockOfToday()
      const mapAddress = (): { host: string; port: number } => ({ host: '127.0.0.1', port: relay.port })
      const options = { tls: { ca: root.cert }, sasl: PLAIN, idempotent: false, mapAddress }
      const sent = producerOf(broker.address, options, clock).send({ topic: 't', value: 'v' })
      await until(() => broker.count('Produce') === 1, 'the record')
      await turns(50)
      await advanceSlowly(clock, sent)
      expect((await sent).offset).toBe(0n)
      expect(broker.count('Produce')).toBe(2)
    },
  )

  it('a renegotiation (TLS 1.2) in the middle of a request: the answer comes all the same', async () => {
    const broker = await brokerOf({ tls: { ...good, maxVersion: 'TLSv1.2' } })
    let hasRenegotiated = false
    broker.script = (seen, { socket }) => {
      if (seen.api !== 'Produce' || hasRenegotiated) return null
      hasRenegotiated = true
      if (!(socket instanceof TLSSocket)) throw new Error('no TLS')
      const answer = broker.decent(seen, () => ({}))
      const begun = socket.renegotiate({}, () => socket.write(answer))
      expect(begun).not.toBe(false)
      return NOTHING
    }
    const producer = producerOf(
      broker.address,
      { tls: { ca: root.cert }, sasl: PLAIN, idempotent: false },
      clockOfToday(),
    )
    expect((await producer.send({ topic: 't', value: 'v' })).offset).toBe(0n)
    expect((await producer.send({ topic: 't', value: 'v' })).offset).toBe(1n)
    expect([hasRenegotiated, broker.connections]).toEqual([true, 1])
  })

  /** Somebody between us and a broker. */
  async function relayTo(port: number, clients: Set<Socket>): Promise<Peer> {
    const peer = await Peer.plain((client) => {
      clients.add(client)
      const upstream = connect(port, '127.0.0.1')
      upstream.on('error', () => client.destroy())
      client.on('close', () => (clients.delete(client), upstream.destroy()))
      upstream.on('data', (chunk: Buffer) => client.write(chunk))
      client.on('data', (chunk: Buffer) => upstream.write(chunk))
    })
    closeLater(() => peer.close())
    return peer
  }

  async function settledSlowly<T>(run: FaultRun, promise: Promise<T>): Promise<T> {
    await advanceSlowly(run.clock, promise)
    return promise
  }
})
