/** Writes record batches: the builder that the producer appends to, its stamp, and both at once. Layout: record-batch-layout.ts. */
import { asBuffer } from '../bytes/as-buffer.ts'
import { crc32c } from '../bytes/crc32c.ts'
import {
  CONTROL,
  CRC_START,
  HEADER_BYTES,
  LENGTH_END,
  LOG_APPEND_TIME,
  MAGIC,
  TRANSACTIONAL,
} from './record-batch-layout.ts'
import { checkTimestamp, refusal, writeBigInt64, writeInt64, type CodecId } from './record-batch-layout.ts'
import { MAX_RECORD_OVERHEAD_BYTES, measureRecord, sizeOfRecord, writeRecord } from './record.ts'
import type { Bytes, RecordHeaders } from './record.ts'

export { decodeRecordBatch, decodeRecordBatches, type DecodeOptions, type RecordBatch } from './record-batch-decode.ts'
export { decodeRecordBatchHeader, type CodecId, type RecordBatchHeader } from './record-batch-layout.ts'

const NO_HEADERS: RecordHeaders = []
const NO_BYTES = Buffer.alloc(0)

export interface BuildOptions {
  /** Default 0, not compressed. Any other needs one of the two that follow. */
  readonly codec?: CodecId
  /** Compresses the records as a whole, at once. */
  readonly compress?: (records: Uint8Array) => Uint8Array
  /** What the codec made of `records()`, where that took its time. */
  readonly compressedRecords?: Uint8Array
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

/** Where the memory of batches comes from, and where it goes. */
export interface BatchMemory {
  /** At least so many bytes, whatever is in them. */
  take(minBytes: number): Buffer
  /** One that was taken: nobody reads or writes it any more. */
  give(memory: Buffer): void
}

const FRESH_MEMORY: BatchMemory = { take: (minBytes) => Buffer.allocUnsafe(minBytes), give: () => undefined }

/**
 * Encodes records into a batch as they come: it keeps bytes, not objects.
 *
 * The buffer doubles when it is full; the finished batch is a view of it.
 */
export class RecordBatchBuilder {
  readonly #memory: BatchMemory
  #buffer: Buffer
  #at = HEADER_BYTES
  #recordCount = 0
  #baseTimestamp = -1
  #maxTimestamp = -1
  /** The records, from when there may be no more of them. */
  #sealed: Buffer | null = null
  /** What they are a view of; null: it was given back. */
  #sealedMemory: Buffer | null = null
  #isBuilt = false

  constructor(initialCapacityBytes: number, memory: BatchMemory = FRESH_MEMORY) {
    this.#memory = memory
    this.#buffer = memory.take(Math.max(initialCapacityBytes, HEADER_BYTES))
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
   * The encoded records alone, what a codec compresses: a view of the builder's memory, valid until `build`. No record
   * can be appended from now on.
   *
   * @throws {ProtocolError} `NOT_REPRESENTABLE`: there are no records.
   */
  records(): Uint8Array {
    return this.#seal().subarray(HEADER_BYTES)
  }

  /**
   * The finished batch, for nobody's producer id and without a valid CRC until `stampRecordBatch`. Only once: an
   * uncompressed batch is the builder's own memory; compressed records are copied behind a header once, and `records()` is
   * nobody's from then on.
   *
   * @throws {ProtocolError} `NOT_REPRESENTABLE`: there are no records.
   */
  build(options: BuildOptions = {}): Uint8Array {
    if (this.#isBuilt) throw new Error('RecordBatchBuilder: built twice')
    const batch = this.#withCodec(this.#seal(), options)
    writeInt64(batch, 0, 0)
    batch.writeInt32BE(batch.length - LENGTH_END, 8)
    batch.writeInt32BE(-1, 12)
    batch.writeInt8(MAGIC, 16)
    batch.writeUInt32BE(0, 17)
    batch.writeInt16BE(attributesOf(options), 21)
    batch.writeInt32BE(this.#recordCount - 1, 23)
    writeInt64(batch, this.#baseTimestamp, 27)
    writeInt64(batch, this.#maxTimestamp, 35)
    writeNobody(batch)
    batch.writeInt32BE(this.#recordCount, 57)
    this.#sealed = NO_BYTES
    this.#isBuilt = true
    return batch
  }

  /** Gives the memory back: nobody looks at what `build` made any more. */
  release(): void {
    if (this.#sealedMemory !== null) this.#memory.give(this.#sealedMemory)
    this.#sealedMemory = null
  }

  #seal(): Buffer {
    if (this.#recordCount === 0) throw refusal('NOT_REPRESENTABLE', 'a batch without records')
    if (this.#sealed !== null) return this.#sealed
    this.#sealed = this.#buffer.subarray(0, this.#at)
    this.#sealedMemory = this.#buffer
    // Without memory of its own, the next append must ask `#reserve`, which refuses: appending itself pays for no check.
    this.#buffer = NO_BYTES
    return this.#sealed
  }

  /** A batch with room for its header and the records behind it, as the codec leaves them. */
  #withCodec(raw: Buffer, { codec = 0, compress, compressedRecords }: BuildOptions): Buffer {
    if (codec === 0) return raw
    const records = compressedRecords ?? compress?.(raw.subarray(HEADER_BYTES))
    if (records === undefined) throw new Error(`RecordBatchBuilder: codec ${codec} without compressed records`)
    const length = HEADER_BYTES + records.length
    const memory = this.#memory.take(length)
    memory.set(records, HEADER_BYTES)
    this.release()
    this.#sealedMemory = memory
    return memory.subarray(0, length)
  }

  #reserve(neededBytes: number): void {
    if (this.#sealed !== null) throw new Error('RecordBatchBuilder: append after records() or build()')
    if (neededBytes <= this.#buffer.length) return
    const outgrown = this.#buffer
    const larger = this.#memory.take(Math.max(neededBytes, outgrown.length * 2))
    larger.set(outgrown.subarray(0, this.#at))
    this.#buffer = larger
    this.#memory.give(outgrown)
  }
}

/** -1 as producer id, epoch and sequence. */
function writeNobody(batch: Buffer): void {
  writeInt64(batch, -1, 43)
  batch.writeInt16BE(-1, 51)
  batch.writeInt32BE(-1, 53)
}

/** Makes a built batch final: writes who sends it (`null`: a producer without id) and the CRC. May be done again. */
export function stampRecordBatch(batch: Uint8Array, stamp: ProducerStamp | null): void {
  const bytes = asBuffer(batch)
  if (stamp === null) {
    writeNobody(bytes)
  } else {
    writeBigInt64(bytes, stamp.producerId, 43)
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

function attributesOf({ codec = 0, isTransactional = false, isControl = false }: BuildOptions): number {
  return codec | (isTransactional ? TRANSACTIONAL : 0) | (isControl ? CONTROL : 0)
}
