import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonFormat, jsonText, type JsonLayout } from '../../../src/output/serialize/json.ts'
import { RowTyper } from '../../../src/output/types/row-typer.ts'
import type { Row } from '../../../src/output/types/value.ts'
import { fixtureRows, fixtureText, jsonFixtures, row } from '../support.ts'

function message(layout: JsonLayout, rows: readonly Row[]): string {
  const format = new JsonFormat(layout)
  return Buffer.from(format.assemble(rows.map((it) => format.encodeRow(it)))).toString()
}

/** A fixture as JSON without blanks between tokens, every token as it was, but floats as JavaScript writes them. */
function compact(text: string): string {
  const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\s+|[^\s]/g
  return (text.replace(/^\ufeff/, '').match(token) ?? [])
    .filter((it) => it.trim() !== '')
    .map((it) => (/^-?\d+[.eE]/.test(it) ? JSON.stringify(Number(it)) : it))
    .join('')
}

describe('JSON', () => {
  it.each(jsonFixtures)('asa-Z1: %s as array is its file without the blanks, byte for byte', (name) => {
    expect(message('Array', fixtureRows(name))).toBe(compact(fixtureText(`${name}.json`)))
  })

  it.each(jsonFixtures)('asa-Z1: %s line separated is a JSON document a line', (name) => {
    const rows = fixtureRows(name)
    const lines = message('LineSeparated', rows).split('\n')
    expect(lines).toHaveLength(rows.length)
    expect(`[${lines.join(',')}]`).toBe(compact(fixtureText(`${name}.json`)))
  })

  it('asa-Z1: one row: no line feed at its end; an array all the same', () => {
    expect(message('LineSeparated', [row({ a: 1 })])).toBe('{"a":1}')
    expect(message('Array', [row({ a: 1 })])).toBe('[{"a":1}]')
  })

  it('asa-Z1: integers have all their digits, datetimes seven, null is kept, order too', () => {
    const typer = new RowTyper([{ name: 'iso', type: 'datetime' }])
    const typed = typer.type({
      z: 9007199254740993n,
      min: -(2n ** 63n),
      n: null,
      at: new Date('2014-09-10T12:01:00Z'),
      iso: '2017-11-10T08:27:47.2779369+01:00',
      r: { b: [1, [null, { x: true }]], a: {} },
    })
    expect(jsonText(typed)).toBe(
      '{"z":9007199254740993,"min":-9223372036854775808,"n":null,"at":"2014-09-10T12:01:00.0000000Z",' +
        '"iso":"2017-11-10T07:27:47.2779369Z","r":{"b":[1,[null,{"x":true}]],"a":{}}}',
    )
  })

  it.each([
    [1e21, '1e+21'],
    [5e-324, '5e-324'],
    [98103, '98103'],
    [0.1, '0.1'],
    [-0, '-0.0'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
  ])('asa-Z1: the float %d is %s', (value, text) => {
    expect(jsonText(value)).toBe(text)
    expect(Object.is(Number(text), value)).toBe(true)
  })

  it('keeps strings exactly: control characters, quotes, half surrogates, separators', () => {
    expect(jsonText('\u0000"\\\n\ud800\u2028é😀')).toBe('"\\u0000\\"\\\\\\n\\ud800\u2028é😀"')
  })

  it('writes what JSON.stringify writes, for everything that JSON knows', () => {
    const members = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }))
    fc.assert(
      fc.property(members, (input) => {
        fc.pre(new Set(Object.keys(input).map((name) => name.toLowerCase())).size === Object.keys(input).length)
        expect(jsonText(row(input))).toBe(JSON.stringify(input))
      }),
    )
  })
})
