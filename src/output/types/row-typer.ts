import type { Column, ColumnType } from './column-type.ts'
import { ConversionError } from './conversion-error.ts'
import { convertValue } from './convert-value.ts'
import { checkRow, inferValue, isPlainObject, kindOf, membersOf } from './infer-value.ts'
import { Trail } from './trail.ts'
import { Row, type Value } from './value.ts'

/** What is the same for all rows with the same column names. */
interface Plan {
  readonly given: readonly string[]
  /** As they are written: a declared column has the case of its declaration. */
  readonly names: readonly string[]
  readonly types: readonly (ColumnType | undefined)[]
}

/**
 * Makes rows of known types from what a program or a reader gives.
 *
 * `columns` says types; it neither adds, removes nor reorders what a row has. Names match without regard to case, as in
 * Stream Analytics.
 */
export class RowTyper {
  readonly #declared: ReadonlyMap<string, Column>
  readonly #trail = new Trail()
  #plan: Plan = { given: [], names: [], types: [] }

  constructor(columns: readonly Column[] = []) {
    this.#declared = new Map(columns.map((column) => [column.name.toLowerCase(), column]))
  }

  /**
   * @param input a plain object, or a `Row` of the NDJSON reader.
   * @throws {ConversionError} and nothing else, whatever the input does.
   */
  type(input: unknown): Row {
    this.#trail.restart()
    try {
      return this.#type(input)
    } catch (error) {
      if (error instanceof ConversionError) throw error
      // A getter or a proxy of the caller's threw.
      throw new ConversionError('TYPE_CONVERSION_ERROR', {
        column: null,
        valueKind: 'row',
        reason: 'reading it failed',
        cause: error,
      })
    }
  }

  #type(input: unknown): Row {
    if (typeof input !== 'object' || input === null || Array.isArray(input) || !isRowLike(input)) {
      throw this.#trail.fail(kindOf(input), 'a row is a plain object')
    }
    const isRead = input instanceof Row
    const { names, values } = isRead ? input : membersOf(input)
    if (isRead) checkRow(names, values, this.#trail)
    const plan = this.#planFor(names)
    const typed: Value[] = []
    for (let index = 0; index < values.length; index++) {
      this.#trail.enter(plan.names[index] ?? '')
      const inferred = inferValue(values[index], this.#trail, isRead, 1)
      const type = plan.types[index]
      typed.push(type === undefined ? inferred : convertValue(inferred, type, this.#trail))
      this.#trail.leave()
    }
    return new Row(plan.names, typed)
  }

  #planFor(given: readonly string[]): Plan {
    const last = this.#plan
    if (isSame(last.given, given)) return last
    const seen = new Set<string>()
    for (const name of given) {
      const folded = name.toLowerCase()
      if (seen.has(folded)) {
        this.#trail.enter(name)
        throw this.#trail.fail(
          'row',
          `Column '${name.slice(0, 120)}' is being mapped to multiple columns.`,
          'DUPLICATE_KEY',
        )
      }
      seen.add(folded)
    }
    const columns = given.map((name) => this.#declared.get(name.toLowerCase()))
    const names = given.map((name, index) => columns[index]?.name ?? name)
    // A copy: whoever gave the list may change it.
    this.#plan = { given: [...given], names, types: columns.map((column) => column?.type) }
    return this.#plan
  }
}

function isRowLike(input: object): boolean {
  return input instanceof Row || isPlainObject(input)
}

/** The same names in the same order. */
export function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
