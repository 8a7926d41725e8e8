/** So many changes at least are kept beside the base before a new base is made of both; of a large one, its square root. */
const MIN_CHANGES = 64

/**
 * A map that never changes: a change gives another one, which shares nearly all of it. Ten thousand single changes of
 * ten thousand entries would otherwise copy a hundred million.
 */
export class SharedMap<Value extends object> {
  readonly size: number
  readonly #base: ReadonlyMap<string, Value>
  /** What has become of entries since the base was made; null: removed. */
  readonly #changes: ReadonlyMap<string, Value | null>

  private constructor(base: ReadonlyMap<string, Value>, changes: ReadonlyMap<string, Value | null>, size: number) {
    this.#base = base
    this.#changes = changes
    this.size = size
  }

  static empty<Value extends object>(): SharedMap<Value> {
    return new SharedMap<Value>(new Map(), new Map(), 0)
  }

  get(key: string): Value | undefined {
    if (this.#changes.size === 0) return this.#base.get(key)
    const change = this.#changes.get(key)
    return change === undefined ? this.#base.get(key) : (change ?? undefined)
  }

  /** With these entries set, or removed where the value is null. */
  with(entries: ReadonlyMap<string, Value | null>): SharedMap<Value> {
    let { size } = this
    for (const [key, value] of entries) size += (value === null ? 0 : 1) - (this.get(key) === undefined ? 0 : 1)
    const changes = new Map(this.#changes)
    for (const [key, value] of entries) changes.set(key, value)
    if (changes.size <= Math.max(MIN_CHANGES, Math.sqrt(this.#base.size)))
      return new SharedMap(this.#base, changes, size)
    const base = new Map(this.#base)
    for (const [key, value] of changes) {
      if (value === null) base.delete(key)
      else base.set(key, value)
    }
    return new SharedMap<Value>(base, new Map(), size)
  }
}
