import type { ColumnType } from './column-type.ts'
import { fromIsoText } from './date-time.ts'
import type { Trail } from './trail.ts'
import { DateTime, INT64_MAX, INT64_MIN, plainText, typeOf, type Row, type Value } from './value.ts'

const INTEGER = /^[+-]?\d{1,64}$/
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

type Plain = Exclude<Value, null | Row | readonly Value[]>
type Converter = (value: Plain, trail: Trail) => Value

/**
 * A value as the type its column declares. What loses nothing is converted without a word, as in Stream Analytics;
 * everything else is a conversion error. Null fits every type.
 *
 * @throws {ConversionError} naming the value's type and the declared one.
 */
export function convertValue(value: Value, type: ColumnType, trail: Trail): Value {
  const given = typeOf(value)
  if (given === null || given === type) return value
  const converter = converters[type]
  if (converter === null || !isPlain(value)) throw refuse(value, type, trail)
  return converter(value, trail)
}

const converters: Readonly<Record<ColumnType, Converter | null>> = {
  bigint: toBigint,
  float: toFloat,
  'nvarchar(max)': (value) => plainText(value),
  datetime: toDateTime,
  bit: toBit,
  record: null,
  array: null,
}

function isPlain(value: Value): value is Plain {
  return typeof value !== 'object' || value instanceof DateTime
}

function toBigint(value: Plain, trail: Trail): bigint {
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'number' && !Number.isInteger(value)) throw refuse(value, 'bigint', trail, 'it has a fraction')
  if (typeof value === 'string' && !INTEGER.test(value)) throw refuse(value, 'bigint', trail, 'expected decimal digits')
  if (value instanceof DateTime) throw refuse(value, 'bigint', trail)
  // BigInt() does not know the plus sign.
  const integer = BigInt(typeof value === 'string' ? value.replace('+', '') : value)
  if (integer < INT64_MIN || integer > INT64_MAX)
    throw refuse(value, 'bigint', trail, 'outside of int64 (-2^63 to 2^63-1)')
  return integer
}

function toFloat(value: Plain, trail: Trail): number {
  if (typeof value === 'boolean' || value instanceof DateTime) throw refuse(value, 'float', trail)
  if (typeof value === 'string' && !DECIMAL.test(value))
    throw refuse(value, 'float', trail, 'expected a decimal number')
  const float = Number(value)
  if (!Number.isFinite(float)) throw refuse(value, 'float', trail, 'larger than a 64-bit float can be')
  if (typeof value === 'bigint' && BigInt(float) !== value) throw refuse(value, 'float', trail, 'digits would be lost')
  return float
}

function toDateTime(value: Plain, trail: Trail): DateTime {
  if (typeof value !== 'string') throw refuse(value, 'datetime', trail)
  const moment = fromIsoText(value)
  if (moment instanceof DateTime) return moment
  throw refuse(value, 'datetime', trail, moment.reason)
}

function toBit(value: Plain, trail: Trail): boolean {
  const text = typeof value === 'string' || typeof value === 'bigint' ? String(value).toLowerCase() : ''
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw refuse(value, 'bit', trail, 'expected true, false, 1 or 0')
}

function refuse(value: Value, type: ColumnType, trail: Trail, why?: string): Error {
  return trail.fail(typeOf(value) ?? 'null', `cannot be written as ${type}${why === undefined ? '' : `: ${why}`}`)
}
