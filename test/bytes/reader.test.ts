import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Reader } from '../../src/bytes/reader.ts'
import { ProtocolError } from '../../src/errors.ts'
import { golden } from '../support/golden.ts'

const read = (hex: string) => new Reader(Buffer.from(hex, 'hex'), 'test')

/** Reads everything that a reader can, for what holds of every read. */
const reads: Record<string, (reader: Reader) => unknown> = {
  int8: (reader) => reader.int8(),
  int16: (reader) => reader.int16(),
  uint16: (reader) => reader.uint16(),
  int32: (reader) => reader.int32(),
  uint32: (reader) => reader.uint32(),
  int64: (reader) => reader.int64(),
  float64: (reader) => reader.float64(),
  uvarint: (reader) => reader.uvarint(),
  varint: (reader) => reader.varint(),
  varlong: (reader) => reader.varlong(),
  bytes: (reader) => reader.bytes(3),
  utf8: (reader) => reader.utf8(3),
  skip: (reader) => reader.skip(3),
}

describe('Reader varints', () => {
  it.each(golden.varint.unsigned)('reads unsigned $hex as $value', ({ hex, value }) => {
    const reader = read(hex)
    expect(reader.uvarint()).toBe(value)
    expect(reader.remaining).toBe(0)
  })

  it.each(golden.varint.zigzag32)('reads zig-zag $hex as $value', ({ hex, value }) => {
    const reader = read(hex)
    expect(reader.varint()).toBe(value)
    expect(reader.remaining).toBe(0)
  })

  it.each(golden.varint.zigzag64)('reads 64-bit zig-zag $hex as $value', ({ hex, value }) => {
    const reader = read(hex)
    expect(reader.varlong()).toBe(BigInt(value))
    expect(reader.remaining).toBe(0)
  })

  it.each(golden.varint.mustReject)('refuses $type $hex: $why', ({ type, hex }) => {
    if (type !== 'varint64') expect(() => read(hex).uvarint()).toThrow(ProtocolError)
    if (type !== 'varint64') expect(() => read(hex).varint()).toThrow(ProtocolError)
    if (type !== 'varint32') expect(() => read(hex).varlong()).toThrow(ProtocolError)
  })

  it('refuses bits over the 32nd and the 64th', () => {
    expect(() => read('ffffffff1f').uvarint()).toThrow(/more than 32 bits/)
    expect(() => read('ffffffffffffffffff02').varlong()).toThrow(/more than 64 bits/)
  })
})

describe('Reader', () => {
  it('reads big-endian numbers', () => {
    const reader = read('80' + '8000' + 'ffff' + '80000000' + 'ffffffff' + '8000000000000000' + '3ff8000000000000')
    expect([reader.int8(), reader.int16(), reader.uint16(), reader.int32(), reader.uint32()]).toEqual([
      -0x80,
      -0x8000,
      0xffff,
      -(2 ** 31),
      2 ** 32 - 1,
    ])
    expect([reader.int64(), reader.float64()]).toEqual([-(2n ** 63n), 1.5])
    expect(reader.remaining).toBe(0)
  })

  it('gives bytes as a view of the input', () => {
    const input = Buffer.from('010203', 'hex')
    const view = new Reader(input, 'test').bytes(2)
    input[0] = 9
    expect([...view]).toEqual([9, 2])
  })

  it('stays between its start and its end', () => {
    const reader = new Reader(Buffer.from('0102030405', 'hex'), 'test', 1, 3)
    expect(reader.int16()).toBe(0x0203)
    expect(() => reader.int8()).toThrow('test: TRUNCATED: 1 bytes wanted at byte 3, 0 left')
  })

  it('refuses what is left over, and says how much', () => {
    const reader = read('010203')
    reader.int8()
    expect(() => reader.end()).toThrow('test: TRAILING_BYTES: 2 bytes follow the end of the message at byte 1')
  })

  it.each([-1, -(2 ** 31)])('refuses the length %i', (length) => {
    for (const call of [() => read('00').bytes(length), () => read('00').utf8(length), () => read('00').skip(length)]) {
      expect(call).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }) as Error)
    }
  })

  it.each(Object.entries(reads))('%s throws nothing but ProtocolError, whatever the bytes', (_, readOne) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        const reader = new Reader(bytes, 'test')
        try {
          readOne(reader)
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
        expect(reader.position).toBeLessThanOrEqual(bytes.length)
      }),
    )
  })

  it.each(Object.entries(reads))('%s of no bytes is TRUNCATED', (_, readOne) => {
    expect(() => readOne(read(''))).toThrow(expect.objectContaining({ code: 'TRUNCATED' }) as Error)
  })
})
