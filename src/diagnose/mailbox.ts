/** What happens in callbacks, for one reader who waits for it. */
export class Mailbox<T> {
  readonly #items: T[] = []
  #wake: (() => void) | null = null

  put(item: T): void {
    this.#items.push(item)
    this.#wake?.()
  }

  async take(): Promise<T> {
    for (;;) {
      const item = this.#items.shift()
      if (item !== undefined) return item
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}
