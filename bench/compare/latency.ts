import type { Latency } from './job.ts'

const SUB_BITS = 6
const SUB_COUNT = 1 << SUB_BITS
/** Exact below this, then 64 buckets for each power of two: never wrong by more than 1.6 %. */
const EXACT_BELOW = 2 * SUB_COUNT
const BUCKETS = (32 - SUB_BITS) * SUB_COUNT + SUB_COUNT

/** Latencies in whole microseconds, in buckets; the contenders in C and Java have the same ones. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS)
  #count = 0
  #maxUs = 0

  get count(): number {
    return this.#count
  }

  record(us: number): void {
    const value = us < 0 ? 0 : Math.min(us, 2 ** 31 - 1) | 0
    const bucket = bucketOf(value)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#count++
    if (value > this.#maxUs) this.#maxUs = value
  }

  /** The smallest value that a share of all do not exceed; NaN where nothing was recorded. */
  quantile(share: number): number {
    if (this.#count === 0) return NaN
    const rank = Math.max(1, Math.ceil(share * this.#count))
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] ?? 0
      if (seen >= rank) return Math.min(middleOf(bucket), this.#maxUs)
    }
    return this.#maxUs
  }

  summary(): Latency {
    return { p50: this.quantile(0.5), p99: this.quantile(0.99), p999: this.quantile(0.999), max: this.#maxUs }
  }
}

function bucketOf(us: number): number {
  if (us < EXACT_BELOW) return us
  const shift = 31 - Math.clz32(us) - SUB_BITS
  return shift * SUB_COUNT + (us >>> shift)
}

function middleOf(bucket: number): number {
  if (bucket < EXACT_BELOW) return bucket
  const shift = (bucket >> SUB_BITS) - 1
  return (SUB_COUNT + (bucket & (SUB_COUNT - 1)) + 0.5) * 2 ** shift
}
