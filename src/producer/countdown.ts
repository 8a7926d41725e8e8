import type { FlushTicket } from './batch.ts'
import { allTold } from './endings.ts'

/** Waits for a number of batches and records to settle. */
export class Countdown implements FlushTicket {
  remaining = 0
  readonly settled: Promise<void>
  #resolve: (told: Promise<void>) => void = () => undefined

  constructor() {
    this.settled = new Promise((resolve) => (this.#resolve = resolve))
  }

  more(): void {
    this.remaining++
  }

  done(): void {
    this.remaining--
    if (this.remaining === 0) this.#resolve(allTold())
  }
}
