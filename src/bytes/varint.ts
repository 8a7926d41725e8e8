/**
 * Variable-length integers, least significant 7 bits first, as free functions on raw bytes: records are written with
 * them, and a record must cost nanoseconds. None of them checks bounds; the caller has measured first.
 *
 * Zig-zag (0, -1, 1, -2 become 0, 1, 2, 3) inside records; unsigned in protocol headers and compact types.
 */

/** Bytes of an unsigned varint, 0 to 2^32-1. */
export function sizeOfUvarint(value: number): number {
  // Seven bits a byte, and clz32 counts the unused ones of 32; zero takes a byte, too.
  return ((38 - Math.clz32(value | 1)) / 7) | 0
}

/** Writes an unsigned varint, 0 to 2^32-1. Returns the position after it. */
export function writeUvarint(bytes: Uint8Array, at: number, value: number): number {
  while (value > 0x7f) {
    bytes[at++] = value | 0x80 // stores the low eight bits
    value >>>= 7
  }
  bytes[at] = value
  return at + 1
}

/** Bytes of a zig-zag varint of 32 bits. */
export function sizeOfVarint(value: number): number {
  return ((38 - Math.clz32(((value << 1) ^ (value >> 31)) | 1)) / 7) | 0
}

/** Writes a zig-zag varint of 32 bits. Returns the position after it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = (value << 1) ^ (value >> 31)
  while ((rest & ~0x7f) !== 0) {
    bytes[at++] = rest | 0x80 // stores the low eight bits
    rest >>>= 7
  }
  bytes[at] = rest
  return at + 1
}

/** Bytes of a zig-zag varint of 64 bits; `value` is a safe integer. */
export function sizeOfVarlong(value: number): number {
  return value === (value | 0) ? sizeOfVarint(value) : sizeBeyond32Bits(value)
}

/** Writes a zig-zag varint of 64 bits; `value` is a safe integer. Returns the position after it. */
export function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  return value === (value | 0) ? writeVarint(bytes, at, value) : writeBeyond32Bits(bytes, at, value)
}

function sizeBeyond32Bits(value: number): number {
  let size = 1
  for (let rest = Math.floor(withoutSign(value) / 64); rest > 0; rest = Math.floor(rest / 128)) size++
  return size
}

function writeBeyond32Bits(bytes: Uint8Array, at: number, value: number): number {
  // Doubling may leave the safe integers, so the sign bit goes straight into the first byte, next to six others.
  const magnitude = withoutSign(value)
  let low = (magnitude % 64) * 2 + (value < 0 ? 1 : 0)
  let rest = Math.floor(magnitude / 64)
  while (rest > 0) {
    bytes[at++] = low | 0x80
    low = rest % 128
    rest = Math.floor(rest / 128)
  }
  bytes[at] = low
  return at + 1
}

/** A zig-zag value without its lowest bit, the sign. */
function withoutSign(value: number): number {
  return value < 0 ? -value - 1 : value
}
