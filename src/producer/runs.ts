/**
 * A list of numbers of which neighbours are mostly equal, as the times of records are that are sent in one millisecond: only
 * changes are kept.
 */
export class Runs {
  /** Of each run. */
  readonly values: number[] = []
  readonly #starts: number[] = []
  #length = 0
  #last = NaN
  /** The run that `at` was in last: who reads reads in order. */
  #run = 0

  push(value: number): void {
    if (value !== this.#last) {
      this.#last = value
      this.values.push(value)
      this.#starts.push(this.#length)
    }
    this.#length++
  }

  /** @param index of a number that was pushed. */
  at(index: number): number {
    const starts = this.#starts
    if (index < (starts[this.#run] ?? 0)) this.#run = 0
    while (index >= (starts[this.#run + 1] ?? Infinity)) this.#run++
    return this.values[this.#run] ?? 0
  }
}
