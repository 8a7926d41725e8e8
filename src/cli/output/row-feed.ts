import { Row } from '../../output/output.ts'
import type { InputFault, InputRow } from './input-row.ts'

/** A place in the input, behind a row. */
export interface Position {
  readonly bytes: number
  readonly lines: number
  /** Of the input, those that could not be read among them. */
  readonly rows: number
}

export const AT_THE_BEGINNING: Position = { bytes: 0, lines: 0, rows: 0 }

export interface RowFeedOptions {
  readonly source: AsyncIterable<InputRow>
  readonly start: Position
  /** So many rows are given out behind the place that is kept safe. */
  readonly windowRows: number
  /** @param row its number in the input. @returns whether to go on. */
  readonly onFault: (fault: InputFault, row: number) => boolean
}

/** Rows are forgotten in lots. */
const FORGET_AT = 8192

/**
 * Gives the rows of the input to an output, and knows where in the input each of them ended, as long as that is asked for:
 * when the first n of them are in Kafka, everything up to `positionAfter(n)` is done with.
 */
export class RowFeed {
  readonly #options: RowFeedOptions
  /** Of the rows from `#forgotten` on. */
  #ends: Position[] = []
  #forgotten = 0
  #lastSafe: Position
  #given = 0
  #kept = 0
  #read: Position
  /** The same, but before a row that may not be whole yet. */
  #whole: Position
  #faults = 0
  #state: 'reading' | 'stopped' | 'ended' = 'reading'
  #onRoom: (() => void) | null = null

  constructor(options: RowFeedOptions) {
    this.#options = options
    this.#read = this.#whole = this.#lastSafe = options.start
  }

  /** Rows that could not be read. */
  get faults(): number {
    return this.#faults
  }

  /** Rows that were given out. */
  get given(): number {
    return this.#given
  }

  /** How far reading is. */
  get read(): Position {
    return this.#read
  }

  /** Reading came to the end of the input. */
  get hasEnded(): boolean {
    return this.#state === 'ended'
  }

  /** Ends the reading with what was given out. */
  stop(): void {
    if (this.#state === 'reading') this.#state = 'stopped'
    this.#onRoom?.()
  }

  /** @throws what reading throws, but not after `stop`: a stream that is destroyed then says that it was. */
  async *rows(): AsyncGenerator<Row> {
    try {
      yield* this.#rows()
    } catch (error) {
      if (!this.#isStopped()) throw error
    }
  }

  async *#rows(): AsyncGenerator<Row> {
    for await (const { line, endByte, result } of this.#options.source) {
      if (this.#isStopped()) return
      const position = { bytes: endByte, lines: line, rows: this.#read.rows + 1 }
      if (!(result instanceof Row)) {
        this.#faults++
        const goesOn = this.#options.onFault(result, position.rows)
        // What stops the reading is looked at again when it goes on.
        if (!goesOn) {
          this.stop()
          return
        }
        this.#read = position
        if (result.isCut !== true) this.#whole = position
        continue
      }
      while (this.#given - this.#kept >= this.#options.windowRows) {
        await new Promise<void>((resolve) => (this.#onRoom = resolve))
        if (this.#isStopped()) return
      }
      this.#read = this.#whole = position
      this.#given++
      this.#ends.push(position)
      yield result
    }
    if (!this.#isStopped()) this.#state = 'ended'
  }

  /** @param safeRows so many rows, from the first one that was given out, are in Kafka or dropped. Never less than before. */
  positionAfter(safeRows: number): Position {
    const end = this.#ends[safeRows - this.#forgotten - 1]
    if (end !== undefined) this.#lastSafe = end
    // What could not be read at the end of the input, or before its first row, is done with, too.
    if (safeRows === this.#given && this.#state === 'ended') this.#lastSafe = this.#whole
    if (safeRows - this.#forgotten >= FORGET_AT) {
      this.#ends = this.#ends.slice(safeRows - this.#forgotten)
      this.#forgotten = safeRows
    }
    return this.#lastSafe
  }

  /** So many rows are in the checkpoint: the window moves on. */
  keep(rows: number): void {
    this.#kept = rows
    this.#onRoom?.()
  }

  #isStopped(): boolean {
    return this.#state === 'stopped'
  }
}
