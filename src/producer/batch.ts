import type { KafkaError } from '../errors.ts'
import { RecordBatchBuilder, stampRecordBatch, type BatchMemory } from '../protocol/record-batch.ts'
import { asKafkaError } from './arguments.ts'
import { Awaiters } from './awaiters.ts'
import { encodePayload, type PayloadFormat } from './payload.ts'
import { Offsets } from './offsets.ts'
import { settleDelivered, settleFailed, type Awaiter } from './receipt.ts'
import type { RecordParts } from './record.ts'
import { Runs } from './runs.ts'
import { producerStamp, type BatchStamp } from './sequences.ts'
import { CORRUPT_MESSAGE } from '../protocol/error-numbers.ts'

/**
 * ```
 * open > compressing > sealed > inFlight > settled
 *                        ^________|  retry: the same bytes again
 * ```
 * A batch may settle from any state: deadlines do not wait. One that settles while it is in flight stays with its
 * partition until the answer is there or will never be (`PartitionQueue.inFlight`).
 */
export type BatchState = 'open' | 'compressing' | 'sealed' | 'inFlight' | 'settled'

const moves: Readonly<Record<BatchState, readonly BatchState[]>> = {
  open: ['compressing', 'settled'],
  compressing: ['sealed', 'settled'], // passed through at once where nothing has to be waited for
  sealed: ['inFlight', 'settled'],
  inFlight: ['sealed', 'settled'],
  settled: [],
}

/** Counts batches down that a `flush` waits for. */
export interface FlushTicket {
  done(): void
  /** One batch more to wait for: another one was split. */
  more(): void
}

export interface BatchPlace {
  readonly topic: string
  readonly partition: number
  readonly createdMs: number
  /** The earliest deadline of its records. */
  readonly deadlineMs: number
}

/** Records for one partition that travel together: encoded as they come, sealed once, sent as the same bytes every time. */
export class Batch implements BatchPlace {
  readonly topic: string
  readonly partition: number
  readonly createdMs: number
  readonly deadlineMs: number
  /** Do not wait for more records: somebody flushes. */
  isUrgent = false
  /** Takes no more records although it is open: it is a part of one that was split, with its sequences given. */
  isClosed = false
  attempts = 0
  /** What it holds of `bufferBytes`. */
  chargedBytes = 0
  /** Sticky: once an attempt may have been written, no later refusal makes that undone. */
  maybeWritten = false
  lastError: KafkaError | null = null
  /** How often in all the brokers called it corrupt. */
  corruptCount = 0
  /** An acknowledgement of it made no sense under this revision of its topic's metadata; null: none did. */
  doubtRevision: number | null = null
  /** Not to be sent again before this, by the clock. */
  notBeforeMs = -Infinity
  #state: BatchState = 'open'
  #builder: RecordBatchBuilder | null
  /** Has the payload's memory, where nothing was compressed. */
  #sealed: RecordBatchBuilder | null = null
  #payload: Uint8Array | null = null
  #format: PayloadFormat | null = null
  #stamp: BatchStamp | null = null
  /** The stamp and the CRC are in the payload. */
  #isFinal = false
  readonly #awaiters = new Awaiters()
  readonly #timestamps = new Runs()
  readonly #tickets: FlushTicket[] = []

  constructor({ topic, partition, createdMs, deadlineMs }: BatchPlace, capacityBytes: number, memory?: BatchMemory) {
    this.topic = topic
    this.partition = partition
    this.createdMs = createdMs
    this.deadlineMs = deadlineMs
    this.#builder = new RecordBatchBuilder(capacityBytes, memory)
  }

  get state(): BatchState {
    return this.#state
  }

  get recordCount(): number {
    return this.#awaiters.count
  }

  get sizeBytes(): number {
    return this.#builder?.sizeBytes ?? this.#payload?.byteLength ?? 0
  }

  /** Under which identity and sequence it was sent; null: not yet, or without. */
  get stamp(): BatchStamp | null {
    return this.#stamp
  }

  /** How it is written, once it is. */
  get format(): PayloadFormat | null {
    return this.#format
  }

  /** Sealed, not settled: its bytes. */
  get payload(): Uint8Array | null {
    return this.#payload
  }

  /** Encodes a record into the open batch. @returns the bytes it took. */
  append(record: RecordParts, awaiter: Awaiter, token: number, chargedBytes: number): number {
    if (this.#builder === null) throw new Error(`batch: append while ${this.#state}`)
    const bytes = this.#builder.append(record.timestamp, record.key, record.value, record.headers)
    this.#awaiters.push(awaiter, token)
    this.#timestamps.push(record.timestamp)
    this.chargedBytes += chargedBytes
    return bytes
  }

  /** Who waits for a record of it. */
  awaiterOf(index: number): { readonly awaiter: Awaiter; readonly token: number } {
    if (index >= this.#awaiters.count) throw new Error(`batch: no record ${index}`)
    return { awaiter: this.#awaiters.at(index), token: this.#awaiters.tokenAt(index) }
  }

  timestamp(index: number): number {
    return this.#timestamps.at(index)
  }

  get maxTimestamp(): number {
    return this.#timestamps.max
  }

  /**
   * No more records: makes the bytes that will be sent. Where a codec compresses off the event loop the batch is sealed
   * later, and `whenSealed` tells, also of what went wrong.
   */
  seal(format: PayloadFormat, whenSealed: (error: KafkaError | null) => void): void {
    const builder = this.#builder
    if (this.#state !== 'open' || builder === null) return
    this.#enter('compressing')
    this.#format = format
    const finish = (payload: Uint8Array): void => {
      if (this.#state !== 'compressing') return // its deadline passed meanwhile
      this.#enter('sealed')
      this.#payload = payload
      this.#sealed = builder
      this.#builder = null
    }
    try {
      const payload = encodePayload(builder, format)
      if (!(payload instanceof Promise)) return finish(payload)
      payload.then(finish).then(
        () => whenSealed(null),
        (error: unknown) => whenSealed(asKafkaError(error)),
      )
    } catch (error) {
      whenSealed(asKafkaError(error))
    }
  }

  /**
   * Takes its place in the sequence, before it is sent the first time. What may have been written keeps its place for
   * ever: under another one it would be another batch to the broker (faults-and-security.md, S6, S7).
   */
  stampWith(stamp: BatchStamp): void {
    if (this.#stamp !== null) throw new Error('batch: stamped twice')
    if (this.maybeWritten) throw new Error('batch: stamped although it may have been written')
    this.#stamp = stamp
    this.#isFinal = false
  }

  /** It was certainly not written, and may get another place. */
  unstamp(): void {
    if (this.maybeWritten) throw new Error('batch: a possibly written batch keeps its sequence')
    this.#stamp = null
    this.#isFinal = false
  }

  /** The bytes to send; the same every time. */
  send(): Uint8Array {
    const payload = this.#payload
    if (payload === null) throw new Error(`batch: send while ${this.#state}`)
    this.#enter('inFlight')
    this.attempts++
    if (this.#isFinal) return payload
    this.#isFinal = true
    if (this.#format?.magic === 2) {
      stampRecordBatch(payload, this.#stamp === null ? null : producerStamp(this.#stamp))
    }
    return payload
  }

  /** Back to the queue, to be sent again unchanged. */
  retryAt(notBeforeMs: number, error: KafkaError): void {
    this.#enter('sealed')
    this.notBeforeMs = notBeforeMs
    this.lastError = error
  }

  countRefusal(errorCode: number): void {
    if (errorCode === CORRUPT_MESSAGE) this.corruptCount++
  }

  /** Settled, and nobody reads its bytes any more: their memory is used again. */
  recycle(): void {
    if (this.#state === 'settled' && this.attempts === 1) this.#sealed?.release()
    this.#sealed = null
  }

  /** All records are in the log, the first at `baseOffset` (-1n: nobody told us where). */
  deliver(baseOffset: bigint, logAppendTimeMs: number): void {
    this.#settle()
    const { topic, partition } = this
    const awaiters = this.#awaiters
    const { count, run } = awaiters
    const offsets = new Offsets(baseOffset)
    const timestampOf = (i: number): number => (logAppendTimeMs >= 0 ? logAppendTimeMs : this.#timestamps.at(i))
    if (run !== null && run.receipt.settleRun !== undefined) {
      const { firstToken, step } = run
      run.receipt.settleRun({ count, firstToken, step, topic, partition, offsets, timestampOf })
    } else {
      for (let i = 0; i < count; i++) {
        offsets.moveTo(i)
        settleDelivered(awaiters.at(i), awaiters.tokenAt(i), topic, partition, offsets, timestampOf(i))
      }
    }
    this.#finishTickets()
  }

  fail(error: KafkaError): void {
    this.failEach(() => error)
  }

  /** Every record with an error of its own. */
  failEach(errorOf: (index: number) => KafkaError): void {
    this.#settle()
    const awaiters = this.#awaiters
    for (let i = 0; i < awaiters.count; i++) settleFailed(awaiters.at(i), awaiters.tokenAt(i), errorOf(i))
    this.#finishTickets()
  }

  /** Its records are in other batches now, which settle for it. */
  dissolve(parts: readonly Batch[]): void {
    this.#settle()
    for (const ticket of this.#tickets) {
      for (const part of parts) {
        ticket.more()
        part.addTicket(ticket)
      }
    }
    this.#finishTickets()
  }

  addTicket(ticket: FlushTicket): void {
    this.#tickets.push(ticket)
    this.isUrgent = true
  }

  #finishTickets(): void {
    for (const ticket of this.#tickets.splice(0)) ticket.done()
  }

  #settle(): void {
    this.#enter('settled')
    this.#builder = null
    this.#payload = null
  }

  #enter(state: BatchState): void {
    if (!moves[this.#state].includes(state)) throw new Error(`batch: illegal move from ${this.#state} to ${state}`)
    this.#state = state
  }
}
