import { KafkaError } from '../../index.ts'

/** The part of time that a load needs; tests own it. */
export interface LoadClock {
  /** Monotonic milliseconds. */
  now(): number
  after(delayMs: number, fn: () => void): { cancel(): void }
}

/** How much is sent, and how fast. Of `seconds` and `records` one is null. */
export interface LoadLimits {
  readonly seconds: number | null
  readonly records: number | null
  /** Null: as fast as it goes. */
  readonly ratePerSecond: number | null
  /** Sends under way at most. */
  readonly concurrency: number
}

export interface LoadHooks {
  readonly send: (index: number) => Promise<unknown>
  /** @param sinceMs the call of `send`; with a rate, when the record was due. */
  readonly onDelivered: (nowMs: number, sinceMs: number) => void
  readonly onFailed: (nowMs: number, error: unknown) => void
}

/** Why it ended before it had sent everything. */
export type EarlyEnd =
  { readonly because: 'interrupted' } | { readonly because: 'hopeless'; readonly error: unknown } | null

/** Timers are not finer. */
const TICK_MS = 1

/**
 * Sends until its time is over or its records are sent, and waits until all of them have settled.
 *
 * Without a rate there are as many loops as sends may be under way, each of which awaits its record: what a server does
 * that answers requests. With a rate the n-th record is due at `start + n / rate`, whatever has become of those before, and
 * its latency counts from there (no coordinated omission). What was due and never sent has no latency, and is counted. With a
 * rate and a time it takes all of that time, and does not end with the last send.
 */
export class Load {
  readonly #limits: LoadLimits
  readonly #hooks: LoadHooks
  readonly #clock: LoadClock
  readonly #maxRecords: number
  readonly #msPerRecord: number
  #startMs = 0
  #issued = 0
  #settled = 0
  #isOver = false
  #unsent = 0
  #sendingMs = 0
  #earlyEnd: EarlyEnd = null
  #timer: { cancel(): void } | null = null
  #onSettled: () => void = () => undefined

  constructor(limits: LoadLimits, hooks: LoadHooks, clock: LoadClock) {
    this.#limits = limits
    this.#hooks = hooks
    this.#clock = clock
    const { records, seconds, ratePerSecond } = limits
    const maxDue = seconds === null || ratePerSecond === null ? Infinity : Math.ceil(seconds * ratePerSecond)
    this.#maxRecords = records ?? maxDue
    this.#msPerRecord = 1000 / (ratePerSecond ?? Infinity)
  }

  get issued(): number {
    return this.#issued
  }

  get underWay(): number {
    return this.#issued - this.#settled
  }

  /** It sends no more; what is under way may still settle. */
  get isOver(): boolean {
    return this.#isOver
  }

  get earlyEnd(): EarlyEnd {
    return this.#earlyEnd
  }

  /** Records that were due before the end and had to wait for others until then. */
  get unsent(): number {
    return this.#unsent
  }

  /** From the start until it sent no more. To be asked when it is over. */
  get sendingMs(): number {
    return this.#sendingMs
  }

  /** Resolves when all has settled; a record that fails is told to the hook, and not thrown. */
  async run(): Promise<void> {
    const { seconds, ratePerSecond, concurrency } = this.#limits
    this.#startMs = this.#clock.now()
    const end = seconds === null ? null : this.#clock.after(seconds * 1000, () => this.#endInTime())
    try {
      if (ratePerSecond === null) await Promise.all(Array.from({ length: concurrency }, () => this.#loop()))
      else await this.#paced()
    } finally {
      end?.cancel()
      this.#end()
    }
  }

  /** Sends no more. */
  interrupt(): void {
    this.#earlyEnd ??= { because: 'interrupted' }
    this.#end()
  }

  async #loop(): Promise<void> {
    const { send, onDelivered } = this.#hooks
    let sinceMs = this.#clock.now()
    while (!this.#isOver && this.#issued < this.#maxRecords) {
      try {
        await send(this.#issued++)
      } catch (error) {
        this.#fail(error)
        // Sends that fail at once would keep the event loop from ever going round.
        await new Promise((resolve) => setImmediate(resolve))
        sinceMs = this.#clock.now()
        continue
      }
      const nowMs = this.#clock.now()
      this.#settled++
      onDelivered(nowMs, sinceMs)
      sinceMs = nowMs
    }
  }

  async #paced(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onSettled = () => {
        if (!this.#isOver) this.#pump(this.#clock.now())
        if (this.#isOver && this.underWay === 0) resolve()
      }
      this.#onSettled()
    })
  }

  /** Sends what is due and has room, and comes back when the next one is due; room comes with a record that settles. */
  #pump(nowMs: number): void {
    const hasRoom = (): boolean => this.underWay < this.#limits.concurrency
    while (this.#issued < this.#maxRecords && hasRoom() && this.#dueMs(this.#issued) <= nowMs) this.#sendOne()
    if (this.#issued >= this.#maxRecords) {
      if (this.#limits.seconds === null) this.#end()
      return
    }
    if (!hasRoom() || this.#timer !== null) return
    this.#timer = this.#clock.after(Math.max(TICK_MS, this.#dueMs(this.#issued) - nowMs), () => {
      this.#timer = null
      this.#onSettled()
    })
  }

  #dueMs(index: number): number {
    return this.#startMs + index * this.#msPerRecord
  }

  #sendOne(): void {
    const index = this.#issued++
    void this.#hooks.send(index).then(
      () => {
        this.#settled++
        this.#hooks.onDelivered(this.#clock.now(), this.#dueMs(index))
        this.#goOn()
      },
      (error: unknown) => {
        this.#fail(error)
        this.#goOn()
      },
    )
  }

  /** While a timer runs there was room already. */
  #goOn(): void {
    if (this.#timer === null) this.#onSettled()
  }

  #fail(error: unknown): void {
    this.#settled++
    this.#hooks.onFailed(this.#clock.now(), error)
    // All records are alike: what one of them can never get over, none can.
    if (!(error instanceof KafkaError && error.retriable) && !this.#isOver) {
      this.#earlyEnd ??= { because: 'hopeless', error }
      this.#end()
    }
  }

  #endInTime(): void {
    // Timers are late, or a little early: all the records of this time are due now.
    if (this.#limits.ratePerSecond !== null && !this.#isOver) this.#pump(Infinity)
    this.#end(Infinity)
  }

  #end(dueUntilMs = this.#clock.now()): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#sendingMs = this.#clock.now() - this.#startMs
    const { ratePerSecond } = this.#limits
    if (ratePerSecond !== null) {
      const due = Math.floor(((dueUntilMs - this.#startMs) / 1000) * ratePerSecond)
      this.#unsent = Math.max(0, Math.min(due, this.#maxRecords) - this.#issued)
    }
    this.#timer?.cancel()
    this.#timer = null
    this.#onSettled()
  }
}
