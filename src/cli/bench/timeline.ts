import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/** Milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** What settled in a second; the last one may be shorter or, with what is left over, longer. */
export interface Second {
  /** From the start. */
  readonly startSeconds: number
  readonly seconds: number
  readonly delivered: number
  readonly failed: number
  /** Null: nothing was delivered. */
  readonly p50Ms: number | null
  readonly p99Ms: number | null
}

const SECOND_MS = 1000
/** A rest that is shorter is no second of its own: the few records in it would be an absurd rate. */
const SHORTEST_MS = 500
const MAX_LATENCY_US = 86_400_000_000

/** What settled when, and how long it took: sums and percentiles, second by second and altogether. */
export class Timeline {
  readonly #startMs: number
  readonly #total = newHistogram()
  readonly #seconds: Second[] = []
  #secondStartMs: number
  #nextMs: number
  #before = newHistogram()
  #current = newHistogram()
  #deliveredNow = 0
  #failedNow = 0
  #delivered = 0

  constructor(startMs: number) {
    this.#startMs = startMs
    this.#secondStartMs = startMs
    this.#nextMs = startMs + SECOND_MS
  }

  get delivered(): number {
    return this.#delivered
  }

  /** Those that are over. */
  get seconds(): readonly Second[] {
    return this.#seconds
  }

  addDelivered(nowMs: number, sinceMs: number): void {
    if (nowMs >= this.#nextMs) this.tick(nowMs)
    this.#deliveredNow++
    this.#delivered++
    // Whole microseconds from 1 on are what Node's histogram takes.
    this.#current.record(Math.min(Math.max(Math.round((nowMs - sinceMs) * 1000), 1), MAX_LATENCY_US))
  }

  addFailed(nowMs: number): void {
    if (nowMs >= this.#nextMs) this.tick(nowMs)
    this.#failedNow++
  }

  /** Closes the seconds that are over by now, also those in which nothing happened. */
  tick(nowMs: number): void {
    while (nowMs >= this.#nextMs) this.#close(this.#nextMs)
  }

  /** The last second. Nothing may be added any more. */
  finish(nowMs: number): void {
    this.tick(nowMs)
    const isRest = nowMs - this.#secondStartMs < SHORTEST_MS
    const last = isRest ? this.#seconds.pop() : undefined
    if (last !== undefined) {
      this.#current.add(this.#before)
      this.#before.reset()
      this.#deliveredNow += last.delivered
      this.#failedNow += last.failed
      this.#secondStartMs = this.#startMs + last.startSeconds * SECOND_MS
    }
    this.#close(nowMs)
    this.#total.add(this.#before)
  }

  /** Of all that were delivered; null: none was. To be asked when it is finished. */
  get latency(): Latency | null {
    const total = this.#total
    if (total.count === 0) return null
    const at = (percentile: number): number => msAt(total, percentile)
    return { p50: at(50), p95: at(95), p99: at(99), p999: at(99.9), max: at(100) }
  }

  #close(endMs: number): void {
    // Nothing will be added to the one before any more.
    this.#total.add(this.#before)
    this.#seconds.push(this.#secondUntil(endMs))
    this.#deliveredNow = 0
    this.#failedNow = 0
    this.#secondStartMs = endMs
    this.#nextMs = endMs + SECOND_MS
    const next = this.#before
    next.reset()
    this.#before = this.#current
    this.#current = next
  }

  #secondUntil(endMs: number): Second {
    const latencies = this.#current
    const at = (percentile: number): number | null => (latencies.count === 0 ? null : msAt(latencies, percentile))
    return {
      startSeconds: (this.#secondStartMs - this.#startMs) / SECOND_MS,
      seconds: (endMs - this.#secondStartMs) / SECOND_MS,
      delivered: this.#deliveredNow,
      failed: this.#failedNow,
      ...{ p50Ms: at(50), p99Ms: at(99) },
    }
  }
}

/** A percentile is the upper end of a bucket, and may lie above all that is in it. */
function msAt(latencies: RecordableHistogram, percentile: number): number {
  return Math.min(latencies.percentile(percentile), latencies.max) / 1000
}

function newHistogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: MAX_LATENCY_US, figures: 3 })
}
