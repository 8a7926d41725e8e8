import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ProducerOptions } from '../../src/index.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { advanceUntilSettled } from '../support/settling.ts'
import { Authority, type Issued } from '../support/tls/authority.ts'
import { Peer } from '../support/tls/tls-peer.ts'
import { brokerOf, closeLater, failureOf, guardTests, PLAIN, producerOf, SCRAM, SCRAM_USER } from './harness.ts'
import { NOTHING, OLD_KEYS, scramLogin, type Script, type ScriptedOptions } from './scripted-broker.ts'

// One deadline for all of connecting: TCP, TLS, ApiVersions and SASL together. Virtual time.

guardTests()

const CONNECT_TIMEOUT_MS = 7000

let authority: Authority
let own: Issued
beforeAll(async () => {
  authority = await Authority.root('the root')
  own = await authority.issue()
})
afterAll(() => authority.remove())

/** Says nothing more from the `nth` request of a kind on. */
function silentAt(api: string, nth = 1): Script {
  let count = 0
  return (seen) => (seen.api === api && ++count === nth ? NOTHING : null)
}

interface Stall {
  readonly name: string
  readonly broker: ScriptedOptions
  readonly producer?: Partial<ProducerOptions>
  readonly says: string
  /** Requests until then. */
  readonly steps: number
}

const login = (): ReturnType<typeof scramLogin> => scramLogin(SCRAM_USER)
const WITHIN = `within connectTimeoutMs (${CONNECT_TIMEOUT_MS} ms)`

function stalls(): readonly Stall[] {
  const tls = { ca: authority.cert }
  return [
    {
      ...{ name: 'ApiVersions', broker: { script: silentAt('ApiVersions') } },
      says: `no answer to ApiVersions ${WITHIN}`,
      steps: 1,
    },
    {
      name: 'ApiVersions over TLS',
      broker: { tls: own, script: silentAt('ApiVersions') },
      producer: { tls },
      says: `no answer to ApiVersions ${WITHIN}`,
      steps: 1,
    },
    {
      ...{ name: 'SaslHandshake', broker: { script: silentAt('SaslHandshake') } },
      says: `no answer to SaslHandshake ${WITHIN}`,
      steps: 2,
    },
    {
      name: 'SaslAuthenticate, the first',
      broker: { login, script: silentAt('SaslAuthenticate') },
      says: `no answer to SaslAuthenticate ${WITHIN}`,
      steps: 3,
    },
    {
      name: 'SaslAuthenticate, the second',
      broker: { login, script: silentAt('SaslAuthenticate', 2) },
      says: `no answer to SaslAuthenticate ${WITHIN}`,
      steps: 4,
    },
    {
      name: 'SaslAuthenticate of PLAIN over TLS',
      broker: { tls: own, script: silentAt('SaslAuthenticate') },
      producer: { tls, sasl: PLAIN },
      says: `no answer to SaslAuthenticate ${WITHIN}`,
      steps: 3,
    },
    {
      name: 'a bare token, the first',
      broker: { apiKeys: OLD_KEYS, login, script: silentAt('token') },
      says: `no answer to a SASL token ${WITHIN}`,
      steps: 3,
    },
    {
      name: 'a bare token, the second',
      broker: { apiKeys: OLD_KEYS, login, script: silentAt('token', 2) },
      says: `no answer to a SASL token ${WITHIN}`,
      steps: 4,
    },
  ]
}

const NAMES = [
  ...['ApiVersions', 'ApiVersions over TLS', 'SaslHandshake', 'SaslAuthenticate, the first'],
  ...['SaslAuthenticate, the second', 'SaslAuthenticate of PLAIN over TLS'],
  ...['a bare token, the first', 'a bare token, the second'],
]

describe('a server that stalls', () => {
  it.each(NAMES)('at %s', async (name) => {
    const stall = stalls().find((one) => one.name === name)!
    const broker = await brokerOf(stall.broker)
    const clock = new FakeClock()
    const options = { connectTimeoutMs: CONNECT_TIMEOUT_MS, sasl: SCRAM, ...stall.producer }
    const producer = producerOf(broker.address, options, clock)
    const failed = failureOf(producer.connect())
    await until(() => broker.seen.length === stall.steps, 'the step')
    await clock.advance(CONNECT_TIMEOUT_MS - 1)
    await turns(10)
    expect(broker.openSockets, 'not before the deadline').toBe(1)
    await clock.advance(1)
    await until(() => broker.openSockets === 0, 'the client hangs up at the deadline')
    await advanceUntilSettled(clock, failed, 100)
    const error = await failed
    expect(error.message).toContain(stall.says)
    await producer.close()
    await turns(5)
    expect(clock.pendingMs, 'timers that were left behind').toEqual([])
    await until(() => broker.openSockets === 0, 'no socket is left behind')
  })

  it.each([
    ['TCP accepts, and nothing more, without TLS', false, 'no answer to ApiVersions'],
    ['in TLS, whose greeting nobody answers', true, 'no TLS handshake'],
  ])('%s', async (_name, isTls, says) => {
    const peer = await Peer.plain((socket) => socket.resume())
    closeLater(() => peer.close())
    const clock = new FakeClock()
    const tls = isTls ? { ca: authority.cert } : undefined
    const options = { connectTimeoutMs: CONNECT_TIMEOUT_MS, sasl: PLAIN, ...(tls && { tls }) }
    const producer = producerOf(`127.0.0.1:${peer.port}`, options, clock)
    const failed = failureOf(producer.connect())
    await until(() => peer.openSockets === 1, 'a connection')
    await turns(20)
    await clock.advance(CONNECT_TIMEOUT_MS)
    await until(() => peer.openSockets === 0, 'the client hangs up')
    await advanceUntilSettled(clock, failed, 100)
    expect((await failed).message).toContain(says)
    await producer.close()
    expect(clock.pendingMs).toEqual([])
  })

  it('everywhere a little: what TLS took is missing afterwards', async () => {
    // Every answer takes three seconds; the third one would come two seconds too late.
    const clock = new FakeClock()
    const script: Script = () => NOTHING
    const broker = await brokerOf({ tls: own, script, login })
    broker.script = (seen, { socket }) => {
      const answer = broker.decent(seen, login())
      clock.after(3000, () => socket.write(answer))
      return NOTHING
    }
    const options = { connectTimeoutMs: CONNECT_TIMEOUT_MS, tls: { ca: authority.cert }, sasl: SCRAM }
    const startMs = clock.now()
    const failed = failureOf(producerOf(broker.address, { ...options }, clock).connect())
    for (const api of ['ApiVersions', 'SaslHandshake', 'SaslAuthenticate']) {
      await until(() => broker.count(api) === 1, api)
      await clock.advance(api === 'SaslAuthenticate' ? 1000 : 3000)
    }
    await until(() => broker.openSockets === 0, 'the client hangs up')
    expect(clock.now() - startMs).toBe(CONNECT_TIMEOUT_MS)
    await advanceUntilSettled(clock, failed, 100)
    expect((await failed).message).toContain(`no answer to SaslAuthenticate ${WITHIN}`)
  })

  it('one byte a second is a stall, too', async () => {
    const clock = new FakeClock()
    const broker = await brokerOf({ login })
    broker.script = (seen, { socket }) => {
      if (seen.api !== 'SaslAuthenticate') return null
      const answer = broker.decent(seen, login())
      answer.forEach((_, at) => clock.after(1000 * (at + 1), () => socket.write(answer.subarray(at, at + 1))))
      return NOTHING
    }
    const options = { connectTimeoutMs: CONNECT_TIMEOUT_MS, sasl: SCRAM }
    const failed = failureOf(producerOf(broker.address, options, clock).connect())
    await until(() => broker.count('SaslAuthenticate') === 1, 'the login')
    for (let i = 0; i < CONNECT_TIMEOUT_MS / 1000; i++) await clock.advance(1000)
    await until(() => broker.openSockets === 0, 'the client hangs up')
    await advanceUntilSettled(clock, failed, 100)
    expect((await failed).message).toContain(`no answer to SaslAuthenticate ${WITHIN}`)
  })

  it('is left at once by close()', async () => {
    for (const script of [silentAt('ApiVersions'), silentAt('SaslHandshake'), silentAt('SaslAuthenticate', 2)]) {
      const broker = await brokerOf({ login, script })
      const clock = new FakeClock()
      const producer = producerOf(broker.address, { sasl: SCRAM }, clock)
      const failed = failureOf(producer.connect())
      await until(() => broker.seen.length > 0, 'the first step')
      await turns(20)
      await producer.close()
      expect((await failed).code).toMatch(/^CLOSED/)
      await until(() => broker.openSockets === 0, 'the client hangs up')
      await turns(5)
      expect(clock.pendingMs).toEqual([])
    }
  })
})
