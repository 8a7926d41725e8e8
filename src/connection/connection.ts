import { diagnosticChannel } from '../diagnostics.ts'
import type { ConnectionError, KafkaError } from '../errors.ts'
import { decodeResponseFrame } from '../protocol/frame.ts'
import { chooseVersion, type VersionRanges } from '../protocol/negotiate.ts'
import type { Api, RequestInput, ResponseOf } from '../protocol/schema.ts'
import { formatAddress } from './broker-address.ts'
import type { Outcome } from './answers.ts'
import { asKafkaError, asSeenByParked, connectionError } from './failure.ts'
import { asGuess, isGuessOfTls } from './guess.ts'
import { login, type LoggedIn, type LoginWire } from './login.ts'
import type { SocketTarget } from './socket-hooks.ts'
import type { Mechanism } from '../sasl/mechanism.ts'
import type { ConnectionOptions, RequestOptions } from './connection-options.ts'
import { Reauthentication } from './reauthentication.ts'
import { assertMove, isTold, type ConnectionState } from './state.ts'
import { Throttle } from './throttle.ts'
import { openTransport, type Transport } from './transport.ts'
import { IdleWatch } from './watch.ts'
import { Wire } from './wire.ts'

/** Until we know the peer, nothing that it can honestly say is longer (faults-and-security.md 3.10). */
const CAP_BEFORE_READY_BYTES = 1024 * 1024
const CAP_BYTES: Readonly<Record<string, number>> = { Metadata: 100_000_000 }
const CAP_DEFAULT_BYTES = 16 * 1024 * 1024

const stateChannel = diagnosticChannel('headrace:connection:state')
const throttledChannel = diagnosticChannel('headrace:connection:throttled')
const readyChannel = diagnosticChannel('headrace:connection:ready')
const authenticatedChannel = diagnosticChannel('headrace:connection:authenticated')
const closedChannel = diagnosticChannel('headrace:connection:closed')

/**
 * One connection to one broker: who is there, which versions it speaks, who we are, and then requests. It asks and it
 * answers; it does not retry, reconnect or decide. Any doubt about where a frame begins ends the connection, never another
 * request's answer.
 */
export class Connection {
  readonly address: string
  readonly #options: ConnectionOptions
  readonly #wire: Wire
  readonly #abortDial = new AbortController()
  readonly #throttle: Throttle
  readonly #idle: IdleWatch
  readonly #reauthentication: Reauthentication
  #state: ConnectionState = 'idle'
  #transport: Transport | null = null
  #versions: VersionRanges = new Map()
  /** When what is needed before requests can be sent must be done, by the clock; `Infinity`: it is. */
  #readyByMs = Infinity
  #openedAtMs = 0
  #closedBy: KafkaError | null = null
  #answersBeforeReady = Infinity
  /** Called once, when the connection is over; not for a connection that never became ready. */
  onClosed: ((error: KafkaError) => void) | null = null

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.address = formatAddress(options)
    const { clock, maxIdleMs, clientId } = options
    this.#throttle = new Throttle(clock)
    this.#wire = new Wire({
      ...{ address: this.address, clientId, clock, capBytes: CAP_BEFORE_READY_BYTES },
      otherDeadlineMs: () => this.#readyByMs,
      onDeadline: () => this.#onDeadline(),
      onLost: (error) => this.#onLost(error),
      onGarbage: (error) => this.#end(error),
      onProgress: () => this.#reauthentication.review(),
      onWrite: () => this.#idle.used(),
      othersWaiting: () => this.#reauthentication.parkedCount,
    })
    const onIdle = (): void => this.close(this.#error('CLOSED_BY_CLIENT', `idle for ${maxIdleMs} ms`))
    this.#idle = new IdleWatch(clock, maxIdleMs, () => this.#wire.isQuiet, onIdle)
    this.#reauthentication = new Reauthentication(clock, {
      outCount: () => this.#wire.unansweredCount + this.#wire.handoverCount,
      isOver: () => this.#closedBy !== null,
      login: () => this.#loginAgain(),
      onState: (isWaiting) => this.#onReauthentication(isWaiting),
      // A new connection may do better, and the requests that waited were not written.
      onFailed: (error) =>
        this.#end(this.#error('CONNECTION_CLOSED', `authenticating again failed: ${error.message}`, error)),
    })
  }

  /** Takes requests; while it authenticates again it keeps them for a moment. */
  get isReady(): boolean {
    return this.#state === 'ready' || this.#state === 'reauthenticating'
  }

  get inFlightCount(): number {
    return this.#wire.unansweredCount + this.#reauthentication.parkedCount
  }

  /** Until when the broker wants nothing sent (KIP-219), by the clock; `-Infinity`: it does not mind. */
  get throttledUntilMs(): number {
    return this.#throttle.untilMs
  }

  /** For how long the broker goes on not to read, milliseconds; undefined: it reads. */
  get throttledForMs(): number | undefined {
    return this.#throttle.leftMs
  }

  /** True once a request after the handshake was answered: the connection was good for something. */
  get wasUseful(): boolean {
    return this.#wire.answeredCount > this.#answersBeforeReady
  }

  /** When it was dialled, by the clock. */
  get openedAtMs(): number {
    return this.#openedAtMs
  }

  /** True once any byte of the peer was seen: it is not one that hung up on us without a word. */
  get hasReceived(): boolean {
    return this.#wire.hasReceived
  }

  /** Why it ended, if it did. */
  get closedBy(): KafkaError | null {
    return this.#closedBy
  }

  /** Dials, TLS included. @throws {ConnectionError | AuthenticationError} naming the address. */
  async dial(): Promise<void> {
    const { clock, connectTimeoutMs, onStep } = this.#options
    const { closedBy } = this
    if (closedBy !== null) throw closedBy
    this.#openedAtMs = clock.now()
    this.#enter('connecting')
    const readyByMs = this.#options.readyByMs ?? clock.now() + connectTimeoutMs
    try {
      const transport = await openTransport({
        ...{ ...this.#options, readyByMs, signal: this.#abortDial.signal },
        onResolved: (addresses) => onStep?.({ step: 'resolved', addresses }),
        onSocket: (remoteAddress) => onStep?.({ step: 'connected', remoteAddress }),
      })
      if (this.#closedBy !== null) {
        transport.socket.destroy()
        throw this.#closedBy
      }
      this.#transport = transport
      this.#wire.attach(transport)
      this.#enter('negotiating')
      this.#mustBeReadyBy(readyByMs)
      if (transport.isTls) onStep?.({ step: 'secured', transport })
    } catch (error) {
      const failure = asKafkaError(this.address, error)
      this.#end(failure)
      throw failure
    }
  }

  /**
   * The broker's versions decide from here on what is sent; first of all who we are, if that is to be said.
   *
   * @throws {AuthenticationError | ConnectionError} the login failed.
   */
  async becomeReady(versions: VersionRanges): Promise<void> {
    // Between the answer and this call the connection may have ended: more bytes came, and they made no sense.
    if (this.#closedBy !== null) throw this.#closedBy
    this.#versions = versions
    this.#options.onStep?.({ step: 'negotiated', versions })
    this.#enter('authenticating')
    if (this.#options.mechanism) this.#reauthentication.began(await this.#login(this.#options.mechanism, false))
    this.#enter('ready')
    this.#mustBeReadyBy(Infinity)
    this.#answersBeforeReady = this.#wire.answeredCount
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
    const version = this.#chooseVersion(api, options)
    if (typeof version !== 'number') return Promise.resolve({ error: version, wasWritten: false })
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
      this.#reauthentication.admit(
        () => this.#ask(api, version, body, decode, resolve),
        (error) => resolve({ error, wasWritten: false }),
      )
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
    const version = this.#chooseVersion(api, options)
    if (typeof version !== 'number') return Promise.resolve({ error: version, wasWritten: false })
    return new Promise((resolve) => {
      const write = (): void => {
        const deadlineMs = this.#options.clock.now() + this.#options.requestTimeoutMs
        this.#wire.tell({ api, version, body, deadlineMs }, resolve)
      }
      this.#reauthentication.admit(write, (error) => resolve({ error, wasWritten: false }))
    })
  }

  /** Ends the connection; what is in flight fails with `reason`. Harmless when it is over already. */
  close(reason: KafkaError = this.#error('CLOSED_BY_CLIENT', 'the connection was closed on our side')): void {
    this.#end(reason)
  }

  /** Past the requests that wait for a login. */
  #ask<A extends Api, Response>(
    api: A,
    version: number,
    body: RequestInput<A>,
    decode: (frame: Buffer) => Response,
    resolve: (outcome: Outcome<Response>) => void,
  ): void {
    const { clock, requestTimeoutMs } = this.#options
    const capBytes = this.#state === 'ready' ? (CAP_BYTES[api.name] ?? CAP_DEFAULT_BYTES) : CAP_BEFORE_READY_BYTES
    // A broker that throttles us does not read until then.
    const deadlineMs = Math.max(clock.now(), this.throttledUntilMs) + requestTimeoutMs
    const take = (frame: Buffer): Response => {
      const response = decode(frame)
      this.#onThrottle(api, version, response)
      return response
    }
    this.#wire.ask({ api, version, body, decode: take, capBytes, deadlineMs }, resolve)
  }

  /** @throws {KafkaError} the connection is of no use then. */
  async #login(mechanism: Mechanism, isReauthentication: boolean): Promise<LoggedIn> {
    const { host, clock, onStep, allowPlaintextCredentials } = this.#options
    const [transport, versions, address] = [this.#transport, this.#versions, this.address]
    if (transport === null) throw new Error('connection: a login before it was dialled')
    const place = { address, host, mechanism, versions, transport, allowPlaintextCredentials, clock }
    const session = await login(this.#loginWire(), { ...place, signal: this.#abortDial.signal })
    if (this.#closedBy !== null) throw this.#closedBy
    onStep?.({ step: 'authenticated', session })
    if (authenticatedChannel.hasSubscribers) {
      const { authenticationMs, sessionLifetimeMs } = session
      const { name, user } = mechanism
      const times = { sessionLifetimeMs: BigInt(sessionLifetimeMs), authenticationMs }
      authenticatedChannel.publish({ ...this.#target, mechanism: name, user, ...times, isReauthentication })
    }
    return session
  }

  #loginAgain(): Promise<LoggedIn> {
    const { mechanism, clock, connectTimeoutMs } = this.#options
    if (!mechanism) throw new Error('connection: a session without a mechanism')
    // A broker that throttles us does not read until then.
    this.#mustBeReadyBy(Math.max(clock.now(), this.throttledUntilMs) + connectTimeoutMs)
    return this.#login(mechanism, true)
  }

  #loginWire(): LoginWire {
    return {
      ask: (api, version, body) =>
        new Promise((resolve, reject) => {
          const decode = (frame: Buffer): ResponseOf<typeof api> => decodeResponseFrame(api, version, frame)
          this.#ask(api, version, body, decode, (outcome) =>
            'error' in outcome ? reject(outcome.error) : resolve(outcome.response),
          )
        }),
      askBare: (token) => this.#wire.askBare(token, CAP_BEFORE_READY_BYTES),
    }
  }

  #onReauthentication(isWaiting: boolean): void {
    this.#enter(isWaiting ? 'reauthenticating' : 'ready')
    if (isWaiting) this.#wire.keepAlive()
    else this.#mustBeReadyBy(Infinity)
  }

  #mustBeReadyBy(atMs: number): void {
    this.#readyByMs = atMs
    this.#wire.rearm()
  }

  #chooseVersion(api: Api, options?: RequestOptions): number | KafkaError {
    if (!this.isReady) return this.#closedBy ?? this.#error('CONNECTION_CLOSED', `the connection is ${this.#state}`)
    try {
      return chooseVersion(api, this.#versions, this.address, options)
    } catch (error) {
      return asKafkaError(this.address, error)
    }
  }

  #onThrottle(api: Api, version: number, response: unknown): void {
    const grantedMs = this.#throttle.ask(api, version, response)
    if (grantedMs === 0) return
    const { throttleTimeMs } = response as { throttleTimeMs: number }
    if (throttleTimeMs > grantedMs) this.#options.onExcessiveThrottle?.(this.address, throttleTimeMs, grantedMs)
    if (!throttledChannel.hasSubscribers) return
    throttledChannel.publish({ ...this.#target, throttleMs: grantedMs, askedMs: throttleTimeMs })
  }

  /** @param error null: the peer has closed it. */
  #onLost(error: Error | null): void {
    if (this.#closedBy !== null) return
    const hasAnswered = this.#wire.answeredCount > 0
    const byTls = this.#transport?.explain(error, hasAnswered) ?? null
    if (byTls !== null && !hasAnswered) return this.#end(isGuessOfTls(byTls) ? asGuess(byTls) : byTls)
    const what =
      error === null
        ? `the broker closed the connection${this.#whenClosed()}`
        : `the connection broke: ${error.message}`
    const failure = this.#error('CONNECTION_CLOSED', what, byTls ?? error ?? undefined)
    this.#end(hasAnswered && !this.wasUseful && !this.#options.mechanism ? asGuess(failure) : failure)
  }

  #whenClosed(): string {
    if (this.#state === 'negotiating') return ' after ApiVersions: does this listener want SASL or TLS?'
    if (this.#state === 'authenticating') return ' during authentication'
    if (this.#state === 'reauthenticating') return ' while we authenticated again'
    return this.wasUseful || this.#options.mechanism ? '' : ' after ApiVersions: does this listener want SASL?'
  }

  #onDeadline(): void {
    const { requestTimeoutMs, connectTimeoutMs, clock } = this.#options
    const { oldestApiName } = this.#wire
    if (this.#readyByMs <= clock.now()) {
      const what = oldestApiName === null ? `it was still ${this.#state}` : `no answer to ${oldestApiName}`
      return this.#end(this.#error('CONNECT_TIMEOUT', `${what} within connectTimeoutMs (${connectTimeoutMs} ms)`))
    }
    const what = oldestApiName === null ? 'the broker took no bytes' : `no answer to ${oldestApiName}`
    this.#end(this.#error('REQUEST_TIMEOUT', `${what} within requestTimeoutMs (${requestTimeoutMs} ms)`))
  }

  #end(error: KafkaError): void {
    if (this.#closedBy !== null) return
    const wasReady = this.isReady
    this.#closedBy = error
    this.#readyByMs = Infinity
    if (wasReady) this.#enter('closing')
    this.#idle.cancel()
    this.#abortDial.abort(error)
    this.#wire.end(error)
    this.#enter('closed')
    this.#wire.failAll(error)
    this.#reauthentication.giveUp(asSeenByParked(this.address, error))
    if (!wasReady) return
    if (closedChannel.hasSubscribers) closedChannel.publish({ ...this.#target, error })
    this.onClosed?.(error)
  }

  #enter(state: ConnectionState): void {
    assertMove(this.#state, state)
    // A login in between is no news; and whoever heard of it could send before those that waited for it.
    const isToTell = isTold(state) && this.#state !== 'reauthenticating'
    this.#state = state
    if (!stateChannel.hasSubscribers || !isToTell) return
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
