import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AvroFormat } from '../../src/output/serialize/avro.ts'
import { CsvFormat, csvText } from '../../src/output/serialize/csv.ts'
import { JsonFormat, jsonText } from '../../src/output/serialize/json.ts'
import type { MessageFormat } from '../../src/output/serialize/message-format.ts'
import { MessagePacker } from '../../src/output/serialize/message-packer.ts'
import { fieldDelimiters } from '../../src/output/serialize/serialization.ts'
import { RowTyper } from '../../src/output/types/row-typer.ts'
import { Row, type Value } from '../../src/output/types/value.ts'
import { newOutput, startCluster } from '../output/harness.ts'
import { anyRow, avroRow, fixtureRows, fixtureText, jsonFixtures } from '../output/support.ts'
import type { LineProcess } from '../support/kafka/line-process.ts'
import { describeWhere } from '../support/kafka/require-brokers.ts'
import { SEED, VALUES } from './comparison.ts'
import {
  expected,
  expectedOfAvro,
  expectedOfJson,
  formatReadersAvailable,
  startFormatReaders,
  type Answered,
} from './output-judge.ts'

const limits = { rowsPerMessage: 1000, bytesPerMessage: 1e9, maxMessageBytes: 1e9 }

function messages(format: MessageFormat, rows: readonly Row[], rowsPerMessage = 1000): Buffer[] {
  const packer = new MessagePacker(format, { ...limits, rowsPerMessage })
  return [...rows.flatMap((row) => packer.push(row)), ...packer.flush()].map(({ value }) => Buffer.from(value))
}

function typed(inputs: readonly unknown[]): Row[] {
  const typer = new RowTyper()
  return inputs.map((input) => typer.type(input))
}

function samples(arbitrary: fc.Arbitrary<object>, keep: (row: Row) => boolean = () => true): Row[] {
  return typed(fc.sample(arbitrary, { seed: SEED, numRuns: VALUES })).filter(keep)
}

/** JSON writes it as an escape; the other formats refuse it. */
function hasHalfSurrogate(row: Row): boolean {
  return /\\ud[89a-f]/.test(jsonText(row))
}

/** From the first float of a column on, Avro has its bigints as double, too. */
function withFloatColumns(rows: readonly Row[]): Row[] {
  const floats = new Set<string>()
  return rows.map(({ names, values }) => {
    names.forEach((name, i) => typeof values[i] === 'number' && floats.add(name))
    const asFloat = (value: Value, i: number): Value =>
      typeof value === 'bigint' && floats.has(names[i] ?? '') ? Number(value) : value
    return new Row(names, values.map(asFloat))
  })
}

/** A csv reader knows strings only; the words of null and the empty string are the same to it. */
function cell(value: Value): string {
  return value === null ? '' : csvText(value)
}

describeWhere(await formatReadersAvailable(), 'the formats of the output, read by others', () => {
  let readers: LineProcess
  beforeAll(async () => {
    readers = await startFormatReaders()
  })
  afterAll(() => readers.close())

  async function read<T = Answered[]>(op: string, bytes: Buffer, more: object = {}): Promise<T> {
    return (await readers.ask(op, { base64: bytes.toString('base64'), ...more })).result as T
  }

  async function checkJson(rows: readonly Row[]): Promise<void> {
    for (const [layout, op] of [
      ['LineSeparated', 'json_lines'],
      ['Array', 'json_array'],
    ] as const) {
      const [message] = messages(new JsonFormat(layout), rows, rows.length)
      expect(await read(op, message as Buffer), `seed ${SEED}`).toEqual(rows.map(expectedOfJson))
    }
  }

  async function checkAvro(rows: readonly Row[]): Promise<void> {
    const answers: Answered[] = []
    for (const message of messages(
      new AvroFormat({ framing: 'container', schema: null, schemaId: null, columns: [] }),
      rows,
    )) {
      const container = await read<{ rows: Answered[]; codec: string }>('avro_container', message)
      expect(container.codec).toBe('null')
      answers.push(...container.rows)
    }
    expect(answers, `seed ${SEED}`).toEqual(withFloatColumns(rows).map(expectedOfAvro))
  }

  async function checkCsv(
    rows: readonly Row[],
    delimiter: (typeof fieldDelimiters)[number],
    newline: '\r\n' | '\n',
  ): Promise<void> {
    const answers: string[][] = []
    for (const row of rows) {
      const format = new CsvFormat({ fieldDelimiter: delimiter, header: true, newline, columns: [] })
      const [message] = messages(format, [row])
      answers.push(...(await read<string[][]>('csv_rows', message as Buffer, { delimiter })))
    }
    expect(answers, `seed ${SEED}`).toEqual(rows.flatMap((row) => [[...row.names], row.values.map(cell)]))
  }

  it.each(jsonFixtures)('asa-Z1: %s as JSON, by Python’s json', async (name) => {
    await checkJson(fixtureRows(name))
  })

  it.each(jsonFixtures)('asa-Z3: %s as Avro, by fastavro', async (name) => {
    await checkAvro(fixtureRows(name))
  })

  it.each(fieldDelimiters)('asa-Z2: the fixtures as CSV with %j, by Python’s csv', async (delimiter) => {
    await checkCsv(
      jsonFixtures.flatMap((name) => fixtureRows(name).slice(0, 40)),
      delimiter,
      '\r\n',
    )
  })

  it('asa-Z2: the CSV fixture, re-read and written again, is equal', async () => {
    const [names, ...lines] = await read<string[][]>('csv_rows', Buffer.from(fixtureText('SensorDataSample.csv')), {
      delimiter: ',',
    })
    const rows = typed(lines.map((line) => Object.fromEntries((names ?? []).map((name, i) => [name, line[i]]))))
    expect(rows).toHaveLength(219)
    const [message] = messages(new CsvFormat({ fieldDelimiter: ';', header: true, newline: '\n', columns: [] }), rows)
    expect(await read('csv_rows', message as Buffer, { delimiter: ';' })).toEqual([names, ...lines])
  })

  it('asa-Z1: generated rows as JSON', async () => {
    await checkJson(samples(anyRow))
  })

  it('asa-Z2: generated rows as CSV', async () => {
    const rows = samples(anyRow, (row) => row.names.length > 0 && !hasHalfSurrogate(row))
    expect(rows.length).toBeGreaterThan(VALUES / 4)
    await checkCsv(rows, '|', '\n')
  })

  it('asa-Z3: generated rows as Avro, in a schema each', async () => {
    const rows = samples(avroRow, (row) => !hasHalfSurrogate(row))
    expect(rows.length).toBeGreaterThan(VALUES / 4)
    for (const row of rows) await checkAvro([row])
  })

  it('asa-Z3: generated rows as raw and Confluent Avro', async () => {
    const rows = samples(avroRow, (row) => !hasHalfSurrogate(row))
    for (const row of rows) {
      const [raw, confluent] = (['raw', 'confluent'] as const).map((framing) => {
        const format = new AvroFormat({ framing, schema: null, schemaId: framing === 'raw' ? null : 258, columns: [] })
        return { bytes: messages(format, [row])[0] as Buffer, schema: format.schema }
      })
      expect(await read('avro_raw', raw?.bytes as Buffer, { schema: raw?.schema }), `seed ${SEED}`).toEqual([
        expectedOfAvro(row),
      ])
      expect(confluent?.bytes.toString('hex')).toBe(`0000000102${String(raw?.bytes.toString('hex'))}`)
    }
  })

  it('asa-Z3: 2^53 + 1 and the ends of int64 are exact in every format', async () => {
    const rows = typed([2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)].map((big) => ({ big, none: null })))
    await checkJson(rows)
    await checkAvro(rows)
    await checkCsv(rows, ',', '\r\n')
    expect(expected(rows[0] as Row)).toEqual({
      o: [
        ['big', { i: '9007199254740993' }],
        ['none', null],
      ],
    })
  })

  it('asa-Z3: rows packed into one container', async () => {
    const rows = typed(
      Array.from({ length: 300 }, (_, i) => ({ i, text: 'x'.repeat(i % 7), on: i % 2 === 0, none: null })),
    )
    expect(
      messages(new AvroFormat({ framing: 'container', schema: null, schemaId: null, columns: [] }), rows),
    ).toHaveLength(1)
    await checkAvro(rows)
  })

  it('asa-Z1: generated rows through an output as JSON', async () => {
    const rows = samples(anyRow)
    const cluster = await startCluster({ topics: { t: 1 } })
    expect(await newOutput(cluster).write(rows)).toMatchObject({ delivered: rows.length })
    const lines = cluster.records('t').map(({ value }) => String(value))
    expect(await read('json_lines', Buffer.from(lines.join('\n'))), `seed ${SEED}`).toEqual(rows.map(expectedOfJson))
  })

  it('asa-Z3: generated rows through an output as Avro, an output each', async () => {
    const rows = samples(avroRow, (row) => !hasHalfSurrogate(row)).slice(0, 60)
    const cluster = await startCluster({ topics: { t: 1 } })
    for (const row of rows) await newOutput(cluster, { serialization: 'avro' }).write([row])
    for (const [i, { value }] of cluster.records('t').entries()) {
      const container = await read<{ rows: Answered[] }>('avro_container', Buffer.from(value ?? []))
      expect(container.rows, `seed ${SEED}, row ${i}`).toEqual([expectedOfAvro(rows[i] as Row)])
    }
    expect(cluster.recordCount('t')).toBe(rows.length)
  })
})
