import { foldingCrc32c, FOLDED_FROM_BYTES, type Crc32c } from './crc32c-fold.ts'
import { crc32cByTable } from './crc32c-table.ts'

/** Undefined: nobody has needed it yet. Null: it cannot be had here. */
let folding: Crc32c | null | undefined

/**
 * The CRC-32C (Castagnoli) of `bytes[start, end)`, unsigned: the checksum of record batches. Reflected polynomial 0x82f63b78,
 * as in RFC 3720, appendix B.4.
 *
 * @param seed CRC of what precedes these bytes: `crc32c(b, 0, n, crc32c(a))` is the CRC of `a` followed by `b`.
 */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length, seed = 0): number {
  if (end - start < FOLDED_FROM_BYTES) return crc32cByTable(bytes, start, end, seed)
  if (folding === undefined) folding = foldingCrc32c()
  return (folding ?? crc32cByTable)(bytes, start, end, seed)
}
