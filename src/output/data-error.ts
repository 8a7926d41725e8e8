import type { DataErrorType } from './types/conversion-error.ts'

/**
 * Rows that could not be converted, as Stream Analytics writes it into its resource log. First of a kind at once, more of the
 * same kind together, `EventCount` of them.
 */
export interface DataErrorRecord {
  /** The output's alias. */
  readonly Source: string
  readonly Type: 'DataError'
  readonly DataErrorType: DataErrorType
  readonly BriefMessage: string
  readonly Message: string
  /** JSON: a list with the first of these rows, as text, cut short. The only place where headrace tells contents of rows. */
  readonly ExampleEvents: string
  readonly FromTimestamp: string
  readonly ToTimestamp: string
  readonly EventCount: number
}

/** A record as a line of a log of JSON lines, with its line feed. */
export function dataErrorLine(record: DataErrorRecord): string {
  return `${JSON.stringify(record)}\n`
}
