/**
 * What a broker looks at before it appends, in Kafka's order and with Kafka's answers.
 *
 * Source: ProduceRequest.validateRecords, UnifiedLog.analyzeAndValidateRecords, LogValidator and DefaultRecordBatch of
 * Apache Kafka.
 */
import { crc32c } from '../bytes/crc32c.ts'
import { errorByCode } from '../protocol/error-codes.ts'
import { decodeRecordBatchHeader, type CodecId, type RecordBatchHeader } from '../protocol/record-batch-layout.ts'
import { decompress } from './decompress.ts'
import { walkRecords, type Walk } from './walk-records.ts'
import {
  CORRUPT_MESSAGE,
  INVALID_RECORD,
  MESSAGE_TOO_LARGE,
  UNSUPPORTED_COMPRESSION_TYPE,
} from '../protocol/error-numbers.ts'

export interface BatchRefusal {
  readonly errorCode: number
  readonly message: string
  /** Which record is to blame, where it is one. */
  readonly batchIndex?: number
  /** The client must never send this, whatever the cluster looks like. */
  readonly isViolation: boolean
}

export type CheckedBatch =
  { readonly header: RecordBatchHeader; readonly maxTimestamp: bigint } | { readonly refusal: BatchRefusal }

const ZSTD = 4
const FIRST_VERSION_WITH_ZSTD = 7
const HEADER_BYTES = 61
/** Up to and with `batchLength`, which does not count them. */
const LENGTH_END = 12
const CRC_START = 21

export function checkBatch(bytes: Buffer | null, version: number, maxMessageBytes: number): CheckedBatch {
  const framing = checkFraming(bytes ?? Buffer.alloc(0), maxMessageBytes)
  if (framing !== null) return { refusal: framing }
  const batch = bytes ?? Buffer.alloc(0)
  const header = decodeRecordBatchHeader(batch)
  const meaning = checkHeader(batch, header, version)
  if (meaning !== null) return { refusal: meaning }
  const walk = walkOf(batch, header)
  if (walk.problem !== null)
    return { refusal: refuse(INVALID_RECORD, `record ${walk.index}: ${walk.problem}`, walk.index) }
  const isKnown = Number.isFinite(walk.maxTimestampDelta)
  return { header, maxTimestamp: isKnown ? header.baseTimestamp + BigInt(walk.maxTimestampDelta) : header.maxTimestamp }
}

/** Exactly one batch, complete, of the right kind and size, and undamaged. */
function checkFraming(batch: Buffer, maxMessageBytes: number): BatchRefusal | null {
  if (batch.length <= 16) return refuse(INVALID_RECORD, `no record batch in ${batch.length} bytes`)
  const batchLength = batch.readInt32BE(8)
  if (batchLength < HEADER_BYTES - LENGTH_END) return refuse(CORRUPT_MESSAGE, `batchLength ${batchLength}`)
  const sizeBytes = LENGTH_END + batchLength
  if (sizeBytes > batch.length) {
    return refuse(INVALID_RECORD, `${batch.length} bytes of a record batch of ${sizeBytes} bytes`)
  }
  const magic = batch.readInt8(16)
  if (magic !== 2) return refuse(INVALID_RECORD, `magic ${magic}, only 2 can be produced`)
  if (sizeBytes < batch.length) {
    return refuse(INVALID_RECORD, `${batch.length - sizeBytes} bytes after the one record batch that is allowed`)
  }
  if (sizeBytes > maxMessageBytes) {
    const message = `a record batch of ${sizeBytes} bytes is over max.message.bytes (${maxMessageBytes})`
    return { errorCode: MESSAGE_TOO_LARGE, message, isViolation: false }
  }
  const crc = crc32c(batch, CRC_START)
  return crc === batch.readUInt32BE(17) ? null : refuse(CORRUPT_MESSAGE, 'the CRC-32C does not fit the bytes')
}

function checkHeader(batch: Buffer, header: RecordBatchHeader, version: number): BatchRefusal | null {
  const { baseOffset, codec, isControl, lastOffsetDelta, producerId, producerEpoch, baseSequence, recordCount } = header
  if (baseOffset !== 0n) return refuse(INVALID_RECORD, `baseOffset ${baseOffset}, must be 0`)
  if (recordCount < 1) return refuse(INVALID_RECORD, `recordCount ${recordCount}`)
  if (lastOffsetDelta !== recordCount - 1) {
    return refuse(INVALID_RECORD, `lastOffsetDelta ${lastOffsetDelta} of ${recordCount} records`)
  }
  if (isControl) return refuse(INVALID_RECORD, 'a control batch, which no client may write')
  if (producerId >= 0n && (producerEpoch < 0 || baseSequence < 0)) {
    return refuse(INVALID_RECORD, `epoch ${producerEpoch}, sequence ${baseSequence} of producer id ${producerId}`)
  }
  if (codec > ZSTD || (codec === ZSTD && version < FIRST_VERSION_WITH_ZSTD)) {
    return refuse(UNSUPPORTED_COMPRESSION_TYPE, `codec ${codec} in Produce v${version}`)
  }
  return batch.length > HEADER_BYTES ? null : refuse(INVALID_RECORD, `no bytes for ${recordCount} records`)
}

function walkOf(batch: Buffer, { codec, recordCount }: RecordBatchHeader): Walk {
  if (codec === 0) return walkRecords(batch, HEADER_BYTES, recordCount)
  try {
    return walkRecords(decompress(codec as CodecId, batch.subarray(HEADER_BYTES)), 0, recordCount)
  } catch (error) {
    return { problem: `cannot be decompressed: ${String(error)}`, index: 0, maxTimestampDelta: NaN }
  }
}

function refuse(errorCode: number, what: string, batchIndex?: number): BatchRefusal {
  const message = `${errorByCode(errorCode).name}: ${what}`
  return { errorCode, message, isViolation: true, ...(batchIndex === undefined ? {} : { batchIndex }) }
}
