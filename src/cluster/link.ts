import type { Clock, Timer } from '../clock.ts'
import { formatAddress, type BrokerAddress } from '../connection/broker-address.ts'
import type { Begun } from '../connection/connection-options.ts'
import type { Connection } from '../connection/connection.ts'
import { ConnectionError, type KafkaError } from '../errors.ts'
import { backoffMs } from './backoff.ts'
import type { ReconnectBackoff } from './reconnect-backoff.ts'

/** Kafka's socket.connection.setup.timeout.max.ms; its option is not one of ours. */
const MAX_CONNECT_TIMEOUT_MS = 30_000

/** One attempt to connect. */
export interface Attempt {
  readonly nodeId: number | null
  readonly target: BrokerAddress
  /** Grows while attempts fail. */
  readonly connectTimeoutMs: number
  /** How often in a row the peer has accepted us and hung up again. */
  readonly hangUps: number
  /** Hears of each socket as it is begun, so that it can be closed early. */
  readonly opened: (begun: Begun) => void
}

export interface LinkOptions {
  readonly nodeId: number | null
  readonly target: BrokerAddress
  readonly clock: Clock
  readonly connectTimeoutMs: number
  /** Shared by all links to the address. */
  readonly backoff: ReconnectBackoff
  /** Opens a connection that is ready. */
  readonly open: (attempt: Attempt) => Promise<Connection>
  /** Something changed: the link became usable, failed, or was lost. */
  readonly onChange: (link: Link, error: KafkaError | null) => void
}

/**
 * The way to one broker: at most one connection, made when it is wanted, made again with growing delay when it fails.
 */
export class Link {
  readonly #options: LinkOptions
  #connection: Connection | null = null
  #dialing: Promise<Connection> | null = null
  #begun: Begun | null = null
  #lastError: KafkaError | null = null
  #pause: { readonly timer: Timer; readonly end: () => void } | null = null
  #isClosed = false

  constructor(options: LinkOptions) {
    this.#options = options
  }

  get target(): BrokerAddress {
    return this.#options.target
  }

  get nodeId(): number | null {
    return this.#options.nodeId
  }

  get address(): string {
    return formatAddress(this.#options.target)
  }

  /** The connection, if there is one to be used now. */
  get ready(): Connection | null {
    return this.#connection?.isReady === true ? this.#connection : null
  }

  /** Neither connected nor about to be. */
  get isUnused(): boolean {
    return this.ready === null && this.#dialing === null
  }

  /** When the next attempt may begin, by the clock; in the past if now is fine. */
  get retryAtMs(): number {
    return this.#options.backoff.retryAtMs
  }

  /** How often in a row the peer has refused us, or could not be trusted. */
  get refusals(): number {
    return this.#options.backoff.refusals
  }

  /** Nobody may dial now: whoever asks hears again why. */
  get isRefused(): boolean {
    return this.#options.backoff.refusal !== null
  }

  /** Why there is no connection, if there should be one; null while all is well. */
  get lastError(): KafkaError | null {
    return this.#lastError
  }

  /** Begins to connect unless that is under way or it is too early to try again. Never throws; `onChange` hears. */
  want(): void {
    if (this.#isClosed || this.ready !== null || this.#dialing !== null) return
    if (this.#options.clock.now() < this.retryAtMs) return
    this.connect().catch(toldByOnChange)
  }

  /**
   * Connects, although the backoff may not be over; a peer that fails again and again is given its time all the same, and
   * one that has refused us gives that answer until then. Callers at the same time share one attempt.
   */
  connect(): Promise<Connection> {
    if (this.ready !== null) return Promise.resolve(this.ready)
    const { refusal } = this.#options.backoff
    if (this.#dialing === null && refusal !== null) return Promise.reject(refusal)
    this.#dialing ??= this.#dial().finally(() => (this.#dialing = null))
    return this.#dialing
  }

  /** Takes over a connection that was opened by another name (a bootstrap address that is this broker). */
  adopt(connection: Connection): void {
    this.#connection = connection
    this.#lastError = null
    this.#options.backoff.connected()
    connection.onClosed = (error) => this.#onLost(connection, error)
  }

  /** Gives the connection away; the link is empty afterwards. */
  release(): Connection | null {
    const connection = this.ready
    this.#connection = null
    return connection
  }

  /** @param reason what requests that are in flight fail with. */
  close(reason?: KafkaError): void {
    this.#isClosed = true
    this.#pause?.end()
    this.#begun?.close(reason)
    this.#connection?.close(reason)
  }

  async #dial(): Promise<Connection> {
    const { nodeId, target, open } = this.#options
    if (this.#options.backoff.isPersistent) await this.#untilRetry()
    const waitedFor = this.ready
    if (waitedFor !== null) return waitedFor
    try {
      if (this.#isClosed) throw closedError(this.address)
      const opened = (begun: Begun): void => {
        this.#begun = begun
        if (this.#isClosed) begun.close()
      }
      const connectTimeoutMs = this.#connectTimeoutMs()
      const connection = await open({
        nodeId,
        target,
        connectTimeoutMs,
        hangUps: this.#options.backoff.hangUps,
        opened,
      })
      const adopted = this.#readyNow()
      if (adopted !== null) {
        connection.close() // a bootstrap connection was taken over meanwhile; one is enough
        return adopted
      }
      this.adopt(connection)
      this.#options.onChange(this, null)
      return connection
    } catch (error) {
      this.#lastError = error as KafkaError
      this.#options.backoff.failed(error as KafkaError)
      this.#options.onChange(this, error as KafkaError)
      throw error
    } finally {
      this.#begun = null
    }
  }

  /** After something was awaited. */
  #readyNow(): Connection | null {
    return this.ready
  }

  /** The time that an attempt gets doubles while attempts fail, as in Java: a slow network is not helped by haste. */
  #connectTimeoutMs(): number {
    const { clock, connectTimeoutMs, backoff } = this.#options
    const { failures } = backoff
    if (failures === 0) return connectTimeoutMs
    const maxMs = Math.max(MAX_CONNECT_TIMEOUT_MS, connectTimeoutMs)
    return Math.round(backoffMs(failures + 1, connectTimeoutMs, maxMs, clock.random()))
  }

  #untilRetry(): Promise<void> {
    const { clock } = this.#options
    const waitMs = this.retryAtMs - clock.now()
    if (waitMs <= 0 || this.#isClosed) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        this.#pause?.timer.cancel()
        this.#pause = null
        resolve()
      }
      this.#pause = { timer: clock.after(waitMs, end), end }
    })
  }

  #onLost(connection: Connection, error: KafkaError): void {
    if (this.#connection !== connection) return
    this.#connection = null
    if (this.#isClosed) return
    const isOurs = error instanceof ConnectionError && error.code === 'CLOSED_BY_CLIENT'
    this.#lastError = isOurs ? null : error
    if (!isOurs) this.#options.backoff.lost(connection)
    this.#options.onChange(this, this.#lastError)
  }
}

function closedError(address: string): ConnectionError {
  const what = `${address}: CLOSED_BY_CLIENT: the connection was closed on our side`
  return new ConnectionError('CLOSED_BY_CLIENT', what, { retriable: true })
}

/** `want()` has no caller to tell; `onChange` got the error already. */
function toldByOnChange(): void {
  return undefined
}
