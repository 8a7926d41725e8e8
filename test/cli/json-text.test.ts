import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memberText } from '../../src/cli/json-text.ts'

describe('memberText', () => {
  test.each([
    ['{"id":12345678901234567890}', ['id'], '12345678901234567890'],
    ['{ "a" : "x,}" , "id" : 1.50 }', ['id'], '1.50'],
    ['{"a":{"id":1},"id":-0}', ['id'], '-0'],
    ['{"id":1,"id":2}', ['id'], '2'],
    ['{"a":{"b":{"c":[1, 2]} } }', ['a', 'b', 'c'], '[1, 2]'],
    ['{"a\\u0062":7}', ['ab'], '7'],
    ['{"a\\"":1,"b":{"x":"}"}}', ['b'], '{"x":"}"}'],
    ['{}', ['id'], null],
    ['[1]', ['id'], null],
    ['{"a":1}', ['a', 'b'], null],
    ['1', ['a'], null],
  ])('%s %j', (json, path, expected) => {
    expect(memberText(json, path)).toBe(expected)
  })

  test('finds every member of any object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 1, 2), (object, indent) => {
        const json = JSON.stringify(object, null, indent)
        for (const [name, value] of Object.entries(object)) {
          expect(JSON.parse(memberText(json, [name]) ?? '')).toEqual(JSON.parse(JSON.stringify(value)))
        }
      }),
    )
  })
})
