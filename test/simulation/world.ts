import { Random } from '../fuzz/random.ts'
import { Agenda } from './agenda.ts'
import { Trace } from './trace.ts'
import { VirtualHost } from './virtual-host.ts'

export interface WorldOptions {
  readonly seed: number
  /** How much of the trace is kept. Default: the last few thousand lines. */
  readonly keptLines?: number | undefined
}

/** What makes the world end, whatever is still to be done in it. */
const MAX_TURNS = 400_000

/**
 * Virtual time, and the processes that live in it. Everything that happens, happens in an order that the seed decides,
 * and is the same each time.
 */
export class World {
  readonly random: Random
  readonly trace: Trace
  /** What happens outside of any process: bytes arrive, faults begin. */
  readonly #agenda = new Agenda()
  readonly #hosts: VirtualHost[] = []
  readonly #seed: number
  #appointments = 0
  #nowMs = 1000
  #turns = 0

  constructor({ seed, keptLines }: WorldOptions) {
    this.#seed = seed
    this.random = new Random(seed)
    this.trace = new Trace(keptLines)
  }

  get nowMs(): number {
    return this.#nowMs
  }

  get turns(): number {
    return this.#turns
  }

  host(name: string): VirtualHost {
    const random = new Random(Math.imul(this.#seed, 31) + this.#hosts.length + 1)
    const host = new VirtualHost({ name, random, now: () => this.#nowMs, drain })
    this.#hosts.push(host)
    return host
  }

  at(atMs: number, act: () => void): void {
    this.#agenda.add(Math.max(atMs, this.#nowMs), this.#appointments++, act)
  }

  after(delayMs: number, act: () => void): void {
    this.at(this.#nowMs + delayMs, act)
  }

  log(what: string, ...details: readonly (string | number | bigint | boolean | null)[]): void {
    this.trace.add(this.#nowMs, what, ...details)
  }

  /**
   * Lets time pass until it is `untilMs`, or `isDone`.
   *
   * @throws {Error} the world does not come to rest: something runs in circles.
   */
  async run(untilMs: number, isDone: () => boolean = never): Promise<void> {
    await drain()
    while (!isDone()) {
      const ready = this.#hosts.filter((host) => host.nextAtMs <= this.#nowMs)
      if (ready.length > 0) await this.#turn(this.random.pick(ready))
      else if (!this.#advance(untilMs)) return
      await this.#happen()
    }
  }

  /** @returns false: nothing happens before `untilMs`; it is that late now. */
  #advance(untilMs: number): boolean {
    let nextAtMs = this.#agenda.nextAtMs
    for (const host of this.#hosts) nextAtMs = Math.min(nextAtMs, host.nextAtMs)
    const atMs = Math.min(nextAtMs, untilMs)
    if (atMs !== Infinity) this.#nowMs = Math.max(this.#nowMs, atMs)
    return nextAtMs <= untilMs && nextAtMs !== Infinity
  }

  async #happen(): Promise<void> {
    for (let due = this.#agenda.takeDue(this.#nowMs); due !== null; due = this.#agenda.takeDue(this.#nowMs)) {
      due.act()
      await drain()
    }
  }

  /** A turn takes a moment, sometimes a long one: things arrive meanwhile. */
  async #turn(host: VirtualHost): Promise<void> {
    await host.turn()
    const { random } = this
    this.#nowMs += random.oneIn(50) ? random.below(8000) / 1000 : random.below(100) / 1000
    this.#turns++
    if (this.#turns > MAX_TURNS) throw new Error(`the world does not come to rest: ${MAX_TURNS} turns`)
  }
}

/** One turn of the real loop runs every tick and microtask that there is. */
function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function never(): boolean {
  return false
}
