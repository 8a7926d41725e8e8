import type { Clock, Timer } from '../clock.ts'
import type { KafkaError } from '../errors.ts'
import type { Link } from './link.ts'

/** How long one broker may be silent before the next one is asked beside it. */
const STAGGER_MS = 1000

/** What one broker had to say. */
export type Reply<Answer> = { readonly answer: Answer } | { readonly error: KafkaError }

export interface InquiryParts<Answer> {
  readonly clock: Clock
  /** In the order in which they are worth asking. */
  readonly candidates: AsyncGenerator<Link>
  /** Never rejects. */
  readonly ask: (link: Link) => Promise<Reply<Answer>>
  /** Whether the next one may be asked while one is silent: two may then answer. */
  readonly isStaggered: boolean
}

/**
 * One question, and many who may know: asks one after the other, the next one as soon as one has failed or has been
 * silent for a moment, so that a broker that hangs holds up nobody. The first answer counts.
 */
export class Inquiry<Answer> {
  /** @throws {InquiryFailed} nobody answered. */
  readonly answer: Promise<Answer>
  readonly #parts: InquiryParts<Answer>
  readonly #failures: KafkaError[] = []
  readonly #asked = new Set<string>()
  #running = 0
  #isExhausted = false
  #isOver = false
  #timer: Timer | null = null
  #resolve!: (answer: Answer) => void
  #reject!: (error: Error) => void

  constructor(parts: InquiryParts<Answer>) {
    this.#parts = parts
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    void this.#askNext()
  }

  giveUp(error: Error): void {
    if (this.#end()) this.#reject(error)
  }

  async #askNext(): Promise<void> {
    const link = await this.#nextLink()
    if (this.#hasEnded()) return
    if (link === null) {
      this.#isExhausted = true
      if (this.#running === 0) this.giveUp(new InquiryFailed(this.#failures))
      return
    }
    this.#running++
    this.#stagger()
    const reply = await this.#parts.ask(link)
    this.#running--
    if ('answer' in reply) {
      if (this.#end()) this.#resolve(reply.answer)
      return
    }
    this.#failures.push(reply.error)
    if (this.#hasEnded()) return
    this.#timer?.cancel()
    if (!this.#isExhausted) await this.#askNext()
    else if (this.#running === 0) this.giveUp(new InquiryFailed(this.#failures))
  }

  /** The next one at an address that was not asked yet; null: there is nobody left. */
  async #nextLink(): Promise<Link | null> {
    try {
      for (;;) {
        const next = await this.#parts.candidates.next()
        if (next.done === true) return null
        const link = next.value
        if (this.#asked.has(link.address)) continue
        this.#asked.add(link.address)
        return link
      }
    } catch (error) {
      // The bootstrap addresses could not be learned.
      this.#failures.push(error as KafkaError)
      return null
    }
  }

  #stagger(): void {
    this.#timer?.cancel()
    this.#timer = null
    if (!this.#parts.isStaggered || this.#isExhausted) return
    this.#timer = this.#parts.clock.after(STAGGER_MS, () => void this.#askNext(), false)
  }

  /** It may have, while something was awaited. */
  #hasEnded(): boolean {
    return this.#isOver
  }

  /** @returns false if it was over already. */
  #end(): boolean {
    this.#timer?.cancel()
    const isFirst = !this.#isOver
    this.#isOver = true
    return isFirst
  }
}

/** What each one that was asked had to say. */
export class InquiryFailed extends Error {
  readonly failures: readonly KafkaError[]

  constructor(failures: readonly KafkaError[]) {
    super('nobody answered')
    this.failures = failures
  }
}
