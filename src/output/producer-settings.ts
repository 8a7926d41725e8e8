import type { ProducerOptions } from '../index.ts'
import type { VaultTls } from './key-vault/vault-tls.ts'
import type { ResolvedOutputOptions } from './resolved-options.ts'

/** Many rows in a row: larger batches than a Producer's 16 KiB cost less a row, and stay far below a broker's 1 MB. */
const BATCH_BYTES = 131_072
/** Beside key and value: the batch around a record that goes alone. Its header has 61 bytes, a record's own at most 50. */
const BATCH_OVERHEAD_BYTES = 1024
const MIN_REQUEST_BYTES = 1_048_576
const MIN_BUFFER_BYTES = 33_554_432

/**
 * The options of the output's producer. At least once, in order: acknowledged by all replicas, tried for ever, without
 * second copies wherever the brokers have idempotence.
 */
export function producerSettings(options: ResolvedOutputOptions, vaultTls: VaultTls | null): ProducerOptions {
  const { securityProtocol, login, compressionType, maxMessageBytes, logger, producer } = options
  const largestBytes = maxMessageBytes + BATCH_OVERHEAD_BYTES
  const hasTls = securityProtocol === 'mTLS' || securityProtocol === 'SASL_SSL'
  return {
    batchBytes: BATCH_BYTES,
    maxRequestBytes: Math.max(MIN_REQUEST_BYTES, largestBytes),
    bufferBytes: Math.max(MIN_BUFFER_BYTES, 4 * largestBytes),
    ...(logger === undefined ? {} : { logger }),
    ...(hasTls ? { tls: vaultTls === null ? true : () => vaultTls.options() } : {}),
    ...producer,
    brokers: options.bootstrapServers,
    ...(login === null ? {} : { sasl: login }),
    ...(securityProtocol === 'SASL_PLAINTEXT' ? { allowPlaintextCredentials: true } : {}),
    compression: compressionNames[compressionType],
    partitioner: partitionerOf(options),
    acks: 'all',
    deliveryTimeoutMs: Infinity,
  }
}

const compressionNames = { None: 'none', Gzip: 'gzip', Snappy: 'snappy', Lz4: 'lz4', Zstd: 'zstd' } as const

/** `round-robin` sends a record with a key where murmur2 says. */
function partitionerOf({ partitionKey, partitioner }: ResolvedOutputOptions): ProducerOptions['partitioner'] {
  return partitionKey !== null && partitioner === 'consistent_random' ? 'consistent_random' : 'round-robin'
}
