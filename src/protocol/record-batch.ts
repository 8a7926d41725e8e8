/**
 * Record batches of format v2 (magic 2), the only thing a producer writes since Kafka 0.11.
 *
 * ```
 *  0 baseOffset int64          17 crc uint32              43 producerId int64
 *  8 batchLength int32         21 attributes int16        51 producerEpoch int16
 * 12 partitionLeaderEpoch i32  23 lastOffsetDelta int32   53 baseSequence int32
 * 16 magic int8                27 baseTimestamp int64     57 recordCount int32
 *                              35 maxTimestamp int64      61 records
 * ```
 * `batchLength` counts what follows it; the CRC covers everything from the attributes on. The broker sets base offset
 * and leader epoch, which therefore lie outside. Attributes: bits 0-2 codec, 3 LogAppendTime, 4 transactional, 5 control.
 *
 * Source: DefaultRecordBatch of Apache Kafka.
 */
import { crc32c } from '../bytes/crc32c.ts'
import { Reader } from '../bytes/reader.ts'
import { ProtocolError } from '../errors.ts'
import type { ProtocolErrorCode } from '../errors.ts'
import {
  MAX_RECORD_OVERHEAD_BYTES,
  MIN_RECORD_BYTES,
  measureRecord,
  readRecord,
  sizeOfRecord,
  writeRecord,
} from './record.ts'
import type { Bytes, DecodedRecord, RecordHeaders } from './record.ts'

const WHERE = 'RecordBatch'
const HEADER_BYTES = 61
/** Up to and with `batchLength`, which does not count them. */
const LENGTH_END = 12
const CRC_START = 21
const MAGIC = 2

const CODEC_MASK = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

const NO_HEADERS: RecordHeaders = []
const NO_BYTES = Buffer.alloc(0)

/** By number, as in the attributes. */
const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** Bits 0 to 2 of a batch's attributes. */
export type CodecId = 0 | 1 | 2 | 3 | 4
export type CompressionName = (typeof COMPRESSIONS)[number]

export interface BuildOptions {
  /** Default 0, not compressed. */
  readonly codec?: CodecId
  /** Compresses the records as a whole; needed with a `codec` other than 0. */
  readonly compress?: (records: Uint8Array) => Uint8Array
  readonly isTransactional?: boolean
  readonly isControl?: boolean
}

/** Who wrote a batch, and the number of its first record among all that it wrote to the partition. */
export interface ProducerStamp {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
}

export interface RecordToEncode {
  readonly key: Bytes | null
  readonly value: Bytes | null
  readonly headers?: RecordHeaders
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number
}

export interface EncodeOptions extends BuildOptions, Partial<ProducerStamp> {
  /** Default 0n; the broker sets it. */
  readonly baseOffset?: bigint
  /** Default -1; the broker sets it. */
  readonly partitionLeaderEpoch?: number
  /** Makes it a batch as a broker with `message.timestamp.type=LogAppendTime` stores it: this time holds for all records. */
  readonly logAppendTimeMs?: number
}

export interface RecordBatchHeader {
  readonly baseOffset: bigint
  readonly batchLength: number
  readonly partitionLeaderEpoch: number
  readonly magic: 2
  /** As it stands in the batch, unsigned. */
  readonly crc: number
  readonly attributes: number
  /** 0 to 7; from 5 on nobody has defined one. */
  readonly codec: number
  readonly compression: CompressionName | 'unknown'
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly lastOffsetDelta: number
  readonly baseTimestamp: bigint
  readonly maxTimestamp: bigint
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

export interface RecordBatch extends RecordBatchHeader {
  readonly records: readonly DecodedRecord[]
}

export interface DecodeOptions {
  /** Undoes the compression of a batch's records. What it throws becomes the cause of a `ProtocolError`. */
  readonly decompress?: (codec: CodecId, records: Uint8Array) => Uint8Array
}

/**
 * Encodes records into a batch as they come: it keeps bytes, not objects.
 *
 * The buffer doubles when it is full; the finished batch is a view of it.
 */
export class RecordBatchBuilder {
  #buffer: Buffer
  #at = HEADER_BYTES
  #recordCount = 0
  #baseTimestamp = -1
  #maxTimestamp = -1
  #isBuilt = false

  constructor(initialCapacityBytes: number) {
    this.#buffer = Buffer.allocUnsafe(Math.max(initialCapacityBytes, HEADER_BYTES))
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** Of the whole batch, before compression. */
  get sizeBytes(): number {
    return this.#at
  }

  /** Of the first record, milliseconds since the Unix epoch; -1 while there is none. */
  get baseTimestamp(): number {
    return this.#baseTimestamp
  }

  /** The latest of all records, milliseconds since the Unix epoch; -1 while there is none. */
  get maxTimestamp(): number {
    return this.#maxTimestamp
  }

  /** What `sizeBytes` would be with this record. An `append` that follows, to this batch or the next, does not measure again. */
  sizeAfter(timestamp: number, key: Bytes | null, value: Bytes | null, headers: RecordHeaders): number {
    const timestampDelta = this.#recordCount === 0 ? 0 : timestamp - this.#baseTimestamp
    return this.#at + sizeOfRecord(timestampDelta, this.#recordCount, measureRecord(key, value, headers))
  }

  /**
   * Adds a record; the caller keeps its bytes. Returns by how many bytes the batch grew.
   *
   * @param timestamp milliseconds since the Unix epoch, an integer; may be older than that of the record before.
   */
  append(timestamp: number, key: Bytes | null, value: Bytes | null, headers: RecordHeaders): number {
    const start = this.#at
    const offsetDelta = this.#recordCount
    if (offsetDelta === 0) this.#baseTimestamp = this.#maxTimestamp = timestamp
    else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    const timestampDelta = timestamp - this.#baseTimestamp
    const contentBytes = measureRecord(key, value, headers)
    if (start + MAX_RECORD_OVERHEAD_BYTES + contentBytes > this.#buffer.length) {
      this.#reserve(start + sizeOfRecord(timestampDelta, offsetDelta, contentBytes))
    }
    const end = writeRecord(this.#buffer, start, timestampDelta, offsetDelta, key, value, headers, contentBytes)
    this.#recordCount = offsetDelta + 1
    this.#at = end
    return end - start
  }

  /**
   * The finished batch, for nobody's producer id and without a valid CRC until `stampRecordBatch`. Only once: the batch
   * is the builder's own memory.
   */
  build(options: BuildOptions = {}): Uint8Array {
    if (this.#isBuilt) throw new Error('RecordBatchBuilder: built twice')
    if (this.#recordCount === 0) throw refusal('NOT_REPRESENTABLE', 'a batch without records')
    const batch = this.#compressed(options)
    batch.fill(0, 0, LENGTH_END)
    batch.writeInt32BE(batch.length - LENGTH_END, 8)
    batch.writeInt32BE(-1, 12)
    batch.writeInt8(MAGIC, 16)
    batch.writeUInt32BE(0, 17)
    batch.writeInt16BE(attributesOf(options), 21)
    batch.writeInt32BE(this.#recordCount - 1, 23)
    writeInt64(batch, this.#baseTimestamp, 27)
    writeInt64(batch, this.#maxTimestamp, 35)
    batch.fill(0xff, 43, 57) // producer id, epoch and sequence: -1
    batch.writeInt32BE(this.#recordCount, 57)
    // Without memory of its own, the next append must ask `#reserve`, which refuses: appending itself pays for no check.
    this.#buffer = NO_BYTES
    this.#isBuilt = true
    return batch
  }

  #compressed({ codec = 0, compress }: BuildOptions): Buffer {
    const raw = this.#buffer.subarray(0, this.#at)
    if (codec === 0) return raw
    if (compress === undefined) throw new Error(`RecordBatchBuilder: codec ${codec} without a compress function`)
    const records = compress(raw.subarray(HEADER_BYTES))
    const batch = Buffer.allocUnsafe(HEADER_BYTES + records.length)
    batch.set(records, HEADER_BYTES)
    return batch
  }

  #reserve(neededBytes: number): void {
    if (this.#isBuilt) throw new Error('RecordBatchBuilder: append after build')
    if (neededBytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(neededBytes, this.#buffer.length * 2))
    larger.set(this.#buffer.subarray(0, this.#at))
    this.#buffer = larger
  }
}

/** Makes a built batch final: writes who sends it (`null`: a producer without id) and the CRC. May be done again. */
export function stampRecordBatch(batch: Uint8Array, stamp: ProducerStamp | null): void {
  const bytes = asBuffer(batch)
  if (stamp === null) {
    bytes.fill(0xff, 43, 57)
  } else {
    bytes.writeBigInt64BE(stamp.producerId, 43)
    bytes.writeInt16BE(stamp.producerEpoch, 51)
    bytes.writeInt32BE(stamp.baseSequence, 53)
  }
  bytes.writeUInt32BE(crc32c(bytes, CRC_START), 17)
}

/**
 * Encodes records into one batch, ready to be sent.
 *
 * @throws {ProtocolError} `NOT_REPRESENTABLE`: no records, or a timestamp that is no integer from -1 to 2^53-1.
 */
export function encodeRecordBatch(records: Iterable<RecordToEncode>, options: EncodeOptions = {}): Uint8Array {
  const builder = new RecordBatchBuilder(1024)
  for (const { timestamp, key, value, headers } of records) {
    checkTimestamp(timestamp)
    builder.append(timestamp, key, value, headers ?? NO_HEADERS)
  }
  const batch = builder.build(options)
  const bytes = asBuffer(batch)
  const { baseOffset = 0n, partitionLeaderEpoch = -1, logAppendTimeMs } = options
  bytes.writeBigInt64BE(baseOffset, 0)
  bytes.writeInt32BE(partitionLeaderEpoch, 12)
  if (logAppendTimeMs !== undefined) {
    checkTimestamp(logAppendTimeMs)
    bytes.writeInt16BE(bytes.readInt16BE(21) | LOG_APPEND_TIME, 21)
    writeInt64(bytes, logAppendTimeMs, 35)
  }
  const { producerId = -1n, producerEpoch = -1, baseSequence = -1 } = options
  stampRecordBatch(batch, { producerId, producerEpoch, baseSequence })
  return batch
}

/**
 * Decodes exactly one batch, whole: length, CRC, counts, offsets and every record are checked before this returns.
 *
 * As strict as a broker is with a producer: a batch without records, or with gaps in its offsets, as compaction
 * leaves them behind, is refused.
 *
 * @throws {ProtocolError} and nothing else, whatever the bytes are.
 */
export function decodeRecordBatch(bytes: Uint8Array, options: DecodeOptions = {}): RecordBatch {
  const header = decodeRecordBatchHeader(bytes)
  const end = LENGTH_END + header.batchLength
  if (end < bytes.length)
    throw refusal('TRAILING_BYTES', `${bytes.length - end} bytes follow the batch of ${end} bytes`)
  return decodeWhole(bytes, header, options)
}

/** Decodes batches that follow each other without a gap, as in a log. The last one must be complete, too. */
export function decodeRecordBatches(bytes: Uint8Array, options: DecodeOptions = {}): RecordBatch[] {
  const batches: RecordBatch[] = []
  for (let at = 0; at < bytes.length;) {
    const header = decodeRecordBatchHeader(bytes.subarray(at))
    const end = at + LENGTH_END + header.batchLength
    batches.push(decodeWhole(bytes.subarray(at, end), header, options))
    at = end
  }
  return batches
}

/**
 * The header of the batch at the start of `bytes`, whose `batchLength` bytes are all there. Neither CRC nor records are
 * looked at, so this works for any compression.
 */
export function decodeRecordBatchHeader(bytes: Uint8Array): RecordBatchHeader {
  const reader = new Reader(bytes, WHERE)
  const baseOffset = reader.int64()
  const batchLength = reader.int32()
  const partitionLeaderEpoch = reader.int32()
  const magic = reader.int8()
  if (magic !== MAGIC) throw refusal('INVALID_VALUE', `magic ${magic}, not ${MAGIC}`)
  if (batchLength < HEADER_BYTES - LENGTH_END) throw refusal('INVALID_VALUE', `batchLength ${batchLength}`)
  const size = LENGTH_END + batchLength
  if (size > bytes.length) throw refusal('TRUNCATED', `a batch of ${size} bytes in ${bytes.length} bytes`)
  const crc = reader.uint32()
  const attributes = reader.int16()
  const codec = attributes & CODEC_MASK
  return {
    baseOffset,
    batchLength,
    partitionLeaderEpoch,
    magic,
    crc,
    attributes,
    codec,
    compression: COMPRESSIONS[codec] ?? 'unknown',
    timestampType: attributes & LOG_APPEND_TIME ? 'LogAppendTime' : 'CreateTime',
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
    lastOffsetDelta: reader.int32(),
    baseTimestamp: reader.int64(),
    maxTimestamp: reader.int64(),
    producerId: reader.int64(),
    producerEpoch: reader.int16(),
    baseSequence: reader.int32(),
    recordCount: reader.int32(),
  }
}

function decodeWhole(bytes: Uint8Array, header: RecordBatchHeader, options: DecodeOptions): RecordBatch {
  const { crc, recordCount, lastOffsetDelta } = header
  const actualCrc = crc32c(bytes, CRC_START)
  if (actualCrc !== crc) throw refusal('INVALID_VALUE', `CRC-32C ${hex(crc)}, the bytes have ${hex(actualCrc)}`)
  if (recordCount < 1) throw refusal('INVALID_VALUE', `recordCount ${recordCount}`)
  if (lastOffsetDelta !== recordCount - 1) {
    throw refusal('INVALID_VALUE', `lastOffsetDelta ${lastOffsetDelta} of ${recordCount} records`)
  }

  const isRaw = header.codec === 0
  const reader = isRaw
    ? new Reader(bytes, WHERE, HEADER_BYTES)
    : new Reader(decompressed(bytes.subarray(HEADER_BYTES), header, options), `${WHERE}, decompressed`)
  if (recordCount > reader.remaining / MIN_RECORD_BYTES) {
    throw refusal('INVALID_VALUE', `recordCount ${recordCount} in ${reader.remaining} bytes`)
  }
  const { baseOffset, baseTimestamp } = header
  const logAppendTimeMs = header.timestampType === 'LogAppendTime' ? safeTimestamp(header.maxTimestamp) : undefined
  const records: DecodedRecord[] = []
  for (let i = 0; i < recordCount; i++) {
    records.push(readRecord(reader, i, baseOffset, baseTimestamp, logAppendTimeMs))
  }
  reader.end()
  return { ...header, records }
}

function decompressed(records: Uint8Array, header: RecordBatchHeader, { decompress }: DecodeOptions): Uint8Array {
  const { codec, compression } = header
  if (!isCodecId(codec)) throw refusal('INVALID_VALUE', `codec ${codec} of the attributes is unknown`)
  if (decompress === undefined) {
    throw refusal('INVALID_VALUE', `the records are compressed (${compression}) and no decompress function was given`)
  }
  try {
    return decompress(codec, records)
  } catch (cause) {
    throw refusal('INVALID_VALUE', `the records cannot be decompressed (${compression})`, cause)
  }
}

function isCodecId(codec: number): codec is CodecId {
  return codec < COMPRESSIONS.length
}

function attributesOf({ codec = 0, isTransactional = false, isControl = false }: BuildOptions): number {
  return codec | (isTransactional ? TRANSACTIONAL : 0) | (isControl ? CONTROL : 0)
}

/** A safe integer as int64: splitting it is some fifty times faster than `BigInt(value)`. */
function writeInt64(bytes: Buffer, value: number, at: number): void {
  bytes.writeInt32BE(Math.floor(value / 2 ** 32), at)
  bytes.writeInt32BE(value | 0, at + 4)
}

function checkTimestamp(timestamp: number): void {
  if (Number.isSafeInteger(timestamp) && timestamp >= -1) return
  throw refusal('NOT_REPRESENTABLE', `timestamp ${timestamp}`)
}

function safeTimestamp(timestamp: bigint): number {
  const ms = Number(timestamp)
  if (!Number.isSafeInteger(ms)) throw refusal('INVALID_VALUE', `maxTimestamp ${timestamp}`)
  return ms
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}

function refusal(code: ProtocolErrorCode, what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(code, `${WHERE}: ${code}: ${what}`, { cause })
}
