import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { ConversionError } from '../../src/output/types/conversion-error.ts'
import { parseJsonValue } from '../../src/output/types/json-reader.ts'
import { RowTyper } from '../../src/output/types/row-typer.ts'
import type { Row } from '../../src/output/types/value.ts'

export const jsonFixtures = [
  'CarMakes',
  'DifferentTimestamps',
  'Entry',
  'SampleSensorData',
  'TemperatureSampleData',
  'telco',
] as const
export type JsonFixture = (typeof jsonFixtures)[number]

export function fixtureText(file: string): string {
  return readFileSync(new URL(`../fixtures/asa/${file}`, import.meta.url), 'utf8')
}

/** The rows of a fixture, which is one array of objects, as our reader reads them. */
export function fixtureRows(name: JsonFixture): Row[] {
  const rows = parseJsonValue(fixtureText(`${name}.json`))
  if (!Array.isArray(rows)) throw new TypeError(`${name} is not an array`)
  const typer = new RowTyper()
  return rows.map((row) => typer.type(row))
}

export function row(members: object): Row {
  return new RowTyper().type(members)
}

/** What a call throws, which must be a conversion error. */
export function conversionError(call: () => unknown): ConversionError {
  try {
    call()
  } catch (error) {
    if (error instanceof ConversionError) return error
    throw new Error('threw, but no ConversionError', { cause: error })
  }
  throw new Error('did not throw')
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const float = fc.double({ noNaN: true, noDefaultInfinity: true })
const text = fc.string({ unit: 'binary', maxLength: 12 })
const moment = fc.date({
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
})
const avroName = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,6}$/)

const scalars: readonly fc.Arbitrary<unknown>[] = [int64, float, text, moment, fc.boolean()]
const scalar: fc.Arbitrary<unknown> = fc.oneof(...scalars, fc.constant(null))

function members(name: fc.Arbitrary<string>, value: fc.Arbitrary<unknown>): fc.Arbitrary<object> {
  return fc
    .uniqueArray(fc.tuple(name, value), { maxLength: 5, selector: ([key]) => key.toLowerCase() })
    .map((entries) => Object.fromEntries(entries))
}

function rowsOf(name: fc.Arbitrary<string>): fc.Arbitrary<object> {
  const ofOneType = fc.oneof(...scalars.map((item) => fc.array(fc.option(item), { maxLength: 4 })))
  const record = members(name, fc.oneof(scalar, ofOneType))
  const value = fc.oneof(
    { weight: 4, arbitrary: scalar },
    record,
    ofOneType,
    fc.array(members(name, int64), { maxLength: 3 }),
  )
  return members(name, value)
}

/** Rows of every type that any format holds, with names that Avro allows. */
export const avroRow = rowsOf(avroName)
/** The same with any names. */
export const anyRow = rowsOf(fc.oneof(avroName, text))
