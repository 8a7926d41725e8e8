/** All failures of one kind. */
export interface FailureKind {
  readonly code: string
  count: number
  /** The first few, ascending. */
  lines: number[]
  /** Of the first. */
  readonly message: string
  /** Some of them may be in the log nevertheless. */
  maybeWritten: boolean
}

const LINES_KEPT = 5

/** What became of the records so far; its size does not depend on how many there are. */
export class Tally {
  delivered = 0
  failed = 0
  /** Keys and values of what was delivered. */
  bytes = 0
  readonly #kinds = new Map<string, FailureKind>()
  readonly partitions = new Map<number, number>()

  get records(): number {
    return this.delivered + this.failed
  }

  get failures(): FailureKind[] {
    return [...this.#kinds.values()].sort((a, b) => b.count - a.count)
  }

  addFailure(line: number, failure: { code: string; message: string; maybeWritten?: boolean }): void {
    this.failed++
    const { code, message, maybeWritten = false } = failure
    let kind = this.#kinds.get(code)
    if (kind === undefined) this.#kinds.set(code, (kind = { code, message, count: 0, lines: [], maybeWritten: false }))
    kind.count++
    kind.maybeWritten ||= maybeWritten
    if (kind.lines.length < LINES_KEPT || line < (kind.lines.at(-1) ?? 0)) {
      kind.lines = [...kind.lines, line].sort((a, b) => a - b).slice(0, LINES_KEPT)
    }
  }

  addPartition(partition: number, records: number): void {
    this.partitions.set(partition, (this.partitions.get(partition) ?? 0) + records)
  }
}
