import { KeyVaultError } from './key-vault-error.ts'
import { sleep, type VaultClock } from './vault-clock.ts'

/** Pauses: doubled each time, half of each by chance. Source: what Azure's own clients do, 800 ms to 64 s, cut short. */
const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 8000
const MAX_TRIES = 5

/** A point in monotonic time after which nothing is tried any more. */
export class Deadline {
  readonly #clock: VaultClock
  readonly #atMs: number

  constructor(clock: VaultClock, ms: number) {
    this.#clock = clock
    this.#atMs = clock.now() + ms
  }

  get leftMs(): number {
    return Math.max(this.#atMs - this.#clock.now(), 0)
  }
}

/**
 * Tries until something else than a retriable `KeyVaultError` comes of it, five times at most; a pause that would not end
 * before the deadline is not begun.
 */
export async function withRetries<T>(clock: VaultClock, deadline: Deadline, once: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await once()
    } catch (error) {
      if (!(error instanceof KeyVaultError) || !error.retriable || tries >= MAX_TRIES) throw error
      const longestMs = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), MAX_PAUSE_MS)
      const pauseMs = Math.max(longestMs * (0.5 + clock.random() / 2), error.retryAfterMs ?? 0)
      if (pauseMs >= deadline.leftMs) throw error
      await sleep(clock, pauseMs)
    }
  }
}
