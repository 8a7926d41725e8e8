import type { Callback, Log } from './log.ts'

/**
 * Functions of the user's that hear what became of records. They run when the work that settled the records is done, in
 * the same turn of the event loop: a callback that sends, flushes, or closes the producer must not find the engine in
 * the middle of a step.
 */
export class Callbacks {
  readonly #log: Log
  #waiting: Callback[] = []

  constructor(log: Log) {
    this.#log = log
  }

  run(callback: Callback): void {
    this.#waiting.push(callback)
    if (this.#waiting.length === 1) queueMicrotask(() => this.#drain())
  }

  #drain(): void {
    const all = this.#waiting
    this.#waiting = []
    for (const callback of all) this.#log.guard(callback)
  }
}
