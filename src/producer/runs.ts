/**
 * A list of numbers of which neighbours are mostly equal, as the times of records are that are sent in one millisecond: only
 * changes are kept.
 */
export class Runs {
  readonly #values: number[] = []
  #max = -1
  readonly #starts: number[] = []
  #length = 0
  #last = NaN
  /** The run that `at` was in last: who reads reads in order. */
  #run = 0

  /** The greatest; -1 while there is none that is greater. */
  get max(): number {
    return this.#max
  }

  push(value: number): void {
    if (value !== this.#last) {
      this.#last = value
      this.#values.push(value)
      if (value > this.#max) this.#max = value
      this.#starts.push(this.#length)
    }
    this.#length++
  }

  /** @param index of a number that was pushed. */
  at(index: number): number {
    const starts = this.#starts
    if (index < (starts[this.#run] ?? 0)) this.#run = 0
    while (index >= (starts[this.#run + 1] ?? Infinity)) this.#run++
    return this.#values[this.#run] ?? 0
  }
}
