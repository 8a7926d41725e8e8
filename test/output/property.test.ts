import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DataErrorRecord, KafkaOutputOptions } from '../../src/output/output.ts'
import { csvText } from '../../src/output/serialize/csv.ts'
import { jsonText } from '../../src/output/serialize/json.ts'
import { parseJsonValue } from '../../src/output/types/json-reader.ts'
import { RowTyper } from '../../src/output/types/row-typer.ts'
import type { Row } from '../../src/output/types/value.ts'
import { newOutput, startCluster } from './harness.ts'
import { anyRow, avroRow } from './support.ts'

/** Whatever a program may hand over in the place of a row. */
const anything = fc.oneof(
  anyRow,
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withNullPrototype: true,
  }),
  fc.record({ a: fc.constantFrom(NaN, Infinity, 2n ** 63n, Symbol.iterator, () => 1, /x/) }),
)

interface Written {
  readonly values: Buffer[]
  readonly errors: DataErrorRecord[]
  readonly dropped: number
}

/** Writes rows with an output of its own, under Drop. */
async function write(rows: readonly unknown[], options: Partial<KafkaOutputOptions>): Promise<Written> {
  const cluster = await startCluster({ topics: { t: 1 } })
  const errors: DataErrorRecord[] = []
  const output = newOutput(cluster, {
    errorPolicy: 'Drop',
    onDataError: (record) => void errors.push(record),
    ...options,
  })
  const { dropped, delivered, rows: taken } = await output.write(rows as object[])
  await output.close()
  expect(delivered + dropped).toBe(taken)
  expect(taken).toBe(rows.length)
  const values = cluster.records('t').map(({ value }) => Buffer.from(value ?? []))
  await cluster.close()
  return { values, errors, dropped }
}

function typed(rows: readonly unknown[]): Row[] {
  const typer = new RowTyper()
  return rows.map((row) => typer.type(row))
}

describe('rows through an output', () => {
  it.each<[string, Partial<KafkaOutputOptions>]>([
    ['Json', {}],
    ['Json', { rowsPerMessage: 3 }],
    ['Csv', { serialization: 'csv' }],
    ['Avro', { serialization: 'avro' }],
    ['Avro, raw', { serialization: 'avro', avroFraming: 'raw' }],
    ['with a key', { partitionKey: 'a', timestampColumn: 'b' }],
  ])('of any kind are delivered, or dropped with an error that names row and kind: %s', async (_, options) => {
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { maxLength: 12 }), async (rows) => {
        const { errors, dropped } = await write(rows, options)
        expect(errors.reduce((sum, { EventCount }) => sum + EventCount, 0)).toBe(dropped)
        for (const { Message, DataErrorType } of errors) {
          expect(DataErrorType).toMatch(/^OutputDataConversionError\./)
          expect(Message).toMatch(/^KafkaOutput: [A-Z_]+: row \d+(, column ".*")?: .+: .+/s)
        }
      }),
      { numRuns: 15 },
    )
  })

  it('as JSON are the same to another reader', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRow, { minLength: 1, maxLength: 8 }), async (rows) => {
        const { values, dropped } = await write(rows, {})
        expect(dropped).toBe(0)
        // JSON.parse rounds large integers; their digits are compared as they stand.
        values.forEach((value, i) => {
          expect(JSON.parse(String(value))).toEqual(JSON.parse(jsonText(typed(rows)[i]!)))
          expect(jsonText(parseJsonValue(String(value)))).toBe(String(value))
        })
      }),
      { numRuns: 30 },
    )
  })

  it('as CSV are the same to a library that reads it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(avroRow, { minLength: 1, maxLength: 8 }), async (rows) => {
        const wide = rows.filter((row) => Object.keys(row).length > 0)
        const { values } = await write(wide, { serialization: { type: 'csv', fieldDelimiter: 'semicolon' } })
        const kept = typed(wide).filter((row) =>
          row.values.every((value) => typeof value !== 'string' || isUtf8(value)),
        )
        expect(values).toHaveLength(kept.length)
        values.forEach((value, i) => {
          const [names, cells] = parse(value, { delimiter: ';', recordDelimiter: '\r\n' })
          expect(names).toEqual(kept[i]!.names)
          expect(cells).toEqual(kept[i]!.values.map((cell) => (cell === null ? '' : csvText(cell))))
        })
      }),
      { numRuns: 30 },
    )
  })
})

function isUtf8(text: string): boolean {
  return Buffer.from(text).toString() === text
}
