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
import { isWithdrawn, settleFailed, type Awaiter } from './receipt.ts'
import type { ProducerStats } from './stats.ts'
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
  queue: PartitionQueue
  leader: number
  isTaken: boolean
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
  #seat: Seat | null = null

  constructor(options: IntakeOptions, parts: IntakeParts) {
    this.#options = options
    this.#parts = parts
    this.memory = new BufferMemory(options, {
      admit: (waiting, queue) => this.#appendWaiting(waiting, queue),
      onFailed: () => this.#parts.counters.failed++,
    })
    this.#admission = new Admission(options, parts.cluster, {
      admit: (waiting, topic) => {
        this.#place(waiting.record, waiting.receipt, waiting.token, waiting.chargedBytes, topic, waiting)
      },
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

  stats(): Pick<ProducerStats, 'waiting' | 'bufferUsedBytes'> {
    return {
      waiting: this.#admission.count + this.memory.waiterCount,
      bufferUsedBytes: this.memory.usedBytes + this.memory.waitingBytes,
    }
  }

  /** Takes a record in, or fails it through its receipt: this never throws. */
  accept(record: ProducerRecord, receipt: Awaiter, token: number): void {
    try {
      if (typeof receipt !== 'function') receipt.begin?.(token)
      const checked = this.#check('send', record)
      const chargedBytes = checked.upperBoundBytes + RECORD_OVERHEAD_BYTES
      this.memory.checkRoomToWait(checked, chargedBytes)
      if (isWithdrawn(receipt, token)) return
      this.#parts.counters.accepted++
      const topic = this.#admission.ready(checked)
      if (topic === null) this.#admission.wait(this.#accepted(checked, receipt, token, chargedBytes))
      else this.#place(checked, receipt, token, chargedBytes, topic, null)
    } catch (error) {
      settleFailed(receipt, token, asKafkaError(error))
    }
  }

  /**
   * Takes a record in if it need not wait for room.
   *
   * @throws {KafkaError} it can never be taken in.
   */
  offer(record: ProducerRecord, receipt: Awaiter): boolean {
    const checked = this.#check('offer', record)
    const chargedBytes = checked.upperBoundBytes + RECORD_OVERHEAD_BYTES
    this.memory.checkSize(checked, chargedBytes)
    const topic = this.#admission.ready(checked)
    if (topic !== null) return this.#offerTo(topic, checked, chargedBytes, receipt)
    if (!this.memory.hasRoom(chargedBytes)) {
      this.memory.refuseUnplaced(chargedBytes)
      return false
    }
    this.#parts.counters.accepted++
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

  /** For a record that has to wait: most are in a batch at once, and are spared the object. */
  #accepted(record: CheckedRecord, receipt: Awaiter, token: number, chargedBytes: number): Accepted {
    return { record, receipt, token, chargedBytes, sentMs: this.#nowMs, tickets: NO_TICKETS }
  }

  #offerTo(topic: TopicMetadata, record: CheckedRecord, bytes: number, receipt: Awaiter): boolean {
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
    this.#parts.counters.accepted++
    this.#append(record, receipt, 0, bytes, this.#nowMs, queue)
    return true
  }

  /**
   * Chooses the partition, now that the topic is known, and looks for room.
   *
   * @param waiting the record as one that has waited for its topic; null: it is new, and may be refused for want of room to
   * wait.
   */
  #place(
    record: CheckedRecord,
    receipt: Awaiter,
    token: number,
    chargedBytes: number,
    topic: TopicMetadata,
    waiting: Accepted | null,
  ): void {
    try {
      const partition = this.#parts.placement.choose(record, topic)
      // A partitioner is the user's code: it may have closed the producer, or called the record off.
      const ended = this.#parts.ended()
      if (ended !== null) throw ended
      if (isWithdrawn(receipt, token)) return this.#withdrawn(waiting)
      const { queue, leader, isTaken } = this.#takeRoom(record, topic, partition, chargedBytes)
      if (isTaken) {
        if (waiting !== null) this.#appendWaiting(waiting, queue)
        else this.#append(record, receipt, token, chargedBytes, this.#nowMs, queue)
        return
      }
      const accepted = waiting ?? this.#accepted(record, receipt, token, chargedBytes)
      if (waiting === null) this.memory.checkLane(accepted, queue, leader)
      this.memory.wait(accepted, queue, leader)
    } catch (error) {
      this.#parts.counters.failed++
      settleFailed(receipt, token, asKafkaError(error))
      finish(waiting?.tickets ?? NO_TICKETS)
    }
  }

  /** Room for a record; a partition whose broker has none left is passed over where another will do (P5). */
  #takeRoom(record: CheckedRecord, topic: TopicMetadata, chosen: number, bytes: number): Seat {
    const { accumulator, placement } = this.#parts
    let partition = chosen
    for (let choices = 1; ; choices++) {
      const queue = accumulator.queue(record.topic, partition)
      const leader = topic.leaders[partition] ?? -1
      if (this.memory.take(queue, leader, bytes)) return this.#seatAt(queue, leader, true)
      const isElsewhere = choices < MAX_CHOICES && this.memory.isCrowded(queue, leader, bytes)
      const other = isElsewhere ? placement.chooseOther(record, topic, partition) : null
      if (other === null) return this.#seatAt(queue, leader, false)
      partition = other
    }
  }

  /** One for all records: whoever gets it reads it at once. */
  #seatAt(queue: PartitionQueue, leader: number, isTaken: boolean): Seat {
    const seat = (this.#seat ??= { queue, leader, isTaken })
    seat.queue = queue
    seat.leader = leader
    seat.isTaken = isTaken
    return seat
  }

  #withdrawn(waiting: Accepted | null): void {
    this.#parts.counters.failed++
    finish(waiting?.tickets ?? NO_TICKETS)
  }

  #appendWaiting({ record, receipt, token, chargedBytes, sentMs, tickets }: Accepted, queue: PartitionQueue): void {
    this.#append(record, receipt, token, chargedBytes, sentMs, queue, tickets)
  }

  #append(
    record: CheckedRecord,
    receipt: Awaiter,
    token: number,
    chargedBytes: number,
    sentMs: number,
    queue: PartitionQueue,
    tickets = NO_TICKETS,
  ): void {
    const batch = this.#parts.accumulator.batchFor(record.upperBoundBytes, sentMs, queue)
    let bytes
    try {
      bytes = batch.append(record, receipt, token, chargedBytes)
    } catch (error) {
      this.memory.giveBack(queue, chargedBytes) // there was no memory for it after all
      throw error
    }
    queue.latestBatchBytes = batch.sizeBytes
    // Most records have none, and asking an iterator whether there is one costs as much as a fifth of the encoding.
    if (tickets.length > 0) for (const ticket of tickets) batch.addTicket(ticket)
    if (typeof receipt !== 'function') receipt.batched?.(token)
    this.#parts.placement.placed(record, queue.partition, bytes)
    this.#parts.onAppended()
  }
}
