import { fromDate, fromIsoText } from './date-time.ts'
import type { Trail } from './trail.ts'
import { DateTime, INT64_MAX, INT64_MIN, Row, type Value } from './value.ts'

/** Deep enough for any document, and far from the end of the stack; a cycle ends here, too. */
export const MAX_DEPTH = 100

/**
 * The value that something from outside stands for, typed by what it is (surface.md section 5): a safe integer is a
 * `bigint`, any other number a `float`. Inside a `Row`, which only the NDJSON reader makes, a number is always a `float`.
 *
 * @throws {ConversionError} what no type holds.
 */
export function inferValue(input: unknown, trail: Trail, isRead: boolean, depth = 0): Value {
  switch (typeof input) {
    case 'string':
    case 'boolean':
      return input
    case 'number':
      if (!Number.isFinite(input)) throw trail.fail(String(input), 'a float is a finite number')
      return isRead || !Number.isSafeInteger(input) ? input : BigInt(input)
    case 'bigint':
      if (input < INT64_MIN || input > INT64_MAX) {
        throw trail.fail('bigint', 'outside of int64 (-2^63 to 2^63-1); send it as a string')
      }
      return input
    case 'object':
      return input === null ? null : inferObject(input, trail, isRead, depth)
    default:
      throw trail.fail(kindOf(input), 'no column type holds it')
  }
}

function inferObject(input: object, trail: Trail, isRead: boolean, depth: number): Value {
  if (depth >= MAX_DEPTH)
    throw trail.fail(kindOf(input), `more than ${MAX_DEPTH} records and arrays inside one another`)
  if (Array.isArray(input)) return inferArray(input, trail, isRead, depth)
  if (input instanceof Date) {
    const moment = fromDate(input)
    if (moment instanceof DateTime) return moment
    throw trail.fail('a Date', moment.reason)
  }
  if (input instanceof Row) return inferRecord(input.names, input.values, trail, true, depth)
  if (input instanceof DateTime) return checkedMoment(input, trail)
  if (!isPlainObject(input)) throw trail.fail(kindOf(input), 'a record is a plain object; no column type holds this')
  const { names, values } = membersOf(input)
  return inferRecord(names, values, trail, isRead, depth)
}

/** Anybody can make one, of any text; the formats rely on it. */
function checkedMoment({ text }: DateTime, trail: Trail): DateTime {
  const moment = fromIsoText(text)
  if (moment instanceof DateTime) return moment
  throw trail.fail('a DateTime', moment.reason)
}

/** Anybody can make a `Row`, too. */
export function checkRow(names: readonly unknown[], values: readonly unknown[], trail: Trail): void {
  if (names.length === values.length && names.every((name) => typeof name === 'string')) return
  throw trail.fail('record', 'a Row has a name, which is a string, for every value')
}

function inferArray(items: readonly unknown[], trail: Trail, isRead: boolean, depth: number): Value[] {
  const values: Value[] = []
  for (let index = 0; index < items.length; index++) {
    trail.enter(index)
    values.push(inferValue(items[index], trail, isRead, depth + 1))
    trail.leave()
  }
  return values
}

function inferRecord(
  names: readonly string[],
  values: readonly unknown[],
  trail: Trail,
  isRead: boolean,
  depth: number,
): Row {
  if (isRead) checkRow(names, values, trail)
  if (isRead && new Set(names).size < names.length)
    throw trail.fail('record', 'a member is there twice', 'DUPLICATE_KEY')
  const inferred = values.map((value, index) => {
    trail.enter(names[index] ?? '')
    const result = inferValue(value, trail, isRead, depth + 1)
    trail.leave()
    return result
  })
  return new Row(names, inferred)
}

/** Own enumerable members with a string for a name; `undefined` is no member, as in JSON. */
export function membersOf(input: object): { names: string[]; values: unknown[] } {
  const names: string[] = []
  const values: unknown[] = []
  for (const name of Object.keys(input)) {
    const value: unknown = (input as Record<string, unknown>)[name]
    if (value === undefined) continue
    names.push(name)
    values.push(value)
  }
  return { names, values }
}

/** From `{}`, `Object.create(null)`, or another realm's `{}`. */
export function isPlainObject(input: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(input)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** A value in words that tell nothing of its contents. */
export function kindOf(input: unknown): string {
  if (input === null || input === undefined) return String(input)
  if (typeof input !== 'object')
    return typeof input === 'number' && !Number.isFinite(input) ? String(input) : typeof input
  if (Array.isArray(input)) return 'array'
  const tag = Object.prototype.toString.call(input).slice('[object '.length, -1)
  return isPlainObject(input) ? 'record' : `a ${tag === 'Object' ? 'class instance' : tag}`
}
