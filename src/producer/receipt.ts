import type { KafkaError } from '../errors.ts'
import type { Callbacks } from './callbacks.ts'
import type { Callback } from './log.ts'
import type { Offsets } from './offsets.ts'
import { RecordMetadata } from './record-metadata.ts'

/**
 * Who is told what became of a record: a receipt, or the promise that `send` gave. A batch keeps one of them and one token a
 * record, and settles each exactly once; the token tells one receipt's records apart.
 */
export type Awaiter = Receipt | ResolveSend

/**
 * The `resolve` of a promise, kept as it is: an object around it and its `reject` would double what a record under way holds,
 * and one under way is what garbage collection costs.
 */
export type ResolveSend = (outcome: RecordMetadata | Promise<never>) => void

/** Records of one receipt that were delivered in a row. */
export interface DeliveredRun {
  readonly count: number
  /** Tokens count up from it by `step`, 0 or 1. */
  readonly firstToken: number
  readonly step: number
  readonly topic: string
  readonly partition: number
  /** To be moved to each record, counted from 0 in the run. */
  readonly offsets: Offsets
  /** @param index counted from 0 in the run. */
  readonly timestampOf: (index: number) => number
}

/** An object that is told; `token` says of which of its records. */
export interface Receipt {
  /** A record was given to the producer. Only receipts that can be called off care. */
  begin?(token: number): void
  /** The record is in a batch. */
  batched?(token: number): void
  /** See `isWithdrawn`. */
  isWithdrawn?(token: number): boolean
  /** @param offsets stands at the record; it goes on when this returns. */
  settleDelivered(token: number, topic: string, partition: number, offsets: Offsets, timestamp: number): void
  /** The same for all of a batch at once; who has many records need not hear of each. */
  settleRun?(run: DeliveredRun): void
  settleFailed(token: number, error: KafkaError): void
}

let resolveOfNew: ResolveSend | null = null

const keepResolve = (resolve: ResolveSend): void => {
  resolveOfNew = resolve
}

/** The promise of a `send`. `resolveOfNewSend`, asked next, has what settles it: without a function made for each. */
export function newSend(): Promise<RecordMetadata> {
  const promise = new Promise<RecordMetadata>(keepResolve)
  return resolveOfNew === null ? newSendApart() : promise
}

/** A `Promise` of somebody else's making sent something in its constructor, and that took the function. */
function newSendApart(): Promise<RecordMetadata> {
  let own: ResolveSend | null = null
  const promise = new Promise<RecordMetadata>((resolve) => (own = resolve))
  resolveOfNew = own
  return promise
}

export function resolveOfNewSend(): ResolveSend {
  const resolve = resolveOfNew as ResolveSend
  resolveOfNew = null
  return resolve
}

export function settleDelivered(
  awaiter: Awaiter,
  token: number,
  topic: string,
  partition: number,
  offsets: Offsets,
  timestamp: number,
): void {
  if (typeof awaiter === 'function') awaiter(new RecordMetadata(topic, partition, offsets.bigint, timestamp))
  else awaiter.settleDelivered(token, topic, partition, offsets, timestamp)
}

export function settleFailed(awaiter: Awaiter, token: number, error: KafkaError): void {
  // A promise that is resolved with a rejected one is rejected.
  if (typeof awaiter === 'function') awaiter(Promise.reject(error))
  else awaiter.settleFailed(token, error)
}

/** Nobody waits for the record any more; if it is not in a batch yet, it is dropped. */
export function isWithdrawn(awaiter: Awaiter, token: number): boolean {
  return typeof awaiter !== 'function' && awaiter.isWithdrawn?.(token) === true
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

  settleDelivered(_token: number, topic: string, partition: number, offsets: Offsets, timestamp: number): void {
    this.#metadata = new RecordMetadata(topic, partition, offsets.bigint, timestamp)
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

  settleRun(): void {
    // Nor of many.
  }

  settleFailed(_token: number, error: KafkaError): void {
    this.#callbacks.run({ what: 'onUndelivered', call: () => this.#onUndelivered?.(error) })
  }
}
