import type { Trail } from '../types/trail.ts'
import { DateTime, Row, typeOf, type Value } from '../types/value.ts'
import { isInt64 } from './avro-long.ts'
import type { AvroType } from './avsc.ts'
import { isWellFormed, NOT_WELL_FORMED } from './well-formed.ts'

type Items = readonly Value[]

/**
 * A value as avsc wants it for a type. What would lose something is refused, in a schema that was given, too: a `float`
 * takes only numbers that have 24 bits, an `int` only its range.
 *
 * @throws {ConversionError}
 */
export function toAvro(value: Value, type: AvroType, trail: Trail): unknown {
  switch (type.typeName) {
    case 'union:unwrapped':
      return toAvro(value, branchFor(value, type, trail), trail)
    case 'union:wrapped':
      return toWrapped(value, branchFor(value, type, trail), trail)
    case 'array':
      if (isItems(value)) return toItems(value, type.itemsType as AvroType, trail)
      break
    case 'map':
      if (value instanceof Row) return toMap(value, type.valuesType as AvroType, trail)
      break
    case 'record':
      if (value instanceof Row) return toRecord(value, type, trail)
      break
    default:
      return toScalar(value, type, trail)
  }
  throw misfit(value, type, trail)
}

function toScalar(value: Value, type: AvroType, trail: Trail): unknown {
  switch (type.typeName) {
    case 'null':
    case 'boolean':
      if (type.typeName === (value === null ? 'null' : typeof value)) return value
      break
    case 'string':
      if (typeof value === 'string') return wellFormed(value, trail)
      if (value instanceof DateTime) return value.text
      break
    case 'enum':
      if (typeof value === 'string' && type.symbols?.includes(value) === true) return value
      break
    default:
      return toNumber(value, type, trail)
  }
  throw misfit(value, type, trail)
}

function toNumber(value: Value, type: AvroType, trail: Trail): number | bigint {
  if (typeof value !== 'bigint' && typeof value !== 'number') throw misfit(value, type, trail)
  switch (type.typeName) {
    case 'abstract:long':
      if (typeof value === 'bigint') return value
      if (Number.isInteger(value) && isInt64(BigInt(value))) return BigInt(value)
      break
    case 'int':
      // `| 0` keeps exactly the numbers of 32 bits; -0 would lose its sign.
      if (Object.is(Number(value) | 0, Number(value))) return Number(value)
      break
    case 'double':
      if (typeof value === 'number' || BigInt(Number(value)) === value) return Number(value)
      throw misfit(value, type, trail, 'digits would be lost')
    case 'float':
      if (Object.is(Math.fround(Number(value)), Number(value)) && isExact(value)) return Number(value)
      throw misfit(value, type, trail, 'digits would be lost')
  }
  throw misfit(value, type, trail)
}

function isExact(value: bigint | number): boolean {
  return typeof value === 'number' || BigInt(Number(value)) === value
}

function toItems(items: Items, type: AvroType, trail: Trail): unknown[] {
  return items.map((item, index) => {
    trail.enter(index)
    const result = toAvro(item, type, trail)
    trail.leave()
    return result
  })
}

function toMap(row: Row, type: AvroType, trail: Trail): object {
  const map = emptyObject()
  row.names.forEach((name, index) => {
    trail.enter(name)
    map[wellFormed(name, trail)] = toAvro(row.values[index] ?? null, type, trail)
    trail.leave()
  })
  return map
}

function toRecord(row: Row, type: AvroType, trail: Trail): object {
  const fields = type.fields ?? []
  const result = emptyObject()
  let found = 0
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as (typeof fields)[number]
    const at = row.names[i] === field.name ? i : row.names.indexOf(field.name)
    trail.enter(field.name)
    if (at >= 0) found++
    const value = at >= 0 ? (row.values[at] ?? null) : absent(field, trail)
    if (value !== undefined) result[field.name] = toAvro(value, field.type, trail)
    trail.leave()
  }
  if (found < row.names.length) throw unknownColumn(row, fields, trail)
  return result
}

/** @returns undefined: avsc writes the field's default. */
function absent(field: NonNullable<AvroType['fields']>[number], trail: Trail): null | undefined {
  if (field.defaultValue() !== undefined) return undefined
  if (field.type.typeName === 'null' || field.type.types?.some(({ typeName }) => typeName === 'null') === true)
    return null
  throw trail.fail(
    'absent',
    'the schema needs it: it is neither nullable nor has it a default',
    'REQUIRED_COLUMN_MISSING',
  )
}

function unknownColumn(row: Row, fields: readonly { readonly name: string }[], trail: Trail): Error {
  trail.enter(row.names.find((name) => fields.every((field) => field.name !== name)) ?? '')
  return trail.fail('column', 'not in the schema', 'COLUMN_NAME_INVALID')
}

/** Names of avsc's types for the kinds of values, best first. Of enums only some have a value: they are looked at first. */
const BRANCHES = {
  null: ['null'],
  boolean: ['boolean'],
  string: ['string'],
  number: ['double', 'float', 'abstract:long', 'int'],
  bigint: ['abstract:long', 'int', 'double', 'float'],
  record: ['record', 'map'],
  array: ['array'],
} as const

type Kind = keyof typeof BRANCHES

/** What was chosen, by union: with every value the same question comes. */
class UnionBranches {
  readonly enums: readonly AvroType[]
  readonly #branches: readonly AvroType[]
  readonly #chosen: Partial<Record<Kind, AvroType | null>> = {}

  constructor(union: AvroType) {
    this.#branches = union.types ?? []
    this.enums = this.#branches.filter(({ typeName }) => typeName === 'enum')
  }

  of(kind: Kind): AvroType | null {
    const known = this.#chosen[kind]
    if (known !== undefined) return known
    const found = BRANCHES[kind].flatMap((name) => this.#branches.filter(({ typeName }) => typeName === name))
    return (this.#chosen[kind] = found[0] ?? null)
  }
}

const unions = new WeakMap<AvroType, UnionBranches>()

/** The branch that is of the value's own kind; failing that, one that it can become. */
function branchFor(value: Value, union: AvroType, trail: Trail): AvroType {
  let branches = unions.get(union)
  if (branches === undefined) unions.set(union, (branches = new UnionBranches(union)))
  if (typeof value === 'string' && branches.enums.length > 0) {
    const branch = branches.enums.find(({ symbols }) => symbols?.includes(value) === true)
    if (branch !== undefined) return branch
  }
  const branch = branches.of(kindOf(value))
  if (branch === null) throw misfit(value, union, trail)
  return branch
}

function kindOf(value: Value): Kind {
  if (value === null) return 'null'
  if (typeof value !== 'object') return typeof value as 'boolean' | 'string' | 'number' | 'bigint'
  if (value instanceof DateTime) return 'string'
  return value instanceof Row ? 'record' : 'array'
}

function toWrapped(value: Value, branch: AvroType, trail: Trail): unknown {
  if (value === null) return null
  const wrapped = emptyObject()
  wrapped[branch.branchName ?? ''] = toAvro(value, branch, trail)
  return wrapped
}

/** No name is special to it, not even `__proto__`; and unlike `Object.create(null)` it is no hash table to V8. */
const noNames = Object.freeze(Object.create(null) as object)

function emptyObject(): Record<string, unknown> {
  return Object.create(noNames) as Record<string, unknown>
}

function isItems(value: Value): value is Items {
  return Array.isArray(value)
}

function wellFormed(text: string, trail: Trail): string {
  if (isWellFormed(text)) return text
  throw trail.fail('nvarchar(max)', NOT_WELL_FORMED)
}

function misfit(value: Value, type: AvroType, trail: Trail, why?: string): Error {
  const wanted = type.types?.map(avroName).join(' or ') ?? avroName(type)
  const reason = `cannot be written as Avro ${wanted}${why === undefined ? '' : `: ${why}`}`
  return trail.fail(typeOf(value) ?? 'null', reason)
}

function avroName(type: AvroType): string {
  return type.branchName ?? type.name ?? type.typeName
}
