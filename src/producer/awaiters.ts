import type { Awaiter, Receipt } from './receipt.ts'

/**
 * Who waits for the records of a batch, in their order, each with its token.
 *
 * Where all records have one receipt, with tokens that are equal (`offer`) or count up (`sendAll`), only that is kept: a list
 * of thousands, which grows by copying, lives as long as the batch, and that is what a young garbage collection costs.
 */
export class Awaiters {
  #count = 0
  /** Of all records, while `#list` is null. */
  #only: Awaiter | null = null
  #firstToken = 0
  /** From one record's token to the next one's, 0 or 1. */
  #step = 0
  #list: Awaiter[] | null = null
  /** Null, with a list: all of them are 0, as those of `send` and `offer`. */
  #tokens: number[] | null = null

  get count(): number {
    return this.#count
  }

  /** Of all records, if it is one, and what its tokens are; null: there are several, or it is a promise. */
  get run(): { readonly receipt: Receipt; readonly firstToken: number; readonly step: number } | null {
    const only = this.#only
    if (this.#list !== null || only === null || typeof only === 'function') return null
    return { receipt: only, firstToken: this.#firstToken, step: this.#step }
  }

  push(awaiter: Awaiter, token: number): void {
    const index = this.#count++
    if (this.#list === null) {
      if (this.#goesOn(awaiter, token, index)) return
      this.#list = this.#expand(index)
    }
    this.#list.push(awaiter)
    if (token !== 0 || this.#tokens !== null) (this.#tokens ??= new Array<number>(index).fill(0)).push(token)
  }

  /** @param index of a record that was pushed. */
  at(index: number): Awaiter {
    return (this.#list === null ? this.#only : this.#list[index]) as Awaiter
  }

  tokenAt(index: number): number {
    if (this.#list === null) return this.#firstToken + index * this.#step
    return this.#tokens?.[index] ?? 0
  }

  #goesOn(awaiter: Awaiter, token: number, index: number): boolean {
    if (index === 0) {
      this.#only = awaiter
      this.#firstToken = token
      return true
    }
    if (awaiter !== this.#only) return false
    if (index > 1) return token === this.#firstToken + index * this.#step
    this.#step = token - this.#firstToken
    return this.#step === 0 || this.#step === 1
  }

  #expand(count: number): Awaiter[] {
    const all = Array.from({ length: count }, (_, i) => this.tokenAt(i))
    if (all.some((token) => token !== 0)) this.#tokens = all
    return new Array<Awaiter>(count).fill(this.#only as Awaiter)
  }
}
