import type { DestinationClock } from './destination-clock.ts'
import type { DeliveryResult } from './delivery-result.ts'

export interface Dedupe {
  /** How long a `messageId` is remembered. Milliseconds, default an hour. */
  readonly windowMs?: number
  /** How many are remembered at most; then the oldest are forgotten. Default 100 000. */
  readonly maxEntries?: number
}

type Place = Pick<DeliveryResult, 'topic' | 'partition' | 'offset'>

/** An event that is being delivered now; whoever has the same one waits for it. */
export interface Claim {
  readonly key: string
  readonly result: Promise<DeliveryResult>
  settle(result: DeliveryResult): void
}

/** Remembers what was delivered. Only what the brokers acknowledged counts. In memory: a restart forgets. */
export class DeliveredIds {
  readonly #options: Required<Dedupe>
  readonly #clock: DestinationClock
  /** Oldest first. */
  readonly #delivered = new Map<string, { readonly untilMs: number; readonly place: Place }>()
  readonly #claims = new Map<string, Claim>()

  constructor(options: Required<Dedupe>, clock: DestinationClock) {
    this.#options = options
    this.#clock = clock
  }

  /** Where it was delivered; null: it was not, or too long ago. */
  find(key: string): Place | null {
    this.#forgetOld()
    return this.#delivered.get(key)?.place ?? null
  }

  claimed(key: string): Claim | null {
    return this.#claims.get(key) ?? null
  }

  /** From now on others wait for this delivery. It must be settled, whatever happens. */
  claim(key: string): Claim {
    let resolve = (_result: DeliveryResult): void => undefined
    const result = new Promise<DeliveryResult>((resolved) => (resolve = resolved))
    const settle = (settled: DeliveryResult): void => {
      this.#claims.delete(key)
      if (settled.status === 200) this.#remember(key, settled)
      resolve(settled)
    }
    const claim = { key, result, settle }
    this.#claims.set(key, claim)
    return claim
  }

  #remember(key: string, place: Place): void {
    this.#delivered.delete(key)
    this.#delivered.set(key, { untilMs: this.#clock.now() + this.#options.windowMs, place })
    const [oldest] = this.#delivered.keys()
    if (this.#delivered.size > this.#options.maxEntries && oldest !== undefined) this.#delivered.delete(oldest)
  }

  #forgetOld(): void {
    const nowMs = this.#clock.now()
    for (const [key, { untilMs }] of this.#delivered) {
      if (untilMs > nowMs) return
      this.#delivered.delete(key)
    }
  }
}
