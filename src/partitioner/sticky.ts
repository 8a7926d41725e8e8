import { partitionForKey } from './keyed.ts'
import { pick, type Partitioner, type Random, type TopicShape } from './partitioner.ts'

/**
 * The default: keys by murmur2; records without a key stay with one partition until `stickyBytes` went there, then move
 * to another, chosen at random among those that have a leader. That fills batches instead of spreading crumbs.
 *
 * Source: KIP-794, without its queue weights, which need the accumulator's view and arrive with the engine work.
 */
export class StickyPartitioner implements Partitioner {
  readonly #stickyBytes: number
  readonly #random: Random
  #partition = -1
  #bytes = 0

  constructor(stickyBytes: number, random: Random) {
    this.#stickyBytes = stickyBytes
    this.#random = random
  }

  choose(key: Uint8Array | null, topic: TopicShape): number {
    if (key !== null) return partitionForKey(key, topic.partitionCount)
    if (this.#bytes >= this.#stickyBytes || !topic.available.includes(this.#partition)) this.#move(topic)
    return this.#partition
  }

  placed(partition: number, bytes: number): void {
    if (partition === this.#partition) this.#bytes += bytes
  }

  #move(topic: TopicShape): void {
    const others = topic.available.filter((partition) => partition !== this.#partition)
    this.#partition = pick(others.length > 0 ? others : topic.available, this.#random)
    this.#bytes = 0
  }
}
