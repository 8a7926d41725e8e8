import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'
import { diagnosticChannel } from '../diagnostics.ts'
import { KafkaError, type ConnectionError } from '../errors.ts'
import { decodeResponseFrame, encodeRequestFrame } from '../protocol/frame.ts'
import { chooseVersion, type VersionLimits, type VersionRanges } from '../protocol/negotiate.ts'
import type { Api, RequestInput, ResponseOf } from '../protocol/schema.ts'
import { formatAddress } from './broker-address.ts'
import { correlationIdAfter, FIRST_CORRELATION_ID } from './correlation-id.ts'
import { Answers, type Outcome, type Pending } from './answers.ts'
import { asKafkaError, connectionError } from './failure.ts'
import { Handovers } from './handovers.ts'
import { openSocket, type SocketHooks, type SocketTarget } from './open-socket.ts'
import { endSocket, keepAliveBy } from './socket.ts'
import { assertMove, type ConnectionState } from './state.ts'
import { Throttle } from './throttle.ts'
import { DeadlineWatch, IdleWatch } from './watch.ts'

export interface ConnectionOptions extends SocketTarget, SocketHooks {
  readonly clientId: string
  readonly clock: Clock
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  /** Closes the connection when nothing was asked for this long; before the broker does (its default is 10 minutes). */
  readonly maxIdleMs: number
  /** Hears of a broker that wants to be left alone for longer than it is granted, milliseconds. */
  readonly onExcessiveThrottle?: ((address: string, askedMs: number, grantedMs: number) => void) | undefined
}

/** Versions that the caller can work with, where those are fewer than both sides know. */
export type RequestOptions = VersionLimits

/** Until we know the peer, nothing that it can honestly say is longer (faults-and-security.md 3.10). */
const CAP_BEFORE_READY_BYTES = 1024 * 1024
const CAP_BYTES: Readonly<Record<string, number>> = { Metadata: 100_000_000 }
const CAP_DEFAULT_BYTES = 16 * 1024 * 1024

const stateChannel = diagnosticChannel('headrace:connection:state')
const throttledChannel = diagnosticChannel('headrace:connection:throttled')
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
  readonly #throttle: Throttle
  readonly #deadline: DeadlineWatch
  readonly #idle: IdleWatch
  #state: ConnectionState = 'idle'
  #socket: Duplex | null = null
  #versions: VersionRanges = new Map()
  #correlationId = FIRST_CORRELATION_ID
  readonly #handovers = new Handovers()
  #openedAtMs = 0
  #closedBy: KafkaError | null = null
  #answersBeforeReady = 0
  /** Called once, when the connection is over; not for a connection that never became ready. */
  onClosed: ((error: KafkaError) => void) | null = null

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.address = formatAddress(options)
    this.#answers = new Answers(this.address, CAP_BEFORE_READY_BYTES)
    const { clock, maxIdleMs } = options
    this.#throttle = new Throttle(clock)
    this.#deadline = new DeadlineWatch(
      clock,
      () => Math.min(this.#answers.oldest?.deadlineMs ?? Infinity, this.#handovers.oldestDeadlineMs),
      () => this.#onDeadline(),
    )
    const onIdle = (): void => this.close(this.#error('CLOSED_BY_CLIENT', `idle for ${maxIdleMs} ms`))
    this.#idle = new IdleWatch(clock, maxIdleMs, () => this.#isQuiet, onIdle)
  }

  get isReady(): boolean {
    return this.#state === 'ready'
  }

  get inFlightCount(): number {
    return this.#answers.pendingCount
  }

  /** Until when the broker wants nothing sent (KIP-219), by the clock; `-Infinity`: it does not mind. */
  get throttledUntilMs(): number {
    return this.#throttle.untilMs
  }

  /** True once a request after the handshake was answered: the connection was good for something. */
  get wasUseful(): boolean {
    return this.#answers.answeredCount > this.#answersBeforeReady
  }

  /** When it was dialled, by the clock. */
  get openedAtMs(): number {
    return this.#openedAtMs
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
    this.#openedAtMs = this.#options.clock.now()
    this.#enter('connecting')
    try {
      const socket = await openSocket({ ...this.#options, signal: this.#abortDial.signal })
      if (this.#closedBy !== null) {
        socket.destroy()
        throw this.#closedBy
      }
      this.#attach(socket)
      this.#enter('negotiating')
    } catch (error) {
      const failure = asKafkaError(this.address, error)
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
    this.#answersBeforeReady = this.#answers.answeredCount
    this.#idle.used()
    this.#idle.watch()
    if (readyChannel.hasSubscribers) {
      readyChannel.publish({ ...this.#target, connectMs: this.#options.clock.now() - this.#openedAtMs })
    }
  }

  /** The newest version of the API that both sides know; -1: none. */
  newestVersion(api: Api): number {
    const range = this.#versions.get(api.key)
    const version = Math.min(range?.max ?? -1, api.maxVersion)
    return version >= Math.max(range?.min ?? 0, api.minVersion) ? version : -1
  }

  /**
   * Ends it if it was not used for too long and its timer has not had its turn yet: the broker, or something on the way,
   * has hung up most likely, and a request would find out the slow way.
   */
  closeIfIdleTooLong(): void {
    if (this.#state === 'ready' && this.#idle.isOver) this.#idle.watch()
  }

  /** Asks, in the newest version that both sides know. */
  request<A extends Api>(api: A, body: RequestInput<A>, options?: RequestOptions): Promise<Outcome<ResponseOf<A>>> {
    return this.requestAs(api, body, (version, frame) => decodeResponseFrame(api, version, frame), options)
  }

  /** The same with a decoder of the caller's; what it throws poisons the connection. */
  requestAs<A extends Api, Response>(
    api: A,
    body: RequestInput<A>,
    decode: (version: number, frame: Buffer) => Response,
    options?: RequestOptions,
  ): Promise<Outcome<Response>> {
    let version: number
    try {
      version = this.#chooseVersion(api, options)
    } catch (error) {
      return Promise.resolve({ error: asKafkaError(this.address, error), wasWritten: false })
    }
    return this.requestVersion(api, version, body, (frame) => decode(version, frame))
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
        // A broker that throttles us does not read until then.
        deadlineMs: Math.max(this.#options.clock.now(), this.throttledUntilMs) + this.#options.requestTimeoutMs,
        answer: (frame) => {
          const response = decode(frame)
          this.#onThrottle(api, version, response)
          resolve({ response, version })
        },
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
        chunks = asKafkaError(this.address, error)
      }
      if (chunks instanceof KafkaError || version === undefined) {
        return resolve({ error: chunks as KafkaError, wasWritten: false })
      }
      const negotiated = version
      const deadlineMs = this.#options.clock.now() + this.#options.requestTimeoutMs
      const settle = this.#handovers.begin(deadlineMs, (error) =>
        resolve(error ? { error, wasWritten: true } : { response: undefined, version: negotiated }),
      )
      keepAliveBy(this.#socket, true)
      this.#deadline.rearm()
      this.#write(chunks, (error) => {
        settle(error ? (this.#closedBy ?? this.#error('CONNECTION_CLOSED', error.message, error)) : null)
        if (this.#isQuiet) keepAliveBy(this.#socket, false)
        if (this.#closedBy === null) this.#deadline.rearm()
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
      return asKafkaError(this.address, error)
    }
  }

  #push(pending: Pending): void {
    this.#answers.expect(pending)
    if (this.#answers.pendingCount > 1) return // the oldest one's deadline is being watched
    keepAliveBy(this.#socket, true)
    this.#deadline.rearm()
  }

  #onThrottle(api: Api, version: number, response: unknown): void {
    const grantedMs = this.#throttle.ask(api, version, response)
    if (grantedMs === 0) return
    const { throttleTimeMs } = response as { throttleTimeMs: number }
    if (throttleTimeMs > grantedMs) this.#options.onExcessiveThrottle?.(this.address, throttleTimeMs, grantedMs)
    if (!throttledChannel.hasSubscribers) return
    throttledChannel.publish({ ...this.#target, throttleMs: grantedMs, askedMs: throttleTimeMs })
  }

  #write(chunks: readonly Uint8Array[], done?: (error?: Error | null) => void): void {
    const socket = this.#socket
    if (socket === null) return
    this.#idle.used()
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
      return this.#end(asKafkaError(this.address, error))
    }
    if (this.#closedBy !== null) return
    this.#deadline.rearm()
    if (this.#isQuiet) keepAliveBy(this.#socket, false)
  }

  /** Nothing is out that anybody waits for. */
  get #isQuiet(): boolean {
    return this.#answers.pendingCount === 0 && this.#handovers.count === 0
  }

  #onDeadline(): void {
    const { requestTimeoutMs } = this.#options
    const { oldest } = this.#answers
    const what = oldest === undefined ? 'the broker took no bytes' : `no answer to ${oldest.apiName}`
    this.#end(this.#error('REQUEST_TIMEOUT', `${what} within requestTimeoutMs (${requestTimeoutMs} ms)`))
  }

  #nextCorrelationId(): number {
    const id = this.#correlationId
    this.#correlationId = correlationIdAfter(id)
    return id
  }

  #end(error: KafkaError): void {
    if (this.#closedBy !== null) return
    const wasReady = this.#state === 'ready'
    this.#closedBy = error
    if (wasReady) this.#enter('closing')
    this.#deadline.cancel()
    this.#idle.cancel()
    this.#abortDial.abort(error)
    // With an unread answer to acks 0 in it, a destroyed socket would lose what it still has to send.
    const isInOrder = this.#handovers.hasBegun && error.retriable
    endSocket(this.#socket, this.#options.clock, isInOrder, () => this.#handovers.giveUp(error))
    this.#enter('closed')
    for (const pending of this.#answers.drain()) pending.fail(error)
    if (!wasReady) return
    if (closedChannel.hasSubscribers) closedChannel.publish({ ...this.#target, error })
    this.onClosed?.(error)
  }

  #enter(state: ConnectionState): void {
    assertMove(this.#state, state)
    this.#state = state
    if (!stateChannel.hasSubscribers || !isTold(state)) return
    stateChannel.publish({ ...this.#target, state, error: this.#closedBy })
  }

  get #target(): SocketTarget {
    const { nodeId, host, port } = this.#options
    return { nodeId, host, port }
  }

  #error(code: ConnectionError['code'], what: string, cause?: unknown): ConnectionError {
    return connectionError(this.address, code, what, cause)
  }
}

type ToldState = 'connecting' | 'ready' | 'closed'

/** The steps between are over in no time. */
function isTold(state: ConnectionState): state is ToldState {
  return state === 'connecting' || state === 'ready' || state === 'closed'
}
