import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { wrap } from '../../src/cli/wrap.ts'

describe('wrap', () => {
  test.each([
    ['', 10, ['']],
    ['one two three', 7, ['one two', 'three']],
    ['one  two\nthree', 20, ['one two', 'three']],
    ['a abcdefghijkl b', 5, ['a', 'abcdefghijkl', 'b']],
  ])('%j at %i', (text, width, lines) => {
    expect(wrap(text, width)).toEqual(lines)
  })

  test('keeps every word, in order, and no line is longer than it must be', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/)), fc.integer({ min: 5, max: 30 }), (words, width) => {
        const lines = wrap(words.join(' '), width)
        expect(lines.join(' ').split(' ').filter(Boolean)).toEqual(words)
        for (const line of lines) expect(line.length <= width || !line.includes(' ')).toBe(true)
      }),
    )
  })
})
