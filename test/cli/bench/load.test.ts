import { describe, expect, test } from 'vitest'
import { Load, type LoadLimits } from '../../../src/cli/bench/load.ts'
import { DeliveryError } from '../../../src/index.ts'
import { FakeClock, turns } from '../../support/fake-clock.ts'

/** Short timers are late, as on a busy machine, and long ones a little early, as Node's may be. */
class CoarseClock extends FakeClock {
  override after(delayMs: number, fn: () => void): ReturnType<FakeClock['after']> {
    return super.after(delayMs < 100 ? delayMs + 30 : delayMs - 15, fn)
  }
}

/** A cluster that answers when the test says so. */
class Run {
  readonly clock: FakeClock
  readonly startMs: number
  /** Milliseconds from the start, of what was delivered: when, and since when it counts. */
  readonly delivered: [at: number, since: number][] = []
  readonly failed: unknown[] = []
  readonly load: Load
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  #isAnswering = false
  #failure: Error | null = null
  sent = 0

  constructor(limits: Partial<LoadLimits>, clock = new FakeClock()) {
    this.clock = clock
    this.startMs = clock.now()
    const all = { seconds: null, records: null, ratePerSecond: null, concurrency: 10, ...limits }
    this.load = new Load(
      all,
      {
        send: async () => {
          this.sent++
          if (this.#failure !== null) throw this.#failure
          if (!this.#isAnswering) await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }))
        },
        onDelivered: (nowMs, sinceMs) => this.delivered.push([nowMs - this.startMs, sinceMs - this.startMs]),
        onFailed: (_, error) => this.failed.push(error),
      },
      this.clock,
    )
  }

  /** From now on, and what waits. */
  answer(): void {
    this.#isAnswering = true
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  /** From now on, at once. */
  failAll(error: Error): void {
    this.#failure = error
  }

  async answerOne(): Promise<void> {
    this.#waiting.shift()?.resolve()
    await turns(2)
  }

  async failOne(error: Error): Promise<void> {
    this.#waiting.shift()?.reject(error)
    await turns(2)
  }
}

const timeout = new DeliveryError('DELIVERY_TIMEOUT', 'send: DELIVERY_TIMEOUT: late', { retriable: true })
const tooLarge = new DeliveryError('RECORD_TOO_LARGE', 'send: RECORD_TOO_LARGE: large')

describe('a load as fast as it goes', () => {
  test('has as many sends under way as it may, and sends one for each that settles', async () => {
    const run = new Run({ seconds: 10, concurrency: 3 })
    const ended = run.load.run()
    expect(run.load.underWay).toBe(3)
    await run.answerOne()
    expect([run.sent, run.load.issued, run.load.underWay, run.delivered.length]).toEqual([4, 4, 3, 1])
    await run.clock.advance(10_000)
    expect([run.load.isOver, run.sent]).toEqual([true, 4])
    run.answer()
    await ended
    expect([run.delivered.length, run.load.underWay, run.load.earlyEnd]).toEqual([4, 0, null])
  })

  test('sends so many records and no more; latency counts from the call', async () => {
    const run = new Run({ records: 5, concurrency: 2 })
    const ended = run.load.run()
    await run.clock.advance(7)
    await run.answerOne()
    await run.clock.advance(4)
    run.answer()
    await ended
    expect(run.sent).toBe(5)
    expect(run.delivered.slice(0, 3)).toEqual([
      [7, 0],
      [11, 0],
      [11, 7],
    ])
  })

  test('goes on after a failure that may go away, with a new call', async () => {
    const run = new Run({ records: 2, concurrency: 1 })
    const ended = run.load.run()
    await run.clock.advance(50)
    await run.failOne(timeout)
    await run.clock.advance(5)
    run.answer()
    await ended
    expect(run.failed).toEqual([timeout])
    expect(run.delivered).toEqual([[55, 50]])
    expect(run.load.earlyEnd).toBe(null)
  })

  test('ends with a failure that will not go away, and waits for the others', async () => {
    const run = new Run({ seconds: 10, concurrency: 2 })
    const ended = run.load.run()
    await run.failOne(tooLarge)
    expect([run.load.isOver, run.load.underWay]).toEqual([true, 1])
    run.answer()
    await ended
    expect(run.load.earlyEnd).toEqual({ because: 'hopeless', error: tooLarge })
    expect([run.sent, run.delivered.length]).toEqual([2, 1])
    expect(run.clock.pendingMs).toEqual([])
  })

  test('ends in time also where every send fails at once: the event loop goes round', async () => {
    const run = new Run({ seconds: 1, concurrency: 3 })
    run.failAll(timeout)
    const ended = run.load.run()
    await turns(5)
    await run.clock.advance(1000)
    await ended
    expect(run.failed.length).toBeGreaterThan(5)
    expect([run.delivered, run.load.underWay, run.load.earlyEnd]).toEqual([[], 0, null])
  })

  test('ends when it is interrupted; the first reason counts', async () => {
    const run = new Run({ seconds: 10, concurrency: 2 })
    const ended = run.load.run()
    run.load.interrupt()
    await run.failOne(tooLarge)
    run.answer()
    await ended
    expect(run.load.earlyEnd).toEqual({ because: 'interrupted' })
    expect(run.sent).toBe(2)
  })
})

describe('a load at a rate', () => {
  test('sends the n-th record n / rate after the start, and rate x seconds in all', async () => {
    const run = new Run({ ratePerSecond: 100, seconds: 1, concurrency: 1000 })
    run.answer()
    const ended = run.load.run()
    await turns(1)
    expect(run.sent).toBe(1)
    await run.clock.advance(9)
    expect(run.sent).toBe(1)
    await run.clock.advance(1)
    expect(run.sent).toBe(2)
    await run.clock.advance(990)
    await ended
    expect([run.sent, run.load.unsent]).toEqual([100, 0])
    expect(run.delivered.map(([, since]) => Math.round(since))).toEqual(Array.from({ length: 100 }, (_, i) => i * 10))
  })

  test.each([1, 50])(
    'takes all of its seconds at %i/s, not only until the last record is sent',
    async (ratePerSecond) => {
      const run = new Run({ ratePerSecond, seconds: 3, concurrency: 1000 })
      run.answer()
      const ended = run.load.run()
      await run.clock.advance(2999)
      expect([run.sent, run.load.isOver]).toEqual([3 * ratePerSecond, false])
      await run.clock.advance(1)
      await ended
      expect([run.sent, run.load.unsent, run.load.sendingMs]).toEqual([3 * ratePerSecond, 0, 3000])
      expect(run.clock.pendingMs).toEqual([])
    },
  )

  test('knows how long it took to send so many records, not what came after that', async () => {
    const run = new Run({ ratePerSecond: 1000, records: 3, concurrency: 2 })
    const ended = run.load.run()
    await run.clock.advance(100)
    await run.answerOne()
    await run.clock.advance(50)
    run.answer()
    await ended
    expect([run.load.sendingMs, run.load.unsent]).toEqual([100, 0])
  })

  test('sends what is due in time, also where timers are coarse', async () => {
    const run = new Run({ ratePerSecond: 100, seconds: 1, concurrency: 1000 }, new CoarseClock())
    run.answer()
    const ended = run.load.run()
    await run.clock.advance(1000)
    await ended
    expect([run.sent, run.load.unsent]).toEqual([100, 0])
  })

  test('counts latency from when a record was due, also where it had to wait for others (no coordinated omission)', async () => {
    const run = new Run({ ratePerSecond: 1000, records: 6, concurrency: 2 })
    const ended = run.load.run()
    await run.clock.advance(100)
    expect(run.sent).toBe(2)
    run.answer()
    await ended
    expect(run.delivered.map(([at, since]) => at - since)).toEqual([100, 99, 98, 97, 96, 95])
  })

  test('says what was due in time and could not be sent', async () => {
    const run = new Run({ ratePerSecond: 1000, seconds: 2, concurrency: 5 })
    const ended = run.load.run()
    await run.clock.advance(2000)
    expect(run.load.isOver).toBe(true)
    run.answer()
    await ended
    expect([run.sent, run.delivered.length, run.load.unsent]).toEqual([5, 5, 1995])
  })

  test('ends at once when it is interrupted with nothing under way', async () => {
    const run = new Run({ ratePerSecond: 10, seconds: 100 })
    run.answer()
    const ended = run.load.run()
    await run.clock.advance(250)
    run.load.interrupt()
    await ended
    expect([run.sent, run.load.unsent]).toEqual([3, 0])
    expect(run.load.earlyEnd).toEqual({ because: 'interrupted' })
    expect(run.clock.pendingMs).toEqual([])
  })

  test('ends with a failure that will not go away', async () => {
    const run = new Run({ ratePerSecond: 10, seconds: 100 })
    const ended = run.load.run()
    await run.failOne(tooLarge)
    await ended
    expect(run.load.earlyEnd).toMatchObject({ because: 'hopeless' })
    expect([run.sent, run.failed]).toEqual([1, [tooLarge]])
  })
})
