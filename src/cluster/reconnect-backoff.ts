import type { Clock } from '../clock.ts'
import type { Connection } from '../connection/connection.ts'
import type { KafkaError } from '../errors.ts'
import { backoffMs } from './backoff.ts'

/** A connection that lived so long was none that is accepted and dropped at once. */
const STEADY_MS = 10_000

/** From this many attempts on that came to nothing, a broker is given its time (faults-and-security.md, N17). */
const PERSISTENT = 3

export interface ReconnectBackoffOptions {
  readonly clock: Clock
  readonly reconnectBackoffMs: number
  readonly reconnectBackoffMaxMs: number
}

/**
 * When a broker may be dialled again.
 *
 *     cannot connect                     50, 100, 200 ... 1000 ms, give or take a fifth
 *     connected, and lost                at once: most losses are idle timeouts and restarts, not outages
 *     connected, lost, good for nothing  at once, then 50 ms, then 1000 ms or a little more
 *
 * A load balancer without a broker behind it accepts and hangs up: that must not become a storm.
 */
export class ReconnectBackoff {
  readonly #options: ReconnectBackoffOptions
  #failures = 0
  #hangUps = 0
  #retryAtMs = -Infinity

  constructor(options: ReconnectBackoffOptions) {
    this.#options = options
  }

  /** By the clock; in the past if now is fine. */
  get retryAtMs(): number {
    return this.#retryAtMs
  }

  /** Attempts in a row that gave no connection. */
  get failures(): number {
    return this.#failures
  }

  /** How often in a row the peer accepted us and hung up before it was good for anything. */
  get hangUps(): number {
    return this.#hangUps
  }

  /** It has failed so often that nobody may hurry the next attempt. */
  get isPersistent(): boolean {
    return Math.max(this.#failures, this.#hangUps) >= PERSISTENT
  }

  connected(): void {
    this.#failures = 0
    this.#retryAtMs = -Infinity
  }

  failed(error: KafkaError): void {
    this.#failures++
    if (error.code === 'CONNECTION_CLOSED') this.#hangUps++
    this.#wait(this.#delayMs(this.#failures))
  }

  /** A connection that was there is gone. */
  lost({ wasUseful, openedAtMs }: Connection): void {
    const isSteady = wasUseful || this.#options.clock.now() - openedAtMs >= STEADY_MS
    this.#hangUps = isSteady ? 0 : this.#hangUps + 1
    this.#wait(this.#hangUps <= 1 ? 0 : this.#delayMs(this.#hangUps - 1))
  }

  #delayMs(failures: number): number {
    const { clock, reconnectBackoffMs, reconnectBackoffMaxMs } = this.#options
    const random = clock.random()
    const growingMs = backoffMs(failures, reconnectBackoffMs, reconnectBackoffMaxMs, random)
    if (this.#hangUps < PERSISTENT) return growingMs
    return Math.max(growingMs, reconnectBackoffMaxMs * (1 + 0.2 * random))
  }

  #wait(delayMs: number): void {
    this.#retryAtMs = this.#options.clock.now() + delayMs
  }
}
