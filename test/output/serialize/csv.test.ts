import { describe, expect, it } from 'vitest'
import { CsvFormat, csvText, type CsvOptions } from '../../../src/output/serialize/csv.ts'
import { fieldDelimiters } from '../../../src/output/serialize/serialization.ts'
import { RowTyper } from '../../../src/output/types/row-typer.ts'
import { conversionError, fixtureRows, fixtureText, row } from '../support.ts'

function format(options: Partial<CsvOptions> = {}): CsvFormat {
  return new CsvFormat({ fieldDelimiter: ',', header: true, newline: '\r\n', columns: [], ...options })
}

function written(rows: readonly object[], options: Partial<CsvOptions> = {}): string {
  const csv = format(options)
  return Buffer.from(csv.assemble(rows.map((it) => csv.encodeRow(row(it))))).toString()
}

describe('CSV', () => {
  it('asa-Z2: the sensor rows are what the same data is as CSV, but for quotes and for floats without a fraction', () => {
    const csv = format({ newline: '\n' })
    const message = Buffer.from(csv.assemble(fixtureRows('SampleSensorData').map((it) => csv.encodeRow(it)))).toString()
    const expected = fixtureText('SensorDataSample.csv')
      .replace(/^\ufeff/, '')
      .trimEnd()
      .replaceAll('\r\n', '\n')
      .replaceAll('"', '')
      .replace(/(\d)\.0(?=[,\n])/g, '$1')
    expect(message).toBe(expected)
  })

  it.each(fieldDelimiters)(
    'asa-Z2: a header row, and quotes only where %j, a quote or a line end asks for them',
    (fieldDelimiter) => {
      const others = fieldDelimiters.filter((it) => it !== fieldDelimiter).join('')
      const input = {
        name: `a${fieldDelimiter}b`,
        [`x${fieldDelimiter}`]: others,
        quote: 'say "hi"',
        lines: 'a\nb',
        cr: 'a\rb',
      }
      expect(written([input], { fieldDelimiter }).split('\r\n')).toEqual([
        ['name', `"x${fieldDelimiter}"`, 'quote', 'lines', 'cr'].join(fieldDelimiter),
        [`"a${fieldDelimiter}b"`, others, '"say ""hi"""', '"a\nb"', '"a\rb"'].join(fieldDelimiter),
      ])
    },
  )

  it('asa-Z2: the words Record and Array, bit as true and false, null empty, an empty string quoted, numbers of no culture', () => {
    const at = new Date('2014-09-10T12:01:00Z')
    const input = {
      r: { a: 1 },
      l: [1],
      on: true,
      off: false,
      none: null,
      empty: '',
      f: 1234567.5,
      e: 1e21,
      b: 2n ** 63n - 1n,
      at,
    }
    expect(written([input], { header: false })).toBe(
      'Record,Array,true,false,,"",1234567.5,1e+21,9223372036854775807,2014-09-10T12:01:00.0000000Z',
    )
  })

  it('asa-Z2: newline is an option, the last line has none; rows of the same columns share the header', () => {
    const rows = [
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ]
    expect(written(rows)).toBe('a,b\r\n1,2\r\n3,4')
    expect(written(rows, { newline: '\n' })).toBe('a,b\n1,2\n3,4')
    expect(written(rows, { header: false })).toBe('1,2\r\n3,4')
  })

  it('a line that is one empty field is not an empty line', () => {
    expect(written([{ a: null }])).toBe('a\r\n""')
    expect(written([{ '': 'x' }])).toBe('""\r\nx')
  })

  it('declared columns come first and always, whatever the row has', () => {
    const columns = [
      { name: 'b', type: 'bigint' },
      { name: 'a', type: 'bit' },
    ] as const
    const csv = format({ columns })
    const typed = new RowTyper(columns).type({ c: 1, A: '0' })
    expect(Buffer.from(csv.assemble([csv.encodeRow(typed)])).toString()).toBe('b,a,c\r\n,false,1')
  })

  it('other columns have another shape, the same columns the same', () => {
    const csv = format()
    const [one, two, three] = [{ a: 1 }, { a: 2 }, { b: 1 }].map((it) => csv.encodeRow(row(it)).shape)
    expect(two).toBe(one)
    expect(three).not.toBe(one)
  })

  it('without a header the first row decides the columns: a missing one is empty, a new one an error', () => {
    const csv = format({ header: false })
    const line = (input: object): string => Buffer.from(csv.encodeRow(row(input)).bytes).toString()
    expect([line({ a: 1, b: 2 }), line({ b: 3 }), line({ b: 5, a: 4 })]).toEqual(['1,2', ',3', '4,5'])
    const error = conversionError(() => line({ a: 1, b: 2, c: 3 }))
    expect(error).toMatchObject({ dataErrorType: 'OutputDataConversionError.ColumnNameInvalid', column: 'c' })
    expect(line({ a: 6, b: 7 })).toBe('6,7')
  })

  it('without a header a row that failed decides nothing', () => {
    const csv = format({ header: false })
    expect(conversionError(() => csv.encodeRow(row({ a: 'half \ud800' })))).toMatchObject({
      column: 'a',
      valueKind: 'nvarchar(max)',
    })
    expect(Buffer.from(csv.encodeRow(row({ b: 1 })).bytes).toString()).toBe('1')
  })

  it('asa-Z7: a value as text is what a record key is made of', () => {
    expect([5n, 0.5, 'a,b', true].map(csvText)).toEqual(['5', '0.5', 'a,b', 'true'])
  })
})
