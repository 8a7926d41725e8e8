import { showOption, type CheckedOption } from '../types/column-type.ts'
import type { JsonLayout } from './json.ts'

export const fieldDelimiters = [',', ';', ' ', '\t', '|'] as const
export type FieldDelimiter = (typeof fieldDelimiters)[number]

/** The option `serialization`, checked: the REST object of Stream Analytics with its defaults filled in. */
export type Serialization =
  | { readonly type: 'Json'; readonly format: JsonLayout }
  | { readonly type: 'Csv'; readonly fieldDelimiter: FieldDelimiter }
  | { readonly type: 'Avro' }

type Type = Serialization['type']

/** One property of a serialization: what is allowed, and what each spelling of it stands for. */
interface Property {
  readonly allowed: string
  readonly values: Readonly<Record<string, string>>
  readonly default: string
}

const encoding: Property = { allowed: 'UTF8', values: { utf8: 'UTF8' }, default: 'UTF8' }
const properties: Readonly<Record<Type, Readonly<Record<string, Property>>>> = {
  Json: {
    encoding,
    format: {
      allowed: 'LineSeparated, Array',
      values: { lineseparated: 'LineSeparated', array: 'Array' },
      default: 'LineSeparated',
    },
  },
  Csv: {
    encoding,
    fieldDelimiter: {
      allowed: 'comma ",", semicolon ";", space " ", tab "\\t", vertical bar "|"',
      values: {
        ...Object.fromEntries(fieldDelimiters.map((delimiter) => [delimiter, delimiter])),
        ...{ comma: ',', semicolon: ';', space: ' ', tab: '\t', 'vertical bar': '|' },
      },
      default: ',',
    },
  },
  Avro: { encoding },
}
const types: readonly Type[] = ['Json', 'Csv', 'Avro']

/**
 * Checks the option `serialization`. It may be the REST object verbatim,
 * `{ type: 'Csv', properties: { encoding: 'UTF8', fieldDelimiter: ';' } }`, the same in one level,
 * `{ type: 'csv', fieldDelimiter: 'semicolon' }`, or the type alone, `'json'`. Values match without regard to case; what
 * is null or not there takes its default, as in REST.
 */
export function checkSerialization(input: unknown): CheckedOption<Serialization> {
  const given = typeof input === 'string' ? { type: input } : input
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return {
      problems: [
        `serialization: got ${showOption(input)}, expected ${types.join(', ')}, or an object as { type: 'Json', properties: { encoding: 'UTF8', format: 'LineSeparated' } }`,
      ],
    }
  }
  const { type: givenType, ...rest } = given as Record<string, unknown>
  const type = types.find((name) => typeof givenType === 'string' && name.toLowerCase() === givenType.toLowerCase())
  if (type === undefined) {
    const where = typeof input === 'string' ? 'serialization' : 'serialization.type'
    return { problems: [`${where}: got ${showOption(givenType)}, expected one of ${types.join(', ')}`] }
  }
  return checkProperties(type, rest)
}

function checkProperties(type: Type, given: Record<string, unknown>): CheckedOption<Serialization> {
  const problems: string[] = []
  const found: Record<string, string> = {}
  for (const [where, name, value] of flatten(given, problems)) {
    const property = Object.hasOwn(properties[type], name) ? properties[type][name] : undefined
    if (property === undefined) {
      const known = Object.keys(properties[type]).join(', ')
      problems.push(`${where}: got ${showOption(value)}, but ${type} has no such property, only ${known}`)
      continue
    }
    if (value === null || value === undefined) continue
    const folded = typeof value === 'string' ? value.toLowerCase() : ''
    const meant = Object.hasOwn(property.values, folded) ? property.values[folded] : undefined
    if (meant === undefined) problems.push(`${where}: got ${showOption(value)}, expected ${oneOf(property.allowed)}`)
    else found[name] = meant
  }
  if (problems.length > 0) return { problems }
  const values = Object.fromEntries(
    Object.entries(properties[type]).map(([name, property]) => [name, found[name] ?? property.default]),
  )
  delete values['encoding'] // There is only one.
  return { value: { type, ...values } as Serialization }
}

function oneOf(allowed: string): string {
  return allowed.includes(',') ? `one of ${allowed}` : allowed
}

/** The properties of both shapes, each with where it stands. */
function flatten(given: Record<string, unknown>, problems: string[]): [where: string, name: string, value: unknown][] {
  return Object.entries(given).flatMap(([name, value]): [string, string, unknown][] => {
    if (name !== 'properties') return [[`serialization.${name}`, name, value]]
    if (value === null || value === undefined) return []
    if (typeof value === 'object' && !Array.isArray(value)) {
      return Object.entries(value).map(([inner, it]) => [`serialization.properties.${inner}`, inner, it])
    }
    problems.push(`serialization.properties: got ${showOption(value)}, expected an object`)
    return []
  })
}
