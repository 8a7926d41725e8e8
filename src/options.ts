import { types } from 'node:util'
import { OptionError } from './errors.ts'
import { nearestNames } from './nearest.ts'

/**
 * Options as data: one frozen table per public class. From a table come the resolved type, the defaults, the checks and
 * the table in the README (a test regenerates that one and compares).
 */

/** What a value was turned into, or what is wrong with it: a phrase that continues `name: got VALUE, expected ...`. */
export type Checked<T> = { readonly value: T } | { readonly expected: string } | { readonly problem: string }

export interface OptionSpec<T> {
  /** For people: `integer, 0 to 60000`. */
  readonly type: string
  readonly doc: string
  /** Kafka's own name of the same thing, if it has one. */
  readonly kafka?: string
  /** As it is written in the documentation. */
  readonly defaultText: string
  readonly isRequired: boolean
  /** Belongs to the contract, arrives with a later version. */
  readonly isNotYet?: boolean
  /** `undefined` asks for the default. */
  check(value: unknown): Checked<T>
}

export type OptionTable = Readonly<Record<string, OptionSpec<unknown>>>

export type Resolved<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends OptionSpec<infer T> ? T : never
}

interface Described {
  readonly doc: string
  readonly kafka?: string
}

/** A whole number in [min, max]; `allowInfinity` for deadlines that may be switched off. */
export function int(
  row: Described & { min: number; max: number; default: number; allowInfinity?: boolean },
): OptionSpec<number> {
  const orInfinity = row.allowInfinity === true ? ', or Infinity' : ''
  const type = `integer, ${row.min} to ${row.max}${orInfinity}`
  return spec(row, type, String(row.default), (value) => {
    if (value === undefined) return { value: row.default }
    if (row.allowInfinity === true && value === Infinity) return { value: Infinity }
    const isFine = typeof value === 'number' && Number.isInteger(value) && value >= row.min && value <= row.max
    return isFine ? { value } : { expected: `an ${type}` }
  })
}

export function bool(row: Described & { default: boolean }): OptionSpec<boolean> {
  return spec(row, 'boolean', String(row.default), (value) => {
    if (value === undefined) return { value: row.default }
    return typeof value === 'boolean' ? { value } : { expected: 'true or false' }
  })
}

export function text(row: Described & { default: string }): OptionSpec<string> {
  return spec(row, 'string', `'${row.default}'`, (value) => {
    if (value === undefined) return { value: row.default }
    return typeof value === 'string' && value !== '' ? { value } : { expected: 'a string that is not empty' }
  })
}

/** A function that the caller may give, or not. */
export function hook<F>(row: Described & { signature: string }): OptionSpec<F | undefined> {
  return spec(row, row.signature, '-', (value) => {
    if (value === undefined) return { value: undefined }
    return typeof value === 'function' ? { value: value as F } : { expected: 'a function' }
  })
}

/** Anything else: the row brings its own check. */
export function custom<T>(
  row: Described & { type: string; defaultText: string; isRequired?: boolean; check: (value: unknown) => Checked<T> },
): OptionSpec<T> {
  return { ...spec(row, row.type, row.defaultText, row.check), isRequired: row.isRequired === true }
}

/**
 * An option of the contract that this version does not have. Only the value that changes nothing is taken, so that a
 * program never believes in a protection, a codec or a limit that is not there.
 */
export function notYet<T>(row: Described & { type: string; neutral: readonly T[] }): OptionSpec<T | undefined> {
  const neutral: readonly unknown[] = row.neutral
  const only = row.neutral.map((value) => show(value)).join(' or ')
  const problem = `not available in this version of headrace${only === '' ? '' : `; only ${only} can be given`}`
  return {
    ...spec<T | undefined>(row, row.type, 'not available yet', (value) => {
      if (value === undefined) return { value: undefined }
      return neutral.includes(value) ? { value: value as T } : { problem }
    }),
    isNotYet: true,
  }
}

function spec<T>(row: Described, type: string, defaultText: string, check: (v: unknown) => Checked<T>): OptionSpec<T> {
  const kafka = row.kafka === undefined ? {} : { kafka: row.kafka }
  return Object.freeze({ type, doc: row.doc, ...kafka, defaultText, isRequired: false, check })
}

/** What is wrong if options, taken together, make no sense: the claim that must hold, and the sentence if it does not. */
export type CrossRule<Table extends OptionTable> = readonly [
  holds: (options: Resolved<Table>) => boolean,
  sentence: (options: Resolved<Table>) => string,
]

export interface OptionContext<Table extends OptionTable> {
  /** The class or function that was called; errors begin with it. */
  readonly where: string
  readonly table: Table
  readonly rules?: readonly CrossRule<Table>[]
  /** Names of other clients (kafkajs, librdkafka, Java) to what the same thing is called here. */
  readonly foreignNames?: Readonly<Record<string, string>>
}

/**
 * Checks what a caller gave against a table; copies, never mutates.
 *
 * @throws {OptionError} `INVALID_OPTIONS`, naming every problem at once; `NOT_AVAILABLE_YET` if that is all that is wrong.
 */
export function resolve<Table extends OptionTable>(input: unknown, context: OptionContext<Table>): Resolved<Table> {
  const { where, table } = context
  if (typeof input !== 'object' || input === null || Array.isArray(input) || hasHidden(input, table)) {
    throw new OptionError(
      'INVALID_OPTIONS',
      `${where}: INVALID_OPTIONS: expected an options object, got ${show(input)}`,
    )
  }
  const problems: string[] = []
  let notYetCount = 0
  for (const name of Object.keys(input)) {
    if (!Object.hasOwn(table, name)) problems.push(unknownOption(name, context))
  }
  const resolved: Record<string, unknown> = {}
  for (const [name, row] of Object.entries(table)) {
    const value: unknown = Object.hasOwn(input, name) ? (input as Record<string, unknown>)[name] : undefined
    const checked = row.check(value)
    if ('value' in checked) {
      resolved[name] = checked.value
    } else if (value === undefined) {
      problems.push(`${name}: required: ${'expected' in checked ? checked.expected : checked.problem}`)
    } else {
      if (row.isNotYet === true) notYetCount++
      problems.push(
        `${name}: ${'expected' in checked ? `got ${show(value)}, expected ${checked.expected}` : checked.problem}`,
      )
    }
  }
  if (problems.length === 0) {
    for (const [holds, sentence] of context.rules ?? []) {
      if (!holds(resolved as Resolved<Table>)) problems.push(sentence(resolved as Resolved<Table>))
    }
  }
  if (problems.length > 0) {
    const code = problems.length === notYetCount ? 'NOT_AVAILABLE_YET' : 'INVALID_OPTIONS'
    throw new OptionError(code, `${where}: ${code}: ${problems.join('; ')}`)
  }
  return Object.freeze(resolved) as Resolved<Table>
}

/**
 * Options are read by own keys. An object that has some in another way (getters of its class, the entries of a Map) would lose them silently.
 */
function hasHidden(input: object, table: OptionTable): boolean {
  if (types.isMap(input) || types.isSet(input) || types.isDate(input) || types.isRegExp(input)) return true
  const parents: object[] = []
  for (let at = parentOf(input); at !== null; at = parentOf(at)) parents.push(at)
  // The last is where all objects come from; what somebody has put there is nobody's option.
  return parents
    .slice(0, -1)
    .some((parent) =>
      Object.entries(Object.getOwnPropertyDescriptors(parent)).some(
        ([name, descriptor]) => descriptor.get !== undefined && Object.hasOwn(table, name),
      ),
    )
}

function parentOf(of: object): object | null {
  return Object.getPrototypeOf(of) as object | null
}

function unknownOption<Table extends OptionTable>(name: string, context: OptionContext<Table>): string {
  const foreign = context.foreignNames
  if (foreign !== undefined && Object.hasOwn(foreign, name)) return `${name}: unknown option: ${foreign[name] ?? ''}`
  const [nearest] = nearestNames(name, Object.keys(context.table))
  return `${name}: unknown option${nearest === undefined ? '' : `: did you mean ${nearest}?`}`
}

/** A value as it may stand in an error message: short, on one line, and never the inside of an object. */
export function show(value: unknown): string {
  if (typeof value === 'string')
    return value.length > 60 ? `${JSON.stringify(value.slice(0, 57))}...` : JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined)
    return String(value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (Array.isArray(value)) return `an array of ${value.length}`
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name
  return typeof name === 'string' && name !== 'Object' ? `a ${name}` : 'an object'
}
