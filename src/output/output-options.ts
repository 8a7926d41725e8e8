import type { Logger, PartitionerName, ProducerOptions } from '../index.ts'
import type { DataErrorRecord } from './data-error.ts'
import type { VaultFetch } from './key-vault/ask.ts'
import type { KeyVaultOptions } from './key-vault/settings.ts'
import type { OutputClock } from './output-clock.ts'
import type { AvroFraming } from './serialize/avro-settings.ts'
import type { Newline } from './serialize/csv.ts'
import type { Column } from './types/column-type.ts'

/** Values in any case: `sasl_ssl` is `SASL_SSL`. The literals are there for editors. */
type AnyCase<Name extends string> = Name | (string & Record<never, never>)

export const securityProtocols = ['mTLS', 'SASL_SSL', 'SASL_PLAINTEXT', 'None'] as const
export type SecurityProtocol = (typeof securityProtocols)[number]

export const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
export type SaslMechanism = (typeof saslMechanisms)[number]

export const compressionTypes = ['None', 'Gzip', 'Snappy', 'Lz4', 'Zstd'] as const
export type CompressionType = (typeof compressionTypes)[number]

/** `Retry` is the portal's word, `Stop` that of the REST API. */
export const errorPolicies = ['Retry', 'Drop'] as const
export type ErrorPolicy = (typeof errorPolicies)[number]

export const missingKeyRules = ['error', 'round-robin'] as const
export type MissingKeyRule = (typeof missingKeyRules)[number]

export const outputPartitioners = ['murmur2', 'consistent_random'] as const satisfies readonly PartitionerName[]
export type OutputPartitioner = (typeof outputPartitioners)[number]

/** The REST object of Stream Analytics verbatim, the same in one level, or the type alone. */
export type SerializationOption =
  | AnyCase<'Json' | 'Csv' | 'Avro'>
  | {
      readonly type: AnyCase<'Json' | 'Csv' | 'Avro'>
      readonly properties?: Readonly<Record<string, unknown>> | null | undefined
      readonly encoding?: AnyCase<'UTF8'> | null | undefined
      readonly format?: AnyCase<'LineSeparated' | 'Array'> | null | undefined
      readonly fieldDelimiter?: string | null | undefined
    }

/** What a `KafkaOutput` is made from. `outputFields` has the same as data. */
export interface KafkaOutputOptions {
  /** Name of the output, in errors, logs and metrics. */
  readonly outputAlias: string
  /** `host:port`; several with commas, or as a list. */
  readonly bootstrapServers: string | readonly string[]
  readonly topic: string
  readonly securityProtocol: AnyCase<SecurityProtocol>
  readonly serialization: SerializationOption
  /** Name of a column, case does not count. Blank: no key, round robin. */
  readonly partitionKey?: string | null | undefined
  /** Default `None`. */
  readonly compressionType?: AnyCase<CompressionType> | null | undefined
  readonly username?: string | null | undefined
  /** Or a function, asked anew at each login. */
  readonly password?: string | (() => string | Promise<string>) | null | undefined
  /** Default `PLAIN`. */
  readonly saslMechanism?: AnyCase<SaslMechanism> | null | undefined
  readonly keyVault?: KeyVaultOptions | null | undefined
  /** What becomes of a row that cannot be converted. Default `Retry`. */
  readonly errorPolicy?: AnyCase<ErrorPolicy | 'Stop'> | null | undefined
  /** Types of columns; those of others come from their values. */
  readonly columns?: readonly Column[] | undefined
  /** Default 1. */
  readonly rowsPerMessage?: number | undefined
  /** A message is closed before it would grow beyond. Default `maxMessageBytes`. */
  readonly bytesPerMessage?: number | undefined
  /** CSV: every message begins with the names of its columns. Default true. */
  readonly header?: boolean | undefined
  /** CSV. Default `\r\n`. */
  readonly newline?: Newline | undefined
  /** Default `container`. */
  readonly avroFraming?: AnyCase<AvroFraming> | undefined
  /** Schema of a record, as JSON or as the object; default: derived from the columns. */
  readonly avroSchema?: string | object | undefined
  /** Of `avroFraming: 'confluent'`. */
  readonly schemaId?: number | undefined
  /** How a key finds its partition. Default `murmur2`, as in Java. */
  readonly partitioner?: AnyCase<OutputPartitioner | 'consistent-random' | 'crc32'> | undefined
  /** What becomes of a row without a value in `partitionKey`. Default `error`: it cannot be converted. */
  readonly missingPartitionKey?: AnyCase<MissingKeyRule> | undefined
  /** Column, of type datetime, whose time becomes the record's. Default: none, the time of writing. */
  readonly timestampColumn?: string | undefined
  /** Key and value of a record together, at most. Default 1 000 000. */
  readonly maxMessageBytes?: number | undefined
  /** Asks Key Vault and the token endpoint. Default: that of Node. */
  readonly fetch?: VaultFetch | undefined
  /** Further options of the `Producer`; they go before those of the output. */
  readonly producer?: Partial<Omit<ProducerOptions, OwnedOption>> | undefined
  readonly logger?: Logger | undefined
  /** Gets what `dataErrorLine` writes: a record for rows that could not be converted, with contents of them. */
  readonly onDataError?: ((record: DataErrorRecord) => void) | undefined
  /** @internal Tests own the time. */
  readonly clock?: OutputClock | undefined
}

/** Options of the `Producer` that properties of the output stand for. */
export const ownedOptions = ['brokers', 'sasl', 'compression', 'partitioner', 'acks', 'deliveryTimeoutMs'] as const
export type OwnedOption = (typeof ownedOptions)[number]
