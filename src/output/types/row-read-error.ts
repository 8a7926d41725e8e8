import { KafkaError } from '../../index.ts'

export type RowReadErrorCode =
  | 'INVALID_JSON' // the line is not JSON
  | 'INVALID_UTF8' // the line is not UTF-8
  | 'NOT_A_ROW' // the line is JSON, but not an object
  | 'TOO_DEEP' // more records and arrays inside one another than a row may have
  | 'TOO_LONG' // longer than maxLineBytes; it was skipped without being kept

/** A line of the input that is no row. Its contents are not in the message. */
export class RowReadError extends KafkaError {
  override readonly name = 'RowReadError'
  readonly code: RowReadErrorCode
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units; null if the line as a whole is meant. */
  readonly lineColumn: number | null

  constructor(code: RowReadErrorCode, line: number, lineColumn: number | null, what: string) {
    const place = lineColumn === null ? '' : `, column ${lineColumn}`
    super(`KafkaOutput: ${code}: line ${line}${place}: ${what}`)
    this.code = code
    this.line = line
    this.lineColumn = lineColumn
  }
}
