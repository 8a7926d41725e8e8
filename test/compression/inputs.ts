import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc, { type Arbitrary } from 'fast-check'
import type { CodecName } from '../../src/compression/codec.ts'

export const CODECS: readonly CodecName[] = ['gzip', 'snappy', 'lz4', 'zstd']

const telco = gunzipSync(readFileSync(new URL('../../examples/data/asa-telco.ndjson.gz', import.meta.url)))

/** Bytes that nothing can compress, the same for the same seed. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed >>> 0 || 1
  for (let i = 0; i < length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[i] = state
  }
  return bytes
}

/** Lines of real events, as many bytes as asked for. */
export function events(length: number, start = 0): Buffer {
  return Buffer.alloc(length, telco.subarray(start % 1000))
}

/** Noise, repetitions near and far, long runs, few different bytes: what the branches of codecs are for. */
export function inputs(maxLength: number): Arbitrary<Buffer> {
  const length = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: maxLength }))
  const piece = fc.tuple(fc.integer({ min: 0, max: 4 }), length, fc.nat(1e6)).map(([kind, count, seed]) => {
    if (kind === 0) return noise(count, seed)
    if (kind === 1) return events(count, seed)
    if (kind === 2) return Buffer.alloc(count, seed)
    if (kind === 3) return noise(count, seed).map((byte) => 97 + (byte % 16)) // entropy only
    return Buffer.alloc(count, noise((seed % 300) + 1, seed))
  })
  return fc.array(piece, { maxLength: 6 }).map((pieces) => Buffer.concat(pieces).subarray(0, maxLength))
}
