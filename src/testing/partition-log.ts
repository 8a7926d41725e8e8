import { crc32c } from '../bytes/crc32c.ts'
import { decodeMessageSet } from '../protocol/message-set-decode.ts'
import { decodeRecordBatch } from '../protocol/record-batch-decode.ts'
import {
  decodeRecordBatchHeader,
  type CompressionName,
  type RecordBatchHeader,
} from '../protocol/record-batch-layout.ts'
import { decompress } from './decompress.ts'
import type { ProducerRules } from './producer-rules.ts'
import { ProducerState, type Verdict } from './producer-state.ts'

/** A record as a consumer would see it, with what its batch says about the producer. */
export interface LoggedRecord {
  readonly partition: number
  readonly offset: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** In order; a name may come twice. */
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[]
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number
  /** -1n: the producer was not idempotent; then epoch and sequence are -1, too. */
  readonly producerId: bigint
  readonly epoch: number
  readonly sequence: number
  readonly compression: CompressionName
}

/** A batch, or what came as one message set, as it lies in the log. */
interface Stored {
  readonly bytes: Buffer
  readonly baseOffset: number
  /** After its last record. */
  readonly endOffset: number
  /** A message set stays as it came: what a broker would write into it is here. */
  readonly messageSet: { readonly logAppendTimeMs: number | null } | null
}

const LOG_APPEND_TIME = 0x08
const SEQUENCE_LIMIT = 2 ** 31

/**
 * The log of one partition: batches as they came, one after the other, and what is known of their producers, which
 * goes wherever the log goes. Batches become records only when a test asks, so that millions of them cost no more than
 * their bytes.
 */
export class PartitionLog {
  readonly #keepRecords: boolean
  readonly #producers: ProducerState
  #stored: Stored[] = []
  #startOffset = 0
  #endOffset = 0
  /** Producers of what lies before it are forgotten for good. */
  #expiredOffset = 0

  constructor(keepRecords: boolean, rules: ProducerRules) {
    this.#keepRecords = keepRecords
    this.#producers = new ProducerState(rules)
  }

  /** Of the first record that is still there. */
  get startOffset(): number {
    return this.#startOffset
  }

  /** Where the next record goes. */
  get endOffset(): number {
    return this.#endOffset
  }

  /** Whether the batch is the next of its producer. */
  judge(header: RecordBatchHeader): Verdict {
    return this.#producers.judge(header)
  }

  /**
   * Appends a batch that was found to be right. Takes the bytes over, and writes into them what a broker writes.
   *
   * @param logAppendTimeMs replaces the producer's timestamps; null: they stay.
   * @returns the offset of its first record.
   */
  append(batch: Buffer, header: RecordBatchHeader, leaderEpoch: number, logAppendTimeMs: number | null): bigint {
    const baseOffset = this.#endOffset
    const maxTimestamp = logAppendTimeMs === null ? header.maxTimestamp : BigInt(logAppendTimeMs)
    this.#endOffset += header.recordCount
    this.#producers.remember(header, baseOffset, maxTimestamp)
    if (!this.#keepRecords) return BigInt(baseOffset)
    batch.writeBigInt64BE(BigInt(baseOffset), 0)
    batch.writeInt32BE(leaderEpoch, 12)
    if (logAppendTimeMs !== null) {
      batch.writeInt16BE(header.attributes | LOG_APPEND_TIME, 21)
      batch.writeBigInt64BE(maxTimestamp, 35)
      batch.writeUInt32BE(crc32c(batch, 21), 17)
    }
    this.#stored.push({ bytes: batch, baseOffset, endOffset: this.#endOffset, messageSet: null })
    return BigInt(baseOffset)
  }

  /** The same for a message set, of so many records. */
  appendMessageSet(bytes: Buffer, recordCount: number, logAppendTimeMs: number | null): bigint {
    const baseOffset = this.#endOffset
    this.#endOffset += recordCount
    if (this.#keepRecords) {
      this.#stored.push({ bytes, baseOffset, endOffset: this.#endOffset, messageSet: { logAppendTimeMs } })
    }
    return BigInt(baseOffset)
  }

  /** Every record, by offset. */
  records(partition: number): LoggedRecord[] {
    const first = BigInt(this.#startOffset)
    return this.#stored
      .filter(({ endOffset }) => endOffset > this.#startOffset)
      .flatMap((stored) => (stored.messageSet === null ? recordsOf(stored, partition) : messagesOf(stored, partition)))
      .filter(({ offset }) => offset >= first)
  }

  /** Records before an offset go. */
  deleteBefore(offset: number): void {
    this.#startOffset = Math.max(this.#startOffset, Math.min(offset, this.#endOffset))
    this.#producers.forgetBefore(this.#startOffset)
  }

  /** Forgets all producers, as Kafka does after `producer.id.expiration.ms`. */
  expireProducers(): void {
    this.#producers.clear()
    this.#expiredOffset = this.#endOffset
  }

  /** Loses everything from an offset on: every batch with such a record, and what it said about its producer. */
  truncate(offset: number): void {
    const kept = this.#stored.filter(({ endOffset }) => endOffset <= offset)
    if (kept.length === this.#stored.length) return
    this.#stored = kept
    this.#endOffset = kept.at(-1)?.endOffset ?? 0
    this.#startOffset = Math.min(this.#startOffset, this.#endOffset)
    this.#expiredOffset = Math.min(this.#expiredOffset, this.#endOffset)
    this.#producers.clear()
    for (const { bytes, baseOffset, messageSet } of kept) {
      if (messageSet !== null || baseOffset < this.#expiredOffset) continue
      const header = decodeRecordBatchHeader(bytes)
      this.#producers.remember(header, baseOffset, header.maxTimestamp)
    }
    this.#producers.forgetBefore(this.#startOffset)
  }
}

function recordsOf({ bytes }: Stored, partition: number): LoggedRecord[] {
  const { records, producerId, producerEpoch, baseSequence, compression } = decodeRecordBatch(bytes, { decompress })
  const codec = compression === 'unknown' ? 'none' : compression // unknown ones are not appended
  return records.map(({ offset, key, value, headers, timestamp }, i) => ({
    ...{ partition, offset, key, value, headers, timestamp, producerId, epoch: producerEpoch },
    sequence: baseSequence < 0 ? -1 : (baseSequence + i) % SEQUENCE_LIMIT,
    compression: codec,
  }))
}

function messagesOf({ bytes, baseOffset, messageSet }: Stored, partition: number): LoggedRecord[] {
  return decodeMessageSet(bytes, { decompress }).map(({ key, value, headers, timestamp, compression }, i) => ({
    ...{ partition, key, value, headers, compression, producerId: -1n, epoch: -1, sequence: -1 },
    offset: BigInt(baseOffset + i),
    timestamp: messageSet?.logAppendTimeMs ?? timestamp,
  }))
}
