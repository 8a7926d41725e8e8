import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OptionError, Producer, type ProducerOptions, type SaslOptions } from '../../src/index.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { Authority, type Issued } from '../support/tls/authority.ts'
import { Peer } from '../support/tls/tls-peer.ts'
import {
  brokerOf,
  closeLater,
  failureOf,
  guardTests,
  PASSWORD,
  PLAIN,
  producerOf,
  SCRAM,
  SCRAM_USER,
} from './harness.ts'
import { handshakeFrame, metadataFrame, scramLogin, tokenFrame, type ScriptedBroker } from './scripted-broker.ts'

guardTests()

const ALL_SASL: readonly SaslOptions[] = [PLAIN, SCRAM, { mechanism: 'oauthbearer', token: PASSWORD }]

describe('a mechanism that the broker does not have (33)', () => {
  it.each(ALL_SASL)('is final for $mechanism, names what there is, and nothing else is tried', async (sasl) => {
    const broker = await brokerOf({ mechanisms: ['GSSAPI', 'SCRAM-SHA-512', 'X'] })
    const clock = new FakeClock()
    const producer = producerOf(broker.address, { sasl }, clock)
    const error = await failureOf(producer.connect())
    expect(error).toMatchObject({ name: 'AuthenticationError', code: 'UNSUPPORTED_SASL_MECHANISM', retriable: false })
    expect(error.message).toMatch(
      /: UNSUPPORTED_SASL_MECHANISM \(33\): the broker does not have [A-Z0-9-]+ on this listener; it has GSSAPI, SCRAM-SHA-512, X$/,
    )
    await until(() => broker.openSockets === 0, 'the client hangs up')
    const name = sasl.mechanism.toUpperCase()
    for (let i = 0; i < 5; i++) {
      await clock.advance(10_000)
      expect((await failureOf(producer.connect())).code).toBe('UNSUPPORTED_SASL_MECHANISM')
    }
    const shaken = broker.seen.filter(({ api }) => api === 'SaslHandshake')
    expect(shaken.length).toBeGreaterThan(1)
    expect(new Set(shaken.map(({ body }) => body['mechanism']))).toEqual(new Set([name]))
    expect(new Set(broker.asked())).toEqual(new Set(['ApiVersions', 'SaslHandshake']))
  })

  it('goes for a list of nobody, of thousands, and of names that are no names', async () => {
    const lists: readonly [string[], RegExp][] = [
      [[], /it has none at all$/],
      [Array.from({ length: 5000 }, (_, i) => `M${i}`), /it has M0, M1, .*, M19$/],
      [['\u001b[2J\u0007red', 'x'.repeat(30_000), '\u202egnp', PASSWORD, 'X'], /it has X$/],
      [['PLAIN', 'SCRAM-SHA-256'], /it has PLAIN, SCRAM-SHA-256$/], // although ours is among them
    ]
    for (const [mechanisms, says] of lists) {
      const broker = await brokerOf()
      broker.script = (seen) => (seen.api === 'SaslHandshake' ? handshakeFrame(seen, 33, mechanisms) : null)
      const error = await failureOf(producerOf(broker.address, { sasl: SCRAM }).connect())
      expect(error.code).toBe('UNSUPPORTED_SASL_MECHANISM')
      expect(error.message).toMatch(says)
      expect(error.message).toMatch(/^\P{C}*$/u)
    }
  })

  it('a list that does not have ours, and no error, is no reason to say something else', async () => {
    const broker = await brokerOf({ login: () => scramLogin(SCRAM_USER) })
    broker.script = (seen) => (seen.api === 'SaslHandshake' ? handshakeFrame(seen, 0, ['PLAIN']) : null)
    await producerOf(broker.address, { sasl: SCRAM }).connect()
    expect(broker.seen.find(({ api }) => api === 'SaslAuthenticate')?.token.toString()).toMatch(/^n,,n=alice,r=/)
  })
})

describe('other answers to SaslHandshake', () => {
  it('34: the listener wants no SASL, and the credentials stay at home', async () => {
    const broker = await brokerOf()
    broker.script = (seen) => (seen.api === 'SaslHandshake' ? handshakeFrame(seen, 34, []) : null)
    const error = await failureOf(producerOf(broker.address, { sasl: PLAIN }).send({ topic: 't', value: 'v' }))
    expect(error).toMatchObject({ name: 'AuthenticationError', code: 'ILLEGAL_SASL_STATE', retriable: false })
    expect(error.message).toMatch(
      /ILLEGAL_SASL_STATE \(34\): the listener wants no SASL: leave out sasl, or use the port of a listener that wants it$/,
    )
    expect(broker.asked()).toEqual(['ApiVersions', 'SaslHandshake'])
  })

  it.each([-1, 35, 41, 58, 999])('error %d: refused, and nothing is sent after it', async (errorCode) => {
    const broker = await brokerOf()
    broker.script = (seen) => (seen.api === 'SaslHandshake' ? handshakeFrame(seen, errorCode, ['PLAIN']) : null)
    const error = await failureOf(producerOf(broker.address, { sasl: PLAIN }).connect())
    expect(error).toMatchObject({ name: 'AuthenticationError', code: 'SASL_AUTHENTICATION_FAILED' })
    expect(error.message).toContain(`PLAIN: the broker answers SaslHandshake with error ${errorCode}`)
    expect(broker.asked()).toEqual(['ApiVersions', 'SaslHandshake'])
  })
})

describe('what a broker says of a refusal (58)', () => {
  const texts: readonly [string, string][] = [
    ['control characters', 'no\u0000\u0007\r\n\tway'],
    ['ANSI escapes', '\u001b[31m\u001b]0;owned\u0007no\u001b[0m'],
    ['characters that turn the line around', '\u202eon\u2066\u200b'],
    ['10 kB', 'no '.repeat(3400)],
    ['our password', `no user has ${PASSWORD}, says the log`],
    ['our password between control characters', Array.from(`no ${PASSWORD}`).join('\u0000')],
    ['our password in base64', `no ${Buffer.from(PASSWORD).toString('base64')}`],
    ['our password, a hundred times', PASSWORD.repeat(100)],
    ['the whole token', `\0alice\0${PASSWORD}`],
  ]

  it.each(texts)('%s: one line of at most 256 characters, without our secret', async (_what, errorMessage) => {
    for (const sasl of ALL_SASL) {
      const broker = await brokerOf()
      broker.script = (seen) =>
        seen.api === 'SaslAuthenticate' ? tokenFrame(seen, { errorCode: 58, errorMessage }) : null
      const error = await failureOf(producerOf(broker.address, { sasl }).connect()) // looks for the secret, too
      expect(error.code).toBe('SASL_AUTHENTICATION_FAILED')
      expect(error.message).toMatch(/^127\.0\.0\.1:\d+: SASL_AUTHENTICATION_FAILED \(58\): /)
      expect(error.message).toMatch(/^\P{C}*$/u)
      expect(error.message.length).toBeLessThan(500)
    }
  })
})

let authority: Authority
let own: Issued
beforeAll(async () => {
  authority = await Authority.root('the root')
  own = await authority.issue({ names: 'DNS:kafka.example,IP:127.0.0.1' })
})
afterAll(() => authority.remove())

describe('with tls', () => {
  it('a peer without it hears nothing but greetings, however often it is tried', async () => {
    const heard: Buffer[] = []
    const peer = await Peer.plain((socket) => socket.on('data', (chunk: Buffer) => heard.push(chunk) && socket.end()))
    closeLater(() => peer.close())
    const clock = new FakeClock()
    const producer = producerOf(`127.0.0.1:${peer.port}`, { tls: { ca: authority.cert }, sasl: PLAIN }, clock)
    for (let i = 0; i < 4; i++) {
      await failureOf(producer.connect())
      await clock.advance(10_000)
    }
    expect(heard.length).toBeGreaterThan(2)
    for (const greeting of heard) expect(greeting.subarray(0, 2).toString('hex')).toBe('1603')
    expect(Buffer.concat(heard).includes('headrace')).toBe(false)
  })

  it('a broker that is not trusted is told nothing at all', async () => {
    const stranger = await Authority.root('a stranger')
    closeLater(() => stranger.remove())
    const broker = await brokerOf({ tls: own })
    const error = await failureOf(
      producerOf(broker.address, { tls: { ca: stranger.cert }, sasl: PLAIN }).send({ topic: 't', value: 'v' }),
    )
    expect(error.name).toBe('AuthenticationError')
    expect(error.code).toMatch(/^CERTIFICATE_/)
    expect(broker.seen).toEqual([])
  })
})

/** A socket that seems to lead far away. */
function farSocketTo(port: number): Socket {
  const socket = new Socket().connect(port, '127.0.0.1')
  Object.defineProperty(socket, 'remoteAddress', { value: '10.0.0.7' })
  return socket
}

/** A user's transport without an address. */
function tunnelTo(port: number): Duplex {
  const inner = new Socket().connect(port, '127.0.0.1')
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => void inner.write(chunk, done),
    destroy: (error, done) => {
      inner.destroy()
      done(error)
    },
  })
  inner.on('data', (chunk: Buffer) => duplex.push(chunk))
  inner.on('close', () => duplex.push(null))
  return duplex
}

describe('secrets without TLS', () => {
  const transports: readonly [string, (broker: ScriptedBroker) => ProducerOptions['createSocket']][] = [
    [
      'to an address that is not loopback',
      ({ port }) =>
        () =>
          farSocketTo(port),
    ],
    [
      'through a transport whose other end nobody knows',
      ({ port }) =>
        () =>
          tunnelTo(port),
    ],
  ]

  it.each(transports)('%s: PLAIN and OAUTHBEARER are refused before anything secret is written', async (_what, via) => {
    let asked = 0
    const token = (): string => String(++asked)
    for (const sasl of [PLAIN, { mechanism: 'oauthbearer', token }] as const) {
      const broker = await brokerOf()
      const producer = producerOf(broker.address, { sasl, createSocket: via(broker) })
      for (const work of [producer.connect(), producer.send({ topic: 't', value: 'v' })]) {
        const error = await failureOf(work)
        expect(error).toMatchObject({ code: 'PLAINTEXT_CREDENTIALS_REFUSED', retriable: false, maybeWritten: false })
        expect(error.message).toMatch(
          /: (PLAIN|OAUTHBEARER) would send its secret readable by everybody on the way: set tls, or allowPlaintextCredentials if this network is safe$/,
        )
      }
      expect(broker.asked()).toEqual(['ApiVersions'])
      await until(() => broker.openSockets === 0, 'the client hangs up')
    }
    expect(asked, 'the function for tokens').toBe(0)
  })

  it.each(transports)('%s: they go if the user says so, or over TLS; SCRAM goes', async (_what, via) => {
    const tls = { ca: authority.cert }
    const fine: readonly [Partial<ProducerOptions>, boolean][] = [
      [{ sasl: PLAIN, allowPlaintextCredentials: true }, false],
      [{ sasl: PLAIN, tls }, true],
    ]
    for (const [options, isTls] of fine) {
      const broker = await brokerOf(isTls ? { tls: own } : {})
      await producerOf(broker.address, { ...options, createSocket: via(broker) }).connect()
      expect(broker.asked()).toContain('SaslAuthenticate')
    }
    const broker = await brokerOf({ login: () => scramLogin(SCRAM_USER) })
    await producerOf(broker.address, { sasl: SCRAM, createSocket: via(broker) }).connect()
  })

  it('AWS_MSK_IAM without tls is no option at all, whatever else is allowed', () => {
    const keys = { accessKeyId: 'AKIA', secretAccessKey: PASSWORD }
    const sasl = { mechanism: 'aws-msk-iam', region: 'eu-west-1', credentials: keys } as const
    for (const options of [{}, { allowPlaintextCredentials: true }, { tls: undefined }]) {
      const make = (): Producer => new Producer({ brokers: 'b.example:9098', sasl, ...options })
      expect(make).toThrow(OptionError)
      expect(make).toThrow(/tls/)
    }
  })
})

describe('connectGuard', () => {
  type Target = Parameters<NonNullable<ProducerOptions['connectGuard']>>[0]

  it('sees the resolved address of bootstrap and advertised brokers alike, with tls and sasl', async () => {
    const other = await brokerOf({ tls: own })
    const broker = await brokerOf({ tls: own })
    broker.script = (seen) => (seen.api === 'Metadata' ? metadataFrame(seen, 'localhost', other.port) : null)
    const targets: Target[] = []
    const tls = { ca: authority.cert, servername: 'kafka.example' }
    const connectGuard = (target: Target): void => void targets.push(target)
    const options = { tls, sasl: PLAIN, connectGuard, idempotent: false } as const
    await producerOf(`localhost:${broker.port}`, options).send({ topic: 't', value: 'v' })
    const seen = (port: number): Target[] => targets.filter((target) => target.port === port)
    for (const port of [broker.port, other.port]) {
      expect(seen(port).map(({ host }) => host)).toContain('localhost')
      expect(seen(port).map(({ address }) => address)).toContain('127.0.0.1')
    }
    expect(other.asked()).toContain('Produce')
  })

  it('keeps us away from an advertised address: not a byte goes there', async () => {
    const trap = await brokerOf()
    const broker = await brokerOf()
    broker.script = (seen) => (seen.api === 'Metadata' ? metadataFrame(seen, 'localhost', trap.port) : null)
    const connectGuard = ({ port, address }: Target): void => {
      if (port !== trap.port) return
      refusals++
      throw new Error(`${address} is no broker of ours`)
    }
    let refusals = 0
    const clock = new FakeClock()
    const options = { sasl: PLAIN, connectGuard, idempotent: false, deliveryTimeoutMs: 5000, requestTimeoutMs: 1000 }
    const producer = producerOf(broker.address, options, clock)
    const failed = failureOf(producer.send({ topic: 't', value: 'v' }))
    await until(() => refusals > 0, 'the guard is asked') // the name is resolved by the system, which has no fake clock
    for (let i = 0; i < 60; i++) await clock.advance(100)
    const error = await failed
    expect(error).toMatchObject({ code: 'DELIVERY_TIMEOUT', maybeWritten: false })
    expect(error.message).toMatch(/(127\.0\.0\.1|::1) is no broker of ours/)
    expect([trap.connections, trap.seen.length]).toEqual([0, 0])
  })

  it('sees where mapAddress leads, and TLS still wants the advertised name', async () => {
    const broker = await brokerOf({ tls: own })
    const targets: Target[] = []
    const options = {
      ...{ tls: { ca: authority.cert }, sasl: PLAIN },
      mapAddress: () => ({ host: '127.0.0.1', port: broker.port }),
      connectGuard: (target: Target) => void targets.push(target),
    }
    const producer = producerOf('kafka.example:9092', options)
    await producer.connect()
    expect(targets[0]).toEqual({ host: '127.0.0.1', port: broker.port, address: '127.0.0.1' })
    const wrong = await failureOf(producerOf('other.example:9092', options).connect())
    expect(wrong.code).toBe('CERTIFICATE_HOST_MISMATCH')
    expect(wrong.message).toContain('is not for other.example')
    await turns(2)
  })
})
