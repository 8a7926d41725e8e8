import type { ColumnType } from './column-type.ts'

/**
 * A value whose type is known by what JavaScript calls it:
 *
 *     bigint: bigint in int64   float: number, finite   nvarchar(max): string   bit: boolean
 *     datetime: DateTime        record: Row             array: an array         null fits every type
 */
export type Value = null | bigint | number | string | boolean | DateTime | Row | readonly Value[]

/** A moment, as every format writes it: ISO 8601, UTC, seven fractional digits (`2014-09-10T12:01:00.0000000Z`). */
export class DateTime {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/**
 * Columns and their values, in order; a nested record is one, too. Two lists and not an object, so that no name
 * (`__proto__`, `17`) is special and order is what was given.
 */
export class Row {
  readonly names: readonly string[]
  readonly values: readonly Value[]
  constructor(names: readonly string[], values: readonly Value[]) {
    this.names = names
    this.values = values
  }
}

export const INT64_MIN = -(2n ** 63n)
export const INT64_MAX = 2n ** 63n - 1n

/** The type of a value; `null` for null. */
export function typeOf(value: Value): ColumnType | null {
  if (value === null) return null
  switch (typeof value) {
    case 'bigint':
      return 'bigint'
    case 'number':
      return 'float'
    case 'string':
      return 'nvarchar(max)'
    case 'boolean':
      return 'bit'
    default:
      if (value instanceof DateTime) return 'datetime'
      return value instanceof Row ? 'record' : 'array'
  }
}

/**
 * A plain value as text that no locale changes: in CSV, as record key, and for a column declared `nvarchar(max)`.
 *
 * A float is JavaScript's shortest text that reads back as the same number; negative zero keeps its sign.
 */
export function plainText(value: bigint | number | string | boolean | DateTime): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return floatText(value)
  return value instanceof DateTime ? value.text : String(value)
}

/** As JSON and CSV write a float. `String(-0)` is `0`, which would lose the sign. */
export function floatText(value: number): string {
  return value === 0 && Object.is(value, -0) ? '-0.0' : String(value)
}
