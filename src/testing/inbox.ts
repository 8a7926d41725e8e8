import { ProtocolError } from '../errors.ts'
import { FrameReader } from '../protocol/frame.ts'

/** Kafka's socket.request.max.bytes. */
const MAX_REQUEST_BYTES = 104_857_600
/** Kafka's sasl.server.max.receive.size. */
const MAX_LOGIN_BYTES = 524_288
const LENGTH_BYTES = 4

/** What a client has sent and nobody has looked at, cut into frames. Until it has logged in, they are short. */
export class Inbox {
  readonly #frames = new FrameReader(MAX_REQUEST_BYTES)
  /** Null: the client is in. */
  #unread: Buffer | null = Buffer.alloc(0)

  push(chunk: Buffer): void {
    if (this.#unread === null) this.#frames.push(chunk)
    else this.#unread = Buffer.concat([this.#unread, chunk])
  }

  /** From now on frames may be long, and none has less than a correlation id. */
  open(): void {
    if (this.#unread === null) return
    this.#frames.push(this.#unread)
    this.#unread = null
  }

  /**
   * The next one that is complete, without its length; null: it is not all there.
   *
   * @throws {ProtocolError} `INVALID_FRAME`: a length that cannot be.
   */
  next(): Buffer | null {
    const unread = this.#unread
    if (unread === null) return this.#frames.next()
    if (unread.length < LENGTH_BYTES) return null
    const length = unread.readInt32BE(0)
    if (length < 0 || length > MAX_LOGIN_BYTES) {
      throw new ProtocolError(
        'INVALID_FRAME',
        `TestCluster: INVALID_FRAME: a length of ${length} before the login, the limit is ${MAX_LOGIN_BYTES}`,
      )
    }
    const end = LENGTH_BYTES + length
    if (unread.length < end) return null
    this.#unread = unread.subarray(end)
    return unread.subarray(LENGTH_BYTES, end)
  }
}
