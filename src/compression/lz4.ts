import type { CodecKind } from './codec.ts'
import { loadPackage } from './codec-sources.ts'
import { decompressLz4 } from './lz4-format.ts'

export const lz4: CodecKind = {
  id: 3,
  // lz4-napi is lz4_flex, which has one level, the fast one.
  levels: null,
  decompress: decompressLz4,
  load(_level, sources) {
    const names = ['compressFrameSync', 'compressFrame'] as const
    const { compressFrameSync, compressFrame } = loadPackage(sources, 'lz4-napi', 'lz4-napi', names) as {
      compressFrameSync: (bytes: Buffer) => Uint8Array
      compressFrame: (bytes: Buffer) => Promise<Uint8Array>
    }
    return {
      compressSync: (bytes) => compressFrameSync(asBuffer(bytes)),
      compress: (bytes) => compressFrame(asBuffer(bytes)),
      asyncFromBytes: 64 * 1024,
    }
  },
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
