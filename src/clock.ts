/**
 * Time and randomness, behind one interface so that tests own both.
 *
 * `now` is monotonic: deadlines and backoffs survive a wall clock that jumps. `wallNow` is for what leaves the process:
 * record timestamps and, later, token signing.
 */
export interface Clock {
  /** Monotonic milliseconds; only differences mean something. */
  now(): number
  /** Milliseconds since the Unix epoch. */
  wallNow(): number
  /** Runs `fn` once after `delayMs`. `keepAlive: false` lets the process end before that. */
  after(delayMs: number, fn: () => void, keepAlive?: boolean): Timer
  /** Runs `fn` when the current turn of the event loop is done. */
  soon(fn: () => void): void
  /** A number in [0, 1). */
  random(): number
}

export interface Timer {
  cancel(): void
  /** Whether the process must not end before it has fired. */
  keepAlive(isKept: boolean): void
}

/** `setTimeout` fires at once beyond this (2^31-1); whoever waits longer asks again when it fires. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after(delayMs, fn, keepAlive = true) {
    const timeout = setTimeout(fn, Math.min(Math.max(Math.ceil(delayMs), 0), MAX_TIMEOUT_MS))
    if (!keepAlive) timeout.unref()
    return {
      cancel: () => clearTimeout(timeout),
      keepAlive(isKept) {
        if (isKept) timeout.ref()
        else timeout.unref()
      },
    }
  },
  soon: (fn) => void setImmediate(fn),
  random: () => Math.random(),
}
