import { ConnectionError, ProtocolError, type KafkaError } from '../errors.ts'
import { describePeer, FrameReader } from '../protocol/frame.ts'

/** A response begins with its correlation id. */
const HEADER_BYTES = 4

/** What became of a request. It never rejects: a failed request is an answer like any other to whoever retries. */
export type Outcome<Response> =
  | {
      readonly response: Response
      readonly version: number
      /** The operating system has taken the request, and nobody reads its bytes any more. Never said of a Duplex of the user's. */
      readonly isHandedOver: boolean
    }
  /** `wasWritten`: at least one byte was handed to the socket, so the broker may have acted on it. */
  | { readonly error: KafkaError; readonly wasWritten: boolean }

/** A request that waits for its answer. */
export interface Pending {
  /** Null: a bare SASL token, which has no header. */
  readonly correlationId: number | null
  readonly apiName: string
  /** No answer may be longer, bytes. */
  readonly capBytes: number
  readonly deadlineMs: number
  /** Takes the answer, frame without its length; what it throws poisons the connection. */
  readonly answer: (frame: Buffer) => void
  readonly fail: (error: KafkaError) => void
}

/**
 * The answers of one broker, matched to the requests that wait for them.
 *
 * Brokers answer in order, so the oldest request is the only one whose answer may come next; anything else means that
 * the two sides no longer agree on where frames begin, and nothing after it can be believed.
 */
export class Answers {
  readonly #address: string
  readonly #reader: FrameReader
  /** No frame is longer than this while nothing is expected, bytes. */
  readonly #capBytes: number
  #pending: Pending[] = []
  #hasReceived = false
  #answeredCount = 0

  constructor(address: string, capBytes: number) {
    this.#address = address
    this.#capBytes = capBytes
    this.#reader = new FrameReader(capBytes)
  }

  get pendingCount(): number {
    return this.#pending.length
  }

  get oldest(): Pending | undefined {
    return this.#pending[0]
  }

  /** True once any byte came. */
  get hasReceived(): boolean {
    return this.#hasReceived
  }

  /** How many requests were answered so far. */
  get answeredCount(): number {
    return this.#answeredCount
  }

  expect(pending: Pending): void {
    this.#pending.push(pending)
  }

  /** Takes all requests out, oldest first: nobody will answer them any more. */
  drain(): Pending[] {
    const all = this.#pending
    this.#pending = []
    return all
  }

  /**
   * Takes what the socket gave and hands out the answers that are complete.
   *
   * @throws {ProtocolError} the bytes cannot be what we wait for.
   * @throws {ConnectionError} they are HTTP or TLS.
   */
  take(chunk: Buffer): void {
    this.#hasReceived = true
    try {
      this.#reader.push(chunk)
      for (let frame = this.#next(); frame !== null; frame = this.#next()) this.#handOut(frame)
    } catch (error) {
      throw this.#wrongPeer() ?? error
    }
  }

  /**
   * The next answer, if all of it is there. The length is judged first, then the correlation id as soon as it is there:
   * the same error however the bytes were cut.
   */
  #next(): Buffer | null {
    const { oldest } = this
    this.#reader.capBytes = oldest?.capBytes ?? this.#capBytes
    this.#reader.minBytes = oldest?.correlationId === null ? 0 : HEADER_BYTES
    const frame = this.#reader.next()
    if (oldest?.correlationId === null) return frame
    const start = frame ?? this.#reader.peek()
    const idAt = frame === null ? 4 : 0
    if (start.length < idAt + 4) {
      if (start.length > 0 && oldest === undefined) throw this.#mismatch('bytes although nothing was asked')
      return frame
    }
    const id = start.readInt32BE(idAt)
    if (oldest === undefined) throw this.#mismatch(`an answer with correlation id ${id} although nothing was asked`)
    if (id === oldest.correlationId) return frame
    const expected = `expected ${oldest.correlationId} (${oldest.apiName})`
    throw this.#mismatch(`an answer with correlation id ${id}, ${expected}`)
  }

  #handOut(frame: Buffer): void {
    const pending = this.#pending.shift()
    if (pending === undefined) throw this.#mismatch('a frame although nothing was asked')
    try {
      pending.answer(frame)
    } catch (error) {
      // It is not an answer. The request fails with all others of the connection.
      this.#pending.unshift(pending)
      throw error
    }
    this.#answeredCount++
  }

  /** What else may listen on a port: said in words, because a frame length of 1213486160 says nothing to anybody. */
  #wrongPeer(): ConnectionError | null {
    const peer = this.#answeredCount > 0 ? null : describePeer(this.#reader.peek())
    const at = this.#address
    if (peer === 'http') {
      return new ConnectionError('PEER_SPEAKS_HTTP', `${at}: PEER_SPEAKS_HTTP: this port answers HTTP, not Kafka`)
    }
    if (peer === 'tls')
      return new ConnectionError('PEER_SPEAKS_TLS', `${at}: PEER_SPEAKS_TLS: this port speaks TLS: set tls`)
    return null
  }

  #mismatch(what: string): ProtocolError {
    const message = `${this.#address}: CORRELATION_MISMATCH: ${what}`
    return new ProtocolError('CORRELATION_MISMATCH', message, { retriable: true })
  }
}
