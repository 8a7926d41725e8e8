/** Counts per millisecond below a second and per 10 ms above, up to 200 s: exact enough, and no memory per record. */
export class LatencyHistogram {
  static readonly #fineMs = 1000
  static readonly #coarseMs = 10
  readonly #buckets = new Uint32Array(LatencyHistogram.#fineMs + 20_000)
  count = 0
  maxMs = 0

  add(ms: number): void {
    const above = Math.floor((ms - LatencyHistogram.#fineMs) / LatencyHistogram.#coarseMs)
    const bucket = above < 0 ? Math.max(0, Math.floor(ms)) : LatencyHistogram.#fineMs + above
    const at = Math.min(bucket, this.#buckets.length - 1)
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1
    this.count++
    this.maxMs = Math.max(this.maxMs, ms)
  }

  /** The upper edge, in ms, of the bucket that the value at `share` (0 to 1) lies in. */
  percentileMs(share: number): number {
    let left = Math.max(1, Math.ceil(this.count * share))
    for (let at = 0; at < this.#buckets.length; at++) {
      left -= this.#buckets[at] ?? 0
      if (left > 0) continue
      const above = at - LatencyHistogram.#fineMs + 1
      return above <= 0 ? at + 1 : LatencyHistogram.#fineMs + above * LatencyHistogram.#coarseMs
    }
    return 0
  }
}

/** A time in which a partition had records to deliver and delivered none. */
export interface Stall {
  readonly lane: string
  readonly fromMs: number
  readonly toMs: number
}

interface Lane {
  unsettled: number
  /** Since when it waits for a delivery. */
  sinceMs: number
}

/** Shorter silences are the pace of a healthy cluster under load. */
const MIN_STALL_MS = 200
const MAX_STALLS = 200_000

/** What the load has come to: counts, latencies and standstills. Times are in ms since the start of the load. */
export class Progress {
  accepted = 0
  delivered = 0
  failed = 0
  deliveredBytes = 0
  /** Delivered, and nobody knows at which offset. */
  withoutOffset = 0
  readonly latency = new LatencyHistogram()
  readonly stalls: Stall[] = []
  readonly #lanes = new Map<string, Lane>()

  get unsettled(): number {
    return this.accepted - this.delivered - this.failed
  }

  /** @param name of the partition; null: not known before the delivery, and not watched for standstills. */
  onAccepted(name: string | null, nowMs: number): void {
    this.accepted++
    if (name === null) return
    const lane = this.#lane(name)
    if (lane.unsettled++ === 0) lane.sinceMs = nowMs
  }

  onDelivered(name: string | null, sentMs: number, nowMs: number, bytes: number): void {
    this.delivered++
    this.deliveredBytes += bytes
    this.latency.add(nowMs - sentMs)
    this.#settled(name, nowMs)
  }

  onFailed(name: string | null, nowMs: number): void {
    this.failed++
    this.#settled(name, nowMs)
  }

  /** The longest standstill of a partition that overlaps this time, 0 when there was none above 200 ms. */
  longestStallMs(fromMs: number, toMs: number): number {
    const overlapping = this.stalls.filter((stall) => stall.fromMs <= toMs && stall.toMs >= fromMs)
    return overlapping.reduce((longest, stall) => Math.max(longest, stall.toMs - stall.fromMs), 0)
  }

  #settled(name: string | null, nowMs: number): void {
    if (name === null) return
    const lane = this.#lane(name)
    lane.unsettled--
    const isStall = nowMs - lane.sinceMs >= MIN_STALL_MS && this.stalls.length < MAX_STALLS
    if (isStall) this.stalls.push({ lane: name, fromMs: lane.sinceMs, toMs: nowMs })
    lane.sinceMs = nowMs
  }

  #lane(name: string): Lane {
    let lane = this.#lanes.get(name)
    if (lane === undefined) this.#lanes.set(name, (lane = { unsettled: 0, sinceMs: 0 }))
    return lane
  }
}
