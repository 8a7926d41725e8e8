import type { PartitionLoads } from '../partitioner/partitioner.ts'
import { Batch, type FlushTicket } from './batch.ts'
import { BufferPool } from './buffer-pool.ts'
import { PartitionQueue } from './partition-queue.ts'

export interface AccumulatorOptions {
  readonly batchBytes: number
  readonly lingerMs: number
  readonly deliveryTimeoutMs: number
  readonly bufferBytes: number
  /** Where sequences begin: 0, except in tests of the wrap. */
  readonly firstSequence?: number | undefined
}

/**
 * While a partition is busy, or memory for it lies about, a batch gets a buffer of the size that the one before came to, within
 * these. Otherwise it begins small, because lone records are common, what they leave free is charged to nobody, and buffers double
 * by themselves.
 */
const MIN_CAPACITY_BYTES = 1024
const MAX_CAPACITY_BYTES = 1_048_576

/**
 * A batch has one deadline, that of its oldest record. One that has been open so long takes no more, so that no record
 * loses much of its own time to an older one.
 */
const MAX_OPEN_MS = 1000

/** Of `bufferBytes`, memory of batches that is kept for the next ones. */
const FREE_SHARE = 0.5

/** Records on their way, by partition; keeps bytes, not objects. */
export class Accumulator {
  readonly #options: AccumulatorOptions
  /** Never forgotten: a partition's sequences outlive what metadata says of it (faults-and-security.md, S3). */
  readonly #topics = new Map<string, Map<number, PartitionQueue>>()
  readonly #active = new Set<PartitionQueue>()
  readonly #memory: BufferPool
  /** The queue that was asked for last, which is the next one's, too, for most records. */
  #latest: PartitionQueue | null = null

  constructor(options: AccumulatorOptions) {
    this.#options = options
    this.#memory = new BufferPool(options.bufferBytes * FREE_SHARE)
  }

  /** Queues that hold a batch, least recently sent first. */
  get active(): ReadonlySet<PartitionQueue> {
    return this.#active
  }

  get isEmpty(): boolean {
    return this.#active.size === 0
  }

  queue(topic: string, partition: number): PartitionQueue {
    const queue = this.#known(topic, partition) ?? this.#add(topic, partition)
    if (queue !== this.#latest) this.#latest = queue
    return queue
  }

  #known(topic: string, partition: number): PartitionQueue | undefined {
    const latest = this.#latest
    if (latest !== null && latest.partition === partition && latest.topic === topic) return latest
    return this.#topics.get(topic)?.get(partition)
  }

  #add(topic: string, partition: number): PartitionQueue {
    const queue = new PartitionQueue(topic, partition, this.#options.firstSequence)
    const queues = this.#topics.get(topic) ?? new Map<number, PartitionQueue>()
    queues.set(partition, queue)
    this.#topics.set(topic, queues)
    return queue
  }

  /** Something of the topic has not settled. */
  isInUse(topic: string): boolean {
    for (const { heldBytes } of this.#topics.get(topic)?.values() ?? []) if (heldBytes > 0) return true
    return false
  }

  /** What partitioners want to know of a topic's queues. */
  loads(topic: string): PartitionLoads {
    const queueOf = (partition: number): PartitionQueue | undefined => this.#known(topic, partition)
    return {
      queued: (partition) => queueOf(partition)?.waiting.length ?? 0,
      hasOpenBatch: (partition, recordBytes) => {
        const queue = queueOf(partition)
        const open = queue?.open
        return open !== undefined && open.sizeBytes + recordBytes <= this.#maxBatchBytes(queue as PartitionQueue)
      },
    }
  }

  #maxBatchBytes({ maxBatchBytes }: PartitionQueue): number {
    return Math.min(this.#options.batchBytes, maxBatchBytes)
  }

  /** The partition's open batch, if there is room for so much in it, or a new one. */
  batchFor(upperBoundBytes: number, sentMs: number, queue: PartitionQueue): Batch {
    const { lingerMs, deliveryTimeoutMs } = this.#options
    const maxBytes = this.#maxBatchBytes(queue)
    const { open } = queue
    const isInTime = open !== undefined && sentMs - open.createdMs <= MAX_OPEN_MS + lingerMs
    if (isInTime && open.sizeBytes + upperBoundBytes <= maxBytes) return open
    this.#memory.wake()
    const usualBytes = Math.min(maxBytes, MAX_CAPACITY_BYTES, Math.max(MIN_CAPACITY_BYTES, queue.latestBatchBytes))
    const isWorthIt = !queue.isEmpty || this.#memory.hasFree(usualBytes)
    const expectedBytes = isWorthIt ? usualBytes : MIN_CAPACITY_BYTES
    const capacityBytes = Math.max(upperBoundBytes, expectedBytes)
    const { topic, partition } = queue
    const deadlineMs = sentMs + deliveryTimeoutMs
    const batch = new Batch({ topic, partition, createdMs: sentMs, deadlineMs }, capacityBytes, this.#memory)
    queue.push(batch)
    this.#active.add(queue)
    return batch
  }

  /** After its turn a queue goes to the end of the line, or out of it. */
  requeue(queue: PartitionQueue): void {
    this.#active.delete(queue)
    if (!queue.isEmpty) this.#active.add(queue)
    else if (this.#active.size === 0) this.#memory.rest()
  }

  /** Batches that wait, and that are out. */
  stats(): { batchesWaiting: number; batchesInFlight: number } {
    let batchesWaiting = 0
    let batchesInFlight = 0
    for (const { waiting, inFlight } of this.#active) {
      batchesWaiting += waiting.length
      batchesInFlight += inFlight.length
    }
    return { batchesWaiting, batchesInFlight }
  }

  /** Every batch that is here now tells the ticket when it settles, and does not linger. */
  addTicket(ticket: FlushTicket): void {
    for (const { inFlight, waiting } of this.#active) {
      for (const batch of [...inFlight, ...waiting]) {
        if (batch.state === 'settled') continue
        ticket.more()
        batch.addTicket(ticket)
      }
    }
  }
}
