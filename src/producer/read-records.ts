import { isAsyncIterable, type RecordForTopic } from './arguments.ts'

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
