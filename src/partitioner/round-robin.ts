import { partitionForKey } from './keyed.ts'
import { pick, type Partitioner, type Random, type TopicShape } from './partitioner.ts'

/**
 * Keys by murmur2; records without a key rotate one by one over the partitions that have a leader, from a random start.
 * The rotation advances once a record, whatever batches do (Java's own class skips at each new batch: KAFKA-9965).
 */
export class RoundRobinPartitioner implements Partitioner {
  readonly #random: Random
  /** The partition given last; the next one is the first available above it, so that counts stay even when one is away. */
  #last = -1
  #isStarted = false

  constructor(random: Random) {
    this.#random = random
  }

  choose(key: Uint8Array | null, topic: TopicShape): number {
    if (key !== null) return partitionForKey(key, topic.partitionCount)
    const { available } = topic
    if (!this.#isStarted) {
      this.#isStarted = true
      this.#last = pick(available, this.#random)
      return this.#last
    }
    this.#last = available.find((partition) => partition > this.#last) ?? available[0] ?? 0
    return this.#last
  }

  placed(): void {
    // Rotation does not depend on sizes.
  }
}
