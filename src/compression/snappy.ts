import type { CodecKind } from './codec.ts'
import { loadPackage } from './codec-sources.ts'
import { decompressSnappy, frameXerial, XERIAL_BLOCK_BYTES } from './snappy-format.ts'

export const snappy: CodecKind = {
  id: 2,
  levels: null,
  decompress: decompressSnappy,
  load(_level, sources) {
    const { compressSync, compress } = loadPackage(sources, 'snappy', 'snappy', ['compressSync', 'compress']) as {
      compressSync: (bytes: Uint8Array) => Uint8Array
      compress: (bytes: Uint8Array) => Promise<Uint8Array>
    }
    return {
      compressSync: (bytes) => frameXerial(blocksOf(bytes).map((block) => compressSync(block))),
      compress: async (bytes) => frameXerial(await Promise.all(blocksOf(bytes).map((block) => compress(block)))),
      asyncFromBytes: 64 * 1024,
    }
  },
}

function blocksOf(bytes: Uint8Array): Uint8Array[] {
  const count = Math.ceil(bytes.length / XERIAL_BLOCK_BYTES)
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * XERIAL_BLOCK_BYTES, (i + 1) * XERIAL_BLOCK_BYTES))
}
