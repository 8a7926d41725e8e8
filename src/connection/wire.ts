import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'
import { KafkaError } from '../errors.ts'
import { encodeRequestFrame } from '../protocol/frame.ts'
import type { Api, RequestInput } from '../protocol/schema.ts'
import { Answers, type Outcome, type Pending } from './answers.ts'
import { correlationIdAfter, FIRST_CORRELATION_ID } from './correlation-id.ts'
import { asKafkaError, connectionError } from './failure.ts'
import { Handovers } from './handovers.ts'
import { endSocket, keepAliveBy } from './socket.ts'
import type { Transport } from './transport.ts'
import { DeadlineWatch } from './watch.ts'

export interface WireOptions {
  /** `host:port`, for errors. */
  readonly address: string
  readonly clientId: string
  readonly clock: Clock
  /** Longest frame while nothing is expected, bytes. */
  readonly capBytes: number
  /** Whatever else must be done in time, by the clock; `Infinity`: nothing. */
  readonly otherDeadlineMs: () => number
  readonly onDeadline: () => void
  /** The socket ended (null: in order), or what came makes no sense. */
  readonly onLost: (error: Error | null) => void
  readonly onGarbage: (error: KafkaError) => void
  /** Less is out than before: something was answered, or taken by the operating system. */
  readonly onProgress: () => void
  readonly onWrite: () => void
  /** Requests that are not here yet keep the process alive, too. */
  readonly othersWaiting: () => number
}

/** A question, encoded when it is written: correlation ids follow the order on the wire. */
export interface Question<A extends Api, Response> {
  readonly api: A
  readonly version: number
  readonly body: RequestInput<A>
  readonly decode: (frame: Buffer) => Response
  /** No answer may be longer, bytes. */
  readonly capBytes: number
  /** By the clock. */
  readonly deadlineMs: number
}

/** The bytes of one connection: frames, correlation, deadlines, and what keeps the process alive. It decides nothing. */
export class Wire {
  readonly #options: WireOptions
  readonly #answers: Answers
  readonly #handovers = new Handovers()
  readonly #deadline: DeadlineWatch
  #socket: Duplex | null = null
  #isCopying = false
  #correlationId = FIRST_CORRELATION_ID
  #endedBy: KafkaError | null = null

  constructor(options: WireOptions) {
    this.#options = options
    this.#answers = new Answers(options.address, options.capBytes)
    const nextDeadlineMs = (): number => {
      const oldestMs = this.#answers.oldest?.deadlineMs ?? Infinity
      return Math.min(oldestMs, this.#handovers.oldestDeadlineMs, options.otherDeadlineMs())
    }
    this.#deadline = new DeadlineWatch(options.clock, nextDeadlineMs, options.onDeadline)
  }

  get unansweredCount(): number {
    return this.#answers.pendingCount
  }

  /** Without an answer to come, and not taken by the operating system yet. */
  get handoverCount(): number {
    return this.#handovers.count
  }

  /** What was asked first, of what is not answered. */
  get oldestApiName(): string | null {
    return this.#answers.oldest?.apiName ?? null
  }

  get answeredCount(): number {
    return this.#answers.answeredCount
  }

  /** True once any byte came. */
  get hasReceived(): boolean {
    return this.#answers.hasReceived
  }

  /** Nothing is out that anybody waits for. */
  get isQuiet(): boolean {
    return this.#answers.pendingCount === 0 && this.#handovers.count === 0 && this.#options.othersWaiting() === 0
  }

  attach({ socket, isCopying }: Pick<Transport, 'socket' | 'isCopying'>): void {
    this.#socket = socket
    this.#isCopying = isCopying
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('error', (error: Error) => this.#options.onLost(error))
    // A peer that half-closes has said all it will say; what it said before was read already.
    socket.on('end', () => this.#options.onLost(null))
    socket.on('close', () => this.#options.onLost(null))
  }

  /** Asks, and never rejects. */
  ask<A extends Api, Response>(
    { api, version, body, decode, capBytes, deadlineMs }: Question<A, Response>,
    resolve: (outcome: Outcome<Response>) => void,
  ): void {
    const correlationId = this.#nextCorrelationId()
    const chunks = this.#encode(api, version, correlationId, body)
    if (chunks instanceof KafkaError) return resolve({ error: chunks, wasWritten: false })
    this.#expect({
      correlationId,
      apiName: api.name,
      capBytes,
      deadlineMs,
      answer: (frame) => resolve({ response: decode(frame), version, isHandedOver }),
      fail: (error) => resolve({ error, wasWritten: true }),
    })
    let isHandedOver = false
    this.#write(chunks, () => (isHandedOver = this.#isCopying))
  }

  /** A token behind its length, without any header, and an answer like it. */
  askBare(token: Uint8Array, capBytes: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#endedBy !== null) return reject(this.#endedBy)
      const length = Buffer.alloc(4)
      length.writeInt32BE(token.length)
      // The deadline is that of the login.
      const deadlineMs = Infinity
      const apiName = 'a SASL token'
      this.#expect({ correlationId: null, apiName, capBytes, deadlineMs, answer: resolve, fail: reject })
      this.#write([length, token])
    })
  }

  /** Sends what is not answered (`acks: 0`); settles when the operating system has taken it. */
  tell<A extends Api>(
    { api, version, body, deadlineMs }: Omit<Question<A, undefined>, 'decode' | 'capBytes'>,
    resolve: (outcome: Outcome<undefined>) => void,
  ): void {
    const chunks = this.#encode(api, version, this.#nextCorrelationId(), body)
    if (chunks instanceof KafkaError) return resolve({ error: chunks, wasWritten: false })
    const settle = this.#handovers.begin(deadlineMs, (error) =>
      resolve(error ? { error, wasWritten: true } : { response: undefined, version, isHandedOver: this.#isCopying }),
    )
    this.keepAlive()
    this.rearm()
    this.#write(chunks, (error) => {
      settle(
        error
          ? (this.#endedBy ?? connectionError(this.#options.address, 'CONNECTION_CLOSED', error.message, error))
          : null,
      )
      this.#letGo()
      if (this.#endedBy !== null) return
      this.#options.onProgress()
      this.rearm()
    })
  }

  /** Deadlines have changed. */
  rearm(): void {
    this.#deadline.rearm()
  }

  /** The process must not end before what waits is written and answered. */
  keepAlive(): void {
    keepAliveBy(this.#socket, true)
  }

  /** Nothing comes or goes any more; what is in flight fails with `error`. */
  end(error: KafkaError): void {
    this.#endedBy = error
    this.#deadline.cancel()
    // With an unread answer to acks 0 in it, a destroyed socket would lose what it still has to send.
    const isInOrder = this.#handovers.hasBegun && error.retriable
    endSocket(this.#socket, this.#options.clock, isInOrder, () => this.#handovers.giveUp(error))
  }

  failAll(error: KafkaError): void {
    for (const pending of this.#answers.drain()) pending.fail(error)
  }

  #expect(pending: Pending): void {
    this.#answers.expect(pending)
    if (this.#answers.pendingCount > 1) return // the oldest one's deadline is being watched
    this.keepAlive()
    this.rearm()
  }

  #encode<A extends Api>(
    api: A,
    version: number,
    correlationId: number,
    body: RequestInput<A>,
  ): Uint8Array[] | KafkaError {
    if (this.#endedBy !== null) return this.#endedBy
    try {
      return encodeRequestFrame(api, version, { correlationId, clientId: this.#options.clientId }, body).chunks
    } catch (error) {
      return asKafkaError(this.#options.address, error)
    }
  }

  #write(chunks: readonly Uint8Array[], done?: (error?: Error | null) => void): void {
    const socket = this.#socket
    if (socket === null) return
    this.#options.onWrite()
    socket.cork()
    for (let i = 0; i < chunks.length - 1; i++) socket.write(chunks[i])
    socket.write(chunks[chunks.length - 1], done)
    socket.uncork()
  }

  #onData(chunk: Buffer): void {
    try {
      this.#answers.take(chunk)
    } catch (error) {
      return this.#options.onGarbage(asKafkaError(this.#options.address, error))
    }
    if (this.#endedBy !== null) return
    this.#options.onProgress()
    this.rearm()
    this.#letGo()
  }

  #letGo(): void {
    if (this.isQuiet) keepAliveBy(this.#socket, false)
  }

  #nextCorrelationId(): number {
    const id = this.#correlationId
    this.#correlationId = correlationIdAfter(id)
    return id
  }
}
