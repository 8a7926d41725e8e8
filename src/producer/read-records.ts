import type { Clock } from '../clock.ts'
import { isAsyncIterable, type RecordForTopic } from './arguments.ts'
import type { BufferMemory } from './buffer-memory.ts'

/** Ends a reading from outside: its signal aborted, or the producer is being closed. */
export class ReadStop {
  #cause: Error | null = null
  #reject: ((cause: Error) => void) | null = null

  stop(cause: Error): void {
    this.#cause ??= cause
    this.#reject?.(cause)
  }

  /** Waits for work of somebody else's, which may never end, unless the reading is stopped. */
  orStopped<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject
      if (this.#cause !== null) reject(this.#cause)
      work.then(resolve, reject)
    })
  }

  /** @throws what it was stopped with. */
  check(): void {
    if (this.#cause !== null) throw this.#cause
  }
}

/** So many records are taken from a plain iterable before the event loop turns: sockets want to be read. */
const TURN_RECORDS = 1024

/** When a reading has to wait: memory is tight, or the event loop has not turned for long. */
export class ReadingPace {
  readonly #clock: Clock
  readonly #memory: Pick<BufferMemory, 'isTight' | 'loosened'>
  #taken = 0

  constructor(clock: Clock, memory: Pick<BufferMemory, 'isTight' | 'loosened'>) {
    this.#clock = clock
    this.#memory = memory
  }

  /** What to wait for before the next record; null: nothing. */
  afterRecord(): Promise<void> | null {
    this.#taken++
    if (this.#memory.isTight) return this.#memory.loosened()
    return this.#taken % TURN_RECORDS === 0 ? new Promise((resolve) => this.#clock.soon(resolve)) : null
  }
}

/**
 * Hands over every record of an iterable, one after the other; where `take` gives a promise, it is waited for first.
 *
 * @returns what made it end early, if anything: the iterable threw, or it was stopped.
 */
export async function readRecords(
  records: Iterable<RecordForTopic> | AsyncIterable<RecordForTopic>,
  take: (record: RecordForTopic) => Promise<void> | null,
  stop: ReadStop,
): Promise<{ cause: unknown } | null> {
  try {
    // Two loops: an asynchronous one costs turns of the microtask queue for every element of a plain array.
    if (isAsyncIterable(records)) await readAsync(records[Symbol.asyncIterator](), take, stop)
    else await readSync(records, take, stop)
    return null
  } catch (cause) {
    return { cause }
  }
}

async function readSync(
  records: Iterable<RecordForTopic>,
  take: (record: RecordForTopic) => Promise<void> | null,
  stop: ReadStop,
): Promise<void> {
  for (const record of records) {
    stop.check()
    const room = take(record)
    if (room !== null) await stop.orStopped(room)
  }
}

async function readAsync(
  iterator: AsyncIterator<RecordForTopic>,
  take: (record: RecordForTopic) => Promise<void> | null,
  stop: ReadStop,
): Promise<void> {
  let isOpen = true
  try {
    for (;;) {
      const next = await stop.orStopped(iterator.next())
      isOpen = next.done !== true
      if (next.done === true) return
      const room = take(next.value)
      if (room !== null) await stop.orStopped(room)
    }
  } finally {
    // Not awaited: an iterator that hangs in `next` would hang in `return`, too.
    if (isOpen) void iterator.return?.().then(undefined, ignoreLateError)
  }
}

/** The reading has ended; what the iterator says to its end is nobody's. */
function ignoreLateError(): void {
  return undefined
}
