import type { Clock, Timer } from '../clock.ts'
import type { KafkaError } from '../errors.ts'
import { backoffMs } from './backoff.ts'

export interface RoundsOptions {
  readonly clock: Clock
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly metadataMaxAgeMs: number
}

/** Rounds that are answered, and follow one another closely all the same, are this far apart at last: two a second (faults-and-security.md, C4). */
const MAX_ROUND_PAUSE_MS = 500

/**
 * When metadata is asked for. A round asks until one broker answers; at most one runs, and everything that wants news
 * while it runs is served by the next one.
 */
export class Rounds {
  readonly #options: RoundsOptions
  readonly #run: () => Promise<KafkaError | null>
  #round: Promise<KafkaError | null> | null = null
  #isAnotherWanted = false
  #isHurry = false
  #timer: Timer | null = null
  #ageTimer: Timer | null = null
  #earliestMs = -Infinity
  /** Rounds in a row, none of them long after the one before: asking has not helped so far. */
  #inARow = 0
  #isClosed = false

  /** @param run one round; gives what went wrong, never rejects; calls `ended` before it tells anybody. */
  constructor(options: RoundsOptions, run: () => Promise<KafkaError | null>) {
    this.#options = options
    this.#run = run
  }

  get isAsking(): boolean {
    return this.#round !== null
  }

  /** Wants news as soon as the backoff allows. */
  soon(): void {
    if (this.#isClosed) return
    if (this.#round !== null) {
      this.#isAnotherWanted = true
      return
    }
    const waitMs = this.#earliestMs - this.#options.clock.now()
    this.#timer?.cancel()
    this.#timer = null
    if (waitMs > 0) this.#timer = this.#options.clock.after(waitMs, () => void this.now())
    else void this.now()
  }

  /** Wants news about something that nobody was asked about yet: without regard to the backoff. */
  atOnce(): void {
    this.#isHurry = this.#round !== null
    this.#earliestMs = -Infinity
    this.soon()
  }

  /** One round now, or the one that is running; resolves with the error if no broker answered. */
  now(): Promise<KafkaError | null> {
    this.#round ??= this.#begin()
    return this.#round
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#ageTimer?.cancel()
  }

  /** Metadata is fresh from now on; it is asked for again when it is old. */
  restartAge(onOld: () => void): void {
    this.#ageTimer?.cancel()
    if (this.#isClosed) return
    this.#ageTimer = this.#options.clock.after(this.#options.metadataMaxAgeMs, onOld, false)
  }

  /** The round is over, as far as the next one is concerned; whoever hears of its outcome may want another. */
  ended(failure: KafkaError | null): void {
    this.#pause(failure === null ? MAX_ROUND_PAUSE_MS : Infinity)
    if (this.#isHurry && failure === null) this.#earliestMs = -Infinity
    this.#isHurry = false
    this.#round = null
  }

  /** Whoever wanted news while the round ran may have come too late for it. */
  goOn(): void {
    if (this.#isAnotherWanted) this.soon()
  }

  #begin(): Promise<KafkaError | null> {
    this.#timer?.cancel()
    this.#timer = null
    this.#isAnotherWanted = false
    return this.#run()
  }

  /** The next round begins no sooner than this: later and later while one follows the other. */
  #pause(maxPauseMs: number): void {
    const { clock, retryBackoffMs, retryBackoffMaxMs, metadataMaxAgeMs } = this.#options
    const nowMs = clock.now()
    // Rounds that only age brings do not count, however short an age was asked for.
    const isSoonAfter = nowMs - this.#earliestMs < Math.min(2 * MAX_ROUND_PAUSE_MS, metadataMaxAgeMs / 2)
    this.#inARow = isSoonAfter ? this.#inARow + 1 : 1
    const maxMs = Math.min(retryBackoffMaxMs, Math.max(maxPauseMs, retryBackoffMs))
    this.#earliestMs = nowMs + backoffMs(this.#inARow, retryBackoffMs, maxMs, clock.random())
  }
}
