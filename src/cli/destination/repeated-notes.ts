import { oneLine, plainText } from '../terminal.ts'

interface RepeatedNotesOptions {
  readonly print: (text: string) => void
  /** Milliseconds; only differences mean something. */
  readonly now: () => number
}

const EVERY_MS = 10_000
/** A service that meets more kinds of trouble than this forgets the oldest. */
const MAX_KINDS = 100

/** Says what happens again and again once in a while, with how often. */
export class RepeatedNotes {
  readonly #options: RepeatedNotesOptions
  readonly #kinds = new Map<string, { saidMs: number; unsaid: number }>()

  constructor(options: RepeatedNotesOptions) {
    this.#options = options
  }

  /** @param count of events it is about. */
  say(kind: string, count: number, message: string): void {
    const nowMs = this.#options.now()
    const known = this.#kinds.get(kind)
    if (known !== undefined && nowMs - known.saidMs < EVERY_MS) {
      known.unsaid += count
      return
    }
    const total = count + (known?.unsaid ?? 0)
    this.#kinds.delete(kind)
    this.#kinds.set(kind, { saidMs: nowMs, unsaid: 0 })
    const [oldest] = this.#kinds.keys()
    if (this.#kinds.size > MAX_KINDS && oldest !== undefined) this.#kinds.delete(oldest)
    this.#options.print(`${kind} (${total}): ${plainText(oneLine(message))}`)
  }
}
