import { crc32 } from '../bytes/crc32.ts'
import { Reader } from '../bytes/reader.ts'
import {
  CODEC_MASK,
  CRC_START,
  LOG_APPEND_TIME,
  messageOverheadBytes,
  NO_TIMESTAMP,
  SIZE_END,
} from './message-set-layout.ts'
import { refusal, WHERE, ZSTD, type MessageMagic } from './message-set-layout.ts'
import { compressionOf, type CodecId, type CompressionName } from './record-batch-layout.ts'
import type { DecodedRecord } from './record.ts'

/** A record as a message set has it: never with headers; with magic 0 its timestamp is -1. */
export interface DecodedMessage extends DecodedRecord {
  readonly magic: MessageMagic
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  /** Of the wrapper that it lay in. */
  readonly compression: CompressionName
}

export interface DecodeMessageSetOptions {
  /** Undoes the compression of a wrapper's value. What it throws becomes the cause of a `ProtocolError`. */
  readonly decompress?: (codec: CodecId, value: Uint8Array, magic: MessageMagic) => Uint8Array
}

/** One message as it stands in its set, a wrapper perhaps. */
interface Message {
  readonly offset: bigint
  readonly magic: MessageMagic
  readonly attributes: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/**
 * Decodes a message set, whole: sizes, CRCs, and what is inside of wrappers. Keys and values are views.
 *
 * @throws {ProtocolError} and nothing else, whatever the bytes are.
 */
export function decodeMessageSet(bytes: Uint8Array, options: DecodeMessageSetOptions = {}): DecodedMessage[] {
  const records: DecodedMessage[] = []
  for (const message of readMessages(bytes, WHERE)) {
    const codec = message.attributes & CODEC_MASK
    if (codec === 0) records.push(recordOf(message, message.offset, message, 'none'))
    else for (const record of unwrap(message, codec, options)) records.push(record)
  }
  return records
}

function unwrap(wrapper: Message, codec: number, { decompress }: DecodeMessageSetOptions): DecodedMessage[] {
  const compression = compressionOf(codec)
  if (compression === 'unknown' || codec === ZSTD) throw refusal('INVALID_VALUE', `codec ${codec} of the attributes`)
  if (wrapper.value === null) throw refusal('INVALID_VALUE', 'a wrapper without a value')
  if (decompress === undefined) {
    throw refusal('INVALID_VALUE', `the messages are compressed (${compression}) and no decompress function was given`)
  }
  let inside: Uint8Array
  try {
    inside = decompress(codec as CodecId, wrapper.value, wrapper.magic)
  } catch (cause) {
    throw refusal('INVALID_VALUE', `the messages cannot be decompressed (${compression})`, cause)
  }
  const messages = readMessages(inside, `${WHERE}, decompressed`)
  const last = messages.at(-1)
  if (last === undefined) throw refusal('INVALID_VALUE', 'a wrapper with no messages inside')
  // Relative offsets end at the wrapper's own.
  const base = wrapper.magic === 0 ? 0n : wrapper.offset - last.offset
  return messages.map((message) => {
    if ((message.attributes & CODEC_MASK) !== 0) throw refusal('INVALID_VALUE', 'a wrapper inside a wrapper')
    if (message.magic !== wrapper.magic) {
      throw refusal('INVALID_VALUE', `magic ${message.magic} inside a wrapper of magic ${wrapper.magic}`)
    }
    return recordOf(message, base + message.offset, wrapper, compression)
  })
}

/** @param stamped whose attributes say what kind of time it is, and whose time it is if the broker set it. */
function recordOf(message: Message, offset: bigint, stamped: Message, compression: CompressionName): DecodedMessage {
  const { key, value, magic } = message
  const isAppendTime = magic === 1 && (stamped.attributes & LOG_APPEND_TIME) !== 0
  const timestamp = isAppendTime ? stamped.timestamp : message.timestamp
  const timestampType = isAppendTime ? 'LogAppendTime' : 'CreateTime'
  return { key, value, headers: [], timestamp, offset, magic, timestampType, compression }
}

function readMessages(bytes: Uint8Array, where: string): Message[] {
  const reader = new Reader(bytes, where)
  const messages: Message[] = []
  while (reader.remaining > 0) messages.push(readMessage(bytes, reader))
  return messages
}

function readMessage(bytes: Uint8Array, reader: Reader): Message {
  const start = reader.position
  const offset = reader.int64()
  const size = reader.int32()
  if (size < messageOverheadBytes(0) - SIZE_END) throw reader.invalid(`message size ${size}`)
  if (size > reader.remaining) {
    throw refusal('TRUNCATED', `a message of ${size} bytes at byte ${start}, ${reader.remaining} bytes left`)
  }
  const end = reader.position + size
  const crc = reader.uint32()
  const actualCrc = crc32(bytes, start + CRC_START, end)
  if (crc !== actualCrc) {
    throw refusal(
      'INVALID_VALUE',
      `CRC-32 ${crc.toString(16)}, the bytes from ${start} on have ${actualCrc.toString(16)}`,
    )
  }
  const magic = reader.int8()
  if (magic !== 0 && magic !== 1) throw reader.invalid(`magic ${magic}, not 0 or 1`)
  const attributes = reader.int8()
  const timestamp = magic === 0 ? NO_TIMESTAMP : Number(reader.int64())
  if (!Number.isSafeInteger(timestamp)) throw reader.invalid('timestamp beyond 2^53')
  const key = readField(reader)
  const value = readField(reader)
  if (reader.position !== end) throw reader.invalid(`a message that should end at byte ${end} ends`)
  return { offset, magic, attributes, timestamp, key, value }
}

function readField(reader: Reader): Buffer | null {
  const length = reader.int32()
  return length === -1 ? null : reader.bytes(length)
}
