import { ColumnFinder } from './column-finder.ts'
import type { MissingKeyRule } from './output-options.ts'
import { NO_HEAD, type MessageHead } from './serialize/message-packer.ts'
import { isWellFormed, NOT_WELL_FORMED } from './serialize/well-formed.ts'
import { ConversionError, type ConversionErrorCode } from './types/conversion-error.ts'
import type { Row } from './types/value.ts'
import { DateTime, plainText, typeOf, type Value } from './types/value.ts'
import { fromIsoText } from './types/date-time.ts'

export interface RecordHeadOptions {
  readonly partitionKey: string | null
  readonly missingPartitionKey: MissingKeyRule
  readonly timestampColumn: string | null
}

/** Key and time of a row's record, from its columns. */
export class RecordHead {
  readonly #options: RecordHeadOptions
  readonly #key: ColumnFinder | null
  readonly #time: ColumnFinder | null

  constructor(options: RecordHeadOptions) {
    this.#options = options
    this.#key = options.partitionKey === null ? null : new ColumnFinder(options.partitionKey)
    this.#time = options.timestampColumn === null ? null : new ColumnFinder(options.timestampColumn)
  }

  /** @throws {ConversionError} the columns that say it hold no key, or no time. */
  of(row: Row): MessageHead {
    if (this.#key === null && this.#time === null) return NO_HEAD
    return { key: this.#keyOf(row), timestamp: this.#timeOf(row) }
  }

  /** The key is the value's UTF-8, as CSV would write it, without quotes (B.9 item 2). */
  #keyOf(row: Row): string | null {
    if (this.#key === null) return null
    const column = this.#options.partitionKey ?? ''
    const value = this.#key.find(row)
    if (value === null) {
      if (this.#options.missingPartitionKey === 'round-robin') return null
      const reason = 'the partition key needs a value; missingPartitionKey can allow rows without one'
      throw refuse('REQUIRED_COLUMN_MISSING', column, value, reason)
    }
    if (isNested(value)) {
      throw refuse('TYPE_CONVERSION_ERROR', column, value, 'a partition key is a plain value')
    }
    const text = plainText(value)
    if (typeof value === 'string' && !isWellFormed(text)) {
      throw refuse('TYPE_CONVERSION_ERROR', column, value, NOT_WELL_FORMED)
    }
    return text
  }

  #timeOf(row: Row): number | null {
    if (this.#time === null) return null
    const column = this.#options.timestampColumn ?? ''
    const value = this.#time.find(row)
    if (value === null) return null
    // Rows that were read from text have no datetimes, unless columns say so.
    const moment = typeof value === 'string' ? fromIsoText(value) : value
    if (!(moment instanceof DateTime)) {
      throw refuse('TYPE_CONVERSION_ERROR', column, value, 'the time of a record is a datetime')
    }
    const ms = Date.parse(moment.text)
    if (ms >= 0) return ms
    throw refuse('TYPE_CONVERSION_ERROR', column, value, 'the time of a record cannot be before 1970')
  }
}

function isNested(value: Exclude<Value, null>): value is Row | readonly Value[] {
  return typeof value === 'object' && !(value instanceof DateTime)
}

function refuse(code: ConversionErrorCode, column: string, value: Value, reason: string): ConversionError {
  return new ConversionError(code, { column, valueKind: typeOf(value) ?? 'null', reason })
}
