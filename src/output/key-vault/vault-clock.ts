/** What is needed of time and chance; the tests own them. */
export interface VaultClock {
  /** Monotonic milliseconds; only differences mean something. */
  now(): number
  /** Milliseconds since the Unix epoch. */
  wallNow(): number
  /** @param keepAlive false: the process may end before that. */
  after(delayMs: number, fn: () => void, keepAlive?: boolean): { cancel(): void }
  /** A number in [0, 1). */
  random(): number
}

/* eslint-disable no-restricted-globals, no-restricted-properties -- the output's own clock: it may import the library's public API only */
export const systemVaultClock: VaultClock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after(delayMs, fn, keepAlive = true) {
    const timeout = setTimeout(fn, delayMs)
    if (!keepAlive) timeout.unref()
    return { cancel: () => clearTimeout(timeout) }
  },
  random: () => Math.random(),
}
/* eslint-enable no-restricted-globals, no-restricted-properties */

export function sleep(clock: VaultClock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve))
}
