/** Writes message sets: the builder that the producer appends to, and all at once. Layout: message-set-layout.ts. */
import { crc32 } from '../bytes/crc32.ts'
import { ATTRIBUTES_AT, CRC_START, messageOverheadBytes, NO_TIMESTAMP, SIZE_END } from './message-set-layout.ts'
import { refusal, TIMESTAMP_AT, ZSTD, type MessageMagic } from './message-set-layout.ts'
import type { BuildOptions, RecordToEncode } from './record-batch.ts'
import { checkTimestamp, writeInt64 } from './record-batch-layout.ts'
import type { Bytes, RecordHeaders } from './record.ts'

const NO_HEADERS: RecordHeaders = []
const NO_BYTES = Buffer.alloc(0)
const NULL_LENGTH = -1

export interface EncodeMessageSetOptions extends BuildOptions {
  readonly magic: MessageMagic
}

/**
 * Encodes records into a message set as they come, the same way as `RecordBatchBuilder`, whose place it can take.
 *
 * What is built is final, CRC included: nothing is stamped later.
 */
export class MessageSetBuilder {
  readonly #magic: MessageMagic
  #buffer: Buffer
  #at = 0
  #recordCount = 0
  #baseTimestamp = NO_TIMESTAMP
  #maxTimestamp = NO_TIMESTAMP
  /** The messages, from when there may be no more of them. */
  #sealed: Buffer | null = null
  #isBuilt = false

  constructor(initialCapacityBytes: number, magic: MessageMagic) {
    this.#magic = magic
    this.#buffer = Buffer.allocUnsafe(initialCapacityBytes)
  }

  get recordCount(): number {
    return this.#recordCount
  }

  /** Of the whole set, before compression. */
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

  /** What `sizeBytes` would be with this record. */
  sizeAfter(_timestamp: number, key: Bytes | null, value: Bytes | null, _headers: RecordHeaders): number {
    return this.#at + messageOverheadBytes(this.#magic) + byteLength(key) + byteLength(value)
  }

  /**
   * Adds a record; the caller keeps its bytes. Returns by how many bytes the set grew.
   *
   * @param timestamp milliseconds since the Unix epoch, an integer; magic 0 drops it.
   * @throws {ProtocolError} `NOT_REPRESENTABLE`: the record has headers. The set is as it was.
   */
  append(timestamp: number, key: Bytes | null, value: Bytes | null, headers: RecordHeaders): number {
    const [first] = headers
    if (first !== undefined) {
      throw refusal(
        'NOT_REPRESENTABLE',
        `header ${JSON.stringify(first[0])}: messages of magic ${this.#magic} have none`,
      )
    }
    const start = this.#at
    const end = this.sizeAfter(timestamp, key, value, headers)
    this.#reserve(end)
    const bytes = this.#buffer
    const head = { offset: this.#recordCount, magic: this.#magic, attributes: 0, timestamp }
    let at = writeMessageHead(bytes, start, end, head)
    at = writeField(bytes, at, key)
    writeField(bytes, at, value)
    bytes.writeUInt32BE(crc32(bytes, start + CRC_START, end), start + SIZE_END)
    if (this.#recordCount === 0) this.#baseTimestamp = this.#maxTimestamp = timestamp
    else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    this.#recordCount++
    this.#at = end
    return end - start
  }

  /**
   * The messages, what a codec compresses: a view of the builder's memory, valid until `build`. No record can be
   * appended from now on.
   *
   * @throws {ProtocolError} `NOT_REPRESENTABLE`: there are no records.
   */
  records(): Uint8Array {
    if (this.#recordCount === 0) throw refusal('NOT_REPRESENTABLE', 'a message set without records')
    this.#sealed ??= this.#buffer.subarray(0, this.#at)
    this.#buffer = NO_BYTES
    return this.#sealed
  }

  /**
   * The finished message set. Only once: an uncompressed one is the builder's own memory; compressed messages are copied
   * into their wrapper once.
   *
   * @throws {ProtocolError} `NOT_REPRESENTABLE`: no records, zstd, or something transactional.
   */
  build({ codec = 0, compress, compressedRecords, isTransactional, isControl }: BuildOptions = {}): Uint8Array {
    if (this.#isBuilt) throw new Error('MessageSetBuilder: built twice')
    if (codec === ZSTD) throw refusal('NOT_REPRESENTABLE', 'zstd: it needs record batches, Produce v7 and Kafka 2.1')
    if (isTransactional === true || isControl === true) {
      throw refusal('NOT_REPRESENTABLE', 'a transaction: it needs record batches and Kafka 0.11')
    }
    const messages = this.records()
    const value = codec === 0 ? null : (compressedRecords ?? compress?.(messages))
    if (value === undefined) throw new Error(`MessageSetBuilder: codec ${codec} without compressed records`)
    this.#isBuilt = true
    this.#sealed = NO_BYTES
    return value === null ? messages : this.#wrap(value, codec)
  }

  #wrap(value: Uint8Array, codec: number): Uint8Array {
    const size = messageOverheadBytes(this.#magic) + value.length
    const wrapper = Buffer.allocUnsafe(size)
    const [offset, timestamp] = [this.#recordCount - 1, this.#maxTimestamp]
    const head = { offset, magic: this.#magic, attributes: codec, timestamp }
    const at = writeMessageHead(wrapper, 0, size, head)
    writeField(wrapper, writeField(wrapper, at, null), value)
    wrapper.writeUInt32BE(crc32(wrapper, CRC_START), SIZE_END)
    return wrapper
  }

  #reserve(neededBytes: number): void {
    if (this.#sealed !== null) throw new Error('MessageSetBuilder: append after it was sealed')
    if (neededBytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(neededBytes, this.#buffer.length * 2))
    larger.set(this.#buffer.subarray(0, this.#at))
    this.#buffer = larger
  }
}

/**
 * Encodes records into one message set, ready to be sent; with a codec into one wrapper message.
 *
 * lz4 with magic 0 needs a `compress` that makes the frames of then (KIP-57).
 *
 * @throws {ProtocolError} `NOT_REPRESENTABLE`: no records, a record with headers, zstd, or a timestamp that is no integer
 * from -1 to 2^53-1.
 */
export function encodeMessageSet(records: Iterable<RecordToEncode>, options: EncodeMessageSetOptions): Uint8Array {
  const builder = new MessageSetBuilder(1024, options.magic)
  for (const { timestamp, key, value, headers } of records) {
    checkTimestamp(timestamp)
    builder.append(timestamp, key, value, headers ?? NO_HEADERS)
  }
  return builder.build(options)
}

/**
 * What a message set of this one record takes at most: Java's figure, with which `maxRequestBytes` is compared. With a
 * codec it forgets the 12 bytes of offset and size inside the wrapper.
 *
 * @see Kafka `AbstractRecords.estimateSizeInBytesUpperBound`, which this equals for magic 0 and 1
 */
export function upperBoundOfMessageSet(
  magic: MessageMagic,
  isCompressed: boolean,
  key: Bytes | null,
  value: Bytes | null,
): number {
  const overhead = messageOverheadBytes(magic)
  const wrapper = isCompressed ? overhead - SIZE_END : 0
  return wrapper + overhead + byteLength(key) + byteLength(value)
}

interface MessageHead {
  readonly offset: number
  readonly magic: MessageMagic
  readonly attributes: number
  readonly timestamp: number
}

/** Everything before the key but the CRC, of a message that lies in [start, end). @returns where the key begins. */
function writeMessageHead(bytes: Buffer, start: number, end: number, head: MessageHead): number {
  bytes.writeInt32BE(0, start)
  bytes.writeInt32BE(head.offset, start + 4)
  bytes.writeInt32BE(end - start - SIZE_END, start + 8)
  bytes.writeInt8(head.magic, start + CRC_START)
  bytes.writeInt8(head.attributes, start + ATTRIBUTES_AT)
  if (head.magic === 0) return start + TIMESTAMP_AT
  writeInt64(bytes, head.timestamp, start + TIMESTAMP_AT)
  return start + TIMESTAMP_AT + 8
}

function writeField(bytes: Buffer, at: number, field: Bytes | null): number {
  if (field === null) return bytes.writeInt32BE(NULL_LENGTH, at)
  const length = byteLength(field)
  bytes.writeInt32BE(length, at)
  if (typeof field === 'string') bytes.write(field, at + 4, length, 'utf8')
  else bytes.set(field, at + 4)
  return at + 4 + length
}

function byteLength(field: Bytes | null): number {
  return field === null ? 0 : typeof field === 'string' ? Buffer.byteLength(field) : field.length
}
