const RING_LINES = 4096

type Detail = string | number | bigint | boolean | null

/**
 * What happened, in order: the last lines of it, and a hash of all. Two runs of a seed that differ anywhere differ in the
 * hash.
 */
export class Trace {
  readonly #ring: [atMs: number, what: string, details: readonly Detail[]][] = []
  #count = 0
  #hash = 0x811c9dc5

  /** @param keptLines how many lines are remembered; Infinity: all. */
  readonly #keptLines: number

  constructor(keptLines = RING_LINES) {
    this.#keptLines = keptLines
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0')
  }

  get count(): number {
    return this.#count
  }

  add(atMs: number, what: string, ...details: readonly Detail[]): void {
    if (this.#count < this.#keptLines) this.#ring.push([atMs, what, details])
    else this.#ring[this.#count % this.#keptLines] = [atMs, what, details]
    this.#count++
    this.#mixNumber(atMs * 1000)
    this.#mixText(what)
    for (const detail of details) {
      if (typeof detail === 'number') this.#mixNumber(detail)
      else this.#mixText(String(detail))
    }
  }

  /** The last ones, oldest first. */
  lines(count = Infinity): string[] {
    const start = this.#count > this.#keptLines ? this.#count % this.#keptLines : 0
    const ordered = [...this.#ring.slice(start), ...this.#ring.slice(0, start)]
    const last = count < ordered.length ? ordered.slice(-count) : ordered
    return last.map(
      ([atMs, what, details]) => `${atMs.toFixed(3).padStart(12)}  ${what} ${details.map(String).join(' ')}`,
    )
  }

  #mixNumber(value: number): void {
    this.#hash = Math.imul(this.#hash ^ (value | 0), 0x01000193)
  }

  #mixText(text: string): void {
    for (let i = 0; i < text.length; i++) this.#hash = Math.imul(this.#hash ^ text.charCodeAt(i), 0x01000193)
  }
}
