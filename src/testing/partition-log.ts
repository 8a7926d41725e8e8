import { crc32c } from '../bytes/crc32c.ts'
import { decodeMessageSet } from '../protocol/message-set-decode.ts'
import { decodeRecordBatch } from '../protocol/record-batch-decode.ts'
import type { CompressionName, RecordBatchHeader } from '../protocol/record-batch-layout.ts'
import { decompress } from './decompress.ts'

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

/** What came in Produce v0 to v2. It stays as it came: where it lies and when it was appended is beside it. */
interface MessageSet {
  readonly bytes: Buffer
  readonly baseOffset: number
  readonly logAppendTimeMs: number | null
}

const LOG_APPEND_TIME = 0x08
const SEQUENCE_LIMIT = 2 ** 31

/**
 * The log of one partition: batches as they came, one after the other. They become records only when a test asks, so
 * that millions of them cost no more than their bytes.
 */
export class PartitionLog {
  readonly #batches: (Buffer | MessageSet)[] = []
  readonly #keepRecords: boolean
  #endOffset = 0

  constructor(keepRecords: boolean) {
    this.#keepRecords = keepRecords
  }

  /** Where the next record goes; also how many there are. */
  get endOffset(): number {
    return this.#endOffset
  }

  /**
   * Appends a batch that was found to be right. Takes the bytes over, and writes into them what a broker writes.
   *
   * What later keeps producers from writing twice (the last sequences of each producer id) belongs in front of this.
   *
   * @param logAppendTimeMs replaces the producer's timestamps; null: they stay.
   * @returns the offset of its first record.
   */
  append(batch: Buffer, header: RecordBatchHeader, leaderEpoch: number, logAppendTimeMs: number | null): bigint {
    const baseOffset = BigInt(this.#endOffset)
    this.#endOffset += header.recordCount
    if (!this.#keepRecords) return baseOffset
    batch.writeBigInt64BE(baseOffset, 0)
    batch.writeInt32BE(leaderEpoch, 12)
    if (logAppendTimeMs !== null) {
      batch.writeInt16BE(header.attributes | LOG_APPEND_TIME, 21)
      batch.writeBigInt64BE(BigInt(logAppendTimeMs), 35)
      batch.writeUInt32BE(crc32c(batch, 21), 17)
    }
    this.#batches.push(batch)
    return baseOffset
  }

  /** The same for a message set, of so many records. */
  appendMessageSet(bytes: Buffer, recordCount: number, logAppendTimeMs: number | null): bigint {
    const baseOffset = this.#endOffset
    this.#endOffset += recordCount
    if (this.#keepRecords) this.#batches.push({ bytes, baseOffset, logAppendTimeMs })
    return BigInt(baseOffset)
  }

  /** Every record, by offset. */
  records(partition: number): LoggedRecord[] {
    return this.#batches.flatMap((batch) =>
      Buffer.isBuffer(batch) ? recordsOf(batch, partition) : messagesOf(batch, partition),
    )
  }
}

function recordsOf(bytes: Buffer, partition: number): LoggedRecord[] {
  const { records, producerId, producerEpoch, baseSequence, compression } = decodeRecordBatch(bytes, { decompress })
  const codec = compression === 'unknown' ? 'none' : compression // unknown ones are not appended
  return records.map(({ offset, key, value, headers, timestamp }, i) => ({
    ...{ partition, offset, key, value, headers, timestamp, producerId, epoch: producerEpoch },
    sequence: baseSequence < 0 ? -1 : (baseSequence + i) % SEQUENCE_LIMIT,
    compression: codec,
  }))
}

function messagesOf({ bytes, baseOffset, logAppendTimeMs }: MessageSet, partition: number): LoggedRecord[] {
  return decodeMessageSet(bytes, { decompress }).map(({ key, value, headers, timestamp, compression }, i) => ({
    ...{ partition, key, value, headers, compression, producerId: -1n, epoch: -1, sequence: -1 },
    offset: BigInt(baseOffset + i),
    timestamp: logAppendTimeMs ?? timestamp,
  }))
}
