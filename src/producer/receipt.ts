import type { KafkaError } from '../errors.ts'
import type { Callbacks } from './callbacks.ts'
import type { Callback } from './log.ts'
import { RecordMetadata } from './record-metadata.ts'

/**
 * Who is told what became of a record. A batch keeps one receipt and one token a record, and settles each exactly once;
 * the token tells one receipt's records apart.
 */
export interface Receipt {
  /** A record was given to the producer. Only receipts that can be called off care. */
  begin?(token: number): void
  /** The record is in a batch. */
  batched?(token: number): void
  /** Nobody waits for the record any more; if it is not in a batch yet, it is dropped. */
  isWithdrawn?(token: number): boolean
  settleDelivered(token: number, topic: string, partition: number, offset: bigint, timestamp: number): void
  settleFailed(token: number, error: KafkaError): void
}

/** The promise that `send` gave. */
export class PromiseReceipt implements Receipt {
  readonly #resolve: (metadata: RecordMetadata) => void
  readonly #reject: (error: KafkaError) => void

  constructor(resolve: (metadata: RecordMetadata) => void, reject: (error: KafkaError) => void) {
    this.#resolve = resolve
    this.#reject = reject
  }

  settleDelivered(_token: number, topic: string, partition: number, offset: bigint, timestamp: number): void {
    this.#resolve(new RecordMetadata(topic, partition, offset, timestamp))
  }

  settleFailed(_token: number, error: KafkaError): void {
    this.#reject(error)
  }
}

/** Hears what became of a record that was offered; exactly one of the first two is null. */
export type OfferCallback<C> = (error: KafkaError | null, metadata: RecordMetadata | null, context: C) => void

/** The callback that `offer` was given, and, once it is known, what it is to hear. */
export class CallbackReceipt<C> implements Receipt, Callback {
  readonly #done: OfferCallback<C>
  readonly #context: C
  readonly #callbacks: Callbacks
  #error: KafkaError | null = null
  #metadata: RecordMetadata | null = null

  constructor(done: OfferCallback<C>, context: C, callbacks: Callbacks) {
    this.#done = done
    this.#context = context
    this.#callbacks = callbacks
  }

  settleDelivered(_token: number, topic: string, partition: number, offset: bigint, timestamp: number): void {
    this.#metadata = new RecordMetadata(topic, partition, offset, timestamp)
    this.#callbacks.run(this)
  }

  settleFailed(_token: number, error: KafkaError): void {
    this.#error = error
    this.#callbacks.run(this)
  }

  get what(): string {
    return 'the callback of offer()'
  }

  call(): void {
    this.#done(this.#error, this.#metadata, this.#context)
  }
}

/** Records that nobody awaits: only failures are told. */
export class UnwatchedReceipt implements Receipt {
  readonly #onUndelivered: ((error: KafkaError) => void) | undefined
  readonly #callbacks: Callbacks

  constructor(onUndelivered: ((error: KafkaError) => void) | undefined, callbacks: Callbacks) {
    this.#onUndelivered = onUndelivered
    this.#callbacks = callbacks
  }

  settleDelivered(): void {
    // Nobody asked.
  }

  settleFailed(_token: number, error: KafkaError): void {
    this.#callbacks.run({ what: 'onUndelivered', call: () => this.#onUndelivered?.(error) })
  }
}
