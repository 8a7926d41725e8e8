import type { Clock } from '../clock.ts'
import { formatAddress, type BrokerAddress } from '../connection/broker-address.ts'
import type { Connection } from '../connection/connection.ts'
import { ConnectionError, type KafkaError } from '../errors.ts'
import { backoffMs } from './backoff.ts'

export interface LinkOptions {
  readonly nodeId: number | null
  readonly target: BrokerAddress
  readonly clock: Clock
  readonly reconnectBackoffMs: number
  readonly reconnectBackoffMaxMs: number
  /** Opens a connection that is ready; `opened` hears of each socket as it is begun, so that it can be closed early. */
  readonly open: (
    nodeId: number | null,
    target: BrokerAddress,
    opened: (connection: Connection) => void,
  ) => Promise<Connection>
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
  #begun: Connection | null = null
  #failures = 0
  #lastError: KafkaError | null = null
  #retryAtMs = -Infinity
  #isClosed = false

  constructor(options: LinkOptions) {
    this.#options = options
  }

  get address(): string {
    return formatAddress(this.#options.target)
  }

  /** The connection, if there is one to be used now. */
  get ready(): Connection | null {
    return this.#connection?.isReady === true ? this.#connection : null
  }

  /** When the next attempt may begin, by the clock; in the past if now is fine. */
  get retryAtMs(): number {
    return this.#retryAtMs
  }

  /** Why there is no connection, if there should be one; null while all is well. */
  get lastError(): KafkaError | null {
    return this.#lastError
  }

  /** Begins to connect unless that is under way or it is too early to try again. Never throws; `onChange` hears. */
  want(): void {
    if (this.#isClosed || this.ready !== null || this.#dialing !== null) return
    if (this.#options.clock.now() < this.#retryAtMs) return
    this.connect().catch(toldByOnChange)
  }

  /** Connects now, whatever the backoff says. Callers at the same time share one attempt. */
  connect(): Promise<Connection> {
    if (this.ready !== null) return Promise.resolve(this.ready)
    this.#dialing ??= this.#dial().finally(() => (this.#dialing = null))
    return this.#dialing
  }

  /** Takes over a connection that was opened by another name (a bootstrap address that is this broker). */
  adopt(connection: Connection): void {
    this.#connection = connection
    this.#failures = 0
    this.#lastError = null
    this.#retryAtMs = -Infinity
    connection.onClosed = (error) => this.#onLost(connection, error)
  }

  /** Gives the connection away; the link is empty afterwards. */
  release(): Connection | null {
    const connection = this.ready
    this.#connection = null
    return connection
  }

  close(): void {
    this.#isClosed = true
    this.#begun?.close()
    this.#connection?.close()
  }

  async #dial(): Promise<Connection> {
    const { nodeId, target, open } = this.#options
    try {
      const connection = await open(nodeId, target, (begun) => {
        this.#begun = begun
        if (this.#isClosed) begun.close()
      })
      const adopted = this.ready
      if (adopted !== null) {
        connection.close() // a bootstrap connection was taken over meanwhile; one is enough
        return adopted
      }
      this.adopt(connection)
      this.#options.onChange(this, null)
      return connection
    } catch (error) {
      this.#lastError = error as KafkaError
      this.#backOff()
      this.#options.onChange(this, error as KafkaError)
      throw error
    } finally {
      this.#begun = null
    }
  }

  #onLost(connection: Connection, error: KafkaError): void {
    if (this.#connection !== connection) return
    this.#connection = null
    if (this.#isClosed) return
    const isOurs = error instanceof ConnectionError && error.code === 'CLOSED_BY_CLIENT'
    this.#lastError = isOurs ? null : error
    // The first new attempt is free: most closes are idle timeouts and restarts, not outages.
    this.#options.onChange(this, this.#lastError)
  }

  #backOff(): void {
    const { clock, reconnectBackoffMs, reconnectBackoffMaxMs } = this.#options
    this.#failures++
    const delayMs = backoffMs(this.#failures, reconnectBackoffMs, reconnectBackoffMaxMs, clock.random())
    this.#retryAtMs = clock.now() + delayMs
  }
}

/** `want()` has no caller to tell; `onChange` got the error already. */
function toldByOnChange(): void {
  return undefined
}
