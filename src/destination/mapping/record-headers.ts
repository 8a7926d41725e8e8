import { isObject } from './json-value.ts'

export type RecordHeader = readonly [name: string, value: string | null]

/**
 * The headers of a record (row S11): texts as they are, a list repeats its header, numbers and booleans in decimals and
 * words, null without a value, objects (and lists in lists) as JSON. Segment fails the whole batch for these.
 *
 * @returns the headers, or the name of one whose value cannot be written.
 */
export function recordHeaders(headers: Readonly<Record<string, unknown>>): RecordHeader[] | { unwritable: string } {
  const list: RecordHeader[] = []
  for (const [name, value] of Object.entries(headers)) {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    for (const each of values) {
      if (each === undefined) continue
      const text = headerText(each)
      if (text === undefined) return { unwritable: name }
      list.push([name, text])
    }
  }
  return list
}

function headerText(value: unknown): string | null | undefined {
  if (typeof value === 'string' || value === null) return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (!isObject(value) && !Array.isArray(value)) return undefined
  try {
    return JSON.stringify(value)
  } catch {
    return undefined // too deep, or not JSON
  }
}
