import type { Codec } from './codec.ts'
import { decompressGzip } from './gzip-format.ts'
import { decompressLz4, type Lz4Options } from './lz4-format.ts'
import { decompressSnappy } from './snappy-format.ts'
import { decompressZstd } from './zstd-format.ts'

/** Undoes any codec; needs no package. @throws {ProtocolError} and nothing else. */
export function decompress(
  id: Codec['id'],
  bytes: Uint8Array,
  maxOutputBytes: number,
  options: Lz4Options = {},
): Uint8Array {
  switch (id) {
    case 1:
      return decompressGzip(bytes, maxOutputBytes)
    case 2:
      return decompressSnappy(bytes, maxOutputBytes)
    case 3:
      return decompressLz4(bytes, maxOutputBytes, options)
    case 4:
      return decompressZstd(bytes, maxOutputBytes)
  }
}
