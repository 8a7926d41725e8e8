/**
 * What a codec is.
 *
 * **Should a batch that compression makes larger go out uncompressed?** Kafka allows it: the codec is a matter of each
 * batch, said in its attributes. A broker with `compression.type=producer` (the default) keeps what came, one with a
 * codec of its own compresses anew whatever came, and consumers decode batch by batch. No client is told otherwise, and
 * librdkafka does so too. Java does not, and pays a few bytes for its lone short records. headrace does
 * (`isWorthwhile`): it saves bytes on the wire and work in every consumer, costs one comparison, and the decision is
 * taken before the batch is sealed, so retries stay the same bytes. The price: in a topic's log some batches of a
 * producer that compresses say NONE.
 */
import type { CodecSources } from './codec-sources.ts'

export type CodecName = 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** A codec that is ready: its package is loaded. */
export interface Codec {
  readonly name: CodecName
  /** Bits 0 to 2 of the attributes. */
  readonly id: 1 | 2 | 3 | 4
  /** Absent where there is only the way off the event loop: `@mongodb-js/zstd`, and what the user brings. */
  readonly compressSync?: (bytes: Uint8Array) => Uint8Array
  /** On the thread pool of Node. The bytes must not change meanwhile. */
  compress(bytes: Uint8Array): Promise<Uint8Array>
  /**
   * From here on compression would hold the event loop for some 40 us or more. The way off it costs the loop 10 us, and
   * the batch 15 to 40 us more (bench/compression), so that smaller batches are better off on it.
   */
  readonly asyncFromBytes: number
  /** @throws {ProtocolError} and nothing else: not the format, damaged, or more than `maxOutputBytes`. */
  decompress(bytes: Uint8Array, maxOutputBytes: number): Uint8Array
}

/**
 * A codec of the user's own: the same format, made in another way. `bytes` are its own until it has answered, and
 * overwritten after that.
 */
export type CompressFunction = (bytes: Uint8Array, level: number | undefined) => Uint8Array | Promise<Uint8Array>

export interface CompressionSettings {
  readonly codec: CodecName
  /** gzip 1 to 9, zstd 1 to 22; the package for lz4 has none, and snappy has none at all. */
  readonly level?: number | undefined
  /** Used instead of the package. Snappy: with or without Xerial's framing; lz4: a frame of independent blocks. */
  readonly compress?: CompressFunction | undefined
}

/** How one kind of codec is made. */
export interface CodecKind {
  readonly id: Codec['id']
  /** Null: there are no levels. */
  readonly levels: { readonly min: number; readonly max: number } | null
  readonly decompress: (bytes: Uint8Array, maxOutputBytes: number) => Uint8Array
  readonly load: (
    level: number | undefined,
    sources: CodecSources,
  ) => Pick<Codec, 'compress' | 'compressSync' | 'asyncFromBytes'>
}

/** Compresses in the better of the two ways: small inputs at once, large ones off the event loop. */
export function compressWith(codec: Codec, bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
  const { compressSync } = codec
  return compressSync === undefined || bytes.length >= codec.asyncFromBytes
    ? codec.compress(bytes)
    : compressSync(bytes)
}

/** Whether records go out compressed; if not, they go as they are, which is smaller (see above). */
export function isWorthwhile(rawBytes: number, compressedBytes: number): boolean {
  return compressedBytes < rawBytes
}
