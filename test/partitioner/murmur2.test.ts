import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { murmur2, toPositive } from '../../src/partitioner/murmur2.ts'

interface Vector {
  readonly inputUtf8: string
  readonly inputHex: string
  readonly murmur2Int32: number
  readonly positive: number
  readonly partitionOf12: number
}
const golden = JSON.parse(readFileSync(new URL('../fixtures/golden.json', import.meta.url), 'utf8')) as {
  murmur2: { vectors: Vector[] }
}

describe('murmur2', () => {
  test.each(golden.murmur2.vectors)('of "$inputUtf8" is $murmur2Int32', (vector) => {
    const hash = murmur2(Buffer.from(vector.inputHex, 'hex'))
    expect(hash).toBe(vector.murmur2Int32)
    expect(toPositive(hash)).toBe(vector.positive)
    expect(toPositive(hash) % 12).toBe(vector.partitionOf12)
  })

  test('has vectors for every length modulo four, and for the empty key', () => {
    const lengths = golden.murmur2.vectors.map(({ inputHex }) => inputHex.length / 2)
    expect(new Set(lengths.map((length) => length % 4))).toEqual(new Set([0, 1, 2, 3]))
    expect(lengths).toContain(0)
  })

  // Utils.murmur2 of kafka-clients 4.3.1: bytes above 0x7f must not be sign-extended.
  test.each([
    ['ff', -311467685],
    ['80ff', -80095470],
    ['fffefd', 998637092],
    ['8081828384858687', -1608452407],
  ])('of the bytes %s is %d', (hex, expected) => {
    expect(murmur2(Buffer.from(hex, 'hex'))).toBe(expected)
  })

  test('of a view hashes the view, not its memory', () => {
    const memory = Buffer.from('xxfoobarxx')
    expect(murmur2(memory.subarray(2, 8))).toBe(murmur2(Uint8Array.from(Buffer.from('foobar'))))
  })
})

describe('toPositive', () => {
  test('of the smallest int32 is 0, which Math.abs would not give', () => {
    expect(toPositive(-(2 ** 31))).toBe(0)
    expect(toPositive(-1)).toBe(2 ** 31 - 1)
    expect(toPositive(5)).toBe(5)
  })
})
