/**
 * One record of format v2, written by hand because this is the hot path: size first, bytes second, nothing allocated.
 *
 * ```
 * length varint | attributes int8 | timestampDelta varlong | offsetDelta varint | keyLength varint | key
 * | valueLength varint | value | headerCount varint | (keyLength varint | key | valueLength varint | value) ...
 * ```
 * All varints are zig-zag; length -1 is null. `length` counts what follows it.
 *
 * Source: DefaultRecord of Apache Kafka.
 */
import type { Reader } from '../bytes/reader.ts'
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../bytes/varint.ts'

/** Text is sent as UTF-8. */
export type Bytes = string | Uint8Array

/** In order; a key may come twice. */
export type RecordHeaders = readonly (readonly [key: string, value: Bytes | null])[]

/** `key`, `value` and header values are views of the decoded bytes. */
export interface DecodedRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [key: string, value: Buffer | null])[]
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number
  readonly offset: bigint
}

/** Of an empty record: seven fields of at least a byte each. */
export const MIN_RECORD_BYTES = 7

/** What a record has besides its content, at most: length 5, attributes 1, timestamp delta 10, offset delta 5. */
export const MAX_RECORD_OVERHEAD_BYTES = 21
/** The varint of -1. */
const NULL_LENGTH = 1
const RECORD_BATCH_OVERHEAD_BYTES = 61

/** Up to these lengths a loop beats the call into V8 or Node (14 ns for bytes, 45 ns for text). */
const LOOP_BYTES = 8
const LOOP_CHARS = 16

/** Texts up to this length may stay remembered: mostly names of headers, which the next record has again. */
const SHORT_CHARS = 64

// Measuring a text costs as much as the rest of a small record, so each place in a record remembers its text and the
// length found: key, value, then the keys and values of the headers in turn. Asking whether a record fits, writing it,
// and writing the same header again measure once. Only texts are remembered: they cannot change in between.
const KEY = 0
const VALUE = 1
const FIRST_HEADER = 2
const texts: string[] = ['', '']
const textLengths = [0, 0]

/**
 * Bytes of everything in a record that does not depend on its place in a batch: key, value and headers with their
 * lengths.
 */
export function measureRecord(key: Bytes | null, value: Bytes | null, headers: RecordHeaders): number {
  const size = sizeOfField(KEY, key) + sizeOfField(VALUE, value)
  return headers.length === 0 ? size + 1 : size + measureHeaders(headers)
}

/** Bytes of a whole record, its own length included; `contentBytes` is what `measureRecord` gave. */
export function sizeOfRecord(timestampDelta: number, offsetDelta: number, contentBytes: number): number {
  return sizeWithLength(1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta) + contentBytes)
}

/**
 * Writes a record, `sizeOfRecord(...)` bytes, which the caller has made room for. Returns the position after it.
 *
 * @param timestampDelta to the batch's base timestamp; negative if this record is older.
 * @param contentBytes of this record, from `measureRecord`.
 */
export function writeRecord(
  bytes: Buffer,
  start: number,
  timestampDelta: number,
  offsetDelta: number,
  key: Bytes | null,
  value: Bytes | null,
  headers: RecordHeaders,
  contentBytes: number,
): number {
  // The loops are `writeVarint`, three times: left to V8, which has a budget for inlining, some of them stay calls, and a
  // record costs 46 ns instead of 37. Zig-zag doubles what is not negative.
  const deltaBytes = sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta)
  let at = start
  let rest = 2 * (1 + deltaBytes + contentBytes)
  while (rest > 0x7f) {
    bytes[at++] = rest | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest
  bytes[at++] = 0 // attributes: no bit has a meaning yet

  if (timestampDelta === (timestampDelta | 0)) {
    rest = ((timestampDelta << 1) ^ (timestampDelta >> 31)) >>> 0
    while (rest > 0x7f) {
      bytes[at++] = rest | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
  } else {
    at = writeVarlong(bytes, at, timestampDelta)
  }
  rest = 2 * offsetDelta
  while (rest > 0x7f) {
    bytes[at++] = rest | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest

  if (key === null) bytes[at++] = NULL_LENGTH
  else at = writeField(bytes, at, KEY, key)
  at = writeField(bytes, at, VALUE, value)
  if (headers.length > 0) return writeHeaders(bytes, at, headers)
  bytes[at] = 0
  return at + 1
}

/**
 * At most so many bytes takes a batch of this one record, uncompressed: what `maxRequestBytes` is compared with.
 *
 * @see Kafka `AbstractRecords.estimateSizeInBytesUpperBound`, which this equals for format v2
 */
export function upperBoundOfRecordBatch(key: Bytes | null, value: Bytes | null, headers: RecordHeaders): number {
  return RECORD_BATCH_OVERHEAD_BYTES + MAX_RECORD_OVERHEAD_BYTES + measureRecord(key, value, headers)
}

/**
 * Reads one record, which must fill its declared length exactly and be number `offsetDelta` of its batch.
 *
 * @param logAppendTimeMs replaces the record's own timestamp where the broker sets the time.
 */
export function readRecord(
  reader: Reader,
  offsetDelta: number,
  baseOffset: bigint,
  baseTimestamp: bigint,
  logAppendTimeMs?: number,
): DecodedRecord {
  const length = reader.varint()
  if (length < MIN_RECORD_BYTES - 1) throw reader.invalid(`record length ${length}`)
  if (length > reader.remaining) throw reader.invalid(`record length ${length} with ${reader.remaining} bytes left`)
  const end = reader.position + length

  reader.skip(1) // attributes: Kafka ignores them too
  const ownTimestamp = Number(baseTimestamp + reader.varlong())
  const timestamp = logAppendTimeMs ?? ownTimestamp
  if (!Number.isSafeInteger(timestamp)) throw reader.invalid('timestamp beyond 2^53')
  const declaredDelta = reader.varint()
  if (declaredDelta !== offsetDelta) throw reader.invalid(`offset delta ${declaredDelta} of record ${offsetDelta}`)
  const key = readWithLength(reader)
  const value = readWithLength(reader)
  const headers = readHeaders(reader, end)

  if (reader.position !== end) throw reader.invalid(`record that should end at byte ${end} ends`)
  return { key, value, headers, timestamp, offset: baseOffset + BigInt(offsetDelta) }
}

/** A field with its length in front, or the length -1 alone. */
function sizeOfField(slot: number, field: Bytes | null): number {
  return field === null ? 1 : sizeWithLength(typeof field === 'string' ? lengthOfText(slot, field) : field.length)
}

function sizeWithLength(length: number): number {
  return sizeOfVarint(length) + length
}

function lengthOfText(slot: number, text: string): number {
  if (text === texts[slot]) return textLengths[slot] as number
  texts[slot] = text
  return (textLengths[slot] = Buffer.byteLength(text))
}

function measureHeaders(headers: RecordHeaders): number {
  while (texts.length < FIRST_HEADER + 2 * headers.length) textLengths[texts.push('') - 1] = 0
  let slot = FIRST_HEADER
  let size = sizeOfVarint(headers.length)
  for (const [key, value] of headers) {
    size += sizeOfField(slot++, key) + sizeOfField(slot++, value)
  }
  return size
}

function writeHeaders(bytes: Buffer, start: number, headers: RecordHeaders): number {
  let slot = FIRST_HEADER
  let at = writeVarint(bytes, start, headers.length)
  for (const [key, value] of headers) {
    at = writeField(bytes, at, slot++, key)
    at = writeField(bytes, at, slot++, value)
  }
  return at
}

function writeField(bytes: Buffer, start: number, slot: number, field: Bytes | null): number {
  if (field === null) {
    bytes[start] = NULL_LENGTH
    return start + 1
  }
  return typeof field === 'string' ? writeText(bytes, start, slot, field) : writeBytes(bytes, start, field)
}

function writeBytes(bytes: Buffer, start: number, field: Uint8Array): number {
  const length = field.length
  const at = writeVarint(bytes, start, length)
  if (length > LOOP_BYTES) bytes.set(field, at)
  else copyShort(bytes, at, field)
  return at + length
}

function copyShort(bytes: Buffer, at: number, field: Uint8Array): void {
  for (let i = 0; i < field.length; i++) bytes[at + i] = field[i] as number
}

function writeText(bytes: Buffer, start: number, slot: number, text: string): number {
  const length = lengthOfText(slot, text)
  const at = writeVarint(bytes, start, length)
  // As many bytes as UTF-16 units: ASCII, of which Latin-1 is a plain copy, a third faster than UTF-8.
  if (length !== text.length) bytes.write(text, at, length, 'utf8')
  else if (length > LOOP_CHARS) bytes.write(text, at, length, 'latin1')
  else for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i)
  if (length > SHORT_CHARS) {
    texts[slot] = ''
    textLengths[slot] = 0
  }
  return at + length
}

function readWithLength(reader: Reader): Buffer | null {
  const length = reader.varint()
  return length === -1 ? null : reader.bytes(length)
}

function readHeaders(reader: Reader, end: number): DecodedRecord['headers'] {
  const count = reader.varint()
  // A header has at least two bytes: a count beyond that must not make us build anything.
  if (count < 0 || count > (end - reader.position) / 2) throw reader.invalid(`header count ${count}`)
  const headers: [string, Buffer | null][] = []
  for (let i = 0; i < count; i++) headers.push([reader.utf8(reader.varint()), readWithLength(reader)])
  return headers
}
