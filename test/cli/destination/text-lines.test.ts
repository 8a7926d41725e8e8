import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TextLines, type TextLine } from '../../../src/cli/destination/text-lines.ts'
import { LineSplitter, type Line } from '../../../src/cli/line-splitter.ts'

const texts = ['a', 'é', '日本', '😀', '\r', '\n', '\n', '\r\n', '\ufeff', '\u2028', '{"a":1}']
const piece = fc.oneof(
  fc.constantFrom(...texts).map((text) => Buffer.from(text)),
  // No UTF-8.
  fc.constantFrom([0x80], [0xc3], [0xff, 0xfe], [0xed, 0xa0, 0x80]).map((bytes) => Buffer.from(bytes)),
)

function bytesOf(line: TextLine): Buffer | number {
  return typeof line === 'string' ? Buffer.from(line) : (line.bytes ?? line.length)
}

test('gives the lines that LineSplitter gives, wherever chunks are cut', () => {
  const maxBytes = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant(1000))
  const input = fc.oneof(
    fc.array(piece, { maxLength: 40 }),
    fc.array(fc.constantFrom(...texts).map((text) => Buffer.from(text))),
  )
  fc.assert(
    fc.property(input, fc.array(fc.nat(60)), maxBytes, (pieces, cuts, maxLineBytes) => {
      const whole = Buffer.concat(pieces)
      const lines = new TextLines(maxLineBytes)
      const splitter = new LineSplitter(maxLineBytes)
      const ours: TextLine[] = []
      const theirs: Line[] = []
      let from = 0
      for (const to of [...cuts.sort((a, b) => a - b), whole.length]) {
        const chunk = whole.subarray(from, Math.max(from, Math.min(to, whole.length)))
        ours.push(...lines.push(chunk))
        theirs.push(...splitter.push(chunk))
        from += chunk.length
      }
      ours.push(...lines.end())
      theirs.push(...splitter.end())
      expect(ours.map(bytesOf)).toEqual(theirs.map(({ bytes, length }) => bytes ?? length))
    }),
    { numRuns: 2000 },
  )
})

test('gives text for the lines within a chunk', () => {
  const lines = new TextLines(1000)
  expect(lines.push(Buffer.from('a\n\u00e9\r\nb'))).toEqual(['a', '\u00e9'])
  expect(lines.push(Buffer.from('c\nd\n')).slice(1)).toEqual(['d'])
  expect(lines.end()).toEqual([])
})
