import { Batch, type FlushTicket } from './batch.ts'
import type { Accepted } from './accepted.ts'

/** Batches of one partition, oldest first. At most one is in flight: that keeps the order whatever is retried. */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly #waiting: Batch[] = []
  #inFlight: Batch | null = null

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  /** The batch that was sent and not answered. It may have settled meanwhile: its deadline passed. */
  get inFlight(): Batch | null {
    return this.#inFlight
  }

  get head(): Batch | undefined {
    return this.#waiting[0]
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#inFlight === null
  }

  /** The batch that still takes records, if there is one. */
  get open(): Batch | undefined {
    const last = this.#waiting.at(-1)
    return last?.state === 'open' ? last : undefined
  }

  get waiting(): readonly Batch[] {
    return this.#waiting
  }

  push(batch: Batch): void {
    this.#waiting.push(batch)
  }

  /** Takes the head out for sending. */
  takeHead(): Batch {
    const head = this.#waiting.shift()
    if (head === undefined) throw new Error('queue: nothing to send')
    this.#inFlight = head
    return head
  }

  /** The answer is there, or will never be. */
  landed(): void {
    this.#inFlight = null
  }

  /** Back to where it was: in front of everything that came after it. */
  putBack(batch: Batch): void {
    this.#inFlight = null
    this.#waiting.unshift(batch)
  }

  drop(batch: Batch): void {
    const at = this.#waiting.indexOf(batch)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  dropHead(): void {
    this.#waiting.shift()
  }
}

export interface AccumulatorOptions {
  readonly batchBytes: number
  readonly deliveryTimeoutMs: number
}

/** First guess of a batch's size: small, because lone records are common and buffers double by themselves. */
const INITIAL_CAPACITY_BYTES = 1024

/** Records on their way, by partition; keeps bytes, not objects. */
export class Accumulator {
  readonly #options: AccumulatorOptions
  readonly #topics = new Map<string, Map<number, PartitionQueue>>()
  readonly #active = new Set<PartitionQueue>()
  #unsettledBytes = 0

  constructor(options: AccumulatorOptions) {
    this.#options = options
  }

  /** Queues that hold a batch, least recently sent first. */
  get active(): ReadonlySet<PartitionQueue> {
    return this.#active
  }

  get isEmpty(): boolean {
    return this.#active.size === 0
  }

  /** Encoded bytes that have not settled. */
  get unsettledBytes(): number {
    return this.#unsettledBytes
  }

  /** Encodes the record into its partition's open batch, or into a new one. @returns the bytes it took. */
  append({ record, receipt, token, sentMs, tickets }: Accepted, partition: number): number {
    const queue = this.#queue(record.topic, partition)
    let batch = queue.open
    const fits = batch !== undefined && batch.sizeBytes + record.upperBoundBytes <= this.#options.batchBytes
    if (batch === undefined || !fits) {
      const capacityBytes = Math.max(record.upperBoundBytes, Math.min(this.#options.batchBytes, INITIAL_CAPACITY_BYTES))
      batch = new Batch(record.topic, partition, sentMs, sentMs + this.#options.deliveryTimeoutMs, capacityBytes)
      queue.push(batch)
      this.#active.add(queue)
    }
    const bytes = batch.append(record, receipt, token)
    for (const ticket of tickets) batch.addTicket(ticket)
    receipt.batched?.(token)
    this.#unsettledBytes += bytes
    return bytes
  }

  /** A batch is about to settle; its bytes are free. */
  released(batch: Batch): void {
    this.#unsettledBytes -= batch.recordBytes
  }

  /** After its turn a queue goes to the end of the line, or out of it. */
  requeue(queue: PartitionQueue): void {
    this.#active.delete(queue)
    if (!queue.isEmpty) this.#active.add(queue)
  }

  /** Every batch that is here now tells the ticket when it settles, and does not linger. @returns how many there are. */
  addTicket(ticket: FlushTicket): number {
    let count = 0
    for (const queue of this.#active) {
      const batches = queue.inFlight === null ? queue.waiting : [queue.inFlight, ...queue.waiting]
      for (const batch of batches) {
        if (batch.state === 'settled') continue
        batch.addTicket(ticket)
        count++
      }
    }
    return count
  }

  #queue(topic: string, partition: number): PartitionQueue {
    let queues = this.#topics.get(topic)
    if (queues === undefined) this.#topics.set(topic, (queues = new Map<number, PartitionQueue>()))
    let queue = queues.get(partition)
    if (queue === undefined) queues.set(partition, (queue = new PartitionQueue(topic, partition)))
    return queue
  }
}
