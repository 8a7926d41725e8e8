import { KafkaError, OptionError, type ErrorDetails } from '../errors.ts'
import type { Offsets } from './offsets.ts'
import type { DeliveredRun, Receipt } from './receipt.ts'
import { RecordMetadata } from './record-metadata.ts'

/** What became of the records of one `sendAll`, by their place in it. */
export interface DeliveryReport {
  readonly count: number
  readonly failed: readonly { readonly index: number; readonly error: KafkaError }[]
  /** @throws {KafkaError} the error of a record that failed. */
  metadata(index: number): RecordMetadata
}

/** Some records of a `sendAll` were not delivered; `report` has all of them, `errors` the distinct reasons. */
export class BatchDeliveryError extends KafkaError {
  override readonly name = 'BatchDeliveryError'
  readonly code = 'BATCH_FAILED'
  readonly report: DeliveryReport
  readonly errors: readonly KafkaError[]

  constructor(report: DeliveryReport, details: ErrorDetails = {}) {
    const errors = [...new Set(report.failed.map(({ error }) => error))]
    const [first] = errors
    const reason =
      first?.message ?? (details.cause instanceof Error ? details.cause.message : 'the records could not be read')
    const failed = `${report.failed.length} of ${report.count} records were not delivered`
    super(`sendAll: BATCH_FAILED: ${failed}; ${errors.length > 1 ? 'first: ' : ''}${reason}`, {
      retriable: errors.every(({ retriable }) => retriable) && errors.length > 0,
      maybeWritten: errors.some(({ maybeWritten }) => maybeWritten),
      cause: details.cause ?? first,
    })
    this.report = report
    this.errors = errors
  }
}

const INITIAL_RECORDS = 64

/** Columns, not objects: 24 bytes a record, so that a million records cost 24 MB and no garbage. */
export class ReportReceipt implements Receipt, DeliveryReport {
  readonly failed: { index: number; error: KafkaError }[] = []
  readonly #topics: string[] = []
  readonly #topicNumbers = new Map<string, number>()
  readonly #errors = new Map<number, KafkaError>()
  #topicOf = new Uint32Array(INITIAL_RECORDS)
  #partitions = new Int32Array(INITIAL_RECORDS)
  #offsets = new Float64Array(INITIAL_RECORDS)
  /** Beyond 2^53. */
  readonly #hugeOffsets = new Map<number, bigint>()
  #timestamps = new Float64Array(INITIAL_RECORDS)
  #count = 0
  #unsettled = 0
  #onAllSettled: (() => void) | null = null

  get count(): number {
    return this.#count
  }

  /** A place for the next record. */
  next(): number {
    const index = this.#count++
    this.#unsettled++
    if (index === this.#partitions.length) this.#grow()
    return index
  }

  settleDelivered(index: number, topic: string, partition: number, offsets: Offsets, timestamp: number): void {
    this.#topicOf[index] = this.#topicNumber(topic)
    this.#partitions[index] = partition
    const { number } = offsets
    this.#offsets[index] = number
    if (Number.isNaN(number)) this.#hugeOffsets.set(index, offsets.bigint)
    this.#timestamps[index] = timestamp
    this.#settle(1)
  }

  settleRun({ count, firstToken, topic, partition, offsets, timestampOf }: DeliveredRun): void {
    const end = firstToken + count
    this.#topicOf.fill(this.#topicNumber(topic), firstToken, end)
    this.#partitions.fill(partition, firstToken, end)
    for (let i = 0; i < count; i++) {
      offsets.moveTo(i)
      const { number } = offsets
      this.#offsets[firstToken + i] = number
      if (Number.isNaN(number)) this.#hugeOffsets.set(firstToken + i, offsets.bigint)
      this.#timestamps[firstToken + i] = timestampOf(i)
    }
    this.#settle(count)
  }

  settleFailed(index: number, error: KafkaError): void {
    this.#errors.set(index, error)
    this.failed.push({ index, error })
    this.#settle(1)
  }

  /** Resolves when every record that got a place has settled. */
  allSettled(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#unsettled === 0) resolve()
      else this.#onAllSettled = resolve
    })
  }

  metadata(index: number): RecordMetadata {
    const error = this.#errors.get(index)
    if (error !== undefined) throw error
    if (!Number.isInteger(index) || index < 0 || index >= this.#count) {
      const what = `no record ${index}; the report has ${this.#count}`
      throw new OptionError('INVALID_ARGUMENT', `DeliveryReport.metadata: INVALID_ARGUMENT: ${what}`)
    }
    const topic = this.#topics[this.#topicOf[index] ?? 0] ?? ''
    return new RecordMetadata(
      topic,
      this.#partitions[index] ?? 0,
      this.#hugeOffsets.get(index) ?? BigInt(this.#offsets[index] ?? -1),
      this.#timestamps[index] ?? 0,
    )
  }

  #settle(count: number): void {
    this.#unsettled -= count
    if (this.#unsettled > 0 || this.#onAllSettled === null) return
    this.#onAllSettled()
    this.#onAllSettled = null
  }

  #topicNumber(topic: string): number {
    const known = this.#topicNumbers.get(topic)
    if (known !== undefined) return known
    const number = this.#topics.push(topic) - 1
    this.#topicNumbers.set(topic, number)
    return number
  }

  #grow(): void {
    const capacity = this.#partitions.length * 2
    const topicOf = new Uint32Array(capacity)
    const partitions = new Int32Array(capacity)
    const offsets = new Float64Array(capacity)
    const timestamps = new Float64Array(capacity)
    topicOf.set(this.#topicOf)
    partitions.set(this.#partitions)
    offsets.set(this.#offsets)
    timestamps.set(this.#timestamps)
    this.#topicOf = topicOf
    this.#partitions = partitions
    this.#offsets = offsets
    this.#timestamps = timestamps
  }
}
