/**
 * CRC-32C by tables. Slicing-by-16: sixteen tables turn sixteen bytes into sixteen independent look-ups, so the processor overlaps them.
 * Reading the input as 32-bit words instead of bytes is worth another 50 %: 2.4 GB/s against 1.6 (bench/record-batch).
 */
const TABLES = buildTables()

/** Words of the platform are words of the CRC only here; elsewhere (s390x) every byte takes the slow loop. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** As `crc32c`, for any length. */
export function crc32cByTable(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let crc = ~seed
  let at = start

  // Typed arrays of words must start at a multiple of 4 of their memory.
  const aligned = Math.min(end, at + (-(bytes.byteOffset + at) & 3))
  while (at < aligned) crc = (crc >>> 8) ^ table((crc ^ byte(bytes, at++)) & 0xff)

  if (IS_LITTLE_ENDIAN && end - at >= 16) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (end - at) >>> 2)
    const count = words.length & ~3
    for (let i = 0; i < count; i += 4) {
      const a = crc ^ word(words, i)
      const b = word(words, i + 1)
      const c = word(words, i + 2)
      const d = word(words, i + 3)
      crc =
        table(0xf00 + (a & 0xff)) ^
        table(0xe00 + ((a >>> 8) & 0xff)) ^
        table(0xd00 + ((a >>> 16) & 0xff)) ^
        table(0xc00 + (a >>> 24)) ^
        table(0xb00 + (b & 0xff)) ^
        table(0xa00 + ((b >>> 8) & 0xff)) ^
        table(0x900 + ((b >>> 16) & 0xff)) ^
        table(0x800 + (b >>> 24)) ^
        table(0x700 + (c & 0xff)) ^
        table(0x600 + ((c >>> 8) & 0xff)) ^
        table(0x500 + ((c >>> 16) & 0xff)) ^
        table(0x400 + (c >>> 24)) ^
        table(0x300 + (d & 0xff)) ^
        table(0x200 + ((d >>> 8) & 0xff)) ^
        table(0x100 + ((d >>> 16) & 0xff)) ^
        table(d >>> 24)
    }
    at += count * 4
  }

  while (at < end) crc = (crc >>> 8) ^ table((crc ^ byte(bytes, at++)) & 0xff)
  return ~crc >>> 0
}

/** `TABLES[256 * k + b]` is the CRC of byte `b` followed by `k` zero bytes. Takes 0.25 ms at import. */
function buildTables(): Int32Array {
  const tables = new Int32Array(16 * 256)
  for (let value = 0; value < 256; value++) {
    let crc = value
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    tables[value] = crc
  }
  for (let i = 256; i < tables.length; i++) {
    const shorter = word(tables, i - 256)
    tables[i] = (shorter >>> 8) ^ word(tables, shorter & 0xff)
  }
  return tables
}

// The compiler does not know that these indices are in range; V8 inlines the three.
function table(index: number): number {
  return TABLES[index] as number
}

function word(words: Int32Array, index: number): number {
  return words[index] as number
}

function byte(bytes: Uint8Array, index: number): number {
  return bytes[index] as number
}
