import type { FlushTicket } from './batch.ts'
import type { Awaiter } from './receipt.ts'
import type { CheckedRecord } from './record.ts'

/** A record that `send` took in, with everything that goes with it until it is in a batch. */
export interface Accepted {
  readonly record: CheckedRecord
  readonly receipt: Awaiter
  readonly token: number
  /** What it holds of `bufferBytes`. */
  readonly chargedBytes: number
  /** When `send` was called, by the monotonic clock: deadlines count from here. */
  readonly sentMs: number
  /** Flushes that wait for it. */
  tickets: readonly FlushTicket[]
}

/** Most records are in a batch before anybody flushes: they share one list. */
export const NO_TICKETS: readonly FlushTicket[] = Object.freeze([])

export function addTicket(accepted: Accepted, ticket: FlushTicket): void {
  ticket.more()
  accepted.tickets = [...accepted.tickets, ticket]
}
