import { writeCheckpoint, type Checkpoint } from './checkpoint-file.ts'
import { identityOf } from './input-identity.ts'
import type { Position } from './row-feed.ts'

export interface CheckpointerOptions {
  readonly path: string
  readonly inputPath: string
  readonly windowRows: number
  /** What does not change; asked when it is written, because a header row is known only then. */
  readonly describe: () => Pick<Checkpoint, 'topic' | 'bootstrapServers' | 'format' | 'names'>
  /** It is on the disk that `rows`, of those that were given out, are safe. */
  readonly onKept: (rows: number) => void
  readonly onError: (error: unknown) => void
}

interface Safe {
  readonly rows: number
  readonly position: Position
}

/** A disk is slow to promise; more often would be no use. */
const INTERVAL_MS = 50

/** Writes the latest position, one after the other, and never more often than is of use. */
export class Checkpointer {
  readonly #options: CheckpointerOptions
  #latest: Safe | null = null
  #writing: Promise<void> | null = null
  #windowRows: number
  #hasFailed = false

  constructor(options: CheckpointerOptions) {
    this.#options = options
    this.#windowRows = options.windowRows
  }

  /** @param rows of those that were given out. */
  move(rows: number, position: Position): void {
    this.#latest = { rows, position }
    this.#writing ??= this.#write()
  }

  /** Writes what is known, now. @param windowRows 0: nothing behind it was given out. */
  async finish(rows: number, position: Position, windowRows: number): Promise<void> {
    await this.#writing
    this.#windowRows = windowRows
    this.#latest = { rows, position }
    await this.#writeOnce()
  }

  async #write(): Promise<void> {
    while (this.#latest !== null && !this.#hasFailed) {
      await this.#writeOnce()
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS).unref())
    }
    this.#writing = null
  }

  async #writeOnce(): Promise<void> {
    const safe = this.#latest
    this.#latest = null
    if (safe === null || this.#hasFailed) return
    const { path, inputPath, describe, onKept, onError } = this.#options
    const { bytes, lines, rows } = safe.position
    try {
      const input = await identityOf(inputPath, bytes)
      const place = { safeBytes: bytes, safeLines: lines, safeRows: rows, windowRows: this.#windowRows }
      await writeCheckpoint(path, { ...describe(), ...place, input })
      onKept(safe.rows)
    } catch (error) {
      this.#hasFailed = true
      onError(error)
    }
  }
}
