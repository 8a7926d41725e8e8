/** The types of Azure Stream Analytics, at compatibility level 1.2 (destination-and-output.md B.5). */
export const columnTypes = ['bigint', 'float', 'nvarchar(max)', 'datetime', 'bit', 'record', 'array'] as const

export type ColumnType = (typeof columnTypes)[number]

/** What a column is to hold, whatever the row brings. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
}

/** An option's value, or everything that is wrong with it: sentences that name property, value and what is allowed. */
export type CheckedOption<T> = { readonly value: T } | { readonly problems: readonly string[] }

/** Checks the option `columns`; type names match without regard to case, column names must differ in more than case. */
export function checkColumns(input: unknown): CheckedOption<readonly Column[]> {
  if (!Array.isArray(input)) {
    return { problems: [`columns: got ${showOption(input)}, expected a list of { name, type }`] }
  }
  const problems: string[] = []
  const seen = new Set<string>()
  const columns = input.flatMap((item: unknown, index) => {
    const column = checkColumn(item, `columns[${index}]`, problems)
    if (column === null) return []
    const folded = column.name.toLowerCase()
    if (seen.has(folded)) {
      problems.push(
        `columns[${index}].name: got ${showOption(column.name)}, which another column has already (case does not count)`,
      )
    }
    seen.add(folded)
    return [column]
  })
  return problems.length > 0 ? { problems } : { value: columns }
}

function checkColumn(item: unknown, where: string, problems: string[]): Column | null {
  const { name, type } = (item ?? {}) as { name?: unknown; type?: unknown }
  const known = columnTypes.find((candidate) => typeof type === 'string' && candidate === type.toLowerCase())
  if (typeof name !== 'string' || name === '') {
    problems.push(`${where}.name: got ${showOption(name)}, expected a string that is not empty`)
  }
  if (known === undefined) {
    problems.push(`${where}.type: got ${showOption(type)}, expected one of ${columnTypes.join(', ')}`)
  }
  return typeof name === 'string' && name !== '' && known !== undefined ? { name, type: known } : null
}

/** A value of the configuration as it may stand in a message: short, on one line, never the inside of an object. */
export function showOption(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`
  return typeof value === 'bigint' ? `${value}n` : String(value)
}
