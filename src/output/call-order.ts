import { orAborted } from './waiting.ts'

/** Lets one in after the other, in the order of their calls. */
export class CallOrder {
  #last: Promise<void> = Promise.resolve()

  /** Runs `work` when those before it have ended. @throws the signal's reason, if it comes first. */
  async run(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const before = this.#last
    const own = orAborted(before, signal).then(work)
    // Whoever leaves early must not let the next one pass those before.
    this.#last = Promise.allSettled([before, own]).then(nothing)
    await own
  }
}

function nothing(): void {
  return undefined
}
