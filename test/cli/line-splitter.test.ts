import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LineSplitter } from '../../src/cli/line-splitter.ts'

function split(chunks: readonly Buffer[], maxLineBytes = 1000): (string | number)[] {
  const splitter = new LineSplitter(maxLineBytes)
  const lines = [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()]
  return lines.map(({ bytes, length }) => bytes?.toString('latin1') ?? length)
}

const text = (...parts: string[]): Buffer[] => parts.map((part) => Buffer.from(part, 'latin1'))

describe('LineSplitter', () => {
  test('takes \\n and \\r\\n as line ends, and nothing else', () => {
    expect(split(text('a\nb\r\nc\rd\n\r\r\n\n\x0b\x0c\x85\n'))).toEqual(['a', 'b', 'c\rd', '\r', '', '\x0b\x0c\x85'])
  })

  test('gives a last line without a line end, but no empty one after the last line end', () => {
    expect(split(text('a\nb'))).toEqual(['a', 'b'])
    expect(split(text('a\n'))).toEqual(['a'])
    expect(split(text(''))).toEqual([])
    expect(split(text('a\r'))).toEqual(['a\r'])
  })

  test('counts a line that is too long, and goes on behind it', () => {
    expect(split(text('abcd\nabcde\r\nabc', 'd\r', '\nabc', 'defghi', 'j\nabcd\r\nabcde'), 4)).toEqual([
      'abcd',
      5,
      'abcd',
      10,
      'abcd',
      5,
    ])
  })

  test('does not keep a line that is too long', () => {
    const splitter = new LineSplitter(10)
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 1024; i++) expect(splitter.push(Buffer.alloc(2 ** 20, 'x'))).toEqual([])
    // Some are garbage that nobody has collected yet.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 29)
    expect(splitter.end()).toEqual([{ bytes: null, length: 2 ** 30 }])
  })

  test('gives the same lines, wherever the chunks are cut', () => {
    const byte = fc.oneof(fc.constantFrom(10, 13), fc.integer({ min: 0, max: 255 }))
    const chunks = fc.array(fc.array(byte, { maxLength: 12 }).map((bytes) => Buffer.from(bytes)))
    fc.assert(
      fc.property(chunks, fc.integer({ min: 0, max: 9 }), (parts, max) => {
        const whole = Buffer.concat(parts)
        expect(split(parts, max)).toEqual(split([whole], max))
        const expected = whole.toString('latin1').split(/\r?\n/)
        if (expected.at(-1) === '') expected.pop()
        expect(split(parts)).toEqual(expected)
      }),
    )
  })
})
