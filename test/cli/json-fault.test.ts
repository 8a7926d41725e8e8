import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonFault } from '../../src/cli/json-fault.ts'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('jsonFault', () => {
  test.each([
    ['{"a":1 "b":2}', 1, 8],
    ['{\n  "a": hunter2\n}', 2, 8],
    ['{"a":"x\ny"}', 1, 6],
    ['{"a":1,}', 1, 8],
    ['{"a":1} x', 1, 9],
    ['[1, 2', 1, 6],
    ['', 1, 1],
    ["{'a':1}", 1, 2],
    ['{"a":01}', 1, 7],
    ['{"a":"\\x"}', 1, 6],
  ])('%j is wrong in line %i, column %i', (text, line, column) => {
    expect(jsonFault(text)).toEqual({ line, column })
  })

  test('finds nothing in what JSON.stringify gives', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(3), (json, indent) => {
        expect(jsonFault(JSON.stringify(JSON.parse(json), null, indent))).toBeNull()
      }),
    )
  })

  test('finds a fault exactly where JSON.parse does', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '1',
      '-',
      '0',
      '.5',
      'e3',
      'true',
      'nul',
      'null',
      ' ',
      '\n',
      '\\u00e9',
      '\\',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join('')
        expect(jsonFault(text) === null).toBe(isJson(text))
      }),
      { numRuns: 5000 },
    )
  })
})
