/**
 * When records are due: the n-th at `startMs + n / rate`, whatever has become of those before.
 *
 * Latency counts from there, not from the call that sends it: a client that stalls must not stop the clock of the records
 * that it keeps from being sent (coordinated omission).
 */
export class Schedule {
  readonly #startMs: number
  readonly #msPerRecord: number
  #issued = 0

  constructor(startMs: number, ratePerSecond: number) {
    this.#startMs = startMs
    this.#msPerRecord = 1000 / ratePerSecond
  }

  get issued(): number {
    return this.#issued
  }

  /** How many more are due by now; they count as issued from here on. */
  take(nowMs: number): number {
    const due = Math.floor((nowMs - this.#startMs) / this.#msPerRecord) + 1
    const count = Math.max(0, due - this.#issued)
    this.#issued += count
    return count
  }

  latencyUs(index: number, nowMs: number): number {
    return (nowMs - this.#startMs - index * this.#msPerRecord) * 1000
  }
}
