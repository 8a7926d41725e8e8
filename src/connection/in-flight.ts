import type { KafkaError } from '../errors.ts'

/** What became of a request. It never rejects: a failed request is an answer like any other to whoever retries. */
export type Outcome<Response> =
  | { readonly response: Response; readonly version: number }
  /** `wasWritten`: at least one byte was handed to the socket, so the broker may have acted on it. */
  | { readonly error: KafkaError; readonly wasWritten: boolean }

/** A request that waits for its answer. */
export interface Pending {
  readonly correlationId: number
  readonly apiName: string
  /** No answer may be longer, bytes. */
  readonly capBytes: number
  readonly deadlineMs: number
  /** Takes the answer, frame without its length; what it throws poisons the connection. */
  readonly answer: (frame: Buffer) => void
  readonly fail: (error: KafkaError) => void
}

/**
 * Requests in flight on one connection, oldest first. Brokers answer in order, so the head is the only one whose answer
 * may come next; anything else means that the two sides no longer agree on where frames begin.
 */
export class InFlight {
  #queue: Pending[] = []

  get length(): number {
    return this.#queue.length
  }

  get oldest(): Pending | undefined {
    return this.#queue[0]
  }

  push(pending: Pending): void {
    this.#queue.push(pending)
  }

  shift(): Pending | undefined {
    return this.#queue.shift()
  }

  /** Takes all of them out, oldest first. */
  drain(): Pending[] {
    const all = this.#queue
    this.#queue = []
    return all
  }
}
