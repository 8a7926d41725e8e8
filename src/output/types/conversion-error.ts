import { KafkaError } from '../../index.ts'

/** Our codes, and what Stream Analytics calls the same thing in its data-error records (B.7). */
const dataErrorTypes = {
  TYPE_CONVERSION_ERROR: 'OutputDataConversionError.TypeConversionError', // a value that the type or the format cannot hold
  COLUMN_NAME_INVALID: 'OutputDataConversionError.ColumnNameInvalid', // a name that the format or the fixed schema does not allow
  REQUIRED_COLUMN_MISSING: 'OutputDataConversionError.RequiredColumnMissing', // a column that must have a value has none
  DUPLICATE_KEY: 'OutputDataConversionError.DuplicateKey', // two columns with one name; case does not count
  RECORD_EXCEEDED_SIZE_LIMIT: 'OutputDataConversionError.RecordExceededSizeLimit', // one row alone is over maxMessageBytes
} as const

export type ConversionErrorCode = keyof typeof dataErrorTypes
export type DataErrorType = (typeof dataErrorTypes)[ConversionErrorCode]

export interface ConversionDetails {
  /** The column of the row; null when the row as a whole is meant. */
  readonly column: string | null
  /** From the column into records and arrays: `machine.readings[3]`; the column itself for a plain value. */
  readonly path?: string | null
  /** What was there, in words: `NaN`, `bigint`, `a Map`. Never the value itself: messages hold no contents of records. */
  readonly valueKind: string
  /** Why it cannot be written. */
  readonly reason: string
  /** The row's number as its source counts. */
  readonly row?: number | undefined
  readonly cause?: unknown
}

/**
 * A row cannot be written as it is: the only errors that the output's error policy (Retry or Drop) is for.
 *
 * Nothing was sent. The same row fails again the same way, so `retriable` is false; the policy Retry waits for somebody
 * to change the configuration.
 */
export class ConversionError extends KafkaError {
  override readonly name = 'ConversionError'
  readonly code: ConversionErrorCode
  readonly dataErrorType: DataErrorType
  readonly column: string | null
  readonly path: string | null
  readonly valueKind: string
  readonly reason: string
  readonly row: number | undefined

  constructor(code: ConversionErrorCode, details: ConversionDetails) {
    const { column, path = column, valueKind, reason, row } = details
    const place = [row === undefined ? '' : `row ${row}`, path === null ? '' : `column ${showName(path)}`]
    const where = place.filter((part) => part !== '').join(', ')
    super(`KafkaOutput: ${code}: ${where === '' ? 'row' : where}: ${valueKind}: ${reason}`, { cause: details.cause })
    this.code = code
    this.dataErrorType = dataErrorTypes[code]
    this.column = column
    this.path = path
    this.valueKind = valueKind
    this.reason = reason
    this.row = row
  }

  /** The same error, saying which row it is about: who serializes one row does not know its number. */
  inRow(row: number): ConversionError {
    const { code, column, path, valueKind, reason, cause } = this
    return new ConversionError(code, { column, path, valueKind, reason, row, cause })
  }
}

function showName(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 117)}...` : name)
}
