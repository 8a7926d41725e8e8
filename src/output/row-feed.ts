import type { DataErrors } from './data-errors.ts'
import type { Delivery } from './delivery.ts'
import type { OutputClock } from './output-clock.ts'
import type { OutputEvents } from './output-events.ts'
import type { OutputMessage } from './output-message.ts'
import type { ErrorPolicy } from './output-options.ts'
import type { RowEncoder } from './row-encoder.ts'
import { ConversionError } from './types/conversion-error.ts'
import { callUnheeded } from './call-unheeded.ts'
import { growingDelayMs, sleep, Waits } from './waiting.ts'
import type { WriteRun } from './write-run.ts'

export interface RowFeedParts {
  readonly encoder: RowEncoder
  readonly delivery: Delivery
  readonly errorPolicy: ErrorPolicy
  readonly dataErrors: DataErrors
  readonly events: OutputEvents
  readonly clock: OutputClock
}

type Rows = Iterable<unknown> | AsyncIterable<unknown>

/** So many rows are taken before the event loop turns: sockets want to be read. */
const TURN_ROWS = 512
/** A message that waits for more rows of a slow source goes after this. Milliseconds. */
const IDLE_MS = 1000

/**
 * From a source to the delivery, one row after the other, no faster than there is room. One source at a time: the message
 * that is open belongs to it.
 *
 * A row that costs no waiting costs no promise.
 */
export class RowFeed {
  readonly #parts: RowFeedParts

  constructor(parts: RowFeedParts) {
    this.#parts = parts
  }

  /** @throws what the source throws, and the reason of the run's signal. */
  async feed(rows: Rows, run: WriteRun): Promise<void> {
    try {
      await this.#read(rows, run).finally(() => this.#closeMessage(run))
    } finally {
      // Of a source that was stopped: its rows are given again, with the next write of whoever wants them written.
      this.#parts.encoder.flush()
    }
  }

  async #read(rows: Rows, run: WriteRun): Promise<void> {
    if (Symbol.asyncIterator in rows) {
      await this.#readAsync(rows[Symbol.asyncIterator](), run)
      return
    }
    for (const row of rows) {
      run.signal.throwIfAborted()
      const wait = this.#take(row, run)
      if (wait !== null) await wait
    }
  }

  async #readAsync(iterator: AsyncIterator<unknown>, run: WriteRun): Promise<void> {
    const waits = new Waits(run.signal)
    let isOpen = true
    try {
      for (;;) {
        // Iterators that others write need not give promises.
        const next = await this.#next(Promise.resolve(iterator.next()), waits, run)
        isOpen = next.done !== true
        if (next.done === true) return
        const wait = this.#take(next.value, run)
        if (wait !== null) await wait
      }
    } finally {
      // Not awaited: an iterator that hangs in `next` would hang in `return`, too.
      if (isOpen) callUnheeded(() => iterator.return?.())
    }
  }

  /** The next row; a message that is open does not wait for it for long. */
  #next<T>(next: Promise<T>, waits: Waits, run: WriteRun): Promise<T> {
    const { heldSinceMs } = run
    return heldSinceMs === null ? waits.for(next) : this.#nextWhileOpen(next, waits, run, heldSinceMs + IDLE_MS)
  }

  async #nextWhileOpen<T>(next: Promise<T>, waits: Waits, run: WriteRun, closeAtMs: number): Promise<T> {
    const { clock } = this.#parts
    let closing = Promise.resolve()
    const close = (): void => {
      closing = this.#closeMessage(run)
      closing.catch(thrownBelow)
    }
    const leftMs = closeAtMs - clock.now()
    if (leftMs <= 0) close()
    const timer = leftMs <= 0 ? null : clock.after(leftMs, close)
    try {
      return await waits.for(next)
    } finally {
      timer?.cancel()
      await closing
    }
  }

  /** Takes a row. @returns what to wait for before the next one; null: nothing. */
  #take(row: unknown, run: WriteRun): Promise<void> | null {
    run.rows++
    const wait = this.#convert(row, run)
    if (wait !== null || run.rows % TURN_ROWS !== 0) return wait
    return new Promise((resolve) => this.#parts.clock.soon(resolve))
  }

  #convert(row: unknown, run: WriteRun): Promise<void> | null {
    let messages: readonly OutputMessage[]
    try {
      messages = this.#encode(row, run)
    } catch (error) {
      return this.#onBadRow(row, run, error)
    }
    return this.#send(messages, run)
  }

  /** @throws {ConversionError} */
  #encode(row: unknown, run: WriteRun): readonly OutputMessage[] {
    const { encoder, clock } = this.#parts
    const before = encoder.pendingRows
    const packed = encoder.push(row)
    const isOpen = encoder.pendingRows > 0
    if (!isOpen) run.heldSinceMs = null
    else if (before === 0 || packed.length > 0) run.heldSinceMs = clock.now()
    return run.track(packed, isOpen)
  }

  #onBadRow(row: unknown, run: WriteRun, error: unknown): Promise<void> | null {
    if (!(error instanceof ConversionError)) throw error
    if (this.#parts.errorPolicy === 'Retry') return this.#retry(row, run, error)
    this.#parts.dataErrors.add(error.inRow(run.row), row)
    run.drop(this.#parts.encoder.pendingRows)
    return null
  }

  /** Until the row can be converted: whoever gave it may mend it. Rows before it do not wait for that. */
  async #retry(row: unknown, run: WriteRun, first: ConversionError): Promise<void> {
    const { clock, dataErrors, events } = this.#parts
    await this.#closeMessage(run)
    run.heldSinceMs = clock.now()
    for (let [attempts, error] = [1, first]; ; attempts++) {
      const inRow = error.inRow(run.row)
      const delayMs = growingDelayMs(attempts)
      dataErrors.add(inRow, row)
      events.blocked(run.row, attempts, delayMs, inRow)
      await sleep(clock, delayMs, run.signal)
      try {
        const messages = this.#encode(row, run)
        events.unblocked(run.row, attempts)
        await this.#send(messages, run)
        return
      } catch (again) {
        if (!(again instanceof ConversionError)) throw again
        error = again
      }
    }
  }

  async #closeMessage(run: WriteRun): Promise<void> {
    // A run that was stopped sends nothing any more.
    if (run.signal.aborted) return
    run.heldSinceMs = null
    await this.#send(run.trackRest(this.#parts.encoder.flush()), run)
  }

  #send(messages: readonly OutputMessage[], run: WriteRun): Promise<void> | null {
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i] as OutputMessage
      if (!this.#parts.delivery.offer(message)) return this.#sendSlowly(messages.slice(i), run)
    }
    return null
  }

  async #sendSlowly(messages: readonly OutputMessage[], run: WriteRun): Promise<void> {
    const { delivery } = this.#parts
    let sent = 0
    try {
      for (const message of messages) {
        while (!delivery.offer(message)) await delivery.ready(run.signal)
        sent++
      }
    } finally {
      for (const message of messages.slice(sent)) run.abandoned(message, false)
    }
  }
}

/** Who waits for the row throws it. */
function thrownBelow(): void {
  return undefined
}
