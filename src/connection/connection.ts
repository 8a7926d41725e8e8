import type { Duplex } from 'node:stream'
import type { Clock, Timer } from '../clock.ts'
import { diagnosticChannel } from '../diagnostics.ts'
import { ConnectionError, KafkaError, ProtocolError } from '../errors.ts'
import { decodeResponseFrame, encodeRequestFrame } from '../protocol/frame.ts'
import { chooseVersion, type VersionLimits, type VersionRanges } from '../protocol/negotiate.ts'
import type { Api, RequestInput, ResponseOf } from '../protocol/schema.ts'
import { formatAddress } from './broker-address.ts'
import { Answers, type Outcome, type Pending } from './answers.ts'
import { openSocket, type SocketHooks, type SocketTarget } from './open-socket.ts'
import { assertMove, type ConnectionState } from './state.ts'

export interface ConnectionOptions extends SocketTarget, SocketHooks {
  readonly clientId: string
  readonly clock: Clock
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  /** Closes the connection when nothing was asked for this long; before the broker does (its default is 10 minutes). */
  readonly maxIdleMs: number
}

/** Versions that the caller can work with, where those are fewer than both sides know. */
export type RequestOptions = VersionLimits

/**
 * "\r\n\r\n" as a correlation id. To an HTTP server that waits for the end of a request line our first request now has
 * one, so it answers (400) at once and the mistake can be named instead of timing out (DESIGN.md, "Non-obvious").
 */
const FIRST_CORRELATION_ID = 0x0d0a0d0a

/** How long a broker may take to read what we handed over before we close. */
const END_TIMEOUT_MS = 1000

/** Kafka's Java client keeps the last 8 ids for SASL (SaslClientAuthenticator); ours wrap before them. */
const MAX_CORRELATION_ID = 2 ** 31 - 1 - 8

/** Until we know the peer, nothing that it can honestly say is longer (faults-and-security.md 3.10). */
const CAP_BEFORE_READY_BYTES = 1024 * 1024
const CAP_BYTES: Readonly<Record<string, number>> = { Metadata: 100_000_000 }
const CAP_DEFAULT_BYTES = 16 * 1024 * 1024

const readyChannel = diagnosticChannel('headrace:connection:ready')
const closedChannel = diagnosticChannel('headrace:connection:closed')

/**
 * One socket to one broker: frames, correlation, deadlines. It asks and it answers; it does not retry, reconnect or
 * decide. Any doubt about where a frame begins ends the connection, never another request's answer.
 */
export class Connection {
  readonly address: string
  readonly #options: ConnectionOptions
  readonly #answers: Answers
  readonly #abortDial = new AbortController()
  #state: ConnectionState = 'idle'
  #socket: Duplex | null = null
  #versions: VersionRanges = new Map()
  #correlationId = FIRST_CORRELATION_ID
  #deadlineTimer: Timer | null = null
  #idleTimer: Timer | null = null
  #lastUsedMs = 0
  /** Deadlines of the requests without an answer that the operating system has not taken yet, oldest first. */
  readonly #handovers: number[] = []
  #hasHandedOver = false
  #openedAtMs = 0
  #closedBy: KafkaError | null = null
  /** Called once, when the connection is over; not for a connection that never became ready. */
  onClosed: ((error: KafkaError) => void) | null = null

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.address = formatAddress(options)
    this.#answers = new Answers(this.address, CAP_BEFORE_READY_BYTES)
  }

  get isReady(): boolean {
    return this.#state === 'ready'
  }

  get inFlightCount(): number {
    return this.#answers.pendingCount
  }

  /** True once any byte of the peer was seen: it is not one that hung up on us without a word. */
  get hasReceived(): boolean {
    return this.#answers.hasReceived
  }

  /** Why it ended, if it did. */
  get closedBy(): KafkaError | null {
    return this.#closedBy
  }

  /** Dials. @throws {ConnectionError} naming the address. */
  async dial(): Promise<void> {
    this.#enter('connecting')
    this.#openedAtMs = this.#options.clock.now()
    try {
      const socket = await openSocket({ ...this.#options, signal: this.#abortDial.signal })
      if (this.#closedBy !== null) {
        socket.destroy()
        throw this.#closedBy
      }
      this.#attach(socket)
      this.#enter('negotiating')
    } catch (error) {
      const failure = error instanceof KafkaError ? error : this.#error('CONNECTION_FAILED', String(error), error)
      this.#end(failure)
      throw failure
    }
  }

  /** The handshake is over; from here on the broker's versions decide what is sent. */
  becomeReady(versions: VersionRanges): void {
    // Between the answer and this call the connection may have ended: more bytes came, and they made no sense.
    if (this.#closedBy !== null) throw this.#closedBy
    this.#enter('authenticating')
    this.#enter('ready')
    this.#versions = versions
    this.#watchIdle()
    if (readyChannel.hasSubscribers) {
      const { nodeId, host, port, clock } = this.#options
      readyChannel.publish({ nodeId, host, port, connectMs: clock.now() - this.#openedAtMs })
    }
  }

  /** The newest version of the API that both sides know; -1: none. */
  newestVersion(api: Api): number {
    const range = this.#versions.get(api.key)
    const version = Math.min(range?.max ?? -1, api.maxVersion)
    return version >= Math.max(range?.min ?? 0, api.minVersion) ? version : -1
  }

  /** Asks, in the newest version that both sides know. */
  request<A extends Api>(api: A, body: RequestInput<A>, options?: RequestOptions): Promise<Outcome<ResponseOf<A>>> {
    let version
    try {
      version = this.#chooseVersion(api, options)
    } catch (error) {
      return Promise.resolve({ error: this.#asKafkaError(error), wasWritten: false })
    }
    return this.requestVersion(api, version, body, (frame) => decodeResponseFrame(api, version, frame))
  }

  /** Asks in a given version; for the handshake, which cannot know the broker's versions yet. */
  requestVersion<A extends Api, Response>(
    api: A,
    version: number,
    body: RequestInput<A>,
    decode: (frame: Buffer) => Response,
  ): Promise<Outcome<Response>> {
    return new Promise((resolve) => {
      const correlationId = this.#nextCorrelationId()
      const chunks = this.#encode(api, version, correlationId, body)
      if (chunks instanceof KafkaError) return resolve({ error: chunks, wasWritten: false })
      this.#push({
        correlationId,
        apiName: api.name,
        capBytes: this.#state === 'ready' ? (CAP_BYTES[api.name] ?? CAP_DEFAULT_BYTES) : CAP_BEFORE_READY_BYTES,
        deadlineMs: this.#options.clock.now() + this.#options.requestTimeoutMs,
        answer: (frame) => resolve({ response: decode(frame), version }),
        fail: (error) => resolve({ error, wasWritten: true }),
      })
      this.#write(chunks)
    })
  }

  /**
   * Sends a request that the broker does not answer (`acks: 0`). Settles when the operating system has taken it: what
   * happens after that, nobody tells.
   */
  requestWithoutAnswer<A extends Api>(
    api: A,
    body: RequestInput<A>,
    options?: RequestOptions,
  ): Promise<Outcome<undefined>> {
    return new Promise((resolve) => {
      let version
      let chunks
      try {
        version = this.#chooseVersion(api, options)
        chunks = this.#encode(api, version, this.#nextCorrelationId(), body)
      } catch (error) {
        chunks = this.#asKafkaError(error)
      }
      if (chunks instanceof KafkaError || version === undefined) {
        return resolve({ error: chunks as KafkaError, wasWritten: false })
      }
      const negotiated = version
      this.#handovers.push(this.#options.clock.now() + this.#options.requestTimeoutMs)
      this.#hasHandedOver = true
      this.#setKeepAlive(true)
      this.#watchDeadline()
      this.#write(chunks, (error) => {
        this.#handovers.shift()
        if (this.#isQuiet) this.#setKeepAlive(false)
        if (this.#closedBy === null) this.#watchDeadline()
        const failure = error && (this.#closedBy ?? this.#error('CONNECTION_CLOSED', error.message, error))
        resolve(failure ? { error: failure, wasWritten: true } : { response: undefined, version: negotiated })
      })
    })
  }

  /** Ends the connection; what is in flight fails with `reason`. Harmless when it is over already. */
  close(reason: KafkaError = this.#error('CLOSED_BY_CLIENT', 'the connection was closed on our side')): void {
    this.#end(reason)
  }

  #chooseVersion(api: Api, options?: RequestOptions): number {
    if (this.#state !== 'ready')
      throw this.#closedBy ?? this.#error('CONNECTION_CLOSED', `the connection is ${this.#state}`)
    return chooseVersion(api, this.#versions, this.address, options)
  }

  #encode<A extends Api>(
    api: A,
    version: number,
    correlationId: number,
    body: RequestInput<A>,
  ): Uint8Array[] | KafkaError {
    if (this.#closedBy !== null) return this.#closedBy
    try {
      return encodeRequestFrame(api, version, { correlationId, clientId: this.#options.clientId }, body).chunks
    } catch (error) {
      return this.#asKafkaError(error)
    }
  }

  #push(pending: Pending): void {
    this.#answers.expect(pending)
    if (this.#answers.pendingCount > 1) return // the oldest one's deadline is being watched
    this.#setKeepAlive(true)
    this.#watchDeadline()
  }

  #write(chunks: readonly Uint8Array[], done?: (error?: Error | null) => void): void {
    const socket = this.#socket
    if (socket === null) return
    this.#lastUsedMs = this.#options.clock.now()
    socket.cork()
    for (let i = 0; i < chunks.length - 1; i++) socket.write(chunks[i])
    socket.write(chunks[chunks.length - 1], done)
    socket.uncork()
  }

  #attach(socket: Duplex): void {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('error', (error: Error) =>
      this.#end(this.#error('CONNECTION_CLOSED', `the connection broke: ${error.message}`, error)),
    )
    // A peer that half-closes has said all it will say; what it said before was read already.
    socket.on('end', () => this.#onPeerClosed())
    socket.on('close', () => this.#onPeerClosed())
  }

  #onPeerClosed(): void {
    if (this.#closedBy !== null) return
    const during = this.#state === 'negotiating' ? ' after ApiVersions: does this listener want SASL or TLS?' : ''
    this.#end(this.#error('CONNECTION_CLOSED', `the broker closed the connection${during}`))
  }

  #onData(chunk: Buffer): void {
    try {
      this.#answers.take(chunk)
    } catch (error) {
      return this.#end(this.#asKafkaError(error))
    }
    if (this.#closedBy !== null) return
    this.#watchDeadline()
    if (this.#isQuiet) this.#setKeepAlive(false)
  }

  /** Nothing is out that anybody waits for. */
  get #isQuiet(): boolean {
    return this.#answers.pendingCount === 0 && this.#handovers.length === 0
  }

  get #nextDeadlineMs(): number {
    return Math.min(this.#answers.oldest?.deadlineMs ?? Infinity, this.#handovers[0] ?? Infinity)
  }

  #watchDeadline(): void {
    this.#deadlineTimer?.cancel()
    this.#deadlineTimer = null
    const deadlineMs = this.#nextDeadlineMs
    if (deadlineMs === Infinity) return
    const { clock } = this.#options
    // Judged after the pending data was read: a process that was frozen must not condemn answers that lie in the socket.
    this.#deadlineTimer = clock.after(deadlineMs - clock.now(), () => clock.soon(() => this.#judgeDeadline()))
  }

  #judgeDeadline(): void {
    if (this.#closedBy !== null) return
    const { clock, requestTimeoutMs } = this.#options
    if (this.#nextDeadlineMs > clock.now()) return this.#watchDeadline()
    const { oldest } = this.#answers
    const what = oldest === undefined ? 'the broker took no bytes' : `no answer to ${oldest.apiName}`
    this.#end(this.#error('REQUEST_TIMEOUT', `${what} within requestTimeoutMs (${requestTimeoutMs} ms)`))
  }

  #watchIdle(): void {
    const { clock, maxIdleMs } = this.#options
    const restMs = this.#lastUsedMs + maxIdleMs - clock.now()
    const isIdle = this.#isQuiet
    if (isIdle && restMs <= 0) return this.close(this.#error('CLOSED_BY_CLIENT', `idle for ${maxIdleMs} ms`))
    this.#idleTimer = clock.after(restMs > 0 ? restMs : maxIdleMs, () => this.#watchIdle(), false)
  }

  /** An idle connection must not keep the process alive; one with a question out must. */
  #setKeepAlive(keep: boolean): void {
    const socket: (Duplex & { ref?: () => void; unref?: () => void }) | null = this.#socket // a hook's Duplex may lack them
    if (keep) socket?.ref?.()
    else socket?.unref?.()
  }

  #nextCorrelationId(): number {
    const id = this.#correlationId
    this.#correlationId = id >= MAX_CORRELATION_ID ? 0 : id + 1
    return id
  }

  #end(error: KafkaError): void {
    if (this.#closedBy !== null) return
    const wasReady = this.#state === 'ready'
    this.#closedBy = error
    if (wasReady) this.#enter('closing')
    this.#deadlineTimer?.cancel()
    this.#idleTimer?.cancel()
    this.#abortDial.abort(error)
    this.#letGo()
    this.#enter('closed')
    for (const pending of this.#answers.drain()) pending.fail(error)
    if (!wasReady) return
    if (closedChannel.hasSubscribers) {
      const { nodeId, host, port } = this.#options
      closedChannel.publish({ nodeId, host, port, error })
    }
    this.onClosed?.(error)
  }

  /**
   * Closes the socket. A connection that carried records without answers (`acks: 0`) is ended in order: destroyed with an
   * unread answer in it, it would be reset, and the system would drop what it still has to send.
   */
  #letGo(): void {
    const socket = this.#socket
    if (socket === null) return
    if (!this.#hasHandedOver || this.#closedBy?.retriable === false) return void socket.destroy()
    this.#setKeepAlive(true)
    const timer = this.#options.clock.after(END_TIMEOUT_MS, () => socket.destroy())
    socket.once('close', () => timer.cancel())
    socket.removeAllListeners('data')
    socket.resume()
    socket.end()
  }

  #enter(state: ConnectionState): void {
    assertMove(this.#state, state)
    this.#state = state
  }

  #error(code: ConnectionError['code'], what: string, cause?: unknown): ConnectionError {
    return new ConnectionError(code, `${this.address}: ${code}: ${what}`, { retriable: true, cause })
  }

  #asKafkaError(error: unknown): KafkaError {
    if (error instanceof ProtocolError && !error.message.startsWith(this.address)) {
      // What we could not write, no other connection will carry; what a peer wrote may have been an accident.
      const retriable = error.code !== 'NOT_REPRESENTABLE'
      return new ProtocolError(error.code, `${this.address}: ${error.message}`, { retriable, cause: error })
    }
    if (error instanceof KafkaError) return error
    return this.#error('CONNECTION_FAILED', error instanceof Error ? error.message : String(error), error)
  }
}
