import { crc32c } from '../bytes/crc32c.ts'
import { Reader } from '../bytes/reader.ts'
import { CRC_START, HEADER_BYTES, LENGTH_END, WHERE, decodeRecordBatchHeader } from './record-batch-layout.ts'
import { isCodecId, refusal, type CodecId, type RecordBatchHeader } from './record-batch-layout.ts'
import { MIN_RECORD_BYTES, readRecord, type DecodedRecord } from './record.ts'

export interface RecordBatch extends RecordBatchHeader {
  readonly records: readonly DecodedRecord[]
}

export interface DecodeOptions {
  /** Undoes the compression of a batch's records. What it throws becomes the cause of a `ProtocolError`. */
  readonly decompress?: (codec: CodecId, records: Uint8Array) => Uint8Array
}

/**
 * Decodes exactly one batch, whole: length, CRC, counts, offsets and every record are checked before this returns.
 *
 * As strict as a broker is with a producer: a batch without records, or with gaps in its offsets, as compaction
 * leaves them behind, is refused.
 *
 * @throws {ProtocolError} and nothing else, whatever the bytes are.
 */
export function decodeRecordBatch(bytes: Uint8Array, options: DecodeOptions = {}): RecordBatch {
  const header = decodeRecordBatchHeader(bytes)
  const end = LENGTH_END + header.batchLength
  if (end < bytes.length)
    throw refusal('TRAILING_BYTES', `${bytes.length - end} bytes follow the batch of ${end} bytes`)
  return decodeWhole(bytes, header, options)
}

/** Decodes batches that follow each other without a gap, as in a log. The last one must be complete, too. */
export function decodeRecordBatches(bytes: Uint8Array, options: DecodeOptions = {}): RecordBatch[] {
  const batches: RecordBatch[] = []
  for (let at = 0; at < bytes.length;) {
    const header = decodeRecordBatchHeader(bytes.subarray(at))
    const end = at + LENGTH_END + header.batchLength
    batches.push(decodeWhole(bytes.subarray(at, end), header, options))
    at = end
  }
  return batches
}

function decodeWhole(bytes: Uint8Array, header: RecordBatchHeader, options: DecodeOptions): RecordBatch {
  const { crc, recordCount, lastOffsetDelta } = header
  const actualCrc = crc32c(bytes, CRC_START)
  if (actualCrc !== crc) throw refusal('INVALID_VALUE', `CRC-32C ${hex(crc)}, the bytes have ${hex(actualCrc)}`)
  if (recordCount < 1) throw refusal('INVALID_VALUE', `recordCount ${recordCount}`)
  if (lastOffsetDelta !== recordCount - 1) {
    throw refusal('INVALID_VALUE', `lastOffsetDelta ${lastOffsetDelta} of ${recordCount} records`)
  }

  const isRaw = header.codec === 0
  const reader = isRaw
    ? new Reader(bytes, WHERE, HEADER_BYTES)
    : new Reader(decompressed(bytes.subarray(HEADER_BYTES), header, options), `${WHERE}, decompressed`)
  if (recordCount > reader.remaining / MIN_RECORD_BYTES) {
    throw refusal('INVALID_VALUE', `recordCount ${recordCount} in ${reader.remaining} bytes`)
  }
  const { baseOffset, baseTimestamp } = header
  const logAppendTimeMs = header.timestampType === 'LogAppendTime' ? safeTimestamp(header.maxTimestamp) : undefined
  const records: DecodedRecord[] = []
  for (let i = 0; i < recordCount; i++) {
    records.push(readRecord(reader, i, baseOffset, baseTimestamp, logAppendTimeMs))
  }
  reader.end()
  return { ...header, records }
}

function decompressed(records: Uint8Array, header: RecordBatchHeader, { decompress }: DecodeOptions): Uint8Array {
  const { codec, compression } = header
  if (!isCodecId(codec)) throw refusal('INVALID_VALUE', `codec ${codec} of the attributes is unknown`)
  if (decompress === undefined) {
    throw refusal('INVALID_VALUE', `the records are compressed (${compression}) and no decompress function was given`)
  }
  try {
    return decompress(codec, records)
  } catch (cause) {
    throw refusal('INVALID_VALUE', `the records cannot be decompressed (${compression})`, cause)
  }
}

function safeTimestamp(timestamp: bigint): number {
  const ms = Number(timestamp)
  if (!Number.isSafeInteger(ms)) throw refusal('INVALID_VALUE', `maxTimestamp ${timestamp}`)
  return ms
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}
