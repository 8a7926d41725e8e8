import * as zlib from 'node:zlib'
import { promisify } from 'node:util'
import type { CodecKind } from './codec.ts'
import { decompressGzip } from './gzip-format.ts'

const gzipAsync = promisify(zlib.gzip as (bytes: Uint8Array, options: zlib.ZlibOptions, done: Done) => void)
type Done = (error: Error | null, compressed: Buffer) => void

export const gzip: CodecKind = {
  id: 1,
  levels: { min: 1, max: 9 },
  decompress: decompressGzip,
  load(level) {
    const options = level === undefined ? {} : { level }
    return {
      compressSync: (bytes) => zlib.gzipSync(bytes, options),
      compress: (bytes) => gzipAsync(bytes, options),
      asyncFromBytes: 8 * 1024,
    }
  },
}
