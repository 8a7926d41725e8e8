import { channel } from 'node:diagnostics_channel'
import type { KafkaError } from './errors.ts'

/**
 * What headrace tells `diagnostics_channel`: names are `headrace:<object>:<event>`, and nothing is built while nobody
 * listens. Payloads hold no secret and no record contents.
 */
export interface DiagnosticEvents {
  'headrace:connection:ready': { nodeId: number | null; host: string; port: number; connectMs: number }
  'headrace:connection:closed': { nodeId: number | null; host: string; port: number; error: KafkaError }
  'headrace:metadata:refreshed': { brokers: number; topics: number; clusterId: string | null }
  'headrace:metadata:failed': { error: KafkaError }
  'headrace:batch:delivered': { topic: string; partition: number; records: number; bytes: number; attempts: number }
  'headrace:batch:retry': { topic: string; partition: number; records: number; attempts: number; error: KafkaError }
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
