import { ConversionError } from '../types/conversion-error.ts'
import type { Row } from '../types/value.ts'
import type { EncodedRow, MessageFormat } from './message-format.ts'

export interface PackingLimits {
  /** At most so many rows in a message. One is the default of the output. */
  readonly rowsPerMessage: number
  /** A message is closed before it would grow beyond; a single row may, up to `maxMessageBytes`. */
  readonly bytesPerMessage: number
  /** One row whose message would be larger is a conversion error. */
  readonly maxMessageBytes: number
}

export interface PackedMessage {
  readonly value: Uint8Array
  readonly rowCount: number
}

/** Collects rows into messages, in order. Rows of another shape (CSV columns, Avro schema) begin a new message. */
export class MessagePacker {
  readonly #format: MessageFormat
  readonly #limits: PackingLimits
  #rows: EncodedRow[] = []
  /** Of the message if it were closed now. */
  #bytes = 0

  constructor(format: MessageFormat, limits: PackingLimits) {
    this.#format = format
    this.#limits = limits
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
  push(row: Row): PackedMessage[] {
    const encoded = this.#format.encodeRow(row)
    const { messageBytes, betweenBytes } = this.#format.overhead(encoded.shape)
    const aloneBytes = messageBytes + encoded.bytes.length
    if (aloneBytes > this.#limits.maxMessageBytes) throw tooLarge(aloneBytes, this.#limits.maxMessageBytes)
    const complete: PackedMessage[] = []
    if (!this.#hasRoom(encoded, betweenBytes)) complete.push(...this.flush())
    this.#bytes += this.#rows.length === 0 ? aloneBytes : betweenBytes + encoded.bytes.length
    this.#rows.push(encoded)
    if (this.#rows.length >= this.#limits.rowsPerMessage || !this.#format.canPack) complete.push(...this.flush())
    return complete
  }

  /** Closes the message that is open, if there is one. */
  flush(): PackedMessage[] {
    if (this.#rows.length === 0) return []
    const message = { value: this.#format.assemble(this.#rows), rowCount: this.#rows.length }
    this.#rows = []
    this.#bytes = 0
    return [message]
  }

  #hasRoom(row: EncodedRow, betweenBytes: number): boolean {
    const [first] = this.#rows
    if (first === undefined) return true
    const allowed = Math.min(this.#limits.bytesPerMessage, this.#limits.maxMessageBytes)
    return first.shape === row.shape && this.#bytes + betweenBytes + row.bytes.length <= allowed
  }
}

function tooLarge(bytes: number, limit: number): ConversionError {
  const reason = `Single output event exceeds the maximum message size limit allowed (${limit} bytes): ${bytes} bytes`
  return new ConversionError('RECORD_EXCEEDED_SIZE_LIMIT', { column: null, valueKind: 'row', reason })
}
