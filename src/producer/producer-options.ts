import type { CodecName, CompressionSettings } from '../compression/codec.ts'
import type { SocketHooks } from '../connection/socket-hooks.ts'
import type { KafkaError } from '../errors.ts'
import type { PartitionerName } from '../partitioner/named.ts'
import type { SaslOptions } from '../sasl/sasl-options.ts'
import type { TlsOptions } from '../tls/tls-option-types.ts'
import type { ProducerRecord } from './record.ts'

/** A partitioner of the user's own; what it throws, or an impossible answer, rejects that record alone. */
export type PartitionerFunction = (
  record: ProducerRecord,
  topic: { readonly topic: string; readonly partitionCount: number; readonly available: readonly number[] },
) => number

export type Logger = Record<'debug' | 'info' | 'warn' | 'error', (fields: object, message: string) => void>

type BrokerList = string | readonly string[]

export interface ProducerOptions extends SocketHooks {
  brokers: BrokerList | (() => Promise<BrokerList>)
  clientId?: string | undefined
  acks?: 'all' | -1 | 0 | 1 | undefined
  lingerMs?: number | undefined
  batchBytes?: number | undefined
  maxRequestBytes?: number | undefined
  maxInFlightRequests?: number | undefined
  maxBlockMs?: number | undefined
  deliveryTimeoutMs?: number | undefined
  requestTimeoutMs?: number | undefined
  retryBackoffMs?: number | undefined
  retryBackoffMaxMs?: number | undefined
  reconnectBackoffMs?: number | undefined
  reconnectBackoffMaxMs?: number | undefined
  metadataMaxAgeMs?: number | undefined
  connectionsMaxIdleMs?: number | undefined
  connectTimeoutMs?: number | undefined
  allowAutoTopicCreation?: boolean | undefined
  partitioner?: PartitionerName | PartitionerFunction | undefined
  logger?: Logger | undefined
  idempotent?: boolean | undefined
  bufferBytes?: number | undefined
  onUndelivered?: ((error: KafkaError) => void) | undefined
  compression?: 'none' | CodecName | CompressionSettings | undefined
  tls?: boolean | TlsOptions | (() => true | TlsOptions | Promise<true | TlsOptions>) | undefined
  sasl?: SaslOptions | undefined
  allowPlaintextCredentials?: boolean | undefined
}
