import type { Clock, Timer } from '../../src/clock.ts'
import type { Random } from '../fuzz/random.ts'
import { Agenda } from './agenda.ts'

export interface HostOptions {
  readonly name: string
  readonly random: Random
  /** The world's time, milliseconds. */
  readonly now: () => number
  /** What Node runs between two callbacks: ticks and microtasks, until there are none. */
  readonly drain: () => Promise<void>
}

/** Timers are set in whole milliseconds and compared with a clock that was read a little earlier: they fire early. */
const MAX_EARLY_MS = 0.9
const WALL_START_MS = 1_700_000_000_000

/**
 * A process with an event loop in Node's order: timers that are due, then whatever sockets have to say (in any order),
 * then what was wanted `soon`. A frozen one does none of that, while the world around goes on.
 */
export class VirtualHost implements Clock {
  readonly name: string
  readonly #options: HostOptions
  readonly #timers = new Agenda()
  #io: (() => void)[] = []
  #soon: (() => void)[] = []
  #timerCount = 0
  #frozenUntilMs = -Infinity
  #wallOffsetMs = 0
  /** Turns of its loop so far. */
  turns = 0
  /** Turns in a row to which neither time nor a socket gave cause, and in which nothing was sent: it runs in circles. */
  #idleTurns = 0
  mostIdleTurns = 0

  constructor(options: HostOptions) {
    this.#options = options
    this.name = options.name
  }

  now(): number {
    return this.#options.now()
  }

  wallNow(): number {
    return WALL_START_MS + Math.floor(this.now()) + this.#wallOffsetMs
  }

  after(delayMs: number, act: () => void): Timer {
    const { random } = this.#options
    const wholeMs = Math.min(Math.max(Math.ceil(delayMs), 1), 2 ** 31 - 1)
    const earlyMs = (random.below(10) / 10) * MAX_EARLY_MS
    const appointment = this.#timers.add(this.now() + wholeMs - earlyMs, this.#timerCount++, act)
    return { cancel: () => void (appointment.isCancelled = true), keepAlive: () => undefined }
  }

  soon(act: () => void): void {
    this.#soon.push(act)
  }

  random(): number {
    return this.#options.random.next() / 2 ** 32
  }

  /** A socket has something to say in the next turn. */
  io(act: () => void): void {
    this.#io.push(act)
  }

  /** Timers that are set. */
  get timerCount(): number {
    return this.#timers.liveCount
  }

  /** It sends something: whatever its cause, this turn was not for nothing. */
  sends(): void {
    this.#idleTurns = 0
  }

  /** Nothing runs until then: SIGSTOP, a laptop that sleeps, a long calculation. */
  freeze(ms: number): void {
    this.#frozenUntilMs = Math.max(this.#frozenUntilMs, this.now() + ms)
  }

  /** The wall clock is set; monotonic time knows nothing of it. */
  setWall(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  /** When there is work for it: now or earlier, later, never. */
  get nextAtMs(): number {
    const atMs = this.#io.length + this.#soon.length > 0 ? this.now() : this.#timers.nextAtMs
    return Math.max(atMs, this.#frozenUntilMs)
  }

  /** One turn of the loop. */
  async turn(): Promise<void> {
    this.turns++
    const { drain, random } = this.#options
    const nowMs = this.now()
    const isIdle = this.#io.length === 0 && this.#timers.nextAtMs > nowMs
    this.#idleTurns = isIdle ? this.#idleTurns + 1 : 0
    this.mostIdleTurns = Math.max(this.mostIdleTurns, this.#idleTurns)
    for (let timer = this.#timers.takeDue(nowMs); timer !== null; timer = this.#timers.takeDue(nowMs)) {
      timer.act()
      await drain()
    }
    for (const act of shuffled(this.#takeIo(), random)) {
      act()
      await drain()
    }
    const soon = this.#soon
    this.#soon = []
    for (const act of soon) {
      act()
      await drain()
    }
  }

  #takeIo(): (() => void)[] {
    const io = this.#io
    this.#io = []
    return io
  }
}

function shuffled<T>(list: T[], random: Random): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const swap = list[i]!
    list[i] = list[j]!
    list[j] = swap
  }
  return list
}
