import { describe, expect, test } from 'vitest'
import { fnv1a } from '../../src/partitioner/fnv1a.ts'

describe('fnv1a', () => {
  // The table of unittest_fnv1a in librdkafka's rdfnv1a.c, which has it from Go's hash/fnv through Sarama's partitioner.
  test.each([
    ['kafka', 0xd33c4e1],
    ['giberish123456789', 0x77a58295],
    ['1234', 0x23bdd03],
    ['234', 0x2dea3cd2],
    ['34', 0x740fa83e],
    ['4', 0x310ca263],
    ['PreAmbleWillBeRemoved,ThePrePartThatIs', 0x65cbd69c],
    ['reAmbleWillBeRemoved,ThePrePartThatIs', 0x6e49c79a],
    ['eAmbleWillBeRemoved,ThePrePartThatIs', 0x69eed356],
    ['AmbleWillBeRemoved,ThePrePartThatIs', 0x6abcc023],
    ['', 0x7ee3623b],
  ])('of "%s" is %i', (text, expected) => {
    expect(fnv1a(Buffer.from(text))).toBe(expected)
  })

  // Found by trying keys: FNV-1a of these five bytes is 0x80000000, whose absolute value no int32 has.
  test('of a key with the smallest int32 is 2^31, as uint32 in C', () => {
    expect(fnv1a(Buffer.from('025796df4d', 'hex'))).toBe(2 ** 31)
  })
})
