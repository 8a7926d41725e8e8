/**
 * The offset of one record of a batch after the other: as a bigint for whoever shows it, as a number for whoever keeps
 * thousands. Counting on costs a third of making a bigint out of a number.
 */
export class Offsets {
  readonly #base: bigint
  readonly #baseNumber: number
  #index = 0
  #latest: bigint
  #latestIndex = 0

  /** @param base of the first record; -1n: nobody told us where they are. */
  constructor(base: bigint) {
    this.#base = base
    this.#baseNumber = Number(base)
    this.#latest = base
  }

  /** From now on that of this record, counted from 0. */
  moveTo(index: number): void {
    this.#index = index
  }

  /** -1n: unknown. */
  get bigint(): bigint {
    const index = this.#index
    if (index === this.#latestIndex || this.#base < 0n) return this.#latest
    this.#latest = index === this.#latestIndex + 1 ? this.#latest + 1n : this.#base + BigInt(index)
    this.#latestIndex = index
    return this.#latest
  }

  /** -1: unknown. NaN: beyond 2^53, where numbers are not exact. */
  get number(): number {
    if (this.#base < 0n) return -1
    const number = this.#baseNumber + this.#index
    return Number.isSafeInteger(number) ? number : NaN
  }
}
