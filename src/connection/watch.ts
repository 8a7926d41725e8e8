import { Alarm } from '../alarm.ts'
import type { Clock, Timer } from '../clock.ts'

/** Tells when the earliest of many deadlines has passed. */
export class DeadlineWatch {
  readonly #clock: Clock
  readonly #nextMs: () => number
  readonly #onPassed: () => void
  readonly #alarm: Alarm
  /** The alarm has rung, and the verdict comes at the end of the turn. */
  #isDue = false

  /** @param nextMs the earliest deadline now, by the clock; `Infinity`: none. */
  constructor(clock: Clock, nextMs: () => number, onPassed: () => void) {
    this.#clock = clock
    this.#nextMs = nextMs
    this.#onPassed = onPassed
    this.#alarm = new Alarm(clock, () => {
      this.#isDue = true
      // Judged after the pending data was read: a process that was frozen must not condemn answers that lie in the socket.
      this.#clock.soon(() => this.#judge())
    })
  }

  /** Deadlines have changed. */
  rearm(): void {
    const nextMs = this.#nextMs()
    if (nextMs === Infinity) this.#isDue = false
    // Whoever sends a byte in every turn would put a verdict off for ever if it was armed anew.
    else if (this.#isDue) return
    this.#alarm.set(nextMs)
  }

  cancel(): void {
    this.#alarm.cancel()
    this.#isDue = false
  }

  #judge(): void {
    if (!this.#isDue) return // cancelled meanwhile
    this.#isDue = false
    if (this.#nextMs() > this.#clock.now()) return this.rearm()
    this.#onPassed()
  }
}

/** Tells when a connection was not used for too long. Does not keep the process alive. */
export class IdleWatch {
  readonly #clock: Clock
  readonly #maxIdleMs: number
  readonly #isIdle: () => boolean
  readonly #onIdle: () => void
  #timer: Timer | null = null
  #lastUsedMs: number

  constructor(clock: Clock, maxIdleMs: number, isIdle: () => boolean, onIdle: () => void) {
    this.#clock = clock
    this.#maxIdleMs = maxIdleMs
    this.#isIdle = isIdle
    this.#onIdle = onIdle
    this.#lastUsedMs = clock.now()
  }

  used(): void {
    this.#lastUsedMs = this.#clock.now()
  }

  /** Whether the time is up: a process that was frozen may want the connection before the timer has its turn. */
  get isOver(): boolean {
    return this.#isIdle() && this.#clock.now() - this.#lastUsedMs >= this.#maxIdleMs
  }

  watch(): void {
    if (this.isOver) return this.#onIdle()
    const restMs = this.#lastUsedMs + this.#maxIdleMs - this.#clock.now()
    this.#timer = this.#clock.after(restMs > 0 ? restMs : this.#maxIdleMs, () => this.watch(), false)
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = null
  }
}
