import type { KafkaError } from '../errors.ts'
import { RecordBatchBuilder } from '../protocol/record-batch.ts'
import { asKafkaError } from './arguments.ts'
import { encodePayload, type PayloadFormat } from './payload.ts'
import type { Receipt } from './receipt.ts'
import type { CheckedRecord } from './record.ts'

/**
 * ```
 * open > compressing > sealed > inFlight > settled
 *                        ^________|  retry: the same bytes again
 * ```
 * A batch may settle from any state: deadlines do not wait.
 */
export type BatchState = 'open' | 'compressing' | 'sealed' | 'inFlight' | 'settled'

const CORRUPT_MESSAGE = 2

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
}

/** Records for one partition that travel together: encoded as they come, sealed once, sent as the same bytes every time. */
export class Batch {
  readonly topic: string
  readonly partition: number
  readonly createdMs: number
  /** The earliest deadline of its records. */
  readonly deadlineMs: number
  /** Do not wait for more records: somebody flushes. */
  isUrgent = false
  attempts = 0
  /** What its records took, uncompressed. */
  recordBytes = 0
  /** Sticky: once an attempt may have been written, no later refusal makes that undone. */
  maybeWritten = false
  lastError: KafkaError | null = null
  /** How often in all the brokers called it corrupt. */
  corruptCount = 0
  /** Not to be sent again before this, by the clock. */
  notBeforeMs = -Infinity
  #state: BatchState = 'open'
  #builder: RecordBatchBuilder | null
  #payload: Uint8Array | null = null
  #format: PayloadFormat | null = null
  readonly #receipts: Receipt[] = []
  readonly #tokens: number[] = []
  readonly #timestamps: number[] = []
  readonly #tickets: FlushTicket[] = []

  constructor(topic: string, partition: number, createdMs: number, deadlineMs: number, capacityBytes: number) {
    this.topic = topic
    this.partition = partition
    this.createdMs = createdMs
    this.deadlineMs = deadlineMs
    this.#builder = new RecordBatchBuilder(capacityBytes)
  }

  get state(): BatchState {
    return this.#state
  }

  get recordCount(): number {
    return this.#receipts.length
  }

  get sizeBytes(): number {
    return this.#builder?.sizeBytes ?? this.#payload?.byteLength ?? 0
  }

  /** Encodes a record into the open batch. @returns the bytes it took. */
  append(record: CheckedRecord, receipt: Receipt, token: number): number {
    if (this.#builder === null) throw new Error(`batch: append while ${this.#state}`)
    const bytes = this.#builder.append(record.timestamp, record.key, record.value, record.headers)
    this.recordBytes += bytes
    this.#receipts.push(receipt)
    this.#tokens.push(token)
    this.#timestamps.push(record.timestamp)
    return bytes
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

  /** How it is written, once it is. */
  get format(): PayloadFormat | null {
    return this.#format
  }

  /** The bytes to send; never the same object state twice with different contents. */
  send(): Uint8Array {
    if (this.#payload === null) throw new Error(`batch: send while ${this.#state}`)
    this.#enter('inFlight')
    this.attempts++
    return this.#payload
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

  /** All records are in the log, the first at `baseOffset` (-1n: nobody told us where). */
  deliver(baseOffset: bigint, logAppendTimeMs: number): void {
    this.#settle()
    this.#receipts.forEach((receipt, i) => {
      const offset = baseOffset < 0n ? -1n : baseOffset + BigInt(i)
      const timestamp = logAppendTimeMs >= 0 ? logAppendTimeMs : (this.#timestamps[i] ?? 0)
      receipt.settleDelivered(this.#tokens[i] ?? 0, this.topic, this.partition, offset, timestamp)
    })
    this.#tickets.forEach((ticket) => ticket.done())
  }

  fail(error: KafkaError): void {
    this.#settle()
    this.#receipts.forEach((receipt, i) => receipt.settleFailed(this.#tokens[i] ?? 0, error))
    this.#tickets.forEach((ticket) => ticket.done())
  }

  addTicket(ticket: FlushTicket): void {
    this.#tickets.push(ticket)
    this.isUrgent = true
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
