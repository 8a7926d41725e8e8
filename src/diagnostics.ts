import { channel } from 'node:diagnostics_channel'
import type { KafkaError } from './errors.ts'

/**
 * What headrace tells `diagnostics_channel`: names are `headrace:<object>:<event>`, and nothing is built while nobody
 * listens. Payloads hold no secret and no record contents.
 */
export interface DiagnosticEvents {
  'headrace:connection:ready': { nodeId: number | null; host: string; port: number; connectMs: number }
  /** A login was taken (SASL); `sessionLifetimeMs` is when the broker wants another one, 0: never (KIP-368). */
  'headrace:connection:authenticated': {
    nodeId: number | null
    host: string
    port: number
    mechanism: string
    user: string | null
    sessionLifetimeMs: bigint
    authenticationMs: number
    isReauthentication: boolean
  }
  'headrace:connection:closed': { nodeId: number | null; host: string; port: number; error: KafkaError }
  'headrace:connection:state': {
    nodeId: number | null
    host: string
    port: number
    state: 'connecting' | 'ready' | 'closed'
    /** Why it is closed. */
    error: KafkaError | null
  }
  /** A quota of the cluster is exceeded (KIP-219): nothing is sent for `throttleMs`; `askedMs` is what the broker said. */
  'headrace:connection:throttled': {
    nodeId: number | null
    host: string
    port: number
    throttleMs: number
    askedMs: number
  }
  /** An address that leads to another cluster than the one that was found first; nothing is sent to it. */
  'headrace:cluster:mismatch': { address: string; clusterId: string; expectedClusterId: string }
  /** All that is known of the brokers is forgotten; the bootstrap addresses are asked (KIP-1102). */
  'headrace:cluster:rebootstrap': { reason: string }
  'headrace:topic:recreated': { topic: string; topicId: string; formerTopicId: string }
  'headrace:metadata:refreshed': { brokers: number; topics: number; clusterId: string | null }
  'headrace:metadata:failed': { error: KafkaError }
  'headrace:batch:delivered': { topic: string; partition: number; records: number; bytes: number; attempts: number }
  'headrace:batch:retry': {
    topic: string
    partition: number
    records: number
    attempts: number
    /** An attempt so far may have been written. */
    maybeWritten: boolean
    error: KafkaError
  }
  /** A broker found it too large; `parts`: records in each of what it was cut into. */
  'headrace:batch:split': { topic: string; partition: number; records: number; bytes: number; parts: readonly number[] }
  'headrace:request:sent': { broker: string; batches: number; bytes: number }
  'headrace:producer:identity': { producerId: bigint; producerEpoch: number }
  /** A partition's sequences begin anew: under the next epoch, or (`isIdSpent`) another producer id. */
  'headrace:producer:epoch-bump': {
    topic: string
    partition: number
    producerId: bigint
    producerEpoch: number
    isIdSpent: boolean
  }
  /** A broker acknowledged new records as if they were old ones; the producer stops. */
  'headrace:producer:desync': { topic: string; partition: number; baseOffset: bigint; error: KafkaError }
  /** A log has lost records that were acknowledged. */
  'headrace:partition:truncated': { topic: string; partition: number; baseOffset: bigint }
  'headrace:batch:failed': { topic: string; partition: number; records: number; attempts: number; error: KafkaError }
}

export interface DiagnosticChannel<Event> {
  readonly hasSubscribers: boolean
  publish(event: Event): void
}

/** One channel, typed; ask `hasSubscribers` before building an event. */
export function diagnosticChannel<Name extends keyof DiagnosticEvents>(
  name: Name,
): DiagnosticChannel<DiagnosticEvents[Name]> {
  return channel(name)
}
