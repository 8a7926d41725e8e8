import { KafkaError, type ProducerOptions } from '../index.ts'
import { findBrokerAge } from './broker-age.ts'
import type { Delivery } from './delivery.ts'
import type { VaultTls } from './key-vault/vault-tls.ts'
import type { OutputClock } from './output-clock.ts'
import type { OutputEvents } from './output-events.ts'
import { growingDelayMs, orAborted, sleep } from './waiting.ts'

export interface OutputStartParts {
  readonly topic: string
  readonly vaultTls: VaultTls | null
  readonly producerOptions: ProducerOptions
  readonly delivery: Delivery
  readonly events: OutputEvents
  readonly clock: OutputClock
}

/** A topic that the brokers may make when the first record comes. */
const MISSING = 'UNKNOWN_TOPIC_OR_PARTITION'

/**
 * What must be there before the first row is read: the secrets of the vault, brokers that let us in. Brokers that cannot be
 * reached are waited for; what waiting does not help is thrown as it is, and asked anew by the next write.
 */
export class OutputStart {
  readonly #parts: OutputStartParts
  readonly #ending = new AbortController()
  #started: Promise<void> | null = null

  constructor(parts: OutputStartParts) {
    this.#parts = parts
  }

  /** @throws {KeyVaultError | ConnectionError | AuthenticationError | ProtocolError | BrokerError} */
  async ready(signal: AbortSignal): Promise<void> {
    this.#started ??= this.#start().catch((error: unknown) => {
      this.#started = null
      throw error
    })
    await orAborted(this.#started, signal)
  }

  end(reason: Error): void {
    this.#ending.abort(reason)
  }

  async #start(): Promise<void> {
    const { vaultTls, events, producerOptions } = this.#parts
    // The vault tries again by itself where that helps.
    await vaultTls?.options()
    this.#ending.signal.throwIfAborted()
    const partitions = await this.#reachTopic()
    if (!events.hasListeners) return
    void findBrokerAge(producerOptions).then((age) => {
      if (!this.#ending.signal.aborted) events.started(partitions, age?.kafka ?? null, age?.lacks ?? [])
    })
  }

  async #reachTopic(): Promise<number | null> {
    const { clock, events } = this.#parts
    for (let attempts = 1; ; attempts++) {
      const found = await this.#partitionCount()
      if (!(found instanceof KafkaError)) return found
      const delayMs = growingDelayMs(attempts)
      events.retry(0, delayMs, found)
      await sleep(clock, delayMs, this.#ending.signal)
    }
  }

  /** @returns null: there is no such topic yet; an error: trying again may help. */
  async #partitionCount(): Promise<number | null | KafkaError> {
    const { delivery, topic } = this.#parts
    const { signal } = this.#ending
    try {
      await delivery.producer.connect({ signal })
      return (await orAborted(delivery.producer.partitionsFor(topic), signal)).length
    } catch (error) {
      if (!(error instanceof KafkaError) || signal.aborted) throw error
      if (error.code === MISSING) return null
      if (error.retriable) return error
      throw error
    }
  }
}
