/**
 * Message sets, formats v0 and v1 (magic 0 and 1): what brokers before 0.11 keep, and Produce v0 to v2 carry.
 *
 * ```
 *  0 offset int64        16 magic int8         18 timestamp int64, v1 only
 *  8 messageSize int32   17 attributes int8    18 or 26 keyLength int32 | key | valueLength int32 | value
 * 12 crc uint32
 * ```
 * `messageSize` counts what follows it; the CRC-32 covers everything from the magic on; length -1 is null. Attributes:
 * bits 0-2 codec, 3 LogAppendTime. There are no headers, producer ids or transactions.
 *
 * Compression: one message, the wrapper, whose value is a compressed message set. Its offset is that of the last message
 * inside and its timestamp the latest; the offsets inside are the log's own with magic 0, count from 0 with magic 1.
 *
 * Source: AbstractLegacyRecordBatch and LegacyRecord of Apache Kafka 2.8.
 */
import { ProtocolError } from '../errors.ts'
import type { ProtocolErrorCode } from '../errors.ts'

export const WHERE = 'MessageSet'
/** Magic 0 has no timestamps, and absolute offsets inside a wrapper. */
export type MessageMagic = 0 | 1

/** Offset and size, which the size does not count. */
export const SIZE_END = 12
export const CRC_START = 16
export const ATTRIBUTES_AT = 17
export const TIMESTAMP_AT = 18
export const CODEC_MASK = 0x07
export const LOG_APPEND_TIME = 0x08
export const ZSTD = 4
/** With magic 0 nobody knows. */
export const NO_TIMESTAMP = -1

/** What a message has besides its key and value: 26 bytes, or 34. */
export function messageOverheadBytes(magic: MessageMagic): number {
  return magic === 0 ? 26 : 34
}

export function refusal(code: ProtocolErrorCode, what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(code, `${WHERE}: ${code}: ${what}`, { cause })
}
