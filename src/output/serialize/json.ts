import { DateTime, floatText, Row, type Value } from '../types/value.ts'
import { joinBytes, type EncodedRow, type MessageFormat } from './message-format.ts'

export type JsonLayout = 'LineSeparated' | 'Array'

/** Objects joined by a line feed, none at the end; or one array of objects, of one object, too (B.9 item 1). */
const layouts = {
  LineSeparated: { head: '', between: '\n', tail: '' },
  Array: { head: '[', between: ',', tail: ']' },
} as const

/**
 * JSON without blanks, columns in their order: 64-bit integers with all their digits, floats as JavaScript's shortest
 * text, datetimes as strings, null kept. A lone surrogate is written as an escape (`\ud800`), so no string is changed.
 */
export class JsonFormat implements MessageFormat {
  readonly canPack = true
  readonly #layout: (typeof layouts)[JsonLayout]
  /** Rows of one source share their list of names: what stands before each value is made once, `{"a":`, `,"b":`. */
  #names: readonly string[] = []
  #heads: readonly string[] = []

  constructor(layout: JsonLayout) {
    this.#layout = layouts[layout]
  }

  encodeRow(row: Row): EncodedRow {
    return { bytes: Buffer.from(this.#text(row)), shape: null }
  }

  overhead(): { messageBytes: number; betweenBytes: number } {
    return { messageBytes: this.#layout.head.length + this.#layout.tail.length, betweenBytes: 1 }
  }

  assemble(rows: readonly EncodedRow[]): Uint8Array {
    const { head, between, tail } = this.#layout
    return joinBytes(head, rows, between, tail)
  }

  #text({ names, values }: Row): string {
    if (names !== this.#names) {
      this.#heads = names.map((name, i) => `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`)
      this.#names = names
    }
    let text = ''
    for (let i = 0; i < values.length; i++) text += (this.#heads[i] ?? '') + jsonText(values[i] ?? null)
    return text === '' ? '{}' : `${text}}`
  }
}

/** One value as JSON. */
export function jsonText(value: Value): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return floatText(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      if (value instanceof DateTime) return `"${value.text}"`
      return value instanceof Row ? recordText(value) : `[${value.map(jsonText).join(',')}]`
  }
}

function recordText({ names, values }: Row): string {
  let text = '{'
  for (let i = 0; i < names.length; i++) {
    if (i > 0) text += ','
    text += `${quotedName(names[i] ?? '')}:${jsonText(values[i] ?? null)}`
  }
  return `${text}}`
}

/** The same few names come with every row. Bounded: rows may have a name for every device. */
const quotedNames = new Map<string, string>()
const QUOTED_NAMES = 1000

function quotedName(name: string): string {
  const known = quotedNames.get(name)
  if (known !== undefined) return known
  const quoted = JSON.stringify(name)
  if (quotedNames.size < QUOTED_NAMES) quotedNames.set(name, quoted)
  return quoted
}
