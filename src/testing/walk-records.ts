/**
 * Looks through the records of a batch without making anything of them: 50 ns a record, where decoding takes 300, so that
 * a test cluster can take what a fast producer sends.
 *
 * Positions and lengths that make no sense are NaN, which no comparison lets pass. Layout: protocol/record.ts.
 */
import { MIN_RECORD_BYTES } from '../protocol/record.ts'

export interface Walk {
  /** What is wrong, or null. */
  readonly problem: string | null
  /** Which record it is that is wrong. */
  readonly index: number
  /** Latest timestamp of all records, counted from the batch's base timestamp. */
  readonly maxTimestampDelta: number
}

/** Where the varint that was read last ended. */
let next = 0

/** Checks that `bytes` from `start` on are `count` records, whole, dense, and nothing else. */
export function walkRecords(bytes: Uint8Array, start: number, count: number): Walk {
  let at = start
  let maxTimestampDelta = -Infinity
  for (let index = 0; index < count; index++) {
    const length = varint(bytes, at)
    if (!(length >= MIN_RECORD_BYTES - 1 && length <= bytes.length - next)) {
      return { problem: `length ${length}`, index, maxTimestampDelta }
    }
    const end = next + length
    const timestampDelta = varlong(bytes, next + 1) // after the attributes
    if (timestampDelta > maxTimestampDelta) maxTimestampDelta = timestampDelta
    const offsetDelta = varint(bytes, next)
    if (offsetDelta !== index) return { problem: `offset delta ${offsetDelta}`, index, maxTimestampDelta }
    const keyEnd = fieldEnd(bytes, next)
    const valueEnd = fieldEnd(bytes, keyEnd)
    at = headersEnd(bytes, valueEnd, end)
    if (at !== end) return { problem: `fields that do not fill its ${length} bytes`, index, maxTimestampDelta }
  }
  const restBytes = bytes.length - at
  const problem = restBytes === 0 ? null : `${restBytes} bytes after the last record`
  return { problem, index: count, maxTimestampDelta }
}

/** Where a key or value that begins with its length ends; length -1 is null. */
function fieldEnd(bytes: Uint8Array, at: number): number {
  const length = varint(bytes, at)
  return length >= -1 ? next + Math.max(length, 0) : NaN
}

function headersEnd(bytes: Uint8Array, start: number, end: number): number {
  const count = varint(bytes, start)
  let at = next
  if (!(count >= 0 && count <= (end - at) / 2)) return NaN
  for (let i = 0; i < count; i++) {
    const nameLength = varint(bytes, at)
    if (!(nameLength >= 0)) return NaN
    at = fieldEnd(bytes, next + nameLength)
  }
  return at
}

/** A zig-zag varint of 32 bits; NaN: it has no end, or is too long. */
function varint(bytes: Uint8Array, start: number): number {
  const first = bytes[start] ?? NaN
  if (first < 0x80) {
    next = start + 1
    return (first >>> 1) ^ -(first & 1)
  }
  const value = varlong(bytes, start)
  return value >= -(2 ** 31) && value < 2 ** 31 ? value : NaN
}

/** A zig-zag varint of 64 bits, exact to 2^53; NaN: it has no end. */
function varlong(bytes: Uint8Array, start: number): number {
  let raw = 0
  let weight = 1
  for (let at = start; at < start + 10; at++) {
    const byte = bytes[at] ?? NaN
    raw += (byte & 0x7f) * weight
    if (byte < 0x80) {
      next = at + 1
      return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
    }
    weight *= 128
  }
  next = NaN
  return NaN
}
