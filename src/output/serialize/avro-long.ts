/** Avro's `int` and `long`: zigzag, then seven bits a byte, low ones first (Avro 1.11 specification, binary encoding). */
import { INT64_MAX, INT64_MIN } from '../types/value.ts'

const MAX_BYTES = 10

export function isInt64(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= INT64_MIN && value <= INT64_MAX
}

/** One for each length; longs are written one at a time. */
const scratch = Array.from({ length: MAX_BYTES + 1 }, (_, length) => Buffer.alloc(length))
const whole = scratch[MAX_BYTES] as Buffer

/** @param value in int64. @returns bytes that the next call may change: for who copies them at once. */
export function encodeLongBriefly(value: bigint): Buffer {
  const length = writeLong(whole, 0, value)
  const bytes = scratch[length] as Buffer
  for (let i = 0; i < length; i++) bytes[i] = whole[i] as number
  return bytes
}

/** @param value in int64. */
export function encodeLong(value: bigint): Buffer {
  return Buffer.from(encodeLongBriefly(value))
}

/** @param value in int64; it takes ten bytes at most. @returns where it ends. */
export function writeLong(bytes: Buffer, at: number, value: bigint): number {
  let length = at
  // Up to 2^30 zigzag stays within the 32-bit integers that the engine is fast with.
  if (value < 0x4000_0000n && value > -0x4000_0000n) {
    const small = Number(value)
    let zigzag = (small << 1) ^ (small >> 31)
    for (; zigzag > 0x7f; zigzag >>>= 7) bytes[length++] = (zigzag & 0x7f) | 0x80
    bytes[length++] = zigzag
  } else {
    let zigzag = (value << 1n) ^ (value >> 63n)
    for (; zigzag > 0x7fn; zigzag >>= 7n) bytes[length++] = Number(zigzag & 0x7fn) | 0x80
    bytes[length++] = Number(zigzag)
  }
  return length
}

/** @param bytes one whole number. */
export function decodeLong(bytes: Uint8Array): bigint {
  let zigzag = 0n
  for (let i = bytes.length - 1; i >= 0; i--) zigzag = (zigzag << 7n) | BigInt((bytes[i] ?? 0) & 0x7f)
  return (zigzag >> 1n) ^ -(zigzag & 1n)
}
