import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/connection/answers.ts'
import { turns, until } from '../support/fake-clock.ts'
import { hostileAnswers } from '../support/hostile-peer.ts'
import { advanceUntilSettled } from '../support/settling.ts'
import { guardTests, PLAIN, SCRAM, SCRAM_USER } from './harness.ts'
import {
  handshakeFrame,
  lastWord,
  NOTHING,
  scramLogin,
  throttlingFrame,
  tokenFrame,
  type Script,
} from './scripted-broker.ts'
import {
  SESSION_MS,
  DUE_MS,
  CONNECT_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
  session,
  type Scene,
  scene,
  ask,
  tell,
  seen,
  LOGIN,
  BEGIN,
  holding,
  isApi,
  outcomeOf,
} from './session-scene.ts'

// KIP-368, message by message, on one connection.

guardTests()

describe('a session that is about to end', () => {
  it('is renewed by the next request, which goes after the login', async () => {
    const stage = await scene()
    await ask(stage, 'early')
    await stage.clock.advance(DUE_MS - 1)
    await ask(stage, 'in time')
    await stage.clock.advance(1)
    expect(outcomeOf(await ask(stage, 'due'))).toBe('answered')
    expect(seen(stage)).toEqual([...BEGIN, 'early', 'in time', ...LOGIN, 'due'])
    expect(stage.broker.connections).toBe(1)
  })

  it('and not by time: an idle connection does not log in, and leaves no timer but that of idleness', async () => {
    const stage = await scene()
    await stage.clock.advance(500_000)
    await turns(10)
    expect(seen(stage)).toEqual(BEGIN)
    expect(stage.clock.pendingMs).toHaveLength(1)
    expect(outcomeOf(await ask(stage, 'late'))).toBe('answered')
  })

  it('what is in flight is answered first; what comes meanwhile follows in its order, never within the login', async () => {
    const stage = await scene(() => scramLogin(SCRAM_USER, SESSION_MS), SCRAM)
    const slow = holding(stage.broker, ({ body }) => JSON.stringify(body).includes('slow'))
    const [first, second] = [ask(stage, 'slow 1'), ask(stage, 'slow 2')]
    await until(() => slow.held.length === 2, 'two in flight')
    await stage.clock.advance(DUE_MS)
    const parked = ['a', 'b', 'c'].map((name) => ask(stage, name))
    await turns(20)
    expect(seen(stage).slice(-2)).toEqual(['slow 1', 'slow 2'])
    expect(stage.connection.inFlightCount, 'those that wait count').toBe(5)

    const handshake = holding(stage.broker, isApi('SaslHandshake'))
    slow.release()
    expect([outcomeOf(await first), outcomeOf(await second)]).toEqual(['answered', 'answered'])
    await until(() => handshake.held.length === 1, 'the login')
    parked.push(ask(stage, 'd'))
    await turns(20)
    expect(seen(stage).at(-1)).toBe('SaslHandshake')
    handshake.release()
    expect((await Promise.all(parked)).map(outcomeOf)).toEqual(Array(4).fill('answered'))
    const again = ['SaslHandshake', 'SaslAuthenticate', 'SaslAuthenticate']
    expect(seen(stage).slice(-9)).toEqual(['slow 1', 'slow 2', ...again, 'a', 'b', 'c', 'd'])
  })

  it('records that nobody confirms wait with the others, in their order', async () => {
    const stage = await scene()
    stage.broker.script = ({ api }) => (api === 'Produce' ? NOTHING : null)
    await tell(stage)
    await stage.clock.advance(DUE_MS)
    const all = [tell(stage), ask(stage, 'a'), tell(stage), ask(stage, 'b')]
    for (const outcome of await Promise.all<Outcome<unknown>>(all)) expect('error' in outcome).toBe(false)
    expect(seen(stage)).toEqual([...BEGIN, 'Produce', ...LOGIN, 'Produce', 'a', 'Produce', 'b'])
  })

  it('a broker that throttles us does not read: the login has that much longer', async () => {
    const stage = await scene()
    await stage.clock.advance(DUE_MS - 1)
    stage.broker.script = (one) => (one.api === 'Metadata' ? throttlingFrame(one, 20_000) : null)
    await ask(stage, 'too much')
    await stage.clock.advance(1)
    const login = holding(stage.broker, isApi('SaslHandshake'))
    const parked = ask(stage, 'parked')
    await until(() => login.held.length === 1, 'the login')
    await stage.clock.advance(19_999 + CONNECT_TIMEOUT_MS - 1)
    await turns(5)
    expect(stage.broker.openSockets).toBe(1)
    login.release()
    expect(outcomeOf(await parked)).toBe('answered')
  })

  it('a hundred times, and what is asked is answered each time', async () => {
    const stage = await scene()
    for (let i = 0; i < 100; i++) {
      await stage.clock.advance(DUE_MS)
      const outcomes = await Promise.all([ask(stage, 'a'), ask(stage, 'b')])
      expect(outcomes.map(outcomeOf)).toEqual(['answered', 'answered'])
    }
    expect(stage.broker.count('SaslAuthenticate')).toBe(101)
    expect(stage.broker.connections).toBe(1)
  })
})

describe('another login that fails', () => {
  /** Parks three requests and lets the login go wrong by what the script does. */
  async function fails(script: Script): Promise<{ stage: Scene; outcomes: Promise<Outcome<unknown>[]> }> {
    const stage = await scene()
    await ask(stage, 'early')
    await stage.clock.advance(DUE_MS)
    stage.broker.script = script
    const outcomes = Promise.all(['a', 'b', 'c'].map((name) => ask(stage, name)))
    return { stage, outcomes }
  }

  async function expectParkedFail({ stage, outcomes }: Awaited<ReturnType<typeof fails>>): Promise<string> {
    const all = await outcomes
    const errors = all.map((outcome) => ('error' in outcome ? outcome.error : null))
    for (const outcome of all) expect(outcome).toMatchObject({ wasWritten: false })
    for (const error of errors) expect(error).toMatchObject({ name: 'ConnectionError', retriable: true })
    await until(() => stage.broker.openSockets === 0, 'the connection ends')
    for (const name of ['a', 'b', 'c']) expect(seen(stage)).not.toContain(name)
    expect(stage.connection.isReady).toBe(false)
    expect(stage.clock.pendingMs, 'timers that were left behind').toEqual([])
    return errors[0]!.message
  }

  const answers: readonly [string, Script, RegExp][] = [
    [
      'the password is no longer right (58)',
      (one) => (one.api === 'SaslAuthenticate' ? tokenFrame(one, { errorCode: 58, errorMessage: 'no more' }) : null),
      /authenticating again failed: .*SASL_AUTHENTICATION_FAILED \(58\).*the broker says: no more/,
    ],
    [
      'A5: "Cannot change principals"',
      (one) =>
        one.api === 'SaslAuthenticate'
          ? tokenFrame(one, { errorCode: 58, errorMessage: 'Cannot change principals during re-authentication' })
          : null,
      /Cannot change principals/,
    ],
    [
      'the mechanism is gone (33)',
      (one) => (one.api === 'SaslHandshake' ? handshakeFrame(one, 33, ['GSSAPI']) : null),
      /UNSUPPORTED_SASL_MECHANISM \(33\)/,
    ],
    [
      'it comes too early for the broker (34)',
      (one) => (one.api === 'SaslHandshake' ? handshakeFrame(one, 34, []) : null),
      /ILLEGAL_SASL_STATE \(34\)/,
    ],
    [
      'the broker hangs up at SaslHandshake',
      (one, { socket }) => (one.api === 'SaslHandshake' ? (socket.destroy(), NOTHING) : null),
      /while we authenticated again|broke/,
    ],
    [
      'the broker hangs up at the token',
      (one, { socket }) => (one.api === 'SaslAuthenticate' ? (socket.end(), NOTHING) : null),
      /while we authenticated again|broke/,
    ],
    [
      'the broker says two things at once',
      (one) =>
        one.api === 'SaslHandshake'
          ? Buffer.concat([handshakeFrame(one, 0, ['PLAIN']), handshakeFrame(one, 0, ['PLAIN'])])
          : null,
      /CORRELATION_MISMATCH/,
    ],
  ]

  it.each(answers)('%s: the connection ends, and what waits was not written', async (_what, script, says) => {
    expect(await expectParkedFail(await fails(script))).toMatch(says)
  })

  it.each(hostileAnswers.filter(({ floodBytes }) => floodBytes === undefined))('hostile: $name', async ({ bytes }) => {
    const script: Script = ({ api, correlationId }) => (api === 'SaslAuthenticate' ? bytes(correlationId) : null)
    await expectParkedFail(await fails(script))
  })

  it.each(['SaslHandshake', 'SaslAuthenticate'])('%s is never answered: connectTimeoutMs', async (api) => {
    const parts = await fails((one) => (one.api === api ? NOTHING : null))
    const { stage } = parts
    await until(() => stage.broker.asked().slice(BEGIN.length).includes(api), 'the login')
    await stage.clock.advance(CONNECT_TIMEOUT_MS - 1)
    await turns(10)
    expect(stage.broker.openSockets).toBe(1)
    await stage.clock.advance(1)
    expect(await expectParkedFail(parts)).toContain(`no answer to ${api} within connectTimeoutMs (5000 ms)`)
  })

  it('a function for the password that never settles: connectTimeoutMs, too', async () => {
    const state = { isStuck: false }
    const password = (): string | Promise<string> => (state.isStuck ? new Promise(() => undefined) : 'right')
    const stage = await scene(session(), { ...PLAIN, password })
    await stage.clock.advance(DUE_MS)
    state.isStuck = true
    const parked = ask(stage, 'a')
    await until(() => stage.broker.count('SaslHandshake') === 2, 'the login')
    await turns(10)
    await stage.clock.advance(CONNECT_TIMEOUT_MS)
    expect(await parked).toMatchObject({ wasWritten: false, error: { code: 'CONNECT_TIMEOUT' } })
    await until(() => stage.broker.openSockets === 0, 'the connection ends')
  })

  it('a request in flight that is never answered: its own deadline, and what waits was not written', async () => {
    const stage = await scene()
    holding(stage.broker, isApi('Metadata'))
    const silent = ask(stage, 'silent')
    await stage.clock.advance(DUE_MS)
    const parked = ask(stage, 'parked')
    await stage.clock.advance(REQUEST_TIMEOUT_MS - DUE_MS - 1)
    expect(stage.connection.isReady).toBe(true)
    await stage.clock.advance(1)
    expect(outcomeOf(await silent)).toEqual(['REQUEST_TIMEOUT', true])
    expect(outcomeOf(await parked)).toEqual(['REQUEST_TIMEOUT', false])
    expect(seen(stage).filter((name) => name === 'SaslHandshake')).toHaveLength(1)
  })

  it.each(['while something is in flight', 'at SaslHandshake', 'at SaslAuthenticate'])('close() %s', async (when) => {
    const stage = await scene()
    const at = when.replace('at ', '')
    holding(stage.broker, isApi(when.startsWith('at') ? at : 'Metadata'))
    const inFlight = when.startsWith('at') ? null : ask(stage, 'in flight')
    await stage.clock.advance(DUE_MS)
    const parked = ask(stage, 'parked')
    await until(
      () =>
        stage.broker
          .asked()
          .slice(BEGIN.length)
          .includes(inFlight ? 'Metadata' : at),
      'the moment',
    )
    stage.connection.close()
    if (inFlight) expect(outcomeOf(await inFlight)).toEqual(['CLOSED_BY_CLIENT', true])
    expect(outcomeOf(await parked)).toEqual(['CLOSED_BY_CLIENT', false])
    await until(() => stage.broker.openSockets === 0, 'the connection ends')
    expect(seen(stage)).not.toContain('parked')
    expect(stage.clock.pendingMs).toEqual([])
  })
})

describe('the second that Kafka wants between two logins', () => {
  async function waiting(): Promise<{ stage: Scene; parked: Promise<Outcome<unknown>> }> {
    const stage = await scene(session(1n))
    await ask(stage, 'at once')
    await stage.clock.advance(10)
    const parked = ask(stage, 'parked')
    await turns(10)
    expect(seen(stage).at(-1)).toBe('at once')
    return { stage, parked }
  }

  it('is ended by close(), and no timer is left behind', async () => {
    const { stage, parked } = await waiting()
    stage.connection.close()
    expect(outcomeOf(await parked)).toEqual(['CLOSED_BY_CLIENT', false])
    await turns(5)
    expect(stage.clock.pendingMs).toEqual([])
  })

  it('is ended by the broker, who hangs up: what waits was not written, and nobody logs in any more', async () => {
    const { stage, parked } = await waiting()
    stage.broker.dropAll()
    expect(await parked).toMatchObject({ wasWritten: false, error: { retriable: true } })
    await stage.clock.advance(5000)
    expect(stage.broker.count('SaslHandshake')).toBe(1)
    expect(stage.clock.pendingMs).toEqual([])
  })
})

describe('A6: sessions of strange lengths', () => {
  it.each([
    ['0, for ever', 0n],
    ['2^63-1', 2n ** 63n - 1n],
    ['negative', -5n],
  ])('%s: never again', async (_what, lifetimeMs) => {
    const stage = await scene(session(lifetimeMs))
    for (let i = 0; i < 5; i++) {
      await stage.clock.advance(300_000)
      expect(outcomeOf(await ask(stage, 'x'))).toBe('answered')
    }
    expect(seen(stage)).toEqual([...BEGIN, ...Array<string>(5).fill('x')])
    expect(stage.clock.pendingMs.every((ms) => ms < 2 ** 31)).toBe(true)
  })

  it.each([1n, 10n, 999n])('%d ms: a request between two logins at least, and a second', async (lifetimeMs) => {
    const stage = await scene(session(lifetimeMs))
    const startMs = stage.clock.now()
    for (let i = 0; i < 10; i++) {
      await stage.clock.advance(1000)
      const asked = Promise.all([ask(stage, 'x'), ask(stage, 'y')])
      await advanceUntilSettled(stage.clock, asked, 50)
      expect((await asked).map(outcomeOf)).toEqual(['answered', 'answered'])
    }
    const text = seen(stage).slice(BEGIN.length).join(' ')
    expect(text).not.toMatch(/SaslAuthenticate SaslHandshake/)
    const logins = stage.broker.count('SaslHandshake') - 1
    expect(logins).toBeGreaterThan(3)
    expect(logins).toBeLessThanOrEqual((stage.clock.now() - startMs) / 1000)
  })

  it('shrinking: each counts from its own login', async () => {
    const lifetimes = [10_000n, 8000n, 6000n, 4000n, 0n]
    let next = 0
    const stage = await scene(() => () => lastWord({ sessionLifetimeMs: lifetimes[next++] ?? 0n }))
    for (const lifetime of lifetimes.slice(0, 4)) {
      const dueMs = Math.min(Number(lifetime) * 0.9, Number(lifetime) - 1000)
      await stage.clock.advance(dueMs - 1)
      await ask(stage, 'in time')
      await stage.clock.advance(1)
      await ask(stage, 'due')
      expect(seen(stage).slice(-4)).toEqual(['in time', ...LOGIN, 'due'])
    }
    await stage.clock.advance(500_000)
    await ask(stage, 'for ever')
    expect(next).toBe(5)
  })

  it('counts from the moment at which the token was sent, not from its answer', async () => {
    const stage = await scene()
    const slow = holding(stage.broker, isApi('SaslAuthenticate'))
    await stage.clock.advance(DUE_MS)
    const due = ask(stage, 'due')
    await until(() => slow.held.length === 1, 'the token')
    await stage.clock.advance(2000)
    slow.release()
    await due
    // 10 s - 2 x 2 s for the next login - 1 s, of which 2 s are over.
    await stage.clock.advance(5000 - 2000 - 1)
    await ask(stage, 'in time')
    expect(seen(stage).slice(-1)).toEqual(['in time'])
    expect(stage.broker.count('SaslHandshake')).toBe(2)
    await stage.clock.advance(1)
    await ask(stage, 'due again')
    expect(seen(stage).slice(-3)).toEqual([...LOGIN, 'due again'])
  })
})
