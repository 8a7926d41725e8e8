import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Writer } from '../../src/bytes/writer.ts'
import { golden } from '../support/golden.ts'

describe('Writer', () => {
  it('writes big-endian numbers', () => {
    const writer = new Writer()
    writer.int8(-0x80)
    writer.int16(-0x8000)
    writer.uint16(0xffff)
    writer.int32(-(2 ** 31))
    writer.uint32(2 ** 32 - 1)
    writer.int64(-(2n ** 63n))
    writer.float64(1.5)
    const expected = '80' + '8000' + 'ffff' + '80000000' + 'ffffffff' + '8000000000000000' + '3ff8000000000000'
    expect(writer.finish().toString('hex')).toBe(expected)
  })

  it.each(golden.varint.unsigned)('writes unsigned $value as $hex', ({ hex, value }) => {
    const writer = new Writer()
    writer.uvarint(value)
    expect(writer.finish().toString('hex')).toBe(hex)
  })

  it('grows in the middle of a message and keeps what is there', () => {
    const writer = new Writer(4)
    writer.int16(0x0102)
    writer.int32(0x03040506)
    writer.utf8('é', 2)
    expect(writer.size).toBe(8)
    expect(writer.finish().toString('hex')).toBe('010203040506c3a9')
  })

  it('grows after a referenced chunk without touching the finished ones', () => {
    const large = Buffer.alloc(512, 7)
    const writer = new Writer(4)
    writer.int16(0x0102)
    writer.bytes(large)
    writer.int8(3)
    writer.int64(4n) // does not fit: the open chunk moves, the finished one stays
    const chunks = writer.chunks()
    expect(chunks.map((chunk) => chunk.byteLength)).toEqual([2, 512, 9])
    expect(Buffer.concat(chunks).toString('hex')).toBe(`0102${'07'.repeat(512)}030000000000000004`)
  })

  it('copies bytes below 512 and passes the others along as they are', () => {
    const small = new Uint8Array(511).fill(1)
    const large = new Uint8Array(512).fill(2)
    const writer = new Writer()
    writer.bytes(small)
    writer.bytes(large)
    small[0] = 9
    const chunks = writer.chunks()
    expect(chunks).toHaveLength(2)
    expect(chunks[0]?.[0]).toBe(1)
    expect(chunks[1]).toBe(large)
    expect(writer.size).toBe(1023)
  })

  it('gives the same bytes in any capacity, and knows their number', () => {
    const part = fc.uint8Array({ maxLength: 600, size: 'max' })
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.nat(64), (parts, capacityBytes) => {
        const writer = new Writer(capacityBytes)
        for (const bytes of parts) {
          writer.int8(bytes.length & 0x7f)
          writer.bytes(bytes)
        }
        const expected = Buffer.concat(parts.flatMap((bytes) => [Buffer.of(bytes.length & 0x7f), bytes]))
        expect(writer.size).toBe(expected.length)
        expect(writer.finish().equals(expected)).toBe(true)
      }),
    )
  })
})
