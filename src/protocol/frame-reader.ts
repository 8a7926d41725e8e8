import { asBuffer } from '../bytes/as-buffer.ts'
import { ProtocolError } from '../errors.ts'

const LENGTH_BYTES = 4
/** Every payload begins with a correlation id, or with an API key and a version. */
const MIN_PAYLOAD_BYTES = 4
const PEEK_BYTES = 8
const NOTHING = Buffer.alloc(0)

/**
 * Cuts a byte stream into frames.
 *
 * What arrives is kept as it came until a frame is complete: memory follows the bytes received, never a length that
 * somebody declared. A frame within one chunk is a view of it; any other is put together once.
 */
export class FrameReader {
  /** The longest payload taken; applies to frames whose length is not read yet. */
  capBytes: number
  /** The shortest; a bare SASL token has no header. */
  minBytes = MIN_PAYLOAD_BYTES
  /** Received and not yet given out; the current frame begins at `#at` of the first. */
  #chunks: Buffer[] = []
  #at = 0
  #bufferedBytes = 0
  /** Of the current frame, once its four bytes are there and accepted. */
  #payloadBytes: number | null = null

  constructor(capBytes: number) {
    this.capBytes = capBytes
  }

  /** Takes what the socket gave. The chunk is kept, not copied: it must not change any more. */
  push(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return
    this.#chunks.push(asBuffer(chunk))
    this.#bufferedBytes += chunk.byteLength
  }

  /**
   * The payload of the next complete frame, without its length; null: not all of it is there.
   *
   * @throws {ProtocolError} `INVALID_FRAME`: a length that cannot be, or is over `capBytes`; then and ever after, for
   *   the stream cannot be understood from here on.
   */
  next(): Buffer | null {
    this.#payloadBytes ??= this.#readLength()
    if (this.#payloadBytes === null || this.#bufferedBytes < LENGTH_BYTES + this.#payloadBytes) return null
    this.#drop(LENGTH_BYTES)
    const payload = this.#copyOrView(this.#payloadBytes)
    this.#drop(this.#payloadBytes)
    this.#payloadBytes = null
    return payload
  }

  /** The first bytes of the current frame as far as they are there, at most 8: the length and the correlation id. */
  peek(): Buffer {
    return this.#bufferedBytes === 0 ? NOTHING : this.#copyOrView(Math.min(PEEK_BYTES, this.#bufferedBytes))
  }

  #readLength(): number | null {
    if (this.#bufferedBytes < LENGTH_BYTES) return null
    const first = this.#chunks[0] as Buffer
    const isWhole = first.length - this.#at >= LENGTH_BYTES
    const length = isWhole ? first.readInt32BE(this.#at) : this.#copyOrView(LENGTH_BYTES).readInt32BE(0)
    if (length < this.minBytes || length > this.capBytes) {
      throw new ProtocolError(
        'INVALID_FRAME',
        `frame: INVALID_FRAME: a length of ${length}, must be ${this.minBytes} to ${this.capBytes} bytes`,
      )
    }
    return length
  }

  /** The next `length` bytes, which are there: a view if one chunk has them all. */
  #copyOrView(length: number): Buffer {
    const first = this.#chunks[0]
    if (first !== undefined && length <= first.length - this.#at) return first.subarray(this.#at, this.#at + length)
    const whole = Buffer.allocUnsafe(length)
    let copied = 0
    let from = this.#at
    for (const chunk of this.#chunks) {
      if (copied === length) break
      copied += chunk.copy(whole, copied, from, from + length - copied)
      from = 0
    }
    return whole
  }

  /** Forgets the next `length` bytes. */
  #drop(length: number): void {
    this.#bufferedBytes -= length
    this.#at += length
    let used = 0
    for (let chunk = this.#chunks[0]; chunk !== undefined && this.#at >= chunk.length; chunk = this.#chunks[used]) {
      this.#at -= chunk.length
      used++
    }
    if (used > 0) this.#chunks.splice(0, used)
  }
}

/**
 * What a peer speaks whose first bytes are not a Kafka frame: a web server, or TLS on a connection that has none. Read
 * as lengths these are over 300 MB, so a usual cap refuses them with the first four bytes.
 */
export function describePeer(firstBytes: Uint8Array): 'http' | 'tls' | null {
  const text = Buffer.from(firstBytes.subarray(0, 4)).toString('latin1')
  if (/^(HTTP|<htm|<!do)/i.test(text)) return 'http'
  // A TLS record: alert or handshake, of SSL 3.0 to TLS 1.3.
  const isTls = (firstBytes[0] === 0x15 || firstBytes[0] === 0x16) && firstBytes[1] === 0x03
  return isTls ? 'tls' : null
}
