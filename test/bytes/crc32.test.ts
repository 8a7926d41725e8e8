import { describe, expect, test } from 'vitest'
import { crc32 } from '../../src/bytes/crc32.ts'

describe('crc32', () => {
  test('of "123456789" is the check value of CRC-32/ISO-HDLC', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926)
  })

  test('takes a part, and is unsigned', () => {
    expect(crc32(Buffer.from('__123456789__'), 2, 11)).toBe(0xcbf43926)
    expect(crc32(Buffer.alloc(0))).toBe(0)
  })
})
