/** Byte fields from this size on are passed along by reference instead of being copied into the writer. */
const REFERENCE_BYTES = 512

/**
 * Builds one message out of big-endian protocol primitives, in a buffer that grows.
 *
 * Large byte fields (record batches) are not copied: `chunks()` gives the message as a list in which they appear as
 * they were handed in, ready for one gathering write.
 */
export class Writer {
  #buffer: Buffer
  #at = 0
  /** Chunks finished so far; what is in the buffer from `#chunkStart` on comes after them. */
  readonly #done: Uint8Array[] = []
  #chunkStart = 0
  #doneBytes = 0

  constructor(capacityBytes = 256) {
    this.#buffer = Buffer.allocUnsafe(capacityBytes)
  }

  /** Bytes written so far, referenced ones included. */
  get size(): number {
    return this.#doneBytes + this.#at - this.#chunkStart
  }

  int8(value: number): void {
    const at = this.#room(1)
    this.#buffer.writeInt8(value, at)
  }

  int16(value: number): void {
    const at = this.#room(2)
    this.#buffer.writeInt16BE(value, at)
  }

  uint16(value: number): void {
    const at = this.#room(2)
    this.#buffer.writeUInt16BE(value, at)
  }

  int32(value: number): void {
    const at = this.#room(4)
    this.#buffer.writeInt32BE(value, at)
  }

  uint32(value: number): void {
    const at = this.#room(4)
    this.#buffer.writeUInt32BE(value, at)
  }

  int64(value: bigint): void {
    const at = this.#room(8)
    this.#buffer.writeBigInt64BE(value, at)
  }

  float64(value: number): void {
    const at = this.#room(8)
    this.#buffer.writeDoubleBE(value, at)
  }

  /** Unsigned LEB128 of 0 to 2^32-1. */
  uvarint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.#byte((rest & 0x7f) | 0x80)
      rest = Math.floor(rest / 128) // not >>>: the first shift must not lose bit 31's sign
    }
    this.#byte(rest)
  }

  /** UTF-8 text, `byteLength` being `Buffer.byteLength(text)`. */
  utf8(text: string, byteLength: number): void {
    const at = this.#room(byteLength)
    this.#buffer.write(text, at, byteLength, 'utf8')
  }

  bytes(value: Uint8Array): void {
    if (value.byteLength < REFERENCE_BYTES) {
      const at = this.#room(value.byteLength)
      this.#buffer.set(value, at)
      return
    }
    this.#closeChunk()
    this.#done.push(value)
    this.#doneBytes += value.byteLength
  }

  /** The message as a list of chunks; byte fields of 512 bytes and more are the caller's own arrays, not copies. */
  chunks(): Uint8Array[] {
    this.#closeChunk()
    return this.#done
  }

  /** The message in one piece. */
  finish(): Buffer {
    const chunks = this.chunks()
    return Buffer.concat(chunks, this.#doneBytes)
  }

  #byte(value: number): void {
    const at = this.#room(1)
    this.#buffer[at] = value
  }

  #closeChunk(): void {
    if (this.#at === this.#chunkStart) return
    this.#done.push(this.#buffer.subarray(this.#chunkStart, this.#at))
    this.#doneBytes += this.#at - this.#chunkStart
    this.#chunkStart = this.#at
  }

  /** Where the next `length` bytes go. May replace `#buffer`: call it in a statement before the one that writes. */
  #room(length: number): number {
    const at = this.#at
    const end = at + length
    if (end > this.#buffer.length) {
      // Finished chunks keep viewing the old buffer; only the open chunk moves.
      const open = this.#buffer.subarray(this.#chunkStart, at)
      const next = Buffer.allocUnsafe(Math.max((open.length + length) * 2, 256))
      next.set(open)
      this.#buffer = next
      this.#chunkStart = 0
      this.#at = open.length + length
      return open.length
    }
    this.#at = end
    return at
  }
}
