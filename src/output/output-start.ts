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
  #isReady = false
  #isEnded = false

  constructor(parts: OutputStartParts) {
    this.#parts = parts
  }

  /**
   * One write at a time asks. @param signal whoever asks goes: then nothing is tried any more.
   *
   * @throws {KeyVaultError | ConnectionError | AuthenticationError | ProtocolError | BrokerError}
   */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.#isReady) return
    await orAborted(this.#start(signal), signal)
    this.#isReady = true
  }

  /** What is found out from now on is told to nobody. */
  end(): void {
    this.#isEnded = true
  }

  async #start(signal: AbortSignal): Promise<void> {
    const { vaultTls, events, producerOptions } = this.#parts
    // The vault tries again by itself where that helps.
    await vaultTls?.options()
    signal.throwIfAborted()
    const partitions = await this.#reachTopic(signal)
    if (!events.hasListeners) return
    void findBrokerAge(producerOptions).then((age) => {
      if (!this.#isEnded) events.started(partitions, age?.kafka ?? null, age?.lacks ?? [])
    })
  }

  async #reachTopic(signal: AbortSignal): Promise<number | null> {
    const { clock, events } = this.#parts
    for (let attempts = 1; ; attempts++) {
      const found = await this.#partitionCount(signal)
      if (!(found instanceof KafkaError)) return found
      const delayMs = growingDelayMs(attempts)
      events.retry(0, delayMs, found)
      await sleep(clock, delayMs, signal)
    }
  }

  /** @returns null: there is no such topic yet; an error: trying again may help. */
  async #partitionCount(signal: AbortSignal): Promise<number | null | KafkaError> {
    const { delivery, topic } = this.#parts
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
