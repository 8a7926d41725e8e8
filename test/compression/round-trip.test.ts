import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Codec, CompressionSettings } from '../../src/compression/codec.ts'
import { loadCodec } from '../../src/compression/load-codec.ts'
import { CODECS, events, inputs, noise } from './inputs.ts'

const MIB = 1024 * 1024
const settings: readonly CompressionSettings[] = [
  ...CODECS.map((codec) => ({ codec })),
  { codec: 'gzip', level: 1 },
  { codec: 'gzip', level: 9 },
  { codec: 'zstd', level: 1 },
  { codec: 'zstd', level: 19 },
]

/** In both ways where there are two. */
async function compressions(codec: Codec, bytes: Uint8Array): Promise<Uint8Array[]> {
  const before = Buffer.from(bytes)
  const results = [await codec.compress(bytes)]
  if (codec.compressSync !== undefined) results.push(codec.compressSync(bytes))
  expect(before.equals(bytes)).toBe(true)
  return results
}

async function expectRoundTrip(codec: Codec, bytes: Uint8Array): Promise<void> {
  for (const compressed of await compressions(codec, bytes)) {
    const again = codec.decompress(compressed, bytes.length)
    expect(again.length).toBe(bytes.length)
    expect(Buffer.compare(again, bytes)).toBe(0)
  }
}

describe.each(settings)('$codec level $level', (setting) => {
  const codec = loadCodec(setting)
  const isSlow = (setting.level ?? 0) > 9

  it('gives back anything', async () => {
    const runs = { numRuns: isSlow ? 15 : 60 }
    await fc.assert(
      fc.asyncProperty(inputs(isSlow ? 50_000 : 200_000), (bytes) => expectRoundTrip(codec, bytes)),
      runs,
    )
  })

  it.each([0, 1, 2, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073])(
    'gives back %i bytes, of every kind',
    async (length) => {
      for (const bytes of [noise(length), events(length), Buffer.alloc(length)]) await expectRoundTrip(codec, bytes)
    },
  )

  it('gives back a megabyte', async () => {
    for (const bytes of isSlow ? [events(MIB)] : [noise(MIB), events(MIB), Buffer.alloc(MIB)]) {
      await expectRoundTrip(codec, bytes)
    }
  })

  it('takes part of a buffer, and leaves the rest alone', async () => {
    const whole = Buffer.concat([noise(100), events(5000), noise(100)])
    await expectRoundTrip(codec, new Uint8Array(whole.buffer, whole.byteOffset + 100, 5000))
  })

  it('gives exact memory: no byte more than was compressed', async () => {
    for (const compressed of await compressions(codec, events(10_000))) {
      for (const cut of [1, 8]) {
        expect(() => codec.decompress(compressed.subarray(0, -cut), 10_000)).toThrow()
      }
      expect(() => codec.decompress(Buffer.concat([compressed, Buffer.alloc(1)]), 10_000)).toThrow()
    }
  })

  it('stops at the limit, however little the input is', async () => {
    const bytes = Buffer.alloc(10 * MIB)
    for (const compressed of await compressions(codec, bytes)) {
      expect(codec.decompress(compressed, bytes.length).length).toBe(bytes.length)
      for (const limit of [0, 1, 1000, bytes.length - 1]) {
        expect(() => codec.decompress(compressed, limit)).toThrow(`more than ${limit} bytes when decompressed`)
      }
    }
  })
})

describe('a level', () => {
  it.each(['gzip', 'zstd'] as const)('changes what %s makes', async (codec) => {
    const [fast, best] = [1, 9].map((level) => loadCodec({ codec, level }))
    const bytes = events(100_000)
    const [small, large] = [await best!.compress(bytes), await fast!.compress(bytes)]
    expect(small.length).toBeLessThan(large.length * 0.97)
  })
})
