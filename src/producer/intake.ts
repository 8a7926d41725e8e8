import type { Clock } from '../clock.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TopicMetadata } from '../cluster/metadata.ts'
import { DeliveryError, type KafkaError } from '../errors.ts'
import { NO_TICKETS, type Accepted } from './accepted.ts'
import type { Accumulator } from './accumulator.ts'
import { Admission } from './admission.ts'
import { asKafkaError } from './arguments.ts'
import type { FlushTicket } from './batch.ts'
import { BufferMemory, RECORD_OVERHEAD_BYTES } from './buffer-memory.ts'
import type { ProducerCounters } from './counters.ts'
import { finish } from './endings.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { Placement } from './placement.ts'
import type { Receipt } from './receipt.ts'
import { checkRecord, type CheckedRecord, type ProducerRecord } from './record.ts'

export interface IntakeOptions {
  readonly clock: Clock
  readonly maxRequestBytes: number
  readonly bufferBytes: number
  readonly maxBlockMs: number
  readonly deliveryTimeoutMs: number
}

export interface IntakeParts {
  readonly cluster: Cluster
  readonly accumulator: Accumulator
  readonly placement: Placement
  readonly counters: ProducerCounters
  /** Why no record is taken in; null: they are. */
  readonly refusal: (where: string) => KafkaError | null
  /** Why not even those that were taken in go on; null: they do. */
  readonly ended: () => KafkaError | null
  /** A record went into a batch in this turn of the event loop. */
  readonly isSameTurn: () => boolean
  /** A record went into a batch. */
  readonly onAppended: () => void
  /** Names of all topics of the cluster, for the hint in an error. */
  readonly topicNames: () => Promise<string[]>
}

/** How often a partitioner that is free to choose is asked, at most, for a partition whose broker has room. */
const MAX_CHOICES = 4

/** Where a record is to go, and whether there was room. */
interface Seat {
  readonly queue: PartitionQueue
  readonly leader: number
  readonly isTaken: boolean
}

/**
 * From the call to the batch: checked, charged to `bufferBytes`, waiting for its topic if need be, given a partition,
 * waiting for room if need be, encoded.
 */
export class Intake {
  readonly memory: BufferMemory
  readonly #options: IntakeOptions
  readonly #parts: IntakeParts
  readonly #admission: Admission
  /** Both clocks, as they were when a record was last given to us. */
  #wallMs = -1
  #nowMs = 0

  constructor(options: IntakeOptions, parts: IntakeParts) {
    this.#options = options
    this.#parts = parts
    this.memory = new BufferMemory(options, {
      admit: (accepted, queue) => this.#append(accepted, queue),
      onFailed: () => this.#parts.counters.failed++,
    })
    this.#admission = new Admission(options, parts.cluster, {
      admit: (accepted, topic) => this.#place(accepted, topic),
      onWaiting: (bytes) => this.memory.addWaiting(bytes),
      onLeaving: (bytes) => this.memory.removeWaiting(bytes),
      onFailed: () => this.#parts.counters.failed++,
      topicNames: parts.topicNames,
    })
  }

  /** Nothing waits to get into a batch. */
  get isEmpty(): boolean {
    return this.#admission.isEmpty && this.memory.waiterCount === 0
  }

  /** Records wait for the topic to be known. */
  isWaitedFor(topic: string): boolean {
    return this.#admission.has(topic)
  }

  /** Records that wait for their topic or for room. */
  get waitingCount(): number {
    return this.#admission.count + this.memory.waiterCount
  }

  /** Takes a record in, or fails it through its receipt: this never throws. */
  accept(record: ProducerRecord, receipt: Receipt, token: number): void {
    try {
      receipt.begin?.(token)
      const checked = this.#check('send', record)
      const chargedBytes = checked.upperBoundBytes + RECORD_OVERHEAD_BYTES
      this.memory.checkRoomToWait(checked, chargedBytes)
      if (receipt.isWithdrawn?.(token) === true) return
      const accepted = this.#accepted(checked, receipt, token, chargedBytes)
      const topic = this.#admission.ready(checked)
      if (topic === null) this.#admission.wait(accepted)
      else this.#place(accepted, topic, true)
    } catch (error) {
      receipt.settleFailed(token, asKafkaError(error))
    }
  }

  /**
   * Takes a record in if it need not wait for room.
   *
   * @throws {KafkaError} it can never be taken in.
   */
  offer(record: ProducerRecord, receipt: Receipt): boolean {
    const checked = this.#check('offer', record)
    const chargedBytes = checked.upperBoundBytes + RECORD_OVERHEAD_BYTES
    this.memory.checkSize(checked, chargedBytes)
    const topic = this.#admission.ready(checked)
    if (topic !== null) return this.#offerTo(topic, checked, chargedBytes, receipt)
    if (!this.memory.hasRoom(chargedBytes)) {
      this.memory.refuseUnplaced(chargedBytes)
      return false
    }
    this.#admission.wait(this.#accepted(checked, receipt, 0, chargedBytes))
    return true
  }

  /** Metadata has changed. */
  review(): void {
    this.#admission.review()
  }

  failAll(errorOf: (record: CheckedRecord) => KafkaError): void {
    this.#admission.failAll(errorOf)
    this.memory.failAll(errorOf)
  }

  failWaitingForTopics(error: KafkaError): void {
    this.#admission.failAll(() => error)
  }

  addTicket(ticket: FlushTicket): void {
    this.#admission.addTicket(ticket)
    this.memory.addTicket(ticket)
  }

  dropWithdrawn(): void {
    this.#admission.dropWithdrawn()
    this.memory.dropWithdrawn()
  }

  #check(where: string, record: ProducerRecord): CheckedRecord {
    const refusal = this.#parts.refusal(where)
    if (refusal !== null) throw refusal
    this.#look()
    const checked = checkRecord(record, this.#wallMs)
    const { maxRequestBytes } = this.#options
    const { upperBoundBytes, topic } = checked
    if (upperBoundBytes <= maxRequestBytes) return checked
    const what = `a record of ${upperBoundBytes} bytes for topic ${JSON.stringify(topic)} is over maxRequestBytes (${maxRequestBytes})`
    throw new DeliveryError('RECORD_TOO_LARGE', `${where}: RECORD_TOO_LARGE: ${what}`, { topic })
  }

  /** Of many records in a turn and a millisecond only the first asks for the exact time, which costs as much as encoding it. */
  #look(): void {
    const wallMs = this.#options.clock.wallNow()
    if (wallMs === this.#wallMs && this.#parts.isSameTurn()) return
    this.#wallMs = wallMs
    this.#nowMs = this.#options.clock.now()
  }

  #accepted(record: CheckedRecord, receipt: Receipt, token: number, chargedBytes: number): Accepted {
    this.#parts.counters.accepted++
    return { record, receipt, token, chargedBytes, sentMs: this.#nowMs, tickets: NO_TICKETS }
  }

  #offerTo(topic: TopicMetadata, record: CheckedRecord, bytes: number, receipt: Receipt): boolean {
    const partition = this.#parts.placement.choose(record, topic)
    // A partitioner is the user's code: it may have closed the producer.
    const refusal = this.#parts.refusal('offer')
    if (refusal !== null) throw refusal
    const { queue, leader, isTaken } = this.#takeRoom(record, topic, partition, bytes)
    if (!isTaken) {
      // Where only the whole is full, the record may go anywhere once it is not.
      const isAnywhere = this.#parts.placement.isFree(record) && !this.memory.isCrowded(queue, leader, bytes)
      this.memory.refuse(bytes, isAnywhere ? null : queue, leader)
      return false
    }
    this.#append(this.#accepted(record, receipt, 0, bytes), queue)
    return true
  }

  /**
   * Chooses the partition, now that the topic is known, and looks for room.
   *
   * @param isNew it has not waited for its topic, and may be refused for want of room to wait.
   */
  #place(accepted: Accepted, topic: TopicMetadata, isNew = false): void {
    const { record, receipt, token, tickets, chargedBytes } = accepted
    try {
      const partition = this.#parts.placement.choose(record, topic)
      // A partitioner is the user's code: it may have closed the producer, or called the record off.
      const ended = this.#parts.ended()
      if (ended !== null) throw ended
      if (receipt.isWithdrawn?.(token) === true) return this.#withdrawn(accepted)
      const { queue, leader, isTaken } = this.#takeRoom(record, topic, partition, chargedBytes)
      if (isTaken) return this.#append(accepted, queue)
      if (isNew) this.memory.checkLane(accepted, queue, leader)
      this.memory.wait(accepted, queue, leader)
    } catch (error) {
      this.#parts.counters.failed++
      receipt.settleFailed(token, asKafkaError(error))
      finish(tickets)
    }
  }

  /** Room for a record; a partition whose broker has none left is passed over where another will do (P5). */
  #takeRoom(record: CheckedRecord, topic: TopicMetadata, chosen: number, bytes: number): Seat {
    const { accumulator, placement } = this.#parts
    let partition = chosen
    for (let choices = 1; ; choices++) {
      const queue = accumulator.queue(record.topic, partition)
      const leader = topic.leaders[partition] ?? -1
      if (this.memory.take(queue, leader, bytes)) return { queue, leader, isTaken: true }
      const isElsewhere = choices < MAX_CHOICES && this.memory.isCrowded(queue, leader, bytes)
      const other = isElsewhere ? placement.chooseOther(record, topic, partition) : null
      if (other === null) return { queue, leader, isTaken: false }
      partition = other
    }
  }

  #withdrawn({ tickets }: Accepted): void {
    this.#parts.counters.failed++
    finish(tickets)
  }

  #append(accepted: Accepted, queue: PartitionQueue): void {
    const bytes = this.#parts.accumulator.append(accepted, queue)
    this.#parts.placement.placed(accepted.record, queue.partition, bytes)
    this.#parts.onAppended()
  }
}
