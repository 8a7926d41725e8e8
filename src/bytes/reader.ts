import { asBuffer } from './as-buffer.ts'
import { ProtocolError } from '../errors.ts'

/**
 * Reads big-endian protocol primitives out of one message, and never outside of it.
 *
 * Every read is checked against the end first: hostile bytes give a `ProtocolError` that names the message (`where`)
 * and the position, never a RangeError, and nothing is allocated by a declared length that the bytes cannot hold.
 * Byte slices are views of the input.
 */
export class Reader {
  readonly #bytes: Buffer
  /** The same bytes, for numbers: several times faster than Buffer's own methods. */
  readonly #view: DataView
  readonly #where: string
  #at: number
  readonly #end: number

  constructor(bytes: Uint8Array, where: string, start = 0, end = bytes.byteLength) {
    this.#bytes = asBuffer(bytes)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#where = where
    this.#at = start
    this.#end = end
  }

  /** Position in the message, bytes. */
  get position(): number {
    return this.#at
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#end - this.#at
  }

  /** The error for bytes that cannot be what they claim; the caller throws it. */
  invalid(what: string): ProtocolError {
    return new ProtocolError('INVALID_VALUE', `${this.#where}: INVALID_VALUE: ${what} at byte ${this.#at}`)
  }

  int8(): number {
    return this.#view.getInt8(this.#take(1))
  }

  int16(): number {
    return this.#view.getInt16(this.#take(2))
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2))
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4))
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.#take(8))
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8))
  }

  /** Unsigned LEB128, at most 5 bytes and 32 bits (protocol headers and compact types). */
  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte()
      if (shift === 28 && byte > 0x0f) throw this.invalid('unsigned varint of more than 32 bits')
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw this.invalid('unsigned varint of more than 5 bytes')
  }

  /** Zig-zag varint of 32 bits (inside records). */
  varint(): number {
    const raw = this.uvarint()
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** Zig-zag varint of 64 bits (timestamp deltas inside records). */
  varlong(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      if (shift === 63n && byte > 0x01) throw this.invalid('varint of more than 64 bits')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return (value >> 1n) ^ -(value & 1n)
    }
    throw this.invalid('varint of more than 10 bytes')
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Buffer {
    if (length < 0) throw this.invalid(`negative length ${length}`)
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  /** UTF-8 text of `length` bytes. Invalid sequences become U+FFFD, as in Kafka's own decoder. */
  utf8(length: number): string {
    if (length < 0) throw this.invalid(`negative length ${length}`)
    const at = this.#take(length)
    return this.#bytes.toString('utf8', at, at + length)
  }

  skip(length: number): void {
    if (length < 0) throw this.invalid(`negative length ${length}`)
    this.#take(length)
  }

  /** A message must be consumed exactly: bytes that nobody understands mean that we misunderstood the rest. */
  end(): void {
    if (this.#at === this.#end) return
    throw new ProtocolError(
      'TRAILING_BYTES',
      `${this.#where}: TRAILING_BYTES: ${this.remaining} bytes follow the end of the message at byte ${this.#at}`,
    )
  }

  #byte(): number {
    const byte = this.#bytes[this.#take(1)]
    return byte as number // #take has checked the position
  }

  #take(length: number): number {
    const at = this.#at
    if (length > this.#end - at) {
      throw new ProtocolError(
        'TRUNCATED',
        `${this.#where}: TRUNCATED: ${length} bytes wanted at byte ${at}, ${this.#end - at} left`,
      )
    }
    this.#at = at + length
    return at
  }
}
