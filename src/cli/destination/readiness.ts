export interface ReadinessOptions {
  /** Rejects if Kafka cannot be reached. */
  readonly ask: () => Promise<unknown>
  /** Milliseconds; only differences mean something. */
  readonly now: () => number
  readonly cacheMs?: number
  readonly timeoutMs?: number
}

const CACHE_MS = 3000
const TIMEOUT_MS = 2000

/** Whether Kafka can be reached: asked at most once in a few seconds, however often somebody wants to know. */
export class Readiness {
  readonly #options: Required<ReadinessOptions>
  #known: { readonly isReady: boolean; readonly untilMs: number } | null = null
  #asking: Promise<boolean> | null = null

  constructor(options: ReadinessOptions) {
    this.#options = { cacheMs: CACHE_MS, timeoutMs: TIMEOUT_MS, ...options }
  }

  /** Within `timeoutMs`; who does not answer by then cannot be reached. */
  async isReady(): Promise<boolean> {
    if (this.#known !== null && this.#options.now() < this.#known.untilMs) return this.#known.isReady
    this.#asking ??= this.#ask().finally(() => (this.#asking = null))
    const isReady = await withinMs(this.#asking, this.#options.timeoutMs)
    this.#known = { isReady, untilMs: this.#options.now() + this.#options.cacheMs }
    return isReady
  }

  async #ask(): Promise<boolean> {
    return await this.#options.ask().then(
      () => true,
      () => false,
    )
  }
}

async function withinMs(answer: Promise<boolean>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), timeoutMs)))
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
