import { Alarm } from '../alarm.ts'
import type { Clock } from '../clock.ts'
import type { KafkaError } from '../errors.ts'
import { addTicket, type Accepted } from './accepted.ts'
import type { FlushTicket } from './batch.ts'
import { bufferFull, noRoomInTime, tooLargeForBuffer } from './buffer-errors.ts'
import { finish } from './endings.ts'
import { Lanes, NO_LEADER, type Lane, type Waiter } from './lanes.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { CheckedRecord } from './record.ts'
import { isWithdrawn, settleFailed } from './receipt.ts'
import { isRoomy, RoomWaits } from './room-waits.ts'

/**
 * What a record costs besides its bytes: the promise and its functions, its place in a batch, slack in buffers that
 * double. With it a record of 100 bytes is charged 698. Measured on Node 20 (bench/memory.ts cost), bytes held in all by an
 * unsettled one: `send` 459, `sendAll` 164, `offer` 122, with a callback 255; of 1024 bytes, which is charged 1622: `send`
 * 1498. A caller's own async function that awaits the `send` holds some 380 more.
 */
export const RECORD_OVERHEAD_BYTES = 512

/** Waiting records count, too: `send` refuses when so many times `bufferBytes` is taken up by both. */
const MAX_OVERCOMMIT = 2

/** The same for the records of one broker of several: what is left over is the others' (faults-and-security.md, P5). */
const MAX_LANE_OVERCOMMIT = 1.5

/** Of several brokers none has more of `bufferBytes`. */
const LANE_SHARE = 0.5

export interface BufferMemoryOptions {
  readonly clock: Clock
  readonly bufferBytes: number
  readonly maxBlockMs: number
  readonly deliveryTimeoutMs: number
}

/** What an `offer` did not find. */
interface Refusal {
  readonly bytes: number
  /** Where; `null`: anywhere. */
  readonly lane: Lane | null
  /** Its topic is not known: it has to wait behind others that wait. */
  readonly isUnplaced: boolean
}

export interface BufferMemoryListener {
  /** There is room now, and it is taken: the record goes into a batch. */
  admit(accepted: Accepted, queue: PartitionQueue): void
  /** A record settled without having been in a batch. */
  onFailed(): void
}

/**
 * `bufferBytes`: what records hold from the moment they are accepted until they have settled and no socket has their
 * bytes any more. Each is charged before it is encoded: its upper bound in a batch and `RECORD_OVERHEAD_BYTES`.
 *
 * Records that find no room wait, first in, first out; of several brokers none has more than half.
 *
 * @see Kafka `buffer.memory`, `max.block.ms`
 */
export class BufferMemory {
  readonly #options: BufferMemoryOptions
  readonly #listener: BufferMemoryListener
  readonly #lanes: Lanes
  #usedBytes = 0
  /** Of records that wait for their topic or for room. */
  #waitingBytes = 0
  #waiterCount = 0
  #nextNumber = 0
  /** Of the latest `offer`; the `ready` that follows waits for it. */
  #refusal: Refusal | null = null
  readonly #roomWaits = new RoomWaits()
  /** Never later than the earliest deadline of those that wait. */
  readonly #alarm: Alarm

  constructor(options: BufferMemoryOptions, listener: BufferMemoryListener) {
    this.#options = options
    this.#listener = listener
    this.#lanes = new Lanes(options.clock)
    this.#alarm = new Alarm(options.clock, () => options.clock.soon(() => this.#expire()))
  }

  /** In batches that have not settled. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Records that wait for room. */
  get waiterCount(): number {
    return this.#waiterCount
  }

  /** More is held than `bufferBytes`: who brings many records should wait with the next. */
  get isTight(): boolean {
    return this.#usedBytes + this.#waitingBytes > this.#options.bufferBytes
  }

  /** @throws {DeliveryError} `RECORD_TOO_LARGE`: it could never be accepted. */
  checkSize({ topic }: CheckedRecord, bytes: number): void {
    if (bytes > this.#options.bufferBytes) throw tooLargeForBuffer(topic, bytes, this.#options.bufferBytes)
  }

  /** @throws {DeliveryError} `RECORD_TOO_LARGE`; `BUFFER_FULL`: there is not even room to wait. */
  checkRoomToWait(record: CheckedRecord, bytes: number): void {
    this.checkSize(record, bytes)
    const { topic } = record
    const { bufferBytes } = this.#options
    if (this.#usedBytes + this.#waitingBytes + bytes <= MAX_OVERCOMMIT * bufferBytes) return
    const what = `${this.#usedBytes} bytes are unsettled and ${this.#waitingBytes} wait, bufferBytes is ${bufferBytes}`
    throw bufferFull(topic, `${what}; await send(), or use sendAll() or offer()`)
  }

  /** Whether an `offer` of a record whose topic is not known yet is taken. */
  hasRoom(bytes: number): boolean {
    return !this.#isOwed && this.#usedBytes + this.#waitingBytes + bytes <= this.#options.bufferBytes
  }

  /** Only the partition's broker has no room; a record that may go elsewhere should. */
  isCrowded(queue: PartitionQueue, leader: number, bytes: number): boolean {
    const lane = this.#lanes.of(queue, leader)
    this.#unpin(queue)
    const isFull = lane.waiters.length > 0 || !this.#fitsLane(lane, bytes)
    return isFull && !this.#isOwed && this.#usedBytes + bytes <= this.#options.bufferBytes
  }

  /** A record waits for its topic. */
  addWaiting(bytes: number): void {
    this.#waitingBytes += bytes
  }

  removeWaiting(bytes: number): void {
    this.#waitingBytes -= bytes
    this.#roomWaits.look()
  }

  /** Room for a record, now; false: there is none, or others wait for it. */
  take(queue: PartitionQueue, leader: number, bytes: number): boolean {
    const lane = this.#lanes.of(queue, leader)
    if (lane.waiters.length > 0 || this.#isOwed || !this.#fits(lane, bytes)) return this.#unpin(queue)
    this.#charge(queue, lane, bytes)
    this.#refusal = null
    return true
  }

  /** An `offer` found no room: `ready` waits for so much, for that partition's broker; `null`: for any. */
  refuse(bytes: number, queue: PartitionQueue | null, leader: number): void {
    const lane = queue === null ? null : this.#lanes.of(queue, leader)
    this.#refusal = { bytes, lane, isUnplaced: false }
    if (queue !== null) this.#unpin(queue)
  }

  /** The same for a record whose topic is not known yet. */
  refuseUnplaced(bytes: number): void {
    this.#refusal = { bytes, lane: null, isUnplaced: true }
  }

  /** @throws {DeliveryError} `BUFFER_FULL`: its broker has its share already, also of what may wait. */
  checkLane({ record, chargedBytes }: Accepted, queue: PartitionQueue, leader: number): void {
    const { usedBytes, waitingBytes } = this.#lanes.of(queue, leader)
    this.#unpin(queue)
    const { bufferBytes } = this.#options
    if (this.#lanes.size <= 1 || usedBytes + waitingBytes + chargedBytes <= MAX_LANE_OVERCOMMIT * bufferBytes) return
    const what = `for its broker ${usedBytes} bytes are unsettled and ${waitingBytes} wait, bufferBytes is ${bufferBytes}`
    throw bufferFull(record.topic, `${what}; await send(), or use sendAll() or offer()`)
  }

  /** The record waits until there is room, at most `maxBlockMs`, and not beyond its `deliveryTimeoutMs`. */
  wait(accepted: Accepted, queue: PartitionQueue, leader: number): void {
    const lane = this.#lanes.of(queue, leader)
    const { maxBlockMs, deliveryTimeoutMs } = this.#options
    const deadlineMs = accepted.sentMs + Math.min(maxBlockMs, deliveryTimeoutMs)
    lane.waiters.push({ accepted, queue, number: this.#nextNumber++, deadlineMs })
    lane.waitingBytes += accepted.chargedBytes
    queue.heldBytes += accepted.chargedBytes
    this.#waiterCount++
    this.#waitingBytes += accepted.chargedBytes
    this.#alarm.setNoLater(deadlineMs)
  }

  /** Records have settled. */
  giveBack(queue: PartitionQueue, bytes: number): void {
    this.#usedBytes -= bytes
    const lane = this.#lanes.of(queue, NO_LEADER)
    lane.usedBytes -= bytes
    this.#unhold(queue, bytes)
    if (this.#lanes.size > 1) this.#lanes.dropResting(lane)
    if (this.#waiterCount > 0) this.#serve()
    this.#roomWaits.look()
  }

  /** Resolves when there is room for what the latest `offer` was refused, or, if it was not, for any record. */
  ready(): Promise<void> {
    const refusal = this.#refusal
    this.#refusal = null
    return this.#roomWaits.until(() => this.#isReadyFor(refusal))
  }

  /** Resolves when nothing is tight any more; for those who bring many records, whatever their partitions. */
  loosened(): Promise<void> {
    return this.#roomWaits.until(() => isRoomy(this.#usedBytes + this.#waitingBytes, this.#options.bufferBytes, 0))
  }

  /** Nobody will bring room any more. */
  wakeAll(): void {
    this.#roomWaits.wakeAll()
  }

  /** Every record that waits for room fails. */
  failAll(error: (record: CheckedRecord) => KafkaError): void {
    this.#dismiss((accepted) => error(accepted.record))
  }

  /** Every record that waits tells the ticket when it settles. */
  addTicket(ticket: FlushTicket): void {
    this.dropWithdrawn()
    for (const { waiters } of this.#lanes.all()) {
      for (const { accepted } of waiters) addTicket(accepted, ticket)
    }
  }

  /** Records that were called off: nobody waits for them. */
  dropWithdrawn(): void {
    if (this.#waiterCount === 0) return
    this.#dismiss(({ receipt, token }) => (isWithdrawn(receipt, token) ? 'withdrawn' : null))
    this.#serve()
  }

  /** Takes waiters out: with an error for those that are to be told, or because nobody is. */
  #dismiss(judge: (accepted: Accepted, deadlineMs: number) => KafkaError | 'withdrawn' | null): void {
    const failed: [Accepted, KafkaError][] = []
    for (const lane of this.#lanes.all()) {
      for (const waiter of lane.waiters.drain()) {
        const verdict = judge(waiter.accepted, waiter.deadlineMs)
        if (verdict === null) {
          lane.waiters.push(waiter)
          continue
        }
        this.#forget(waiter, lane)
        this.#listener.onFailed()
        if (verdict === 'withdrawn') finish(waiter.accepted.tickets)
        else failed.push([waiter.accepted, verdict])
      }
    }
    for (const [{ receipt, token, tickets }, error] of failed) {
      settleFailed(receipt, token, error)
      finish(tickets)
    }
    this.#roomWaits.look()
  }

  /** The oldest first, and if it does not fit, nobody: large records must not starve. Only a full lane is passed over. */
  #serve(): void {
    for (let lane = this.#oldest(); lane !== null; lane = this.#oldest()) {
      const waiter = lane.waiters.first as Waiter
      const { accepted, queue } = waiter
      if (this.#usedBytes + accepted.chargedBytes > this.#options.bufferBytes) return
      lane.waiters.shift()
      const isCalledOff = isWithdrawn(accepted.receipt, accepted.token)
      if (!isCalledOff) this.#charge(queue, lane, accepted.chargedBytes)
      this.#forget(waiter, lane)
      if (!isCalledOff) {
        this.#listener.admit(accepted, queue)
        continue
      }
      this.#listener.onFailed()
      finish(accepted.tickets)
    }
  }

  /** Whoever waits only because of others than its own broker comes next, and nobody before it. */
  get #isOwed(): boolean {
    return this.#waiterCount > 0 && this.#oldest() !== null
  }

  /** The lane of the oldest waiter that its own lane does not keep waiting. */
  #oldest(): Lane | null {
    let oldest: Lane | null = null
    for (const lane of this.#lanes.all()) {
      const head = lane.waiters.first
      if (head === undefined || !this.#fitsLane(lane, head.accepted.chargedBytes)) continue
      if (oldest === null || head.number < (oldest.waiters.first as Waiter).number) oldest = lane
    }
    return oldest
  }

  #charge(queue: PartitionQueue, lane: Lane, bytes: number): void {
    this.#usedBytes += bytes
    lane.usedBytes += bytes
    queue.heldBytes += bytes
  }

  #forget({ accepted, queue }: Waiter, lane: Lane): void {
    this.#waiterCount--
    if (this.#waiterCount === 0) this.#alarm.cancel()
    this.#waitingBytes -= accepted.chargedBytes
    lane.waitingBytes -= accepted.chargedBytes
    this.#unhold(queue, accepted.chargedBytes)
  }

  #unhold(queue: PartitionQueue, bytes: number): void {
    queue.heldBytes -= bytes
    this.#unpin(queue)
  }

  /** A partition changes lanes, after its leader, only when it holds nothing: its records must not overtake each other. */
  #unpin(queue: PartitionQueue): false {
    if (queue.heldBytes === 0) queue.laneId = null
    return false
  }

  #fits(lane: Lane, bytes: number): boolean {
    return this.#usedBytes + bytes <= this.#options.bufferBytes && this.#fitsLane(lane, bytes)
  }

  #fitsLane(lane: Lane, bytes: number): boolean {
    return lane.usedBytes === 0 || lane.usedBytes + bytes <= this.#laneLimitBytes
  }

  get #laneLimitBytes(): number {
    const { bufferBytes } = this.#options
    return this.#lanes.size > 1 ? bufferBytes * LANE_SHARE : bufferBytes
  }

  #isReadyFor(refusal: Refusal | null): boolean {
    if (this.#isOwed) return false
    const { bufferBytes } = this.#options
    const bytes = refusal?.bytes ?? 0
    const heldBytes = this.#usedBytes + (refusal?.isUnplaced === true ? this.#waitingBytes : 0)
    if (!isRoomy(heldBytes, bufferBytes, bytes)) return false
    const lane = refusal?.lane ?? null
    return lane === null || (lane.waiters.length === 0 && isRoomy(lane.usedBytes, this.#laneLimitBytes, bytes))
  }

  #expire(): void {
    const nowMs = this.#options.clock.now()
    this.#alarm.cancel()
    this.#dismiss(({ record }, deadlineMs) => (deadlineMs <= nowMs ? noRoomInTime(record.topic, this.#options) : null))
    this.#serve()
    for (const { waiters } of this.#lanes.all())
      for (const { deadlineMs } of waiters) this.#alarm.setNoLater(deadlineMs)
  }
}
