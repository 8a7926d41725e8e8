import type { Clock, Timer } from './clock.ts'

/**
 * Rings when the first of many things is due, which changes with every request. One timer, which is left alone while that
 * moves away, or goes: a new one for each request costs a twentieth of it. Under load it fires twice a minute.
 */
export class Alarm {
  readonly #clock: Clock
  readonly #onDue: () => void
  #timer: Timer | null = null
  #firesAtMs = Infinity
  #dueAtMs = Infinity

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock
    this.#onDue = onDue
  }

  /** When it is to ring, by the clock; `Infinity`: not at all. It keeps the process alive until then. */
  set(atMs: number): void {
    if (atMs === this.#dueAtMs) return
    const wasSet = this.#dueAtMs !== Infinity
    this.#dueAtMs = atMs
    if (this.#timer === null || atMs < this.#firesAtMs) return this.#arm()
    const isSet = atMs !== Infinity
    if (wasSet !== isSet) this.#timer.keepAlive(isSet)
  }

  /** The same, if it would not ring sooner. */
  setNoLater(atMs: number): void {
    if (atMs < this.#dueAtMs) this.set(atMs)
  }

  /** Not to ring, and to leave no timer behind. */
  cancel(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#firesAtMs = this.#dueAtMs = Infinity
  }

  #arm(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#firesAtMs = this.#dueAtMs
    if (this.#dueAtMs === Infinity) return
    this.#timer = this.#clock.after(this.#dueAtMs - this.#clock.now(), () => this.#onFired())
  }

  #onFired(): void {
    this.#timer = null
    const isDue = this.#dueAtMs <= this.#firesAtMs
    this.#firesAtMs = Infinity
    if (!isDue) return this.#arm()
    this.#dueAtMs = Infinity
    this.#onDue()
  }
}
