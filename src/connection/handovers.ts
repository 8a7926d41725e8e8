import type { KafkaError } from '../errors.ts'

/** Hears once what became of a request: null, if the operating system has taken it. */
export type Settle = (error: KafkaError | null) => void

interface Handover {
  readonly deadlineMs: number
  readonly settle: Settle
}

/** Requests without an answer (`acks: 0`) that the operating system has not taken yet, oldest first. */
export class Handovers {
  readonly #waiting = new Set<Handover>()
  #hasBegun = false

  get count(): number {
    return this.#waiting.size
  }

  /** True once there was one, whatever became of it. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** When the oldest must be taken, by the clock; `Infinity`: none waits. */
  get oldestDeadlineMs(): number {
    return this.#waiting.values().next().value?.deadlineMs ?? Infinity
  }

  /** @returns settles it; harmless when it is settled already. */
  begin(deadlineMs: number, settle: Settle): Settle {
    const handover = { deadlineMs, settle }
    this.#waiting.add(handover)
    this.#hasBegun = true
    return (error) => {
      if (this.#waiting.delete(handover)) settle(error)
    }
  }

  /** Nobody will take the rest: a Duplex of a user's may forget its write callbacks when it is destroyed. */
  giveUp(error: KafkaError): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const { settle } of waiting) settle(error)
  }
}
