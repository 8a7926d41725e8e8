import { ConversionError } from '../types/conversion-error.ts'
import type { Row } from '../types/value.ts'
import type { EncodedRow, MessageFormat } from './message-format.ts'

export interface PackingLimits {
  /** At most so many rows in a message. One is the default of the output. */
  readonly rowsPerMessage: number
  /** A message is closed before it would grow beyond; a single row may, up to `maxMessageBytes`. */
  readonly bytesPerMessage: number
  /** One row whose message, key included, would be larger is a conversion error. */
  readonly maxMessageBytes: number
}

/** What a Kafka record has beside its value. */
export interface MessageHead {
  readonly key: string | null
  /** Milliseconds since the Unix epoch; null: the time of sending. */
  readonly timestamp: number | null
}

export const NO_HEAD: MessageHead = Object.freeze({ key: null, timestamp: null })

export interface PackedMessage extends MessageHead {
  readonly value: Uint8Array
  readonly rowCount: number
}

const NONE: readonly PackedMessage[] = Object.freeze([])

/**
 * Collects rows into messages, in order. Rows of another shape (CSV columns, Avro schema) or another key begin a new message;
 * the time of a message is that of its first row.
 */
export class MessagePacker {
  readonly #format: MessageFormat
  readonly #limits: PackingLimits
  /** Nothing is ever kept: the common case needs no lists. */
  readonly #isOneByOne: boolean
  #rows: EncodedRow[] = []
  #head = NO_HEAD
  /** Of the message if it were closed now, key included. */
  #bytes = 0

  constructor(format: MessageFormat, limits: PackingLimits) {
    this.#format = format
    this.#limits = limits
    this.#isOneByOne = limits.rowsPerMessage === 1 || !format.canPack
  }

  get pendingRows(): number {
    return this.#rows.length
  }

  /**
   * Adds a row.
   *
   * @returns the messages that are complete now: none, the one before the row, the one that ends with it, or both.
   * @throws {ConversionError} the format cannot hold the row, or it is too large. The message that is open stays as it was.
   */
  push(row: Row, head: MessageHead = NO_HEAD): readonly PackedMessage[] {
    const encoded = this.#format.encodeRow(row)
    const { messageBytes, betweenBytes } = this.#format.overhead(encoded.shape)
    const keyBytes = head.key === null ? 0 : Buffer.byteLength(head.key)
    const aloneBytes = messageBytes + encoded.bytes.length + keyBytes
    if (aloneBytes > this.#limits.maxMessageBytes) throw tooLarge(aloneBytes, this.#limits.maxMessageBytes)
    if (this.#isOneByOne) return [this.#assemble([encoded], head)]
    const before = this.#hasRoom(encoded, head, betweenBytes) ? NONE : this.flush()
    if (this.#rows.length === 0) this.#head = head
    this.#bytes += this.#rows.length === 0 ? aloneBytes : betweenBytes + encoded.bytes.length
    this.#rows.push(encoded)
    return this.#rows.length < this.#limits.rowsPerMessage ? before : [...before, ...this.flush()]
  }

  /** Closes the message that is open, if there is one. */
  flush(): readonly PackedMessage[] {
    if (this.#rows.length === 0) return NONE
    const message = this.#assemble(this.#rows, this.#head)
    this.#rows = []
    this.#bytes = 0
    return [message]
  }

  #assemble(rows: readonly EncodedRow[], { key, timestamp }: MessageHead): PackedMessage {
    return { value: this.#format.assemble(rows), rowCount: rows.length, key, timestamp }
  }

  #hasRoom(row: EncodedRow, { key }: MessageHead, betweenBytes: number): boolean {
    const [first] = this.#rows
    if (first === undefined) return true
    const allowed = Math.min(this.#limits.bytesPerMessage, this.#limits.maxMessageBytes)
    const isAlike = first.shape === row.shape && this.#head.key === key
    return isAlike && this.#bytes + betweenBytes + row.bytes.length <= allowed
  }
}

function tooLarge(bytes: number, limit: number): ConversionError {
  const reason = `Single output event exceeds the maximum message size limit allowed (${limit} bytes): ${bytes} bytes`
  return new ConversionError('RECORD_EXCEEDED_SIZE_LIMIT', { column: null, valueKind: 'row', reason })
}
