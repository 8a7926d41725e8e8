import { crc32 as crc32OfNode } from 'node:zlib'

/**
 * The CRC-32 (IEEE 802.3, as in gzip) of `bytes[start, end)`, unsigned: the checksum of message sets, the format before
 * record batches. Every Node that headrace runs on has it natively.
 */
export function crc32(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  return crc32OfNode(bytes.subarray(start, end))
}
