import { pick, type PartitionLoads, type Random } from './partitioner.ts'

/**
 * For each record that was placed, so many queues are looked at, on average, and no more, but for each choice at least as many
 * as follow: in a topic of 10 000 partitions choosing would otherwise cost more than sending. Below some hundred partitions
 * the weights are mostly fresh, up to 64 always.
 */
const QUEUES_PER_RECORD = 2
const QUEUES_PER_CHOICE = 64

/**
 * Chooses among the partitions that have a leader, and those with shorter queues more often: a slow broker gets less,
 * instead of holding everything up. A partition's weight is `longest queue + 1 - its queue`.
 *
 * ```
 * partition   0   3   7
 * queued      0   3   1
 * weight      4   1   3
 * sums        4   5   8      random() of 0.6 is 4.8 of 8; the first sum above it is that of partition 3
 * ```
 *
 * Source: BuiltInPartitioner.updatePartitionLoadStats and nextPartition of Apache Kafka (KIP-794). There the sender
 * renews the sums in every turn of its loop; here they are renewed when a partition is to be chosen.
 */
export class QueueWeights {
  readonly #loads: PartitionLoads
  readonly #random: Random
  /** The partitions that the sums are of. */
  #available: readonly number[] = []
  /** Doubles: nothing limits their size. */
  #sums = new Float64Array(0)
  #isUniform = true
  /** Queues that may be looked at by now. */
  #credit = 0

  constructor(loads: PartitionLoads, random: Random) {
    this.#loads = loads
    this.#random = random
  }

  /** @param recordsSince how many records were placed since the last call. */
  choose(available: readonly number[], recordsSince: number): number {
    this.#credit += Math.max(QUEUES_PER_CHOICE, recordsSince * QUEUES_PER_RECORD)
    if (available !== this.#available || this.#credit >= available.length) this.#weigh(available)
    if (this.#isUniform) return pick(available, this.#random)
    const total = this.#sums[available.length - 1] ?? 0
    return available[this.#firstAbove(this.#random() * total)] ?? 0
  }

  #weigh(available: readonly number[]): void {
    const count = available.length
    this.#available = available
    this.#credit = 0
    if (this.#sums.length < count) this.#sums = new Float64Array(count)
    const sums = this.#sums
    let [longest, shortest] = [0, Infinity]
    for (let i = 0; i < count; i++) {
      const queued = this.#loads.queued(available[i] as number)
      sums[i] = queued
      if (queued > longest) longest = queued
      if (queued < shortest) shortest = queued
    }
    this.#isUniform = longest === shortest
    if (this.#isUniform) return
    let sum = 0
    for (let i = 0; i < count; i++) sums[i] = sum += longest + 1 - (sums[i] as number)
  }

  /** The first place whose sum is above `point`. */
  #firstAbove(point: number): number {
    let [low, high] = [0, this.#available.length - 1]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#sums[middle] as number) > point) high = middle
      else low = middle + 1
    }
    return low
  }
}
