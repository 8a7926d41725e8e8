import { AuthenticationError, DeliveryError, type ErrorDetails, type KafkaError } from '../errors.ts'
import type { Batch, FlushTicket } from './batch.ts'

export function finish(tickets: readonly FlushTicket[]): void {
  for (const ticket of tickets) ticket.done()
}

/**
 * A `send` that fails is told some microtasks after it was settled (`settleFailed`). Whoever says that all have settled
 * goes the same way first, and so comes behind.
 */
export function allTold(): Promise<void> {
  return new Promise((resolve) => resolve(Promise.resolve()))
}

export function metadataTimeout(maxBlockMs: number): DeliveryError {
  const what = `no broker answered within maxBlockMs (${maxBlockMs} ms)`
  return new DeliveryError('METADATA_TIMEOUT', `metadata: METADATA_TIMEOUT: ${what}`, { retriable: true })
}

export function closedError(what: string, details: ErrorDetails): DeliveryError {
  return new DeliveryError('CLOSED', `close: CLOSED: ${what}`, details)
}

/** A broker does not let us in; what is known of this batch is said of it. */
export function refusedError(batch: Batch, refusal: AuthenticationError): AuthenticationError {
  return new AuthenticationError(refusal.code, refusal.message, { ...detailsOf(batch), cause: refusal })
}

/** `close` goes on to give up what `flush` could not wait for, and says so itself. */
export function givenUpBelow(): void {
  return undefined
}

/** What every record is told after a producer came to its end by itself. */
export function fatalError(cause: KafkaError, details: ErrorDetails): DeliveryError {
  const what = `the producer stopped for good: ${cause.message}`
  return new DeliveryError('SEQUENCE_DESYNC', `send: SEQUENCE_DESYNC: ${what}`, { ...details, fatal: true, cause })
}

/** What is known of a batch that is given up. */
export function detailsOf({ topic, partition, attempts, maybeWritten, state }: Batch): ErrorDetails {
  return { topic, partition, attempts, maybeWritten: maybeWritten || state === 'inFlight' }
}
