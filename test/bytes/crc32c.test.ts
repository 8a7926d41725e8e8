import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { FOLDED_FROM_BYTES, foldingCrc32c, type WebAssemblyHost } from '../../src/bytes/crc32c-fold.ts'
import { crc32c } from '../../src/bytes/crc32c.ts'

interface Vector {
  readonly name: string
  readonly inputHex?: string
  readonly crc32cUint32: number
}
const golden = JSON.parse(readFileSync(new URL('../fixtures/golden.json', import.meta.url), 'utf8')) as {
  crc32c: { vectors: Vector[] }
}
const vectors = golden.crc32c.vectors.filter((vector) => vector.inputHex !== undefined)

/** Bit by bit, straight from the polynomial: shares no table with the code under test. */
function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

describe('crc32c', () => {
  test('has golden vectors to be compared with', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(10)
  })

  test.each(vectors)('of $name', ({ inputHex, crc32cUint32 }) => {
    expect(crc32c(Buffer.from(inputHex!, 'hex'))).toBe(crc32cUint32)
  })

  test('agrees with the polynomial at every length up to 100 and every alignment', () => {
    const memory = Uint8Array.from({ length: 120 }, (_, i) => (i * 73 + 11) & 0xff)
    for (let offset = 0; offset < 8; offset++) {
      for (let length = 0; length <= 100; length++) {
        const bytes = new Uint8Array(memory.buffer, offset, length)
        expect(crc32c(bytes)).toBe(slowCrc32c(bytes))
      }
    }
  })

  test('of a part is the CRC of that part copied out', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.nat(300), (bytes, a, b) => {
        const [start, end] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)]
        expect(crc32c(bytes, start, end)).toBe(slowCrc32c(bytes.slice(start, end)))
      }),
    )
  })

  test('continues from the CRC of what came before', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), (a, b) => {
        expect(crc32c(b, 0, b.length, crc32c(a))).toBe(slowCrc32c(Buffer.concat([a, b])))
      }),
    )
  })
})

describe('long inputs', () => {
  const memory = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i * 31 + (i >> 7)) & 0xff)

  test('are folded here', () => {
    expect(foldingCrc32c()).not.toBeNull()
  })

  // Around the first that is folded, a turn of the loop, the first that is folded twice, and one chunk and several.
  test.each([0, 1, 63, 64, 65, 10_239, 10_240, 10_241, 17_679, 17_680, 17_681, 34_064, 65_536, 131_072, 150_001])(
    'agree with the polynomial %i bytes above the shortest',
    (more) => {
      for (const offset of [0, 1, 3]) {
        const bytes = memory.subarray(offset, offset + FOLDED_FROM_BYTES + more)
        expect(crc32c(bytes)).toBe(slowCrc32c(bytes))
      }
    },
  )

  test('continue from the CRC of what came before, and leave nothing behind', () => {
    const length = fc.integer({ min: 0, max: 100_000 })
    fc.assert(
      fc.property(length, length, (a, b) => {
        const whole = memory.subarray(0, a + b)
        const first = crc32c(whole, 0, a)
        crc32c(memory, 1000) // others in between
        expect(crc32c(whole, a, a + b, first)).toBe(slowCrc32c(whole))
      }),
      { numRuns: 20 },
    )
  })

  test.each<[string, Partial<WebAssemblyHost> | null]>([
    ['there is no WebAssembly', null],
    ['it has no vectors', { validate: () => false }],
    [
      'it has no room',
      {
        validate: () => true,
        Module: class {
          readonly isModule = true
        },
        Instance: class {
          readonly exports: object
          constructor() {
            throw new RangeError('WebAssembly.Memory(): could not allocate memory')
          }
        },
      },
    ],
  ])('cannot be folded where %s', (_, host) => {
    expect(foldingCrc32c(host as WebAssemblyHost | null)).toBeNull()
  })

  test('are looked at once for whether they can be folded, also where they cannot', async () => {
    const validate = vi.fn(() => false)
    vi.stubGlobal('WebAssembly', { validate })
    vi.resetModules()
    try {
      const fresh = await import('../../src/bytes/crc32c.ts')
      const sums = [1, 2].map(() => fresh.crc32c(memory))
      expect(sums).toEqual([slowCrc32c(memory), slowCrc32c(memory)])
      expect(validate).toHaveBeenCalledTimes(1)
    } finally {
      vi.unstubAllGlobals()
    }
  })
})
