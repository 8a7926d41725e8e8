import { asBuffer } from '../bytes/as-buffer.ts'
import type { CodecKind } from './codec.ts'
import { loadPackage } from './codec-sources.ts'
import { decompressLz4 } from './lz4-format.ts'

export const lz4: CodecKind = {
  id: 3,
  // lz4-napi is lz4_flex, which has one level, the fast one.
  levels: null,
  // Knows nothing of magic: what `lz4FrameForMagic0` made for an old broker must be understood when it is split (KIP-57).
  decompress: (bytes, maxOutputBytes) => decompressLz4(bytes, maxOutputBytes, { allowKip57Checksum: true }),
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
