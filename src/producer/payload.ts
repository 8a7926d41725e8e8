import { compressWith, isWorthwhile, type Codec } from '../compression/codec.ts'
import { lz4FrameForMagic0 } from '../compression/lz4-format.ts'
import { DeliveryError, KafkaError, ProtocolError } from '../errors.ts'
import type { RecordBatchBuilder } from '../protocol/record-batch.ts'
import { decodeRecordBatch, stampRecordBatch } from '../protocol/record-batch.ts'
import { encodeMessageSet } from '../protocol/message-set.ts'
import type { VersionLimits } from '../protocol/negotiate.ts'

/** How records are written: record batches (magic 2) since Kafka 0.11, message sets (1 and 0) before. */
export interface PayloadFormat {
  readonly magic: 0 | 1 | 2
  readonly codec: Codec | null
}

const FIRST_PRODUCE_WITH_BATCHES = 3
const FIRST_PRODUCE_WITH_TIMESTAMPS = 2
const FIRST_PRODUCE_WITH_ZSTD = 7

/**
 * The format for a broker whose newest Produce is this one.
 *
 * @throws {ProtocolError} `UNSUPPORTED_VERSION`: it cannot read the codec; said here, at the first send, and not by the
 * broker in words of its own.
 */
export function formatFor(produceVersion: number, codec: Codec | null, broker: string): PayloadFormat {
  if (codec?.name === 'zstd' && produceVersion < FIRST_PRODUCE_WITH_ZSTD) {
    const needs = `compression 'zstd' needs Produce v${FIRST_PRODUCE_WITH_ZSTD} (Kafka 2.1)`
    const what = `${needs}, and the broker has none newer than v${produceVersion}; use another codec`
    throw new ProtocolError('UNSUPPORTED_VERSION', `${broker}: UNSUPPORTED_VERSION: ${what}`)
  }
  if (produceVersion >= FIRST_PRODUCE_WITH_BATCHES) return { magic: 2, codec }
  return { magic: produceVersion >= FIRST_PRODUCE_WITH_TIMESTAMPS ? 1 : 0, codec }
}

/** The Produce versions that carry a format. */
export function versionsFor({
  magic,
  codec,
}: PayloadFormat): Required<Pick<VersionLimits, 'minVersion'>> & VersionLimits {
  if (magic === 2) return { minVersion: codec?.name === 'zstd' ? FIRST_PRODUCE_WITH_ZSTD : FIRST_PRODUCE_WITH_BATCHES }
  return magic === 1 ? { minVersion: 2, maxVersion: 2 } : { minVersion: 0, maxVersion: 1 }
}

/**
 * The bytes that will be sent, but for the stamp of a record batch, which has no valid CRC until then. A promise where a
 * codec compresses off the event loop.
 *
 * @throws {ProtocolError} `NOT_REPRESENTABLE`: an old format cannot carry what the records have (headers).
 * @throws {DeliveryError} `COMPRESSION_FAILED`: the codec threw.
 */
export function encodePayload(builder: RecordBatchBuilder, format: PayloadFormat): Uint8Array | Promise<Uint8Array> {
  const { codec, magic } = format
  if (magic !== 2) return encodeOld(builder, magic, codec)
  if (codec === null) return builder.build()
  const raw = builder.records()
  const finish = (compressed: Uint8Array): Uint8Array =>
    isWorthwhile(raw.byteLength, compressed.byteLength)
      ? builder.build({ codec: codec.id, compressedRecords: compressed })
      : builder.build()
  try {
    const compressed = compressWith(codec, raw)
    if (!(compressed instanceof Promise)) return finish(compressed)
    return compressed.then(finish, (error: unknown) => Promise.reject(compressionFailed(codec, error)))
  } catch (error) {
    throw compressionFailed(codec, error)
  }
}

/** Brokers before 0.11 are few, and this is the one place that knows them: what was encoded for today's is written anew. */
function encodeOld(builder: RecordBatchBuilder, magic: 0 | 1, codec: Codec | null): Uint8Array {
  const { records } = decodeRecordBatch(stamped(builder.build()))
  if (codec === null) return encodeMessageSet(records, { magic })
  const { compressSync } = codec
  if (compressSync === undefined) {
    const what = 'a codec of your own cannot be used with brokers before Kafka 0.11'
    throw new DeliveryError('COMPRESSION_FAILED', `send: COMPRESSION_FAILED: compression '${codec.name}': ${what}`)
  }
  const compress = (bytes: Uint8Array): Uint8Array =>
    codec.name === 'lz4' && magic === 0 ? lz4FrameForMagic0(compressSync(bytes)) : compressSync(bytes)
  return encodeMessageSet(records, { magic, codec: codec.id, compress })
}

function stamped(batch: Uint8Array): Uint8Array {
  stampRecordBatch(batch, null)
  return batch
}

function compressionFailed(codec: Codec, cause: unknown): KafkaError {
  if (cause instanceof KafkaError) return cause
  const what = `compression '${codec.name}': ${cause instanceof Error ? cause.message : String(cause)}`
  return new DeliveryError('COMPRESSION_FAILED', `send: COMPRESSION_FAILED: ${what}`, { cause })
}
