import {
  AuthenticationError,
  BrokerError,
  ConnectionError,
  DeliveryError,
  KafkaError,
  OptionError,
  ProtocolError,
} from '../index.ts'
import type { DeliveryFailure } from './delivery-result.ts'

/** What a failure of Kafka means to a host that speaks HTTP. */
export interface ClassifiedFailure {
  readonly status: number
  readonly retry: boolean
  readonly error: DeliveryFailure
  readonly maybeWritten?: true
  /** How long to wait before trying again, where the broker said so. */
  readonly retryAfterMs?: number
}

type Verdict = readonly [status: number, retry: boolean]

/**
 * By code (A.7, its last table). Where that table has statuses that Segment's platform takes for final although trying again
 * helps, these have a 5xx: 2 has 503 (there: 400), 7 has 504 (there: 408).
 */
const VERDICTS: ReadonlyMap<string, Verdict> = new Map<string, Verdict>([
  ['RECORD_TOO_LARGE', [413, false]],
  ['MESSAGE_TOO_LARGE', [413, false]],
  ['RECORD_LIST_TOO_LARGE', [413, false]],
  ['TOPIC_AUTHORIZATION_FAILED', [403, false]],
  ['CLUSTER_AUTHORIZATION_FAILED', [403, false]],
  ['POLICY_VIOLATION', [403, false]],
  ['UNKNOWN_TOPIC_OR_PARTITION', [404, true]],
  ['UNKNOWN_TOPIC_ID', [404, true]],
  ['UNKNOWN_PARTITION', [400, false]],
  ['THROTTLING_QUOTA_EXCEEDED', [429, true]],
  ['BUFFER_FULL', [429, true]],
  ['UNKNOWN_SERVER_ERROR', [500, true]],
  ['REQUEST_TIMED_OUT', [504, true]],
  ['CONNECT_TIMEOUT', [504, true]],
  ['REQUEST_TIMEOUT', [504, true]],
  ['DELIVERY_TIMEOUT', [504, true]],
  ['METADATA_TIMEOUT', [503, true]],
  ['CLOSED', [503, true]],
  ['BATCH_REJECTED', [503, true]],
  ['BROKER_NOT_AVAILABLE', [503, true]],
  // It may be there, or not: at least once means once more.
  ['DELIVERY_UNCERTAIN', [500, true]],
  ['SEQUENCE_DESYNC', [500, true]],
  ['CREDENTIALS_UNAVAILABLE', [503, true]],
])

/** Behind a timeout, these say more than the timeout does. */
const TELLING_CAUSES: readonly string[] = ['THROTTLING_QUOTA_EXCEEDED', 'TOPIC_AUTHORIZATION_FAILED']

/** @param isEventHubs Azure says POLICY_VIOLATION when it throttles. */
export function classifyFailure(error: unknown, isEventHubs = false): ClassifiedFailure {
  const [status, retry] = verdictOf(error, isEventHubs)
  const retryAfterMs = retry ? throttleMsOf(error) : undefined
  return {
    ...{ status, retry, error: { code: codeOf(error), message: messageOf(error) } },
    ...(error instanceof KafkaError && error.maybeWritten ? { maybeWritten: true } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}

function verdictOf(error: unknown, isEventHubs: boolean): Verdict {
  if (!(error instanceof KafkaError)) return [500, true]
  const { cause } = error
  const isTimeout = error.code === 'DELIVERY_TIMEOUT' || error.code === 'METADATA_TIMEOUT'
  const isTelling = cause instanceof KafkaError && TELLING_CAUSES.includes(cause.code)
  if (isTimeout && (isTelling || cause instanceof AuthenticationError)) return verdictOf(cause, isEventHubs)
  if (isTimeout && error.throttleMs !== undefined && !error.maybeWritten) return [429, true]
  if (isEventHubs && error.code === 'POLICY_VIOLATION') return [429, true]
  const verdict = VERDICTS.get(error.code)
  if (verdict !== undefined) return verdict
  if (error instanceof AuthenticationError) return [401, false]
  if (error instanceof OptionError) return [400, false]
  // What will not change by itself is a matter of the settings.
  if (error instanceof ConnectionError) return error.retriable ? [503, true] : [400, false]
  if (error instanceof BrokerError && error.retriable) return [503, true]
  // A refusal after an attempt that was not answered, or one that we do not know.
  if (error instanceof BrokerError) return error.maybeWritten ? [500, true] : [400, false]
  if (error instanceof ProtocolError) return error.code === 'UNSUPPORTED_VERSION' ? [400, false] : [502, true]
  return [500, error instanceof DeliveryError ? error.retriable : true]
}

/** A timeout has what the last refusal said. */
function throttleMsOf(error: unknown): number | undefined {
  if (!(error instanceof KafkaError)) return undefined
  return error.throttleMs ?? (error.cause instanceof KafkaError ? error.cause.throttleMs : undefined)
}

function codeOf(error: unknown): string {
  if (error instanceof KafkaError) return error.code
  return error instanceof Error ? error.name : 'UNKNOWN'
}

/** Segment's words around ours. */
function messageOf(error: unknown): string {
  const isWayIn =
    isOfConnection(error) || (codeOf(error) === 'METADATA_TIMEOUT' && isOfConnection((error as Error).cause))
  const what = error instanceof Error ? error.message : String(error)
  return `Kafka ${isWayIn ? 'Connection' : 'Producer'} Error - ${codeOf(error)}: ${what}`
}

function isOfConnection(error: unknown): boolean {
  return error instanceof ConnectionError || error instanceof AuthenticationError
}
