import type { Row, Value } from './types/value.ts'

/** Finds one column in every row. Names match without regard to case, as in Stream Analytics. */
export class ColumnFinder {
  readonly #folded: string
  /** Rows of one source share their list of names. */
  #names: readonly string[] = []
  #at = -1

  constructor(name: string) {
    this.#folded = name.toLowerCase()
  }

  /** @returns null: the row has no such column, or null in it. */
  find({ names, values }: Row): Value {
    if (names !== this.#names) {
      this.#names = names
      this.#at = names.findIndex((name) => name.toLowerCase() === this.#folded)
    }
    return values[this.#at] ?? null
  }
}
