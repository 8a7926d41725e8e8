import { DeliveryError, type ErrorDetails } from '../errors.ts'
import type { FlushTicket } from './batch.ts'

export function finish(tickets: readonly FlushTicket[]): void {
  for (const ticket of tickets) ticket.done()
}

export function metadataTimeout(maxBlockMs: number): DeliveryError {
  const what = `no broker answered within maxBlockMs (${maxBlockMs} ms)`
  return new DeliveryError('METADATA_TIMEOUT', `metadata: METADATA_TIMEOUT: ${what}`, { retriable: true })
}

export function closedError(what: string, details: ErrorDetails): DeliveryError {
  return new DeliveryError('CLOSED', `close: CLOSED: ${what}`, details)
}

/** `close` goes on to give up what `flush` could not wait for, and says so itself. */
export function givenUpBelow(): void {
  return undefined
}
