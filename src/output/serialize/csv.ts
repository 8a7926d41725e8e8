import type { Column } from '../types/column-type.ts'
import { isSame } from '../types/row-typer.ts'
import { Trail } from '../types/trail.ts'
import { DateTime, plainText, Row, type Value } from '../types/value.ts'
import { joinBytes, type EncodedRow, type MessageFormat } from './message-format.ts'
import type { FieldDelimiter } from './serialization.ts'
import { isWellFormed, NOT_WELL_FORMED } from './well-formed.ts'

export type Newline = '\r\n' | '\n'

export interface CsvOptions {
  readonly fieldDelimiter: FieldDelimiter
  /** A row of column names at the start of every message. */
  readonly header: boolean
  readonly newline: Newline
  /** Their columns come first, in their order, whether a row has them or not. */
  readonly columns: readonly Column[]
}

/** The columns of a message. */
interface CsvShape {
  readonly given: readonly string[]
  readonly names: readonly string[]
  readonly headerText: string
}

/**
 * CSV by RFC 4180 with another delimiter and line end by option; the last line has no line end, as in JSON.
 *
 * Null is an empty field, an empty string is `""`, so that who looks can tell them apart; a record is the word `Record`,
 * an array the word `Array` (B.5); numbers are culture-invariant. A row with other columns than the one before begins a
 * new message. Without a header nobody could see that, so there the columns of the first row (or `columns`) are final:
 * a new one is a conversion error, a missing one is empty.
 */
export class CsvFormat implements MessageFormat {
  readonly canPack = true
  readonly #options: CsvOptions
  readonly #needsQuotes: RegExp
  readonly #trail = new Trail()
  #shape: CsvShape | null = null

  constructor(options: CsvOptions) {
    this.#options = options
    // No delimiter means anything inside of a character class.
    this.#needsQuotes = new RegExp(`["\\r\\n${options.fieldDelimiter}]`)
    if (!options.header && options.columns.length > 0) this.#shape = this.#shapeOf([])
  }

  encodeRow(row: Row): EncodedRow {
    this.#trail.restart()
    const shape = this.#shapeFor(row)
    const isInOrder = shape.names === row.names || isSame(shape.names, row.names)
    const values = isInOrder ? row.values : shape.names.map((name) => row.values[row.names.indexOf(name)] ?? null)
    const line = this.#line(values.map((value, index) => this.#field(value, shape.names[index] ?? '')))
    this.#shape = shape
    return { bytes: Buffer.from(line), shape }
  }

  overhead(shape: unknown): { messageBytes: number; betweenBytes: number } {
    const { headerText } = shape as CsvShape
    return { messageBytes: Buffer.byteLength(headerText), betweenBytes: this.#options.newline.length }
  }

  assemble(rows: readonly EncodedRow[]): Uint8Array {
    const { headerText } = rows[0]?.shape as CsvShape
    return joinBytes(headerText, rows, this.#options.newline, '')
  }

  #shapeFor(row: Row): CsvShape {
    const last = this.#shape
    if (last === null) return this.#shapeOf(row.names)
    if (isSame(last.given, row.names)) return last
    if (this.#options.header) return this.#shapeOf(row.names)
    for (const name of row.names) {
      if (last.names.includes(name)) continue
      this.#trail.enter(name)
      const reason = 'not among the columns of the first row or of the option columns, which are final without a header'
      throw this.#trail.fail('column', reason, 'COLUMN_NAME_INVALID')
    }
    return last
  }

  #shapeOf(given: readonly string[]): CsvShape {
    const declared = this.#options.columns.map((column) => column.name)
    const names = declared.length === 0 ? given : [...new Set([...declared, ...given])]
    if (!this.#options.header) return { given, names, headerText: '' }
    const fields = names.map((name) => this.#field(name, name))
    return { given, names, headerText: `${this.#line(fields)}${this.#options.newline}` }
  }

  /** A line that is one empty field would be an empty line, which readers skip. */
  #line(fields: readonly string[]): string {
    return fields.length === 1 && fields[0] === '' ? '""' : fields.join(this.#options.fieldDelimiter)
  }

  #field(value: Value, column: string): string {
    if (value === null) return ''
    if (value === '') return '""'
    if (typeof value !== 'string') return csvText(value) // Holds neither a delimiter nor a quote.
    if (!isWellFormed(value)) {
      this.#trail.enter(column)
      throw this.#trail.fail('nvarchar(max)', NOT_WELL_FORMED)
    }
    return this.#needsQuotes.test(value) ? `"${value.replaceAll('"', '""')}"` : value
  }
}

/** A value as CSV writes it, before quoting: the record key of a partition key column is its UTF-8 (B.9 item 2). */
export function csvText(value: Exclude<Value, null>): string {
  if (typeof value !== 'object' || value instanceof DateTime) return plainText(value)
  return value instanceof Row ? 'Record' : 'Array'
}
