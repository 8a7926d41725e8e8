/**
 * What a contender is told and what it answers: one line of JSON on stdin, one on stdout, in every language.
 *
 * The job is flat, so that thirty lines of C can read it.
 */
export interface Job {
  readonly brokers: string
  readonly topic: string
  readonly partitions: number
  /** A file of `valueCount` values of `valueBytes` each, one after the other: all contenders send the same bytes. */
  readonly values: string
  readonly valueCount: number
  readonly valueBytes: number
  readonly keyed: boolean
  readonly compression: Compression
  /** Records that may be under way at once. From `UNBOUNDED` on a client with a queue of its own uses that instead. */
  readonly concurrency: number
  readonly load: Load
  /** Records a second, for `load: 'rate'`. */
  readonly ratePerSecond: number
  readonly warmMs: number
  readonly measureMs: number
  /** A file URL of headrace's `index.js`; the others ignore it. */
  readonly headrace: string
  /** Looks inside of a contender in Node while it is measured, which makes its figures useless. */
  readonly inspect: 'none' | 'cpu' | 'heap' | 'instructions'
}

export type Compression = 'none' | 'lz4' | 'zstd'

/**
 * - `closed`: as fast as it goes, the next record when one is acknowledged;
 * - `serial`: one record at a time, each awaited; latency is the round trip from the call;
 * - `half`: records fall due at fixed times, at half of the rate that the same process has just reached in a closed loop;
 * - `rate`: the same at a fixed rate.
 */
export type Load = 'closed' | 'serial' | 'half' | 'rate'

/** Enough for every client to be limited by itself and not by the loop around it. */
export const UNBOUNDED = 10_000

export const KEY_COUNT = 10_000

export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export interface Measures {
  readonly version: string
  /** What was set, by the client's own names, for people. */
  readonly settings: string
  /** Acknowledged while it was measured. */
  readonly records: number
  readonly seconds: number
  /** User and system time of the process, over the same time. */
  readonly cpuUs: number
  /** The most that the process ever had. */
  readonly rssBytes: number
  /** All acknowledged since the process began, the warm-up included: what must be stored. */
  readonly acked: number
  /** Records a second that were offered; 0 in a closed loop. */
  readonly offeredPerSecond: number
  /** Microseconds from the time a record was due to its acknowledgement; null: not measured in this cell. */
  readonly latencyUs: Latency | null
  /** Null: no event loop. */
  readonly loopDelayP99Us: number | null
  /** Of the elapsed time; null: no garbage collector. */
  readonly gcShare: number | null
  /** Where `inspect` has put what it saw; of instructions, what `perf` said. */
  readonly inspection?: string
}
