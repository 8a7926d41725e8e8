/**
 * Record batches of format v2 (magic 2), the only thing a producer writes since Kafka 0.11.
 *
 * ```
 *  0 baseOffset int64          17 crc uint32              43 producerId int64
 *  8 batchLength int32         21 attributes int16        51 producerEpoch int16
 * 12 partitionLeaderEpoch i32  23 lastOffsetDelta int32   53 baseSequence int32
 * 16 magic int8                27 baseTimestamp int64     57 recordCount int32
 *                              35 maxTimestamp int64      61 records
 * ```
 * `batchLength` counts what follows it; the CRC covers everything from the attributes on. The broker sets base offset
 * and leader epoch, which therefore lie outside. Attributes: bits 0-2 codec, 3 LogAppendTime, 4 transactional, 5 control.
 *
 * Source: DefaultRecordBatch of Apache Kafka.
 */
import { Reader } from '../bytes/reader.ts'
import { ProtocolError } from '../errors.ts'
import type { ProtocolErrorCode } from '../errors.ts'

export const WHERE = 'RecordBatch'
export const HEADER_BYTES = 61
/** Up to and with `batchLength`, which does not count them. */
export const LENGTH_END = 12
/** From here on the CRC covers everything. */
export const CRC_START = 21
export const MAGIC = 2

export const CODEC_MASK = 0x07
export const LOG_APPEND_TIME = 0x08
export const TRANSACTIONAL = 0x10
export const CONTROL = 0x20

/** By number, as in the attributes. */
const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** Bits 0 to 2 of a batch's attributes. */
export type CodecId = 0 | 1 | 2 | 3 | 4
export type CompressionName = (typeof COMPRESSIONS)[number]

export interface RecordBatchHeader {
  readonly baseOffset: bigint
  readonly batchLength: number
  readonly partitionLeaderEpoch: number
  readonly magic: 2
  /** As it stands in the batch, unsigned. */
  readonly crc: number
  readonly attributes: number
  /** 0 to 7; from 5 on nobody has defined one. */
  readonly codec: number
  readonly compression: CompressionName | 'unknown'
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly lastOffsetDelta: number
  readonly baseTimestamp: bigint
  readonly maxTimestamp: bigint
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/**
 * The header of the batch at the start of `bytes`, whose `batchLength` bytes are all there. Neither CRC nor records are
 * looked at, so this works for any compression.
 */
export function decodeRecordBatchHeader(bytes: Uint8Array): RecordBatchHeader {
  const reader = new Reader(bytes, WHERE)
  const baseOffset = reader.int64()
  const batchLength = reader.int32()
  const partitionLeaderEpoch = reader.int32()
  const magic = reader.int8()
  if (magic !== MAGIC) throw refusal('INVALID_VALUE', `magic ${magic}, not ${MAGIC}`)
  if (batchLength < HEADER_BYTES - LENGTH_END) throw refusal('INVALID_VALUE', `batchLength ${batchLength}`)
  const size = LENGTH_END + batchLength
  if (size > bytes.length) throw refusal('TRUNCATED', `a batch of ${size} bytes in ${bytes.length} bytes`)
  const crc = reader.uint32()
  const attributes = reader.int16()
  const codec = attributes & CODEC_MASK
  return {
    baseOffset,
    batchLength,
    partitionLeaderEpoch,
    magic,
    crc,
    attributes,
    codec,
    compression: compressionOf(codec),
    timestampType: attributes & LOG_APPEND_TIME ? 'LogAppendTime' : 'CreateTime',
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
    lastOffsetDelta: reader.int32(),
    baseTimestamp: reader.int64(),
    maxTimestamp: reader.int64(),
    producerId: reader.int64(),
    producerEpoch: reader.int16(),
    baseSequence: reader.int32(),
    recordCount: reader.int32(),
  }
}

/** What the codec bits of the attributes mean. */
export function compressionOf(codec: number): CompressionName | 'unknown' {
  return COMPRESSIONS[codec] ?? 'unknown'
}

export function isCodecId(codec: number): codec is CodecId {
  return codec < COMPRESSIONS.length
}

/** A safe integer as int64: splitting it is some fifty times faster than `BigInt(value)`. */
export function writeInt64(bytes: Buffer, value: number, at: number): void {
  bytes.writeInt32BE(Math.floor(value / 2 ** 32), at)
  bytes.writeInt32BE(value | 0, at + 4)
}

const word = new DataView(new ArrayBuffer(8))

/** By two numbers: `Buffer.writeBigInt64BE` makes eight bigints of it, and a small request is written in the time of three such. */
export function writeBigInt64(bytes: Buffer, value: bigint, at: number): void {
  word.setBigInt64(0, value)
  bytes.writeInt32BE(word.getInt32(0), at)
  bytes.writeInt32BE(word.getInt32(4), at + 4)
}

/** What an encoder takes. @throws {ProtocolError} `NOT_REPRESENTABLE`. */
export function checkTimestamp(timestamp: number): void {
  if (Number.isSafeInteger(timestamp) && timestamp >= -1) return
  throw refusal('NOT_REPRESENTABLE', `timestamp ${timestamp}`)
}

export function refusal(code: ProtocolErrorCode, what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(code, `${WHERE}: ${code}: ${what}`, { cause })
}
