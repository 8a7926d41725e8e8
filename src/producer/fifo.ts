/** Shifted places are cut off once there are more of them, and they are more than half. */
const MAX_EMPTY_PLACES = 1024

/** First in, first out, at the same cost however long it is: `Array.shift` moves all that is left. */
export class Fifo<T extends object> implements Iterable<T> {
  #items: (T | undefined)[] = []
  #start = 0

  get length(): number {
    return this.#items.length - this.#start
  }

  get first(): T | undefined {
    return this.#items[this.#start]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const { first } = this
    if (first === undefined) return undefined
    // What was taken out must not be kept: a record may have a megabyte.
    this.#items[this.#start++] = undefined
    if (this.length === 0) this.#reset([])
    else if (this.#start > MAX_EMPTY_PLACES && this.#start * 2 > this.#items.length) this.#reset([...this])
    return first
  }

  /** Takes everything out. */
  drain(): T[] {
    const all = [...this]
    this.#reset([])
    return all
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.#start; at < this.#items.length; at++) {
      const item = this.#items[at]
      if (item !== undefined) yield item
    }
  }

  #reset(items: T[]): void {
    this.#items = items
    this.#start = 0
  }
}
