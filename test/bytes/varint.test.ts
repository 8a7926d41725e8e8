import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Reader } from '../../src/bytes/reader.ts'
import {
  sizeOfUvarint,
  sizeOfVarint,
  sizeOfVarlong,
  writeUvarint,
  writeVarint,
  writeVarlong,
} from '../../src/bytes/varint.ts'
import { ProtocolError } from '../../src/errors.ts'

interface Golden {
  readonly varint: {
    readonly unsigned: { value: number; hex: string }[]
    readonly zigzag32: { value: number; hex: string }[]
    readonly zigzag64: { value: string; hex: string }[]
    readonly mustReject: { type: 'varint32' | 'varint64' | 'any'; hex: string; why: string }[]
  }
}
const { varint } = JSON.parse(readFileSync(new URL('../fixtures/golden.json', import.meta.url), 'utf8')) as Golden
const safe64 = varint.zigzag64.filter(({ value }) => Number.isSafeInteger(Number(value)))

type Write = (bytes: Uint8Array, at: number, value: number) => number

/** What `write` writes from position 3 on, into memory full of ones, which has to stay as it is around it. */
function written(write: Write, value: number): Buffer {
  const bytes = Buffer.alloc(20, 0xff)
  const end = write(bytes, 3, value)
  expect(bytes.subarray(0, 3).toString('hex')).toBe('ffffff')
  expect(bytes.subarray(end).every((byte) => byte === 0xff)).toBe(true)
  return bytes.subarray(3, end)
}

const reader = (bytes: Uint8Array): Reader => new Reader(bytes, 'Test')

describe('unsigned varint', () => {
  test.each(varint.unsigned)('$value is $hex', ({ value, hex }) => {
    expect(written(writeUvarint, value).toString('hex')).toBe(hex)
    expect(sizeOfUvarint(value)).toBe(hex.length / 2)
  })

  test('reads back, and is as long as announced', () => {
    const uint32 = fc.nat(32).chain((bits) => fc.nat(Math.min(2 ** bits, 0xffffffff)))
    fc.assert(
      fc.property(uint32, (value) => {
        const bytes = written(writeUvarint, value)
        expect(bytes.length).toBe(sizeOfUvarint(value))
        expect(reader(bytes).uvarint()).toBe(value)
      }),
    )
  })
})

describe('zig-zag varint of 32 bits', () => {
  test.each(varint.zigzag32)('$value is $hex', ({ value, hex }) => {
    expect(written(writeVarint, value).toString('hex')).toBe(hex)
    expect(sizeOfVarint(value)).toBe(hex.length / 2)
  })

  test('reads back, and is as long as announced', () => {
    const int32 = fc.tuple(fc.integer(), fc.nat(31)).map(([value, shift]) => value >> shift)
    fc.assert(
      fc.property(int32, (value) => {
        const bytes = written(writeVarint, value)
        expect(bytes.length).toBe(sizeOfVarint(value))
        expect(reader(bytes).varint()).toBe(value)
      }),
    )
  })
})

describe('zig-zag varint of 64 bits', () => {
  test('has golden values on both sides of 32 bits', () => {
    expect(safe64.length).toBeGreaterThan(30)
    expect(safe64.some(({ value }) => Number(value) < -(2 ** 40))).toBe(true)
  })

  test.each(safe64)('$value is $hex', ({ value, hex }) => {
    expect(written(writeVarlong, Number(value)).toString('hex')).toBe(hex)
    expect(sizeOfVarlong(Number(value))).toBe(hex.length / 2)
  })

  test.each([Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 2 ** 53, -(2 ** 53), 2 ** 31, -(2 ** 31) - 1, -0])(
    '%d reads back',
    (value) => {
      const bytes = written(writeVarlong, value)
      expect(bytes.length).toBe(sizeOfVarlong(value))
      expect(reader(bytes).varlong()).toBe(BigInt(value))
    },
  )

  test('reads back, and is as long as announced', () => {
    const int54 = fc.tuple(fc.maxSafeInteger(), fc.nat(53)).map(([value, bits]) => Math.trunc(value / 2 ** bits))
    fc.assert(
      fc.property(int54, (value) => {
        const bytes = written(writeVarlong, value)
        expect(bytes.length).toBe(sizeOfVarlong(value))
        expect(reader(bytes).varlong()).toBe(BigInt(value))
      }),
    )
  })
})

describe('reading back', () => {
  test.each(varint.mustReject)('refuses $hex ($why)', ({ type, hex }) => {
    const bytes = Buffer.from(hex, 'hex')
    if (type !== 'varint64') expect(() => reader(bytes).varint()).toThrow(ProtocolError)
    if (type !== 'varint32') expect(() => reader(bytes).varlong()).toThrow(ProtocolError)
  })
})
