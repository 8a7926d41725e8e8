import type { Clock, Timer } from '../../src/clock.ts'

interface FakeTimer {
  readonly atMs: number
  readonly fn: () => void
  isKept: boolean
}

/** Real milliseconds after which a condition that should come about by itself counts as never. */
const PATIENCE_MS = 10_000

/**
 * Time that stands still until a test moves it; only `soon` is real, for it waits for sockets and not for time. What
 * settles while nobody calls `advance` needed no timer.
 */
export class FakeClock implements Clock {
  #nowMs = 1_000_000
  readonly #timers = new Set<FakeTimer>()
  /** What `random` gives. */
  nextRandom = 0.5

  now(): number {
    return this.#nowMs
  }

  wallNow(): number {
    return 1_700_000_000_000 + this.#nowMs
  }

  after(delayMs: number, fn: () => void, isKept = true): Timer {
    const timer: FakeTimer = { atMs: this.#nowMs + Math.max(delayMs, 0), fn, isKept }
    this.#timers.add(timer)
    return {
      cancel: () => void this.#timers.delete(timer),
      keepAlive: (isKeptNow) => {
        timer.isKept = isKeptNow
      },
    }
  }

  soon(fn: () => void): void {
    setImmediate(fn)
  }

  random(): number {
    return this.nextRandom
  }

  /** How long each timer that is set still has, shortest first. */
  get pendingMs(): number[] {
    return [...this.#timers].map(({ atMs }) => atMs - this.#nowMs).sort((a, b) => a - b)
  }

  /** The same of those that a process would wait for. */
  get keptMs(): number[] {
    return [...this.#timers].filter(({ isKept }) => isKept).map(({ atMs }) => atMs - this.#nowMs)
  }

  /** Lets `ms` pass: every timer in it fires at its time, in order, and what it causes runs before the next one. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (let timer = this.#first(endMs); timer !== undefined; timer = this.#first(endMs)) {
      this.#nowMs = timer.atMs
      this.#timers.delete(timer)
      timer.fn()
      await turns(2)
    }
    this.#nowMs = endMs
    await turns(2)
  }

  #first(endMs: number): FakeTimer | undefined {
    return [...this.#timers].sort((a, b) => a.atMs - b.atMs).find(({ atMs }) => atMs <= endMs)
  }
}

/** Lets the event loop go round: sockets are read, promises settle. No time needs to pass. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** Waits for something that needs no time but that of the machine. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`waited ${PATIENCE_MS} ms in vain: ${what}`)
    await turns(1)
  }
}
