import type { DeliveryResult } from '../../destination/destination.ts'
import type { EventRequest, ItemFault } from './event-request.ts'
import { isOwnFault } from './own-faults.ts'

export interface Answer {
  readonly status: 200 | 400 | 429 | 503
  readonly retryAfterSeconds: number | null
  readonly body: {
    readonly success: boolean
    readonly error?: { readonly code: string; readonly message: string }
    readonly errors?: readonly ItemError[]
  }
}

interface ItemError extends ItemFault {
  readonly mapping?: string | null
}

/** Segment's clients wait no longer when they are told to. */
const MAX_RETRY_AFTER_SECONDS = 300

/**
 * What a client is told. 200: everything is in Kafka, or will never get there as it is; anything that trying again can help
 * makes the client try again with the whole request.
 */
export function answerFor(request: EventRequest, results: readonly DeliveryResult[]): Answer {
  const undone = results.filter((result) => isUndone(result))
  if (undone.length > 0) return tryAgain(request, undone)
  const refused = results.filter(({ error }) => error !== undefined)
  const errors = [...request.faults, ...refused.map((result) => itemError(request, result))]
  if (errors.length === 0) return { status: 200, retryAfterSeconds: null, body: { success: true } }
  const isAllWrong = request.events.length === 0
  if (!isAllWrong) return { status: 200, retryAfterSeconds: null, body: { success: true, errors } }
  const error = { code: 'INVALID_EVENTS', message: 'There is no event in the request that can be taken.' }
  return { status: 400, retryAfterSeconds: null, body: { success: false, error, errors } }
}

/** Not in Kafka, and not because of the event; or to be kept in the dead-letter topic, and not there. */
function isUndone(result: DeliveryResult): boolean {
  const { deadLetter, error } = result
  if (error === undefined) return false
  return !isOwnFault(result) || (deadLetter !== undefined && 'error' in deadLetter)
}

function tryAgain(request: EventRequest, undone: readonly DeliveryResult[]): Answer {
  const isThrottled = undone.every(({ status }) => status === 429)
  const afterMs = Math.max(isThrottled ? 1000 : 0, ...undone.map(({ retryAfterMs }) => retryAfterMs ?? 0))
  const error = { code: undone[0]?.error?.code ?? 'NOT_DELIVERED', message: 'Kafka has not taken all events.' }
  return {
    status: isThrottled ? 429 : 503,
    retryAfterSeconds: afterMs === 0 ? null : Math.min(Math.ceil(afterMs / 1000), MAX_RETRY_AFTER_SECONDS),
    body: { success: false, error, errors: undone.map((result) => itemError(request, result)) },
  }
}

/** The names of brokers, and what they say, are not for clients: those learn the code. */
function itemError(request: EventRequest, result: DeliveryResult): ItemError {
  const { event, mapping, error } = result
  const code = error?.code ?? ''
  const message = isOwnFault(result) ? (error?.message ?? '') : 'Kafka has not taken the event.'
  return { index: request.indexes[event] ?? event, ...idOf(request.events[event]), mapping, code, message }
}

function idOf(event: Readonly<Record<string, unknown>> | undefined): { readonly messageId?: string } {
  const id = event?.['messageId']
  return typeof id === 'string' ? { messageId: id } : {}
}
