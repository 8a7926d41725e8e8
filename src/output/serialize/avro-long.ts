/** Avro's `int` and `long`: zigzag, then seven bits a byte, low ones first (Avro 1.11 specification, binary encoding). */
import { INT64_MAX, INT64_MIN } from '../types/value.ts'

const MAX_BYTES = 10

export function isInt64(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= INT64_MIN && value <= INT64_MAX
}

/** @param value in int64. */
export function encodeLong(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(MAX_BYTES)
  let length = 0
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
  return bytes.subarray(0, length)
}

/** @param bytes one whole number. */
export function decodeLong(bytes: Uint8Array): bigint {
  let zigzag = 0n
  for (let i = bytes.length - 1; i >= 0; i--) zigzag = (zigzag << 7n) | BigInt((bytes[i] ?? 0) & 0x7f)
  return (zigzag >> 1n) ^ -(zigzag & 1n)
}
