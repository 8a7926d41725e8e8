import { describe, expect, it } from 'vitest'
import type { KafkaError, ProducerOptions } from '../../src/index.ts'
import type { TestClusterOptions } from '../../src/testing/test-cluster.ts'
import { deliveredAt, errorOf, runWithLedger, type End, type FaultRun } from '../faults/support.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { brokerOf, failureOf, guardTests, PASSWORD, PLAIN, producerOf } from './harness.ts'
import { NOTHING, tokenFrame } from './scripted-broker.ts'

// Rows A1, A2, A5 and A7 of the fault matrix, through the whole producer, in virtual time.

guardTests()

const users = { alice: PASSWORD }

/** What one attempt costs the broker: when each began. */
async function refusing(): Promise<{ address: string; clock: FakeClock; attemptsAtMs: number[] }> {
  const clock = new FakeClock()
  const attemptsAtMs: number[] = []
  const broker = await brokerOf()
  broker.script = (seen) => {
    if (seen.api === 'ApiVersions') attemptsAtMs.push(clock.now())
    return seen.api === 'SaslAuthenticate' ? tokenFrame(seen, { errorCode: 58, errorMessage: 'no' }) : null
  }
  return { address: broker.address, clock, attemptsAtMs }
}

describe('A1: a wrong password', () => {
  it.each(['connect', 'send'] as const)('fails %s() at once, and says so', async (use) => {
    const { address, clock } = await refusing()
    const producer = producerOf(address, { sasl: PLAIN }, clock)
    const work = use === 'connect' ? producer.connect() : producer.send({ topic: 't', value: 'v' })
    const error = await failureOf(work)
    expect(error).toMatchObject({ name: 'AuthenticationError', code: 'SASL_AUTHENTICATION_FAILED' })
    expect([error.retriable, error.maybeWritten, error.fatal]).toEqual([false, false, false])
    expect(error.message).toBe(`${address}: SASL_AUTHENTICATION_FAILED (58): PLAIN, user "alice": the broker says: no`)
  })

  it('send() fails at once again and again, without another attempt while the backoff runs', async () => {
    const { address, clock, attemptsAtMs } = await refusing()
    const producer = producerOf(address, { sasl: PLAIN }, clock)
    for (let i = 0; i < 100; i++) {
      const error = await failureOf(producer.send({ topic: 't', value: 'v' }))
      expect(error.code).toBe('SASL_AUTHENTICATION_FAILED')
    }
    expect(attemptsAtMs).toHaveLength(1)
    expect(producer.stats().unsettled).toBe(0)
  })

  it('nor is any of several brokers asked again, which all refuse', async () => {
    const clock = new FakeClock()
    const brokers = await Promise.all([0, 1, 2].map(() => brokerOf()))
    for (const broker of brokers) {
      broker.script = (seen) => (seen.api === 'SaslAuthenticate' ? tokenFrame(seen, { errorCode: 58 }) : null)
    }
    const producer = producerOf(brokers.map(({ address }) => address).join(','), { sasl: PLAIN }, clock)
    for (let i = 0; i < 20; i++) {
      const error = await failureOf(producer.send({ topic: `t${i % 2}`, value: 'v' }))
      expect(error).toMatchObject({ code: 'BOOTSTRAP_FAILED', retriable: false, maybeWritten: false })
      for (const { address } of brokers) expect(error.message).toContain(`${address}: SASL_AUTHENTICATION_FAILED (58)`)
    }
    expect(brokers.map(({ connections }) => connections)).toEqual([1, 1, 1])
  })

  it('a broker that lets us in and hangs up then is not stormed either', async () => {
    const clock = new FakeClock()
    const broker = await brokerOf()
    broker.script = ({ api }, { socket }) => (api === 'Metadata' ? (socket.destroy(), NOTHING) : null)
    const producer = producerOf(broker.address, { sasl: PLAIN }, clock)
    const ends: Promise<KafkaError>[] = []
    for (let i = 0; i < 600; i++) {
      ends.push(failureOf(producer.send({ topic: 't', value: 'v' })))
      await clock.advance(100)
    }
    await producer.close({ timeoutMs: 0 }).catch(() => undefined)
    await Promise.all(ends)
    expect(broker.connections).toBeGreaterThan(3)
    expect(broker.connections).toBeLessThanOrEqual(3 + 60)
  })

  it.each([0, 0.5, 0.999])('is tried once a step at most, in steps up to 10 s (random %d)', async (random) => {
    const { address, clock, attemptsAtMs } = await refusing()
    clock.nextRandom = random
    const producer = producerOf(address, { sasl: PLAIN }, clock)
    const ends: Promise<KafkaError>[] = []
    // A program that sends ten times a second for three minutes.
    for (let i = 0; i < 1800; i++) {
      ends.push(failureOf(producer.send({ topic: 't', value: 'v' })))
      await clock.advance(100)
    }
    for (const error of await Promise.all(ends)) expect(error.code).toBe('SASL_AUTHENTICATION_FAILED')
    const gapsMs = attemptsAtMs.slice(1).map((at, i) => at - attemptsAtMs[i]!)
    gapsMs.forEach((gapMs, i) => expect(gapMs).toBeGreaterThanOrEqual(0.8 * Math.min(50 * 2 ** i, 10_000)))
    expect(gapsMs.at(-1)).toBeLessThanOrEqual(13_300)
    expect(attemptsAtMs.length).toBeLessThanOrEqual(8 + 180_000 / 8000)
  })

  it('nobody who does nothing asks at all', async () => {
    const { address, clock, attemptsAtMs } = await refusing()
    const producer = producerOf(address, { sasl: PLAIN }, clock)
    await failureOf(producer.connect())
    await clock.advance(600_000)
    expect(attemptsAtMs).toHaveLength(1)
    await producer.close()
    expect(clock.pendingMs).toEqual([])
  })

  it('can be put right at the broker: the next step gets in', async () => {
    await played({ cluster: { sasl: { users: { alice: 'another password' } } } }, async (run) => {
      expect(errorOf(await run.send()).code).toBe('SASL_AUTHENTICATION_FAILED')
      run.cluster.setUser('alice', PASSWORD)
      await run.clock.advance(100)
      deliveredAt(await run.settle(run.send()))
    })
  })

  it('records that wait get that error when a good broker refuses six times, with honest maybeWritten', async () => {
    await played({}, async (run) => {
      deliveredAt(await run.settle(run.send()))
      run.cluster.setUser('alice', 'another password')
      // One is written and its answer lost; the others never leave.
      run.cluster.fail({ api: 'Produce', closeAfterBytes: 0 })
      const written = run.send()
      await until(() => run.records().length === 2, 'the record is in the log')
      const never = [run.send(), run.send({ partition: 1 })]
      const startMs = run.clock.now()
      const ends = (await run.settle(Promise.all([written, ...never]), 10)).map(errorOf)
      expect(ends.map(({ name, code }) => [name, code])).toEqual(
        Array(3).fill(['AuthenticationError', 'SASL_AUTHENTICATION_FAILED']),
      )
      expect(ends.map(({ maybeWritten }) => maybeWritten)).toEqual([true, false, false])
      expect(ends.map(({ topic, partition }) => [topic, partition])).toEqual([
        ['t', 0],
        ['t', 0],
        ['t', 1],
      ])
      expect(run.clock.now() - startMs, 'six attempts take two to three seconds').toBeLessThan(4000)
      expect(run.cluster.loginStats().refused).toBe(6)
    })
  })

  it('one refusal of a broker that was good costs no record: it may not know all users yet', async () => {
    await played({}, async (run) => {
      deliveredAt(await run.settle(run.send()))
      run.cluster.fail({ api: 'SaslAuthenticate', error: 58, times: 2 })
      dropAll(run)
      const ends = await run.settle(run.sendMany(5))
      ends.map(deliveredAt)
      expect(run.cluster.loginStats().refused).toBe(2)
    })
  })

  it('with a function for the password they are kept until deliveryTimeoutMs', async () => {
    const state = { password: PASSWORD }
    const sasl = { ...PLAIN, password: () => state.password }
    await played({ producer: { sasl, deliveryTimeoutMs: 40_000, requestTimeoutMs: 10_000 } }, async (run) => {
      deliveredAt(await run.settle(run.send()))
      state.password = 'an old password'
      dropAll(run)
      const startMs = run.clock.now()
      const end = errorOf(await run.settle(run.send()))
      expect(end).toMatchObject({ code: 'DELIVERY_TIMEOUT', maybeWritten: false })
      expect(end.message).toContain('SASL_AUTHENTICATION_FAILED')
      expect(run.clock.now() - startMs).toBeGreaterThanOrEqual(40_000)
      expect(run.cluster.loginStats().refused).toBeGreaterThan(6)
      expect(run.cluster.loginStats().refused, 'no storm').toBeLessThan(20)
    })
  })

  it('and delivered if it comes right before that', async () => {
    const state = { password: PASSWORD }
    const sasl = { ...PLAIN, password: () => state.password }
    await played({ producer: { sasl } }, async (run) => {
      deliveredAt(await run.settle(run.send()))
      state.password = 'an old password'
      dropAll(run)
      const ends = run.sendMany(10)
      await run.clock.advance(20_000)
      state.password = PASSWORD
      ;(await run.settle(ends)).map(deliveredAt)
    })
  })
})

describe('A2: a function for tokens that fails for 30 s', () => {
  const shifts = [0, 2, 4, 6, 8, 10].map((phase): [number, number] => [0.999, phase])
  it.each([[0, 0] as [number, number], [0.5, 3] as [number, number], ...shifts])(
    'costs no record, and they are delivered within a second after it (random %d, %d)',
    async (random, phase) => {
      const state = { isDown: false }
      const token = (): string => {
        if (state.isDown) throw new Error('the token endpoint is down')
        return 'a.good.token'
      }
      await played(oauth(token), async (run) => {
        run.clock.nextRandom = random
        deliveredAt(await run.settle(run.send()))
        state.isDown = true
        dropAll(run)
        const ends: Promise<End>[] = []
        for (let i = 0; i < 300 + phase; i++) {
          ends.push(run.send({ partition: i % 4 }))
          await run.clock.advance(100)
        }
        expect(run.records().length, 'nothing gets through').toBe(1)
        state.isDown = false
        const upAtMs = run.clock.now()
        ;(await run.settle(Promise.all(ends), 5)).map(deliveredAt)
        expect(run.clock.now() - upAtMs).toBeLessThanOrEqual(1000)
      })
    },
  )

  it('in the middle of a session: the same, on a fresh connection', async () => {
    const state = { isDown: false }
    const token = (): string => {
      if (state.isDown) throw new Error('the token endpoint is down')
      return 'a.good.token'
    }
    await played(oauth(token, { sessionLifetimeMs: 5000 }), async (run) => {
      const ends: Promise<End>[] = []
      for (let i = 0; i < 800; i++) {
        if (i === 100) state.isDown = true
        if (i === 700) state.isDown = false
        ends.push(run.send({ partition: i % 4 }))
        await run.clock.advance(50)
      }
      ;(await run.settle(Promise.all(ends))).map(deliveredAt)
      expect(run.cluster.loginStats().illegal).toBe(0)
    })
  })

  it('from the start: connect() says so at once, and send() waits for it', async () => {
    const state = { isDown: true, count: 0 }
    const token = (): string => {
      state.count++
      if (state.isDown) throw new Error('the token endpoint is down')
      return 'a.good.token'
    }
    await played(oauth(token), async (run) => {
      const error = await failureOf(run.producer.connect())
      expect(error).toMatchObject({ name: 'AuthenticationError', code: 'CREDENTIALS_UNAVAILABLE', retriable: true })
      const ends = run.sendMany(10)
      for (let i = 0; i < 300; i++) await run.clock.advance(100)
      expect(state.count, 'it is asked, but not all the time').toBeGreaterThan(5)
      expect(state.count).toBeLessThan(100)
      state.isDown = false
      const upAtMs = run.clock.now()
      ;(await run.settle(ends, 5)).map(deliveredAt)
      expect(run.clock.now() - upAtMs).toBeLessThanOrEqual(1000)
      await run.producer.connect()
    })
  })

  it('for good: the error says which option, and what the function said', async () => {
    const { producer, clock } = await lonely(() => {
      throw new Error('no\u001b[31m token')
    })
    const failed = failureOf(producer.send({ topic: 't', value: 'v' }))
    for (let i = 0; i < 70; i++) await clock.advance(1000)
    const error = await failed
    expect(error).toMatchObject({ code: 'METADATA_TIMEOUT', retriable: true, maybeWritten: false })
    expect(error.message).toContain('CREDENTIALS_UNAVAILABLE')
    expect(error.message).toContain('sasl.token: the function failed: no [31m token')
  })

  it('one that never settles is left at the deadline', async () => {
    const { producer, clock } = await lonely(() => new Promise<string>(() => undefined))
    const failed = failureOf(producer.send({ topic: 't', value: 'v' }))
    for (let i = 0; i < 70; i++) await clock.advance(1000)
    expect((await failed).message).toMatch(/CONNECT_TIMEOUT|CREDENTIALS_UNAVAILABLE/)
    await producer.close()
    await clock.advance(60_000) // its own deadline, which nobody waits for
    expect(clock.pendingMs).toEqual([])
  })

  async function lonely(token: () => string | Promise<string>) {
    const broker = await brokerOf()
    const clock = new FakeClock()
    return { clock, producer: producerOf(broker.address, { sasl: { mechanism: 'oauthbearer', token } }, clock) }
  }
})

describe('A5: "Cannot change principals" at another login', () => {
  it('a fresh connection, and no record is lost', async () => {
    let count = 0
    const token = (): string => `user-${++count}`
    const scenario = oauth(token, { sessionLifetimeMs: 5000 })
    await played(scenario, async (run) => {
      const ends: Promise<End>[] = []
      let slowestMs = 0
      for (let i = 0; i < 600; i++) {
        const sentMs = run.clock.now()
        const end = run.send({ partition: i % 4 })
        void end.then(() => (slowestMs = Math.max(slowestMs, run.clock.now() - sentMs)))
        ends.push(end)
        await run.clock.advance(50)
      }
      ;(await run.settle(Promise.all(ends))).map(deliveredAt)
      const { logins, reauthentications, refused } = run.cluster.loginStats()
      expect(refused, 'logins that change who we are').toBeGreaterThan(3)
      expect(reauthentications).toBe(0)
      expect(logins).toBeGreaterThan(3)
      expect(slowestMs, 'the gap').toBeLessThanOrEqual(1000)
    })
  })
})

describe('A7: a password that is changed while we are connected', () => {
  it('the new one is used by new connections, and nothing fails', async () => {
    const state = { password: PASSWORD }
    const sasl = { ...PLAIN, password: () => Promise.resolve(state.password) }
    await played({ producer: { sasl }, cluster: { sasl: { users, sessionLifetimeMs: 4000 } } }, async (run) => {
      const ends: Promise<End>[] = []
      for (let i = 0; i < 300; i++) {
        if (i % 60 === 30) {
          state.password = `password number ${i}`
          run.cluster.setUser('alice', state.password)
        }
        if (i % 100 === 80) dropAll(run)
        ends.push(run.send({ partition: i % 4 }))
        await run.clock.advance(50)
      }
      ;(await run.settle(Promise.all(ends))).map(deliveredAt)
      const { refused, reauthentications, logins } = run.cluster.loginStats()
      expect([refused, reauthentications > 1, logins > 3]).toEqual([0, true, true])
    })
  })

  it('what is in flight is not touched', async () => {
    const state = { password: PASSWORD }
    const sasl = { ...PLAIN, password: () => state.password }
    await played({ producer: { sasl } }, async (run) => {
      deliveredAt(await run.settle(run.send()))
      run.cluster.fail({ api: 'Produce', delayMs: 5000 })
      const slow = run.send()
      await run.clock.advance(100)
      state.password = 'the next password'
      run.cluster.setUser('alice', state.password)
      deliveredAt(await run.settle(slow))
      expect(run.cluster.loginStats().logins).toBe(run.sockets.length)
    })
  })
})

interface Played {
  readonly cluster?: Partial<TestClusterOptions>
  readonly producer?: Partial<ProducerOptions>
}

/** One broker that wants PLAIN, which costs no real time, unless told otherwise; judged by the oracles in the end. */
async function played({ cluster, producer }: Played, work: (run: FaultRun) => Promise<void>): Promise<void> {
  await runWithLedger(
    {
      cluster: { brokers: 1, sasl: { users }, ...cluster },
      producer: { sasl: PLAIN, allowPlaintextCredentials: true, ...producer },
    },
    async (run) => {
      await work(run)
      await turns(2)
    },
  )
}

function oauth(token: () => string, sasl: object = {}): Played {
  return {
    cluster: { sasl: { verifyToken: (shown: string) => shown, ...sasl } },
    producer: { sasl: { mechanism: 'oauthbearer', token }, allowPlaintextCredentials: true },
  }
}

function dropAll({ sockets }: FaultRun): void {
  for (const socket of sockets) socket.destroy()
}
