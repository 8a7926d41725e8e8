import type { Log } from './log.ts'

/**
 * Functions of the user's that hear what became of records. They run when the work that settled the records is done, in
 * the same turn of the event loop: a callback that sends, flushes, or closes the producer must not find the engine in
 * the middle of a step.
 */
export class Callbacks {
  readonly #log: Log
  #waiting: { readonly what: string; readonly call: () => void }[] = []

  constructor(log: Log) {
    this.#log = log
  }

  /** @param what the function's name, for the log if it throws. */
  run(what: string, call: () => void): void {
    this.#waiting.push({ what, call })
    if (this.#waiting.length === 1) queueMicrotask(() => this.#drain())
  }

  #drain(): void {
    const all = this.#waiting
    this.#waiting = []
    for (const { what, call } of all) this.#log.guard(what, call)
  }
}
