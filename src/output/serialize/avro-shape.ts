import type { Column, ColumnType } from '../types/column-type.ts'
import type { Trail } from '../types/trail.ts'
import { DateTime, Row, typeOf, type Value } from '../types/value.ts'
import { isSame } from '../types/row-typer.ts'

/** The type that a column has in a derived schema, before null is added to it. Shapes are never changed. */
export type AvroShape = ScalarShape | RecordShape | ArrayShape
/** `unknown`: only null was seen so far. */
export type ScalarShape = 'unknown' | 'boolean' | 'long' | 'double' | 'string'

export interface RecordShape {
  readonly kind: 'record'
  readonly names: readonly string[]
  readonly fields: readonly AvroShape[]
}

export interface ArrayShape {
  readonly kind: 'array'
  readonly items: AvroShape
}

const scalars: Readonly<Record<ColumnType, ScalarShape>> = {
  bigint: 'long',
  float: 'double',
  'nvarchar(max)': 'string',
  datetime: 'string',
  bit: 'boolean',
  // What is inside is known with the first value.
  record: 'unknown',
  array: 'unknown',
}
const AVRO_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

export function declaredShape(columns: readonly Column[]): RecordShape {
  return record(
    columns.map((column) => column.name),
    columns.map((column) => scalars[column.type]),
  )
}

export function record(names: readonly string[], fields: readonly AvroShape[]): RecordShape {
  return { kind: 'record', names, fields }
}

/**
 * The shape of a value by itself.
 *
 * @throws {ConversionError} a name that Avro does not allow, or an array of several types.
 */
export function shapeOf(value: Row, trail: Trail): RecordShape
export function shapeOf(value: Value, trail: Trail): AvroShape
export function shapeOf(value: Value, trail: Trail): AvroShape {
  if (value === null || typeof value !== 'object' || value instanceof DateTime) {
    const type = typeOf(value)
    return type === null ? 'unknown' : scalars[type]
  }
  if (value instanceof Row) {
    const fields = value.values.map((item, index) =>
      inside(value.names[index] ?? '', trail, () => shapeOf(item, trail)),
    )
    for (const name of value.names) inside(name, trail, () => checkName(name, trail))
    return record(value.names, fields)
  }
  let items: AvroShape = 'unknown'
  value.forEach((item, index) => {
    items = inside(index, trail, () => mergeItems(items, shapeOf(item, trail), trail))
  })
  return { kind: 'array', items }
}

export function checkName(name: string, trail: Trail): void {
  if (!AVRO_NAME.test(name)) {
    throw trail.fail(
      'column name',
      'Avro names are letters, digits and _, and begin with no digit',
      'COLUMN_NAME_INVALID',
    )
  }
}

/** One type for all items of an array; a bigint beside a float makes it double. */
function mergeItems(a: AvroShape, b: AvroShape, trail: Trail): AvroShape {
  if (a === b || b === 'unknown') return a
  if (a === 'unknown') return b
  if (isNumeric(a) && isNumeric(b)) return 'double'
  if (isArray(a) && isArray(b)) return { kind: 'array', items: mergeItems(a.items, b.items, trail) }
  if (!isRecord(a) || !isRecord(b)) {
    throw trail.fail(`${shapeName(b)} after ${shapeName(a)}`, 'the items of an Avro array have one type')
  }
  const names = [...new Set([...a.names, ...b.names])]
  return record(
    names,
    names.map((name) => mergeItems(fieldOf(a, name), fieldOf(b, name), trail)),
  )
}

/** Whether a value can be written with this shape, so that no new one is needed: the fast path of every row. */
export function conforms(shape: AvroShape, value: Value): boolean {
  if (value === null) return true
  switch (typeof value) {
    case 'bigint':
      return shape === 'long' || shape === 'double'
    case 'number':
      return shape === 'double'
    case 'string':
      return shape === 'string'
    case 'boolean':
      return shape === 'boolean'
    default:
      if (value instanceof DateTime) return shape === 'string'
      if (!(value instanceof Row)) return isArray(shape) && value.every((item) => conforms(shape.items, item))
      return isRecord(shape) && recordConforms(shape, value)
  }
}

function recordConforms({ names, fields }: RecordShape, { names: given, values }: Row): boolean {
  if (!isSame(names, given)) return false
  for (let i = 0; i < values.length; i++) if (!conforms(fields[i] ?? 'unknown', values[i] ?? null)) return false
  return true
}

/** `own` with what is known from rows before: types of columns that are null now, double for what was a float once. */
export function recall(own: AvroShape, known: AvroShape): AvroShape {
  if (own === 'unknown') return known
  if (own === 'long' && known === 'double') return 'double'
  if (isRecord(own) && isRecord(known)) {
    return record(
      own.names,
      own.fields.map((field, index) => recall(field, fieldOf(known, own.names[index] ?? ''))),
    )
  }
  return isArray(own) && isArray(known) ? { kind: 'array', items: recall(own.items, known.items) } : own
}

/** What is known after a row: its shapes (which have recalled already), and the columns that it did not have. */
export function remember(known: AvroShape, seen: AvroShape): AvroShape {
  if (seen === 'unknown') return known
  if (isArray(seen) && isArray(known)) return { kind: 'array', items: remember(known.items, seen.items) }
  if (!isRecord(seen) || !isRecord(known)) return seen
  const names = [...new Set([...known.names, ...seen.names])]
  return record(
    names,
    names.map((name) => remember(fieldOf(known, name), fieldOf(seen, name))),
  )
}

/**
 * A fixed shape after a row. Only what was unknown may become known: null is the byte 0 whatever its union's other
 * branch is, so every message before stays readable with the schema that follows.
 *
 * @throws {ConversionError} the row does not fit.
 */
export function refine(fixed: AvroShape, own: AvroShape, trail: Trail): AvroShape {
  if (own === 'unknown' || own === fixed) return fixed
  if (fixed === 'unknown') return own
  if (fixed === 'double' && own === 'long') return 'double'
  if (isArray(fixed) && isArray(own)) return { kind: 'array', items: refine(fixed.items, own.items, trail) }
  if (isRecord(fixed) && isRecord(own)) return refineRecord(fixed, own, trail)
  throw trail.fail(shapeName(own), `the schema, which cannot change any more, has ${shapeName(fixed)}`)
}

export function refineRecord(fixed: RecordShape, own: RecordShape, trail: Trail): RecordShape {
  const fields = [...fixed.fields]
  own.names.forEach((name, index) =>
    inside(name, trail, () => {
      const at = fixed.names.indexOf(name)
      const field = own.fields[index]
      if (at < 0 || field === undefined) {
        throw trail.fail('column', 'not in the schema, which cannot change any more', 'COLUMN_NAME_INVALID')
      }
      fields[at] = refine(fixed.fields[at] ?? 'unknown', field, trail)
    }),
  )
  return record(fixed.names, fields)
}

export function isRecord(shape: AvroShape): shape is RecordShape {
  return typeof shape === 'object' && shape.kind === 'record'
}

function isArray(shape: AvroShape): shape is ArrayShape {
  return typeof shape === 'object' && shape.kind === 'array'
}

function isNumeric(shape: AvroShape): boolean {
  return shape === 'long' || shape === 'double'
}

function fieldOf(shape: RecordShape, name: string): AvroShape {
  return shape.fields[shape.names.indexOf(name)] ?? 'unknown'
}

function shapeName(shape: AvroShape): string {
  return typeof shape === 'string' ? shape : shape.kind
}

function inside<T>(step: string | number, trail: Trail, work: () => T): T {
  trail.enter(step)
  const result = work()
  trail.leave()
  return result
}
