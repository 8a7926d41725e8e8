import type { DataErrorRecord } from './data-error.ts'
import type { OutputClock } from './output-clock.ts'
import { jsonText } from './serialize/json.ts'
import type { ConversionError } from './types/conversion-error.ts'
import { fromDate } from './types/date-time.ts'
import { kindOf } from './types/infer-value.ts'
import { DateTime, Row } from './types/value.ts'

/** More of the same kind within this are told together. Milliseconds. */
const WINDOW_MS = 10_000
/** Kinds that are counted at the same time; of more, all with the same code are one kind. */
const MAX_KINDS = 100
const MAX_EXAMPLE_CHARACTERS = 1000

interface Kind {
  /** The first that was not told. */
  record: DataErrorRecord | null
  readonly timer: { cancel(): void }
}

/**
 * Makes data-error records of failed conversions: the first of a kind at once, those that follow within ten seconds as one
 * record. So a million bad rows are a handful of lines, and none is uncounted.
 */
export class DataErrors {
  readonly #source: string
  readonly #clock: OutputClock
  readonly #tell: (record: DataErrorRecord) => void
  readonly #kinds = new Map<string, Kind>()
  /** Failed conversions so far. */
  count = 0

  constructor(source: string, clock: OutputClock, tell: (record: DataErrorRecord) => void) {
    this.#source = source
    this.#clock = clock
    this.#tell = tell
  }

  /**
   * @param input the row; an example of it goes into the record.
   * @param rows how many rows failed together.
   */
  add(error: ConversionError, input: unknown, rows = 1): void {
    this.count += rows
    const name = this.#kindOf(error)
    const kind = this.#kinds.get(name)
    if (kind === undefined) {
      this.#tell(this.#record(error, input, rows))
      const timer = this.#clock.after(WINDOW_MS, () => this.#end(name), false)
      this.#kinds.set(name, { record: null, timer })
    } else if (kind.record === null) {
      kind.record = this.#record(error, input, rows)
    } else {
      kind.record = { ...kind.record, EventCount: kind.record.EventCount + rows, ToTimestamp: this.#now() }
    }
  }

  /** Tells what has not been told yet. */
  flush(): void {
    for (const name of [...this.#kinds.keys()]) this.#end(name)
  }

  #kindOf({ code, path, reason }: ConversionError): string {
    const name = `${code} ${path ?? ''} ${reason}`
    return this.#kinds.size < MAX_KINDS || this.#kinds.has(name) ? name : code
  }

  #end(name: string): void {
    const kind = this.#kinds.get(name)
    this.#kinds.delete(name)
    kind?.timer.cancel()
    if (kind?.record !== null && kind?.record !== undefined) this.#tell(kind.record)
  }

  #record(error: ConversionError, input: unknown, rows: number): DataErrorRecord {
    const now = this.#now()
    return {
      ...{ Source: this.#source, Type: 'DataError', DataErrorType: error.dataErrorType },
      BriefMessage: `${error.path === null ? 'row' : `column '${error.path}'`}: ${error.valueKind}: ${error.reason}`,
      ...{ Message: error.message, ExampleEvents: JSON.stringify([exampleOf(input)]) },
      ...{ FromTimestamp: now, ToTimestamp: now, EventCount: rows },
    }
  }

  #now(): string {
    const moment = fromDate(new Date(this.#clock.wallNow()))
    return moment instanceof DateTime ? moment.text : ''
  }
}

/** A row that could not be converted, as well as it can be shown. */
function exampleOf(input: unknown): string {
  try {
    const shown = input instanceof Row ? jsonText(input) : JSON.stringify(input, showMember)
    return (shown as string | undefined)?.slice(0, MAX_EXAMPLE_CHARACTERS) ?? kindOf(input)
  } catch {
    // A cycle, or a getter that throws: what kind of thing it is must do.
    return 'a row that cannot be shown'
  }
}

function showMember(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Row) return Object.fromEntries(value.names.map((name, i) => [name, value.values[i]]))
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}
