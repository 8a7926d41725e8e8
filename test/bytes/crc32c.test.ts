import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
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
