import type { Clock } from '../clock.ts'

/** Kafka's metadata.max.idle.ms; its option is not one of ours. */
const MAX_IDLE_MS = 300_000

/** Enough to know a loop by; a bound for whoever makes up names. */
const MAX_FORGOTTEN = 1000

interface Watched {
  lastUsedMs: number
  /** Used since somebody looked: a flag is all that a record may cost. */
  isUsed: boolean
}

/** Topics that records are sent to: the ones we ask about, for as long as they are used. */
export class WatchedTopics {
  readonly #clock: Clock
  readonly #topics = new Map<string, Watched>()
  /** Watched since the latest question. */
  readonly #new = new Set<string>()
  /** Topics that were given up lately. */
  readonly #forgotten = new Set<string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  has(topic: string): boolean {
    return this.#topics.has(topic)
  }

  get names(): string[] {
    return [...this.#topics.keys()]
  }

  /** Those that nobody was asked about yet. */
  get newNames(): string[] {
    return [...this.#new]
  }

  get hasNew(): boolean {
    return this.#new.size > 0
  }

  /** A record was sent to it. */
  use(topic: string): void {
    const watched = this.#topics.get(topic)
    if (watched !== undefined) watched.isUsed = true
  }

  /** @returns whether there is a hurry: it is new, and was not given up a moment ago. */
  add(topic: string): boolean {
    if (this.#topics.has(topic)) {
      this.use(topic)
      return false
    }
    this.#topics.set(topic, { lastUsedMs: this.#clock.now(), isUsed: false })
    // Whoever sends to a missing topic again and again must not make a storm of it.
    if (this.#forgotten.has(topic)) return false
    this.#new.add(topic)
    return true
  }

  /** The question is on its way. */
  asked(topics: readonly string[]): void {
    for (const topic of topics) this.#new.delete(topic)
  }

  forget(topic: string): void {
    this.#topics.delete(topic)
    this.#new.delete(topic)
    if (this.#forgotten.size >= MAX_FORGOTTEN) this.#forgotten.clear()
    this.#forgotten.add(topic)
  }

  /** Stops watching the topics that nobody has used for five minutes. @returns which. */
  dropIdle(isInUse: (topic: string) => boolean): string[] {
    const nowMs = this.#clock.now()
    const idle: string[] = []
    for (const [topic, watched] of this.#topics) {
      if (watched.isUsed || isInUse(topic)) {
        watched.lastUsedMs = nowMs
        watched.isUsed = false
      } else if (nowMs - watched.lastUsedMs >= MAX_IDLE_MS) {
        this.#topics.delete(topic)
        this.#new.delete(topic)
        idle.push(topic)
      }
    }
    return idle
  }
}
