import {
  noLoads,
  placeOf,
  type KeylessChoice,
  type PartitionLoads,
  type Random,
  type TopicShape,
} from './partitioner.ts'
import { QueueWeights } from './queue-weights.ts'

/** A record that takes nothing else: whether an open batch is full without knowing what comes next. */
const ANY_RECORD_BYTES = 1

/**
 * Stays with one partition for about a batch, then chooses the next at random, by the length of the queues. That fills batches
 * instead of spreading crumbs, and evens out bytes, not records.
 *
 * It moves on when `stickyBytes` went to the partition and no batch is open there that could still fill up; with twice
 * that it moves on in any case, since records with keys may keep a batch open for ever. What is chosen next may be the
 * same partition again. One that lost its leader is left at once: Java stays until its bytes are full.
 *
 * Source: BuiltInPartitioner.updatePartitionInfo and RecordAccumulator.partitionChanged of Apache Kafka (KIP-794).
 */
export class StickyChoice implements KeylessChoice {
  readonly #stickyBytes: number
  readonly #loads: PartitionLoads
  readonly #weights: QueueWeights
  #partition = -1
  #bytes = 0
  #records = 0
  #isDone = true
  /** Where the partition was last found to have a leader. */
  #available: readonly number[] | null = null

  constructor(stickyBytes: number, random: Random, loads: PartitionLoads = noLoads) {
    this.#stickyBytes = stickyBytes
    this.#loads = loads
    this.#weights = new QueueWeights(loads, random)
  }

  choose({ available }: TopicShape, recordBytes: number): number {
    if (this.#isDone || this.#hasEnough(recordBytes) || !this.#isIn(available)) this.#move(available)
    return this.#partition
  }

  placed(partition: number, bytes: number): void {
    if (partition !== this.#partition) return
    this.#bytes += bytes
    this.#records++
    // Now, because a record with a key may open the next batch before this is asked again.
    this.#isDone = this.#hasEnough(ANY_RECORD_BYTES)
  }

  #hasEnough(recordBytes: number): boolean {
    if (this.#bytes < this.#stickyBytes) return false
    return this.#bytes >= 2 * this.#stickyBytes || !this.#loads.hasOpenBatch(this.#partition, recordBytes)
  }

  #isIn(available: readonly number[]): boolean {
    if (available === this.#available) return true
    this.#available = available
    return available[placeOf(this.#partition, available)] === this.#partition
  }

  #move(available: readonly number[]): void {
    this.#partition = this.#weights.choose(available, this.#records)
    this.#available = available
    this.#bytes = 0
    this.#records = 0
    this.#isDone = false
  }
}
