import { placeOf, type KeylessChoice, type Random, type TopicShape } from './partitioner.ts'

/**
 * One by one over the partitions that have a leader, from a random start. The rotation advances once a record, whatever
 * batches do (Java's own class skips at each new batch: KAFKA-9965).
 */
export class RoundRobinChoice implements KeylessChoice {
  readonly #random: Random
  #available: readonly number[] | null = null
  /** Where in `available` the partition given last is. */
  #place = -1
  #last = -1

  constructor(random: Random) {
    this.#random = random
  }

  choose({ available }: TopicShape): number {
    this.#place = this.#next(available)
    if (this.#place >= available.length) this.#place = 0
    this.#available = available
    this.#last = available[this.#place] ?? 0
    return this.#last
  }

  placed(): void {
    // Rotation does not depend on sizes.
  }

  /** The place after the last one. In other partitions, the first above the last: counts stay even when one is away. */
  #next(available: readonly number[]): number {
    if (this.#available === null) return Math.floor(this.#random() * available.length)
    return available === this.#available ? this.#place + 1 : placeOf(this.#last + 1, available)
  }
}
