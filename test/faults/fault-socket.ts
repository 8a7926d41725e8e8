import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'

type Done = (error?: Error | null) => void

/**
 * A TCP connection whose client end goes wrong on demand, at the byte that a test names. The broker at the other end
 * sees nothing but TCP.
 */
export class FaultSocket extends Duplex {
  readonly port: number
  /** All that was handed over for sending, in order. */
  readonly written: Buffer[] = []
  /** Bytes that came from the broker. */
  receivedBytes = 0
  /** Every byte travels alone, both ways. */
  isDripping = false
  readonly #inner: Socket
  /** So many bytes more get through, and then the connection is gone; Infinity: it stays. */
  #cutAfterBytes = Infinity
  /** So many bytes more the system takes, and then none until `flow()`. */
  #takesBytes = Infinity
  #stalled: (() => void) | null = null
  #held: Buffer[] | null = null

  constructor(host: string, port: number) {
    super({ allowHalfOpen: false })
    this.port = port
    this.#inner = connect({ host, port, noDelay: true })
    this.#inner.on('data', (chunk) => this.#onData(chunk))
    this.#inner.on('end', () => this.push(null))
    this.#inner.on('error', (error) => this.destroy(error))
    this.#inner.on('close', () => this.destroy())
  }

  ref(): void {
    this.#inner.ref()
  }

  unref(): void {
    this.#inner.unref()
  }

  /** Bytes that were handed over so far. */
  get writtenBytes(): number {
    return this.written.reduce((sum, { length }) => sum + length, 0)
  }

  /** So many bytes more arrive at the broker; then the connection is gone, and no answer comes. */
  cutAfter(bytes: number): void {
    this.#cutAfterBytes = bytes
  }

  /** The system's buffer is full when it has taken so many bytes more. */
  stallAfter(bytes: number): void {
    this.#takesBytes = bytes
  }

  /** There is room again. */
  flow(): void {
    this.#takesBytes = Infinity
    this.#stalled?.()
  }

  /** What the broker answers lies in the socket, and is not read. */
  hold(): void {
    this.#held = []
  }

  get heldBytes(): number {
    return this.#held?.reduce((sum, { length }) => sum + length, 0) ?? 0
  }

  /** What was held is read, as one chunk. */
  give(): void {
    const held = this.#held ?? []
    this.#held = null
    this.push(Buffer.concat(held))
  }

  override _read(): void {
    // What the broker sends is pushed as it comes.
  }

  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    this.written.push(Buffer.from(chunk))
    this.#pass(chunk, done)
  }

  override _final(done: Done): void {
    this.#inner.end(() => done())
  }

  override _destroy(error: Error | null, done: Done): void {
    // After a cut what got through must arrive: the end comes behind it.
    if (this.#cutAfterBytes <= 0) this.#inner.end()
    else this.#inner.destroy()
    done(error)
  }

  #pass(chunk: Buffer, done: Done): void {
    if (chunk.length >= this.#cutAfterBytes) {
      this.#inner.write(chunk.subarray(0, this.#cutAfterBytes))
      this.#cutAfterBytes = 0
      return void this.destroy()
    }
    this.#cutAfterBytes -= chunk.length
    if (chunk.length > this.#takesBytes) {
      this.#inner.write(chunk.subarray(0, this.#takesBytes))
      const rest = chunk.subarray(this.#takesBytes)
      this.#takesBytes = 0
      this.#stalled = () => {
        this.#stalled = null
        this.#pass(rest, done)
      }
      return
    }
    this.#takesBytes -= chunk.length
    if (this.isDripping) this.#drip(chunk, done)
    else this.#inner.write(chunk, done)
  }

  #drip(bytes: Buffer, done: Done): void {
    if (bytes.length === 0) return done()
    this.#inner.write(bytes.subarray(0, 1), (error) => {
      if (error) done(error)
      else this.#drip(bytes.subarray(1), done)
    })
  }

  #onData(chunk: Buffer): void {
    if (this.destroyed) return
    this.receivedBytes += chunk.length
    if (this.#held !== null) this.#held.push(chunk)
    else if (this.isDripping) for (let i = 0; i < chunk.length; i++) this.push(chunk.subarray(i, i + 1))
    else this.push(chunk)
  }
}
