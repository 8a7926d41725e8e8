import type { VaultClock } from './key-vault/vault-clock.ts'

/** Waiting that a signal ends: it rejects with the signal's reason then, and leaves neither timer nor listener behind. */

export function sleep(clock: VaultClock, delayMs: number, signal: AbortSignal): Promise<void> {
  let cancel = (): void => undefined
  const over = new Promise<void>((resolve) => {
    const timer = clock.after(delayMs, resolve)
    cancel = () => timer.cancel()
  })
  return orAborted(over, signal).finally(cancel)
}

/** Work of somebody else's, which may never end. What it comes to after the signal is nobody's. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    const end = (): void => signal.removeEventListener('abort', abort)
    work.finally(end).then(resolve, reject)
  })
}

/** Waits for work, and no longer than that. */
export async function within(clock: VaultClock, timeoutMs: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController()
  const late = sleep(clock, timeoutMs, over.signal)
  await Promise.race([work, late])
  late.catch(() => 'called off, it was not needed')
  over.abort()
}

/** `orAborted` for one wait after the other: a listener for all of them, instead of one each. */
export class Waits {
  readonly #signal: AbortSignal
  #end: ((reason: Error) => void) | null = null

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', () => this.#end?.(signal.reason as Error), { once: true })
  }

  for<T>(work: PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#end = reject
      work.then(resolve, reject)
      if (this.#signal.aborted) reject(this.#signal.reason as Error)
    })
  }
}

const FIRST_DELAY_MS = 1000
const MAX_DELAY_MS = 60_000

/** Growing intervals, as Stream Analytics has them: a second, doubled each time, a minute at most. @param attempts from 1. */
export function growingDelayMs(attempts: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (attempts - 1), MAX_DELAY_MS)
}
