import { Writable } from 'node:stream'
import { DeliveryError, KafkaError, OptionError } from '../errors.ts'
import { show } from '../options.ts'
import type { OfferCallback } from './receipt.ts'
import type { ProducerRecord } from './record.ts'

export interface WritableOptions {
  /** Hears of every record that was not delivered; the stream goes on. Without it the first one destroys the stream. */
  onError?: ((error: KafkaError, record: ProducerRecord) => void) | undefined
}

/** What a stream needs of its producer. */
export interface WritableParts {
  offer(record: ProducerRecord, done: OfferCallback<ProducerRecord | null>, context: ProducerRecord | null): boolean
  ready(options: { signal: AbortSignal }): Promise<void>
  flush(): Promise<void>
  /** Runs when the current turn of the event loop is done. */
  soon(fn: () => void): void
  /** A record failed, and the stream is over: nobody there listens any more. */
  onUndelivered(error: KafkaError): void
}

type Callback = (error?: Error | null) => void

/** After so many records the event loop turns: a source that always has one more would starve the sockets. */
const TURN_RECORDS = 1024

/**
 * Records as a stream: objects go in, back-pressure comes out, and `finish` means that all of them have settled.
 *
 * A record counts as written when the producer has accepted it, so that the stream holds none itself; `end` flushes. To
 * destroy the stream takes nothing back: what was accepted is delivered all the same.
 */
export class RecordWritable extends Writable {
  readonly #parts: WritableParts
  readonly #onError: WritableOptions['onError']
  readonly #destroyed = new AbortController()
  /** Of the record that is being written. */
  #index = -1
  #unsettled = 0
  #onAllSettled: Callback | null = null

  constructor(parts: WritableParts, { onError }: WritableOptions) {
    super({ objectMode: true })
    this.#parts = parts
    this.#onError = onError
  }

  override _write(record: ProducerRecord, _encoding: BufferEncoding, callback: Callback): void {
    this.#index++
    this.#offer(record, callback)
  }

  override _final(callback: Callback): void {
    if (this.#unsettled === 0) return callback()
    this.#onAllSettled = callback
    this.#parts.flush().catch((error: unknown) => this.destroy(error as Error))
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#destroyed.abort()
    callback(error)
  }

  #offer(record: ProducerRecord, callback: Callback): void {
    const context = this.#onError === undefined ? null : record
    try {
      if (!this.#parts.offer(record, this.#settled, context)) return this.#offerLater(record, callback)
      this.#unsettled++
    } catch (error) {
      return this.#refused(error as Error, record, callback)
    }
    this.#accepted(callback)
  }

  #offerLater(record: ProducerRecord, callback: Callback): void {
    const { signal } = this.#destroyed
    this.#parts.ready({ signal }).then(
      () => (this.destroyed ? callback() : this.#offer(record, callback)),
      (error: unknown) => callback(error as Error), // destroyed, or the producer was closed: nothing can be taken in
    )
  }

  #accepted(callback: Callback): void {
    if (this.#index % TURN_RECORDS === TURN_RECORDS - 1) this.#parts.soon(callback)
    else callback()
  }

  /** It can never be taken in. If no other record can either, the stream is over. */
  #refused(error: Error, record: ProducerRecord, callback: Callback): void {
    const isOver = error instanceof KafkaError && (error.code === 'CLOSED' || error.fatal)
    const told = atRecord(error, this.#index)
    if (isOver || !(told instanceof KafkaError) || this.#onError === undefined) return callback(told)
    this.#tell(told, record)
    this.#accepted(callback)
  }

  readonly #settled: OfferCallback<ProducerRecord | null> = (error, _metadata, record) => {
    this.#unsettled--
    if (error !== null) this.#failed(error, record)
    if (this.#unsettled > 0 || this.#onAllSettled === null) return
    this.#onAllSettled()
    this.#onAllSettled = null
  }

  #failed(error: KafkaError, record: ProducerRecord | null): void {
    if (record !== null) this.#tell(error, record)
    else if (this.destroyed) this.#parts.onUndelivered(error)
    else this.destroy(error)
  }

  #tell(error: KafkaError, record: ProducerRecord): void {
    try {
      this.#onError?.(error, record)
    } catch (thrown) {
      this.destroy(thrown instanceof Error ? thrown : new Error(`onError threw ${show(thrown)}`))
    }
  }
}

/** @throws {OptionError} `INVALID_ARGUMENT`. */
export function checkWritableOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null)
    throw invalid(`options: got ${show(options)}, expected an object`)
  const { onError } = options as { onError?: unknown }
  if (onError === undefined || typeof onError === 'function') return
  throw invalid(`onError: got ${show(onError)}, expected a function`)
}

/** The same error, and which record it was: a stream has no other way to say so. */
function atRecord(error: Error, index: number): Error {
  if (!(error instanceof KafkaError)) return error
  const message = `writable: record ${index}: ${error.message}`
  const { topic, partition, retriable, fatal } = error
  const details = { topic, partition, retriable, fatal, cause: error }
  if (error instanceof OptionError) return new OptionError(error.code, message, details)
  if (error instanceof DeliveryError) return new DeliveryError(error.code, message, details)
  return error
}

function invalid(what: string): OptionError {
  return new OptionError('INVALID_ARGUMENT', `writable: INVALID_ARGUMENT: ${what}`)
}
