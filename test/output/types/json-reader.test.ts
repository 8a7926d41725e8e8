import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonText } from '../../../src/output/serialize/json.ts'
import { parseJsonRow, parseJsonValue } from '../../../src/output/types/json-reader.ts'
import { readNdjson, type ReadRow } from '../../../src/output/types/ndjson.ts'
import { RowReadError } from '../../../src/output/types/row-read-error.ts'
import { RowTyper } from '../../../src/output/types/row-typer.ts'
import { Row } from '../../../src/output/types/value.ts'
import { anyRow } from '../support.ts'

function readError(call: () => unknown): RowReadError {
  try {
    call()
  } catch (error) {
    if (error instanceof RowReadError) return error
    throw error
  }
  throw new Error('did not throw')
}

describe('parseJsonRow', () => {
  it('asa-Z1: keeps every digit, and what was a float', () => {
    const text =
      '{"big":9007199254740993,"huge":123456789012345678901234567890,"one":1,"same":98103.0,"e":1e3,"E":-1E-2}'
    const row = parseJsonRow(text)
    expect(row.values).toEqual([9007199254740993n, 123456789012345678901234567890n, 1n, 98103, 1000, -0.01])
  })

  it('keeps order, odd names and doubled names, which the typer refuses', () => {
    const row = parseJsonRow('{"b":1,"17":2,"__proto__":{"b":3,"b":4},"b":5}')
    expect(row.names).toEqual(['b', '17', '__proto__', 'b'])
    expect(() => new RowTyper().type(row)).toThrow('DUPLICATE_KEY')
    expect(() => new RowTyper().type(parseJsonRow('{"a":{"b":3,"b":4}}'))).toThrow('DUPLICATE_KEY')
  })

  it('an integer beyond int64 is read, and is a conversion error when it is typed', () => {
    expect(() => new RowTyper().type(parseJsonRow('{"a":9223372036854775808}'))).toThrow('outside of int64')
  })

  it.each([
    ['{"a":01}', 7],
    ['{"a":1.}', 7],
    ['{"a":.5}', 6],
    ['{"a":+1}', 6],
    ['{"a":NaN}', 6],
    ['{"a":1,}', 8],
    ['{"a" 1}', 6],
    ['{a:1}', 2],
    ['{"a":"x', 8],
    ['{"a":"x\ty"}', 8],
    ['{"a":"\\x"}', 6],
    ['{"a":"\\', 9],
    ['{"a":[1,]}', 9],
    ['{"a":[1}', 8],
    ['{"a":1} x', 9],
    ['{"a":tru}', 6],
    ['', 1],
  ])('%j is no JSON from column %i on', (text, column) => {
    expect(() => JSON.parse(text) as unknown).toThrow()
    const error = readError(() => parseJsonRow(text, 12))
    expect(error).toMatchObject({ code: 'INVALID_JSON', line: 12, lineColumn: column })
    expect(error.message).toContain(`line 12, column ${column}`)
  })

  it.each(['[1]', '5', '"x"', 'null'])('%s is no row', (text) => {
    expect(readError(() => parseJsonRow(text)).code).toBe('NOT_A_ROW')
  })

  it('ends at 100 levels, long before the stack does', () => {
    const nested = (levels: number): string => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`
    expect(parseJsonRow(nested(99)).names).toEqual(['a'])
    expect(readError(() => parseJsonRow(nested(100))).code).toBe('TOO_DEEP')
    expect(readError(() => parseJsonRow(nested(1_000_000))).code).toBe('TOO_DEEP')
  })

  it('says yes and no as JSON.parse does, and reads the same', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '"\\u0041\\n"',
      '1',
      '-0.5e+3',
      'true',
      'null',
      ' ',
      '0',
      '.',
      '"',
      '\\',
    )
    const text = fc.oneof(
      fc.json(),
      fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join('')),
    )
    fc.assert(
      fc.property(text, (input) => {
        let expected: unknown
        try {
          expected = JSON.parse(input)
        } catch {
          expect(readError(() => parseJsonValue(input)).code).toBe('INVALID_JSON')
          return
        }
        const written = jsonText(parseJsonValue(input))
        // -0.5e+3111 is no float any more, which the typing of rows refuses.
        if (!written.includes('Infinity')) expect(JSON.parse(written)).toEqual(expected)
      }),
      { numRuns: 2000 },
    )
  })

  it('reads back every row that the JSON format writes', () => {
    fc.assert(
      fc.property(anyRow, (input) => {
        const text = jsonText(new RowTyper().type(input))
        expect(jsonText(parseJsonRow(text))).toBe(text)
      }),
    )
  })
})

async function read(chunks: Iterable<Uint8Array>, maxLineBytes?: number): Promise<ReadRow[]> {
  const rows: ReadRow[] = []
  for await (const item of readNdjson(chunks, maxLineBytes === undefined ? {} : { maxLineBytes })) rows.push(item)
  return rows
}

describe('readNdjson', () => {
  const text = '\ufeff{"a":"é😀"}\r\n\n  \n{"a":2}\nbroken\n{"a":3}'
  const bytes = Buffer.from(text)

  it('skips blank lines and the byte order mark; a bad line is told with its number, and the rest is read', async () => {
    const rows = await read([bytes])
    expect(rows.map(({ line }) => line)).toEqual([1, 4, 5, 6])
    expect(rows.map(({ result }) => (result instanceof Row ? result.values : result.code))).toEqual([
      ['é😀'],
      [2n],
      'INVALID_JSON',
      [3n],
    ])
  })

  it('says where each line ends, in bytes, so that reading can begin anew there', async () => {
    const rows = await read([bytes])
    expect(rows.at(-1)?.endByte).toBe(bytes.length)
    const [, second] = rows
    const rest = await read([bytes.subarray(second?.endByte)])
    expect(rest.map(({ result }) => (result instanceof Row ? result.values : result.code))).toEqual([
      'INVALID_JSON',
      [3n],
    ])
  })

  it('reads the same wherever the chunks are cut, although they are used again', async () => {
    const whole = await read([bytes])
    for (let at = 0; at <= bytes.length; at++) {
      const reused = function* (): Generator<Uint8Array> {
        const chunk = Buffer.from(bytes.subarray(0, at))
        yield chunk
        chunk.fill(0)
        yield bytes.subarray(at)
      }
      expect(await read(reused())).toEqual(whole)
    }
  })

  it('tells of a line that is too long or not UTF-8, and goes on', async () => {
    const lines = Buffer.concat([
      Buffer.from(`{"a":"${'x'.repeat(50)}"}\n`),
      Buffer.from([0x7b, 0xff, 0x7d, 0x0a]),
      Buffer.from('{"a":1}\n'),
    ])
    const rows = await read([lines.subarray(0, 30), lines.subarray(30)], 40)
    expect(rows.map(({ result }) => (result instanceof Row ? result.values : result.code))).toEqual([
      'TOO_LONG',
      'INVALID_UTF8',
      [1n],
    ])
  })
})
