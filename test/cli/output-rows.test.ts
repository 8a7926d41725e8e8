import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CsvRows, type CsvOptions } from '../../src/cli/output/csv-rows.ts'
import { FROM_THE_BEGINNING, type InputRow, type InputStart } from '../../src/cli/output/input-row.ts'
import { JsonRows } from '../../src/cli/output/json-rows.ts'
import { Row } from '../../src/output/output.ts'

const CSV: CsvOptions = { inputName: 'in.csv', delimiter: ',', names: null, columns: [], maxRowBytes: 65_536 }
const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/asa/${name}`, import.meta.url))

function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, i) => Buffer.from(bytes.subarray(places[i], end)))
}

async function csv(
  bytes: Buffer,
  options: Partial<CsvOptions> = {},
  cuts: readonly number[] = [],
  start: InputStart = FROM_THE_BEGINNING,
): Promise<InputRow[]> {
  const reader = new CsvRows({ ...CSV, ...options }, start)
  const rows: InputRow[] = []
  for (const chunk of chunksOf(bytes, cuts)) rows.push(...(await reader.push(chunk)))
  return [...rows, ...(await reader.end())]
}

async function json(
  bytes: Buffer,
  cuts: readonly number[] = [],
  start: InputStart = FROM_THE_BEGINNING,
  isArray: boolean | null = null,
): Promise<InputRow[]> {
  const reader = new JsonRows({ inputName: 'in.json', maxRowBytes: 65_536, isArray }, start)
  async function* source(): AsyncGenerator<Buffer> {
    for (const chunk of chunksOf(bytes, cuts)) yield await Promise.resolve(chunk)
  }
  const rows: InputRow[] = []
  for await (const row of reader.read(source())) rows.push(row)
  return rows
}

/** `[line, values]`, or `[line, code]` of what could not be read. */
const short = (rows: readonly InputRow[]): unknown[] =>
  rows.map(({ line, result }) => [line, result instanceof Row ? result.values : result.code])

const said = (rows: readonly InputRow[]): string[] =>
  rows.flatMap(({ result }) => (result instanceof Row ? [] : [result.message]))

const someCuts = fc.array(fc.nat(), { maxLength: 12 })
const CRUEL = [
  'a,b,c',
  '1,"x ""y"" z",',
  '',
  '2,"two\nlines\r\nor three",é☃𝄞',
  '3,"wrong"quote,x',
  '4,,"last"',
  '5,too,many,cells',
  '6,"never closed,x',
  '7,x,y',
].join('\r\n')

describe('CSV', () => {
  test('the sample of Stream Analytics', async () => {
    const rows = await csv(fixture('SensorDataSample.csv'))
    expect(rows).toHaveLength(219)
    expect(said(rows)).toEqual([])
    expect((rows[0]?.result as Row).names).toEqual(['time', 'hmdt', 'temp', 'prss', 'lght', 'dspl'])
    expect((rows[0]?.result as Row).values[5]).toBe("R-PI Olivier's Office")
  })

  test('quotes, line ends and blank lines; a bad row ends nothing', async () => {
    const rows = await csv(Buffer.from(CRUEL))
    expect(short(rows)).toEqual([
      [2, ['1', 'x "y" z', '']],
      [6, ['2', 'two\nlines\r\nor three', 'é☃𝄞']],
      [7, 'INVALID_CSV'],
      [8, ['4', '', 'last']],
      [9, 'CELL_COUNT'],
      [10, 'INVALID_CSV'],
      [11, ['7', 'x', 'y']],
    ])
    expect(said(rows)).toEqual([
      'line 7: something follows a closing quote; a quote inside of quotes is written twice',
      'line 9: 4 cells, but 3 columns',
      'line 10: a quote is opened and never closed',
    ])
  })

  test('however the chunks are cut, the rows are the same', async () => {
    const bytes = Buffer.from(`\ufeff${CRUEL}\r\n`)
    const whole = await csv(bytes)
    expect(whole.at(-1)?.endByte).toBe(bytes.length)
    await fc.assert(
      fc.asyncProperty(someCuts, async (cuts) => {
        expect(await csv(bytes, {}, cuts)).toEqual(whole)
      }),
    )
  })

  test('reading can begin where a row ended', async () => {
    const bytes = Buffer.from(CRUEL)
    const whole = await csv(bytes)
    for (const [i, { line, endByte }] of whole.entries()) {
      const rest = await csv(bytes.subarray(endByte), { names: ['a', 'b', 'c'] }, [3, 7], { byte: endByte, line })
      expect(rest, `after line ${line}`).toEqual(whole.slice(i + 1))
    }
  })

  test.each([',', ';', ' ', '\t', '|'])('delimiter %j', async (delimiter) => {
    const text = `a${delimiter}b\n1${delimiter}"x${delimiter}y"\n`
    expect(short(await csv(Buffer.from(text), { delimiter }))).toEqual([[2, ['1', `x${delimiter}y`]]])
  })

  test('what is not UTF-8 is a fault of its row; the bytes of no other change', async () => {
    const bytes = Buffer.concat([Buffer.from('a,b\nx,'), Buffer.from([0xc3, 0x28]), Buffer.from('\ny,ü\n')])
    expect(short(await csv(bytes))).toEqual([
      [2, 'INVALID_UTF8'],
      [3, ['y', 'ü']],
    ])
  })

  test('an empty cell is null where a type other than text is declared', async () => {
    const columns = [
      { name: 'N', type: 'bigint' },
      { name: 't', type: 'nvarchar(max)' },
    ] as const
    expect(short(await csv(Buffer.from('n,t,u\n,,\n'), { columns }))).toEqual([[2, [null, '', '']]])
  })

  test.each([
    ['a,A\n', 'in.csv: the header row is not one: two columns are called "A" (case does not count)'],
    ['a,,b\n', 'in.csv: the header row is not one: column 2 of 3 has no name'],
    ['"a"b\n1\n', 'in.csv has no header row: line 1: something follows a closing quote'],
    ['\xff\xfea\0', 'in.csv is UTF-16: save it as UTF-8'],
  ])('header row %j', async (text, sentence) => {
    await expect(csv(Buffer.from(text, 'latin1'))).rejects.toThrow(sentence)
  })

  test('a row without end does not eat the memory, nor the rows behind it', async () => {
    const text = `a,b\n1,"${'x'.repeat(70_000)}\n2,y\n`
    const rows = await csv(Buffer.from(text), {}, [10_000, 30_000])
    expect(short(rows)).toEqual([
      [2, 'INVALID_CSV'],
      [3, ['2', 'y']],
    ])
    expect(said(rows)[0]).toMatch(/^line 2: the row is too long, or a quote is opened and never closed$/)
  })

  test('thousands of bad lines are thousands of faults', async () => {
    const rows = await csv(Buffer.from(`a,b\n${'"x"y,z\n'.repeat(1000)}1,2`))
    expect(rows).toHaveLength(1001)
    expect(short(rows.slice(-1))).toEqual([[1002, ['1', '2']]])
  })

  test('nothing, or a header alone, is no row', async () => {
    expect(await csv(Buffer.alloc(0))).toEqual([])
    expect(await csv(Buffer.from('a,b'))).toEqual([])
  })
})

describe('JSON', () => {
  const LINES = '{"a":1}\n\n{"a":9007199254740993,"b":1.0}\r\nnot json\n{"a":"é☃"}\n[1]\n{"a":2}'

  test('lines: big integers are exact, a bad line ends nothing', async () => {
    const rows = await json(Buffer.from(LINES))
    expect(short(rows)).toEqual([
      [1, [1n]],
      [3, [9007199254740993n, 1]],
      [4, 'INVALID_JSON'],
      [5, ['é☃']],
      [6, 'NOT_A_ROW'],
      [7, [2n]],
    ])
    expect(said(rows)).toEqual(['line 4, column 1: expected a value', 'line 6: expected an object, got an array'])
  })

  test.each(['CarMakes', 'DifferentTimestamps', 'Entry', 'SampleSensorData', 'TemperatureSampleData', 'telco'])(
    '%s.json is one array, and its rows are those that JSON.parse sees',
    async (name) => {
      const bytes = fixture(`${name}.json`)
      const expected = JSON.parse(String(bytes).replace(/^\uFEFF/, '')) as object[]
      const rows = await json(bytes, [100, 1000, 1001, 3000])
      expect(rows.map(({ result }) => (result as Row).names)).toEqual(expected.map((row) => Object.keys(row)))
      expect(said(rows)).toEqual([])
    },
  )

  const ARRAY = ' [ {"a":"]},\\"[{"}\n,\n{"a":[1,{"b":"é☃"}]},{"a":oops},{"a":3\n}\t]\n'

  test('an array: rows, and what is none', async () => {
    const rows = await json(Buffer.from(ARRAY))
    expect(rows.map(({ line, result }) => [line, result instanceof Row ? 'row' : result.message])).toEqual([
      [1, 'row'],
      [2, 'row'],
      [3, 'row 3, column 6: expected a value'],
      [4, 'row'],
    ])
    expect(short(await json(Buffer.from('[{"a":1},{"a":')))).toEqual([
      [1, [1n]],
      [2, 'INVALID_JSON'],
      [3, 'INVALID_JSON'],
    ])
    expect(said(await json(Buffer.from('[{"a":1},')))).toEqual(['row 2: the input ends before the array is closed'])
    expect(short(await json(Buffer.from('[{"a":1}] x')))).toEqual([
      [1, [1n]],
      [2, 'INVALID_JSON'],
    ])
    expect(await json(Buffer.from('[]'))).toEqual([])
    expect(await json(Buffer.from(' '))).toEqual([])
  })

  test.each([
    ['lines', `\ufeff${LINES}`],
    ['array', `\ufeff${ARRAY}`],
  ])('%s: however the chunks are cut, and from the end of any row', async (kind, text) => {
    const bytes = Buffer.from(text)
    const whole = await json(bytes)
    await fc.assert(
      fc.asyncProperty(someCuts, async (cuts) => {
        expect(await json(bytes, cuts)).toEqual(whole)
      }),
    )
    for (const [i, { line, endByte }] of whole.entries()) {
      const rest = await json(bytes.subarray(endByte), [2, 5], { byte: endByte, line }, kind === 'array')
      expect(rest, `after ${line}`).toEqual(whole.slice(i + 1))
    }
  })

  test('a row that is too long is a fault, and is not kept', async () => {
    const long = `"${'x'.repeat(70_000)}"`
    for (const text of [`[{"a":${long}},{"a":1}]`, `{"a":${long}}\n{"a":1}\n`]) {
      expect(short(await json(Buffer.from(text), [50, 66_000])).map((row) => (row as unknown[])[1])).toEqual([
        'TOO_LONG',
        [1n],
      ])
    }
  })

  test('UTF-16 is named', async () => {
    await expect(json(Buffer.from('\ufeff{}', 'utf16le'))).rejects.toThrow('in.json is UTF-16: save it as UTF-8')
  })
})

test('a row that cannot be read at the end of the input, and has no end, may not be whole yet', async () => {
  const cutOnes = (rows: readonly InputRow[]): boolean[] =>
    rows.map(({ result }) => !(result instanceof Row) && result.isCut === true)
  expect(cutOnes(await json(Buffer.from('no\n{"a":1}\n{"a":'), [13]))).toEqual([false, false, true])
  expect(cutOnes(await json(Buffer.from('{"a":1}\n{"a":\n')))).toEqual([false, false])
  expect(cutOnes(await json(Buffer.from('[{"a":1},7,{"a":')))).toEqual([false, false, true, true])
  expect(cutOnes(await json(Buffer.from('[{"a":1}] x')))).toEqual([false, false])
  expect(cutOnes(await csv(Buffer.from('a,b\n1\n1,2\n3'), {}, [9]))).toEqual([false, false, true])
  expect(cutOnes(await csv(Buffer.from('a,b\n1\n1,2\n3\n')))).toEqual([false, false, false])
})
