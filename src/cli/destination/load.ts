import { Refusal } from './refusal.ts'

/** Bodies that are being read, of all requests together. */
const MAX_BODY_BYTES = 64 * 1024 * 1024
/** Of bodies whose events are on their way: as objects they take a multiple of that. */
const MAX_CARRIED_BYTES = 64 * 1024 * 1024
/** Segment's clients wait no longer than 300 s when they are told to. */
const MAX_RETRY_AFTER_SECONDS = 300

export interface LoadOptions {
  readonly maxEvents: number
  /** Milliseconds; only differences mean something. */
  readonly now: () => number
}

/** What a service has taken on and not finished; it takes no more than it can hold. */
export class Load {
  readonly #options: LoadOptions
  /** The oldest first. */
  readonly #deliveries = new Set<{ readonly events: number; readonly sinceMs: number }>()
  #events = 0
  #carriedBytes = 0
  #bodyBytes = 0
  #onIdle: (() => void) | null = null

  constructor(options: LoadOptions) {
    this.#options = options
  }

  get events(): number {
    return this.#events
  }

  /** @throws {Refusal} 429: too much is being read. */
  addBodyBytes(bytes: number): void {
    if (this.#bodyBytes + bytes > MAX_BODY_BYTES) throw this.#tooMuch()
    this.#bodyBytes += bytes
  }

  removeBodyBytes(bytes: number): void {
    this.#bodyBytes -= bytes
  }

  /**
   * Counts events until `work` is done with them. A request alone gets in, however large it is.
   *
   * @param bytes of the request's body.
   * @throws {Refusal} 429: too many are on their way. `work` was not started.
   */
  carry<T>(events: number, work: () => Promise<T>, bytes = 0): Promise<T> {
    const isFull = this.#events + events > this.#options.maxEvents || this.#carriedBytes + bytes > MAX_CARRIED_BYTES
    if (this.#events > 0 && isFull) throw this.#tooMuch()
    const delivery = { events, sinceMs: this.#options.now() }
    this.#deliveries.add(delivery)
    this.#events += events
    this.#carriedBytes += bytes
    return work().finally(() => {
      this.#deliveries.delete(delivery)
      this.#events -= events
      this.#carriedBytes -= bytes
      if (this.#deliveries.size === 0) this.#onIdle?.()
    })
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    if (this.#deliveries.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
  }

  /** Who comes again after as long as the oldest has waited finds room if that one has left. */
  #tooMuch(): Refusal {
    const [oldest] = this.#deliveries
    const waitedMs = oldest === undefined ? 0 : this.#options.now() - oldest.sinceMs
    const seconds = Math.min(Math.max(1, Math.ceil(waitedMs / 1000)), MAX_RETRY_AFTER_SECONDS)
    return new Refusal(429, 'BUSY', 'Too many events are on their way to Kafka.', seconds)
  }
}
