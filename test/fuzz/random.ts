/** Random numbers that a seed repeats: sfc32, which passes PractRand and costs a nanosecond. */
export class Random {
  #a = 0x9e3779b9
  #b = 0x243f6a88
  #c: number
  #count = 1

  constructor(seed: number) {
    this.#c = seed | 0
    for (let i = 0; i < 12; i++) this.next()
  }

  /** 0 to 2^32-1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#count++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** 0 to `limit` - 1. */
  below(limit: number): number {
    return limit <= 1 ? 0 : this.next() % limit
  }

  /** Once in `times`. */
  oneIn(times: number): boolean {
    return this.next() % times === 0
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }
}
