import type { Clock } from '../clock.ts'
import type { Connection } from '../connection/connection.ts'
import { AuthenticationError, type KafkaError } from '../errors.ts'
import { backoffMs } from './backoff.ts'

/** A connection that lived so long was none that is accepted and dropped at once. */
const STEADY_MS = 10_000

/** From this many attempts on that came to nothing, a broker is given its time (faults-and-security.md, N17). */
const PERSISTENT = 3

/** A broker that refuses us is asked ever less: it logs each attempt, and some lock accounts (faults-and-security.md, A1). */
const REFUSAL_BACKOFF_MAX_MS = 10_000
const MIN_REFUSAL_BACKOFF_MS = 50

/** Of the usual pause, jitter and all, so that records go on within a second after a token endpoint is back (A2). */
const CREDENTIALS_SHARE_OF_PAUSE = 0.75

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
 *     refused: wrong password, no trust  50, 100, 200 ... 10 000 ms, and nobody may hurry it
 *
 * A load balancer without a broker behind it accepts and hangs up: that must not become a storm.
 */
export class ReconnectBackoff {
  readonly #options: ReconnectBackoffOptions
  #failures = 0
  #hangUps = 0
  #refusals = 0
  #refusal: KafkaError | null = null
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

  /** How often in a row credentials or certificates did not do, on one side or the other. */
  get refusals(): number {
    return this.#refusals
  }

  /** Why nobody may try now: it would be refused as it was the last time. */
  get refusal(): KafkaError | null {
    return this.#options.clock.now() < this.#retryAtMs ? this.#refusal : null
  }

  connected(): void {
    this.#failures = 0
    this.#refusals = 0
    this.#refusal = null
    this.#retryAtMs = -Infinity
  }

  failed(error: KafkaError): void {
    this.#failures++
    if (error.code === 'CONNECTION_CLOSED') this.#hangUps++
    const isRefusal = error instanceof AuthenticationError && !error.retriable
    this.#refusals = isRefusal ? this.#refusals + 1 : 0
    this.#refusal = isRefusal ? error : null
    const share = error.code === 'CREDENTIALS_UNAVAILABLE' ? CREDENTIALS_SHARE_OF_PAUSE : 1
    this.#wait(isRefusal ? this.#refusalDelayMs() : share * this.#delayMs(this.#failures))
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

  #refusalDelayMs(): number {
    const { clock, reconnectBackoffMs, reconnectBackoffMaxMs } = this.#options
    const maxMs = Math.max(REFUSAL_BACKOFF_MAX_MS, reconnectBackoffMaxMs)
    return backoffMs(this.#refusals, Math.max(reconnectBackoffMs, MIN_REFUSAL_BACKOFF_MS), maxMs, clock.random())
  }

  #wait(delayMs: number): void {
    this.#retryAtMs = this.#options.clock.now() + delayMs
  }
}
