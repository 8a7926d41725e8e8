import type { KafkaError } from '../index.ts'
import { callUnheeded } from './call-unheeded.ts'
import type { MessageOwner, OutputMessage } from './output-message.ts'
import type { PackedMessage } from './serialize/message-packer.ts'
import type { WriteOptions, WriteProgress } from './write-report.ts'

export interface RunContext {
  readonly topic: string
  readonly now: () => number
  /** Counts messages, of all runs. */
  readonly nextOrder: () => number
  /** A message that the brokers find too large: true if the policy drops it. */
  readonly isDroppable: (error: KafkaError, message: OutputMessage) => boolean
}

/** Settled messages are let go of when there are so many, and as many as all others. */
const COMPACT_AT = 1024

/** One `write`: what of its rows has settled, up to where all have, and what ended it early. */
export class WriteRun implements MessageOwner {
  readonly firstRow: number
  /** Taken from the source. */
  rows = 0
  /** When the message that is open was begun, or the row came that blocks; null: there is neither. */
  heldSinceMs: number | null = null
  /** Of those: in a message, or dropped. */
  #finished = 0
  #delivered = 0
  #dropped = 0
  #refused = 0
  #messages = 0
  #retried = 0
  #possibleDuplicates = 0
  #safeRows = 0
  #mayBeWritten = false
  #refusal: KafkaError | null = null
  readonly #context: RunContext
  readonly #onProgress: WriteOptions['onProgress']
  readonly #stop = new AbortController()
  /** In order; those before `#head` have settled and are safe. */
  #queue: OutputMessage[] = []
  #head = 0
  #unsettled = 0
  #waiters: (() => void)[] = []
  #isTelling = false

  constructor(context: RunContext, { firstRow = 1, onProgress }: WriteOptions) {
    this.#context = context
    this.firstRow = firstRow
    this.#onProgress = onProgress
  }

  /** Ends the reading. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Number of the row that was taken last. */
  get row(): number {
    return this.firstRow + this.rows - 1
  }

  get refusal(): KafkaError | null {
    return this.#refusal
  }

  /** Rows of which nobody knows, or will know, whether they are written, and those that were not sent. */
  get unsettledRows(): number {
    return this.rows - this.#delivered - this.#dropped - this.#refused
  }

  /** Some of what was not acknowledged may be in a log. */
  get mayBeWritten(): boolean {
    return this.#mayBeWritten || this.#unsettled > 0
  }

  /** In messages that have not settled. */
  get rowsOnTheWay(): number {
    let rows = 0
    for (const { isSettled, rowCount } of this.#queue) if (!isSettled) rows += rowCount
    return rows
  }

  /** Since when the oldest row that has not settled is here. */
  get oldestMs(): number | null {
    return this.oldestMessageMs ?? this.heldSinceMs
  }

  /** When the oldest message that has not settled was made. */
  get oldestMessageMs(): number | null {
    for (let i = this.#head; i < this.#queue.length; i++) {
      const message = this.#queue[i]
      if (message?.isSettled === false) return message.bornMs
    }
    return null
  }

  stop(reason: Error): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(reason)
  }

  /** The row that was taken last is in messages now. @param isOpen it is in the one that is still open. */
  track(packed: readonly PackedMessage[], isOpen: boolean): OutputMessage[] {
    this.#finished = this.rows
    return packed.map((each, i) => this.#trackOne(each, isOpen || i < packed.length - 1 ? this.rows - 1 : this.rows))
  }

  /** The message that was open is closed, without another row. */
  trackRest(packed: readonly PackedMessage[]): OutputMessage[] {
    return packed.map((each) => this.#trackOne(each, this.#finished))
  }

  /** The row that was taken last is dropped. @param openRows before it, of which the message is still open. */
  drop(openRows: number): void {
    this.#dropped++
    this.#finished = this.rows
    const last = this.#queue.at(-1)
    if (openRows === 0) {
      if (last === undefined) this.#safeRows = this.rows
      else last.lastRow = this.rows
    }
    this.#tellSoon()
  }

  delivered(message: OutputMessage): void {
    this.#delivered += message.rowCount
    this.#messages++
    this.#settle(message, true)
  }

  refused(message: OutputMessage, error: KafkaError): void {
    if (this.#context.isDroppable(error, message)) {
      this.#dropped += message.rowCount
      this.#settle(message, true)
      return
    }
    this.#refused += message.rowCount
    this.#mayBeWritten ||= error.maybeWritten
    this.#refusal ??= error
    this.stop(error)
    this.#settle(message, false)
  }

  abandoned(message: OutputMessage, maybeWritten: boolean): void {
    this.#mayBeWritten ||= maybeWritten
    this.#settle(message, false)
  }

  retried({ rowCount }: OutputMessage, maybeWritten: boolean): void {
    this.#retried += rowCount
    if (maybeWritten) this.#possibleDuplicates += rowCount
  }

  /** Resolves when nothing is on its way. */
  allSettled(): Promise<void> {
    if (this.#unsettled === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  report(): WriteProgress {
    return {
      ...{ rows: this.rows, delivered: this.#delivered, dropped: this.#dropped, safeRows: this.#safeRows },
      ...{ messages: this.#messages, retried: this.#retried, possibleDuplicates: this.#possibleDuplicates },
    }
  }

  #trackOne({ value, key, timestamp, rowCount }: PackedMessage, lastRow: number): OutputMessage {
    const message: OutputMessage = {
      owner: this,
      order: this.#context.nextOrder(),
      record: { topic: this.#context.topic, value, key, timestamp: timestamp ?? undefined },
      ...{ rowCount, lastRow, row: this.firstRow + lastRow - 1 },
      ...{ bornMs: this.#context.now(), isSettled: false, isSafe: false },
    }
    this.#queue.push(message)
    this.#unsettled++
    return message
  }

  #settle(message: OutputMessage, isSafe: boolean): void {
    message.isSettled = true
    message.isSafe = isSafe
    this.#unsettled--
    this.#advance()
    this.#tellSoon()
    if (this.#unsettled > 0) return
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  /** A message that is not safe stays at the head for ever: nothing behind it is safe either. */
  #advance(): void {
    for (let first = this.#queue[this.#head]; first?.isSafe === true; first = this.#queue[++this.#head]) {
      this.#safeRows = first.lastRow
    }
    const isWorthIt = this.#head >= COMPACT_AT && this.#head * 2 >= this.#queue.length
    if (!isWorthIt && this.#head < this.#queue.length) return
    this.#queue = this.#queue.slice(this.#head)
    this.#head = 0
  }

  #tellSoon(): void {
    if (this.#onProgress === undefined || this.#isTelling) return
    this.#isTelling = true
    queueMicrotask(() => {
      this.#isTelling = false
      callUnheeded(() => this.#onProgress?.(this.report()))
    })
  }
}
