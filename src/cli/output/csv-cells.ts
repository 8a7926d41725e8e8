import { isUtf8 } from 'node:buffer'

const BEYOND_ASCII = /[\x80-\xff]/
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])
export const BYTE_ORDER_MARK_BYTES = BYTE_ORDER_MARK.length
const UTF_16 = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])]

/** The bytes of a cell, one a character, as text; null: they are not UTF-8. Most cells are ASCII, and stay as they are. */
export function decodeCell(latin1: string): string | null {
  if (!BEYOND_ASCII.test(latin1)) return latin1
  const bytes = Buffer.from(latin1, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : null
}

/** How a file begins: `'utf-16'` cannot be read, a byte order mark of UTF-8 is to be passed over. */
export function beginningOf(bytes: Buffer): 'utf-16' | 'byte order mark' | 'plain' {
  if (UTF_16.some((mark) => bytes.subarray(0, 2).equals(mark))) return 'utf-16'
  return bytes.subarray(0, BYTE_ORDER_MARK_BYTES).equals(BYTE_ORDER_MARK) ? 'byte order mark' : 'plain'
}

/** What is wrong with a header row, as the rest of a sentence; null: nothing. Case does not count, as in Stream Analytics. */
export function headerFault(names: readonly (string | null)[]): string | null {
  const seen = new Set<string>()
  for (const [index, name] of names.entries()) {
    if (name === null) return `the name of column ${index + 1} is not UTF-8`
    if (name === '') return `column ${index + 1} of ${names.length} has no name`
    const folded = name.toLowerCase()
    if (seen.has(folded)) return `two columns are called ${JSON.stringify(name.slice(0, 120))} (case does not count)`
    seen.add(folded)
  }
  return null
}
