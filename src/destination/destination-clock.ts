/* eslint-disable no-restricted-globals -- the public API has no clock to give, and this is the one of the destination */

/** Time, so that tests own it. Milliseconds. */
export interface DestinationClock {
  /** Monotonic; only differences mean something. */
  now(): number
  /** Runs `fn` once. `keepAlive: false` lets the process end before that. */
  after(delayMs: number, fn: () => void, keepAlive?: boolean): { cancel(): void }
}

export const systemClock: DestinationClock = {
  now: () => performance.now(),
  after(delayMs, fn, keepAlive = true) {
    const timeout = setTimeout(fn, delayMs)
    if (!keepAlive) timeout.unref()
    return { cancel: () => clearTimeout(timeout) }
  },
}
