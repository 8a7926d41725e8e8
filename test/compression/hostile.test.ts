import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Codec } from '../../src/compression/codec.ts'
import { decompress } from '../../src/compression/decompress.ts'
import { loadCodec } from '../../src/compression/load-codec.ts'
import { ProtocolError } from '../../src/errors.ts'
import { CODECS, events, inputs, noise } from './inputs.ts'

const LIMIT = 300_000

/** What comes of bytes that are not to be trusted: output within the limit, or a ProtocolError. */
function outcome(id: Codec['id'], bytes: Uint8Array, limit = LIMIT): Uint8Array | ProtocolError {
  const before = Buffer.from(bytes)
  try {
    const output = decompress(id, bytes, limit)
    expect(output.length).toBeLessThanOrEqual(limit)
    return output
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  } finally {
    expect(before.equals(bytes)).toBe(true)
  }
}

/** Bytes with some of them changed, taken out, or put in twice. */
const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom('set', 'flip', 'cut', 'repeat', 'drop')), {
  minLength: 1,
  maxLength: 4,
})
function damaged(bytes: Uint8Array, changes: readonly (readonly [number, number, string])[]): Buffer {
  let result = Buffer.from(bytes)
  for (const [where, value, how] of changes) {
    const at = where % (result.length + 1)
    if (how === 'cut') result = result.subarray(0, at)
    else if (how === 'drop') result = Buffer.concat([result.subarray(0, at), result.subarray(at + (value % 8) + 1)])
    else if (how === 'repeat')
      result = Buffer.concat([result.subarray(0, at), result.subarray(Math.max(0, at - value))])
    else if (at < result.length) result[at] = how === 'set' ? value : (result[at] ?? 0) ^ (1 << (value % 8))
  }
  return result
}

describe.each(CODECS.map((name) => loadCodec(name)))('$name', (codec) => {
  it('is only ever a ProtocolError, on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        outcome(codec.id, bytes)
      }),
      { numRuns: 1000 },
    )
  })

  it('is only ever a ProtocolError, or output within the limit, on damaged bytes', async () => {
    await fc.assert(
      fc.asyncProperty(inputs(20_000), fc.array(damage, { minLength: 20, maxLength: 20 }), async (bytes, damages) => {
        const compressed = await codec.compress(bytes)
        for (const changes of damages) outcome(codec.id, damaged(compressed, changes), 50_000)
      }),
      { numRuns: 50 },
    )
  })

  it('refuses every truncation', async () => {
    for (const bytes of [events(700), noise(60), Buffer.concat([events(500), noise(500)]), Buffer.alloc(500)]) {
      const compressed = await codec.compress(bytes)
      for (let length = 0; length < compressed.length; length++) {
        const result = outcome(codec.id, compressed.subarray(0, length))
        // Xerial's framing has no end of its own: cut between two blocks it is whole.
        const isWhole = codec.name === 'snappy' && length === 16
        expect([length, result instanceof ProtocolError]).toEqual([length, !isWhole])
      }
    }
  })

  it('takes every flipped bit for what it is, or gives what was compressed', async () => {
    const bytes = Buffer.concat([events(300), noise(100), Buffer.alloc(200)])
    const compressed = await codec.compress(bytes)
    for (let bit = 0; bit < compressed.length * 8; bit++) {
      const flipped = Buffer.from(compressed)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const result = outcome(codec.id, flipped)
      // Only gzip has a checksum of its content; the others rely on the CRC of the batch.
      const isFine = codec.name !== 'gzip' || result instanceof ProtocolError || bytes.equals(result)
      expect([bit, isFine]).toEqual([bit, true])
    }
  })

  it('does not grow with what is announced', () => {
    const before = process.memoryUsage().arrayBuffers
    const huge: Record<string, string> = {
      gzip: '1f8b0800000000000003',
      snappy: 'ffffffff0f00',
      lz4: '04224d186c70ffffffffffffff7f93ffffff7f',
      zstd: '28b52ffde0ffffffffffffff7f',
    }
    const result = outcome(codec.id, Buffer.from(huge[codec.name] ?? '', 'hex'), Number.MAX_SAFE_INTEGER)
    expect(result).toBeInstanceOf(ProtocolError)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
  })
})
