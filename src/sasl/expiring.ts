import type { Clock } from '../clock.ts'
import { within } from './provided.ts'

/** After a failed renewal, while the old value is still good: the next try, doubled each time, at most a minute. */
const RETRY_MS = 1000
const MAX_RETRY_MS = 60_000
/** How long one waits for the next value while the old one is still good: an endpoint may hang instead of failing. */
const PATIENCE_MS = 500

export interface Fetched<T> {
  readonly value: T
  /** Wall clock, milliseconds since the Unix epoch; undefined: nobody said, so it is used once. */
  readonly expiresAtMs: number | undefined
}

export interface ExpiringOptions<T> {
  readonly clock: Clock
  readonly fetch: () => Promise<Fetched<T>>
  /** After that time the next one is fetched, although this one is still good. */
  readonly renewAfterMs: (lifetimeMs: number, random: number) => number
  /** A fetch that has not settled by then has failed. */
  readonly timeoutMs: number
}

interface Held<T> extends Fetched<T> {
  readonly expiresAtMs: number
  /** Monotonic: a wall clock that is set back does not make it live longer. */
  readonly renewAtMs: number
}

/** Something that is good for a while: fetched when it is asked for, by one for all who ask at the same time. */
export class Expiring<T> {
  readonly #options: ExpiringOptions<T>
  #held: Held<T> | null = null
  #flight: Promise<Fetched<T>> | null = null
  #failures = 0
  #retryAtMs = 0

  constructor(options: ExpiringOptions<T>) {
    this.#options = options
  }

  /** @throws what `fetch` threw, if there is nothing left that is still good. */
  async get(): Promise<Fetched<T> & { readonly isReused: boolean }> {
    const { clock } = this.#options
    const held = this.#good()
    if (held !== null && clock.now() < Math.max(held.renewAtMs, this.#retryAtMs)) return { ...held, isReused: true }
    this.#flight ??= this.#fetch().finally(() => (this.#flight = null))
    if (held === null) return { ...(await this.#flight), isReused: false }
    return await this.#soonOr(held, this.#flight)
  }

  #soonOr(held: Held<T>, flight: Promise<Fetched<T>>): Promise<Fetched<T> & { readonly isReused: boolean }> {
    return new Promise((resolve) => {
      const useHeld = (): void => resolve({ ...held, isReused: true })
      const timer = this.#options.clock.after(PATIENCE_MS, useHeld, false)
      const useNext = (fetched: Fetched<T>): void => resolve({ ...fetched, isReused: false })
      void flight.then(useNext, useHeld).finally(() => timer.cancel())
    })
  }

  /** It was refused: the next who asks gets another one. */
  forget(value: T): void {
    if (this.#held?.value === value) this.#held = null
  }

  #good(): Held<T> | null {
    return this.#held !== null && this.#options.clock.wallNow() < this.#held.expiresAtMs ? this.#held : null
  }

  async #fetch(): Promise<Fetched<T>> {
    const { clock, fetch, renewAfterMs, timeoutMs } = this.#options
    try {
      const fetched = await within(timeoutMs, clock, fetch())
      const { value, expiresAtMs } = fetched
      const lifetimeMs = (expiresAtMs ?? 0) - clock.wallNow()
      this.#failures = this.#retryAtMs = 0
      if (expiresAtMs === undefined || lifetimeMs <= 0) this.#held = null
      else this.#held = { value, expiresAtMs, renewAtMs: clock.now() + renewAfterMs(lifetimeMs, clock.random()) }
      return fetched
    } catch (error) {
      this.#retryAtMs = clock.now() + Math.min(RETRY_MS * 2 ** Math.min(this.#failures++, 10), MAX_RETRY_MS)
      throw error
    }
  }
}
