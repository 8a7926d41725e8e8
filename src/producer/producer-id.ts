import type { Clock } from '../clock.ts'
import { backoffMs } from '../cluster/backoff.ts'
import type { Connection } from '../connection/connection.ts'
import { diagnosticChannel } from '../diagnostics.ts'
import { ProtocolError, type KafkaError } from '../errors.ts'
import { errorByCode, isRetriable, toBrokerError } from '../protocol/error-codes.ts'
import { initProducerId } from '../protocol/messages/init-producer-id.ts'
import type { ProducerIdentity } from './sequences.ts'
import type { ProducerStats } from './stats.ts'

/** `preferred`: where the brokers cannot, or do not let us, we go on without. */
export type Idempotence = 'required' | 'preferred' | 'off'

export interface ProducerIdOptions {
  readonly clock: Clock
  readonly idempotence: Idempotence
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
}

export interface ProducerIdListener {
  /** There is an identity now, or there will be none: look again at what waits for it. */
  onChange(): void
  /** Idempotence was required and cannot be had: what waits for it fails with this. */
  onRefused(error: KafkaError): void
  /** It was only preferred; told once. */
  onFallback(error: KafkaError): void
}

/** Java's: `Short.MAX_VALUE` itself is never used, so that the broker can still fence it (TransactionManager). */
const LAST_EPOCH = 32_766

const identityChannel = diagnosticChannel('headrace:producer:identity')

/**
 * Our producer id: asked for at the first record, its epoch raised by ourselves when sequences must begin anew (KIP-360;
 * without a transactional id no broker need be asked), asked for again when epochs have run out.
 *
 * ```
 * none > asking > ready        none < ready: the id is spent
 *           |____> none        failed, asks again after a pause
 *           |____> off         not to be had, and only preferred
 * ```
 */
export class ProducerId {
  readonly #options: ProducerIdOptions
  readonly #listener: ProducerIdListener
  #state: 'none' | 'asking' | 'ready' | 'off'
  #identity: ProducerIdentity | null = null
  #failures = 0
  #retryAtMs = -Infinity
  #isFallback = false
  #lastError: KafkaError | null = null

  constructor(options: ProducerIdOptions, listener: ProducerIdListener) {
    this.#options = options
    this.#listener = listener
    this.#state = options.idempotence === 'off' ? 'off' : 'none'
  }

  /** Batches carry sequences, or will. */
  get isOn(): boolean {
    return this.#state !== 'off'
  }

  /** It was wanted and could not be had. */
  get isFallback(): boolean {
    return this.#isFallback
  }

  stats(): Pick<ProducerStats, 'idempotent' | 'producerId' | 'producerEpoch'> {
    const { producerId = null, producerEpoch = null } = this.#identity ?? {}
    return { idempotent: this.isOn, producerId, producerEpoch }
  }

  get identity(): ProducerIdentity | null {
    return this.#identity
  }

  /** Not asked again before this, by the clock. */
  get retryAtMs(): number {
    return this.#retryAtMs
  }

  /** Why there is none yet, if we know. */
  get lastError(): KafkaError | null {
    return this.#identity === null ? this.#lastError : null
  }

  /** Asks this broker for an id, unless that is under way or it is too early. `onChange` tells. */
  want(connection: Connection): void {
    if (this.#state !== 'none' || this.#options.clock.now() < this.#retryAtMs) return
    if (connection.newestVersion(initProducerId) < 0) return this.refuseOldBroker(connection)
    this.#state = 'asking'
    const request = { transactionalId: null, transactionTimeoutMs: 2 ** 31 - 1, producerEpoch: -1, producerId: -1n }
    void connection.request(initProducerId, request).then((outcome) => {
      if (this.#state !== 'asking') return this.#listener.onChange() // its place among the requests is free again
      this.#state = 'none'
      if ('error' in outcome) return this.#failed(outcome.error)
      const { errorCode, producerId, producerEpoch } = outcome.response
      if (errorCode === 0 && producerId >= 0n && producerEpoch >= 0) return this.#enter({ producerId, producerEpoch })
      if (errorCode === 0) return this.#failed(noIdentity(connection.address, producerId, producerEpoch))
      const error = toBrokerError(errorCode, `${connection.address}: InitProducerId`, { maybeWritten: false })
      if (isRetriable(errorByCode(errorCode).recovery)) this.#failed(error)
      else this.#refused(error)
    })
  }

  /**
   * A broker that knows no sequences: older than Kafka 0.11.
   *
   * @throws {ProtocolError} there is an id, and idempotence is required: what is for this broker cannot be sent.
   */
  refuseOldBroker(connection: Connection): void {
    if (!this.isOn) return
    const what = 'idempotence needs InitProducerId (Kafka 0.11), which the broker does not have'
    const error = new ProtocolError('UNSUPPORTED_VERSION', `${connection.address}: UNSUPPORTED_VERSION: ${what}`)
    if (this.#identity !== null && this.#options.idempotence === 'required') throw error
    this.#refused(error)
  }

  /** The next epoch, for partitions whose sequences must begin anew; without one left, another id. */
  bump(isIdSpent: boolean): void {
    if (this.#identity === null || this.#state !== 'ready') return
    const { producerId, producerEpoch } = this.#identity
    if (!isIdSpent && producerEpoch < LAST_EPOCH) return this.#enter({ producerId, producerEpoch: producerEpoch + 1 })
    this.#identity = null
    this.#state = 'none'
  }

  #enter(identity: ProducerIdentity): void {
    this.#identity = identity
    this.#state = 'ready'
    this.#failures = 0
    this.#retryAtMs = -Infinity
    if (identityChannel.hasSubscribers) identityChannel.publish({ ...identity })
    this.#listener.onChange()
  }

  #failed(error: KafkaError): void {
    const { clock, retryBackoffMs, retryBackoffMaxMs } = this.#options
    this.#failures++
    this.#lastError = error
    this.#retryAtMs = clock.now() + backoffMs(this.#failures, retryBackoffMs, retryBackoffMaxMs, clock.random())
    this.#listener.onChange()
  }

  #refused(error: KafkaError): void {
    if (this.#options.idempotence === 'required') {
      this.#failed(error)
      return this.#listener.onRefused(error)
    }
    this.#state = 'off'
    this.#isFallback = true
    this.#listener.onFallback(error)
    this.#listener.onChange()
  }
}

function noIdentity(address: string, producerId: bigint, producerEpoch: number): ProtocolError {
  const what = `InitProducerId gave producer id ${producerId} and epoch ${producerEpoch}`
  return new ProtocolError('INVALID_VALUE', `${address}: INVALID_VALUE: ${what}`, { retriable: true })
}
