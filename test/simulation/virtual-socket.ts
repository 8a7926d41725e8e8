import { Duplex } from 'node:stream'
import type { VirtualHost } from './virtual-host.ts'
import type { Wire, WireEnd } from './wire.ts'

/** What libuv reads at once. */
const READ_BYTES = 65_536
/** A TLS greeting: the engine asks so whether a peer that hung up speaks TLS. */
const TLS_HANDSHAKE = 0x16

export interface VirtualSocketOptions {
  readonly host: VirtualHost
  readonly outgoing: Wire
  readonly incoming: Wire
  readonly isServer: boolean
  /** `write` returns false beyond this. */
  readonly highWaterMarkBytes: number
}

/**
 * One end of a virtual connection, with the manners of a `net.Socket`: callbacks come in turns of its host's loop, a
 * write's when the kernel has taken all of it, `close` a turn after `destroy`.
 */
export class VirtualSocket extends Duplex implements WireEnd {
  readonly #options: VirtualSocketOptions
  readonly #received: Buffer[] = []
  #isReading = false
  #hasEnded = false
  #hasSaidEnd = false
  #isReset = false
  #isIoWanted = false
  #receivedBytes = 0
  /** What the kernel has not taken yet. */
  #pending: { readonly chunks: Buffer[]; readonly done: (error?: Error | null) => void } | null = null
  /** Whether it keeps its process alive. */
  isRef = true

  constructor(options: VirtualSocketOptions) {
    const { highWaterMarkBytes } = options
    super({ allowHalfOpen: false, writableHighWaterMark: highWaterMarkBytes })
    this.#options = options
  }

  ref(): this {
    this.isRef = true
    return this
  }

  unref(): this {
    this.isRef = false
    return this
  }

  onBytes(bytes: Buffer): void {
    // A closed socket answers data with a reset.
    if (this.destroyed) return this.#options.outgoing.reset()
    this.#received.push(bytes)
    this.#wantIo()
  }

  onEnd(): void {
    this.#hasEnded = true
    this.#wantIo()
  }

  onReset(): void {
    this.#isReset = true
    this.#wantIo()
  }

  onRoom(): void {
    if (this.#pending !== null) this.#options.host.io(() => this.#handOver())
  }

  override _read(): void {
    this.#isReading = true
    if (this.#received.length > 0 || this.#hasEnded) this.#wantIo()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#pending = { chunks: [chunk], done }
    this.#handOver()
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#pending = { chunks: chunks.map(({ chunk }) => chunk), done }
    this.#handOver()
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#options.outgoing.end()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { outgoing, host } = this.#options
    if (this.#received.length > 0) outgoing.reset()
    else if (!this.#isReset) outgoing.end()
    this.#received.length = 0
    const pending = this.#pending
    this.#pending = null
    host.io(() => {
      pending?.done(systemError('ECANCELED', 'write ECANCELED'))
      done(error)
    })
  }

  #handOver(): void {
    const pending = this.#pending
    if (pending === null) return
    this.#options.host.sends()
    for (let chunk = pending.chunks[0]; chunk !== undefined; chunk = pending.chunks[0]) {
      const taken = this.#options.outgoing.take(chunk)
      if (taken < chunk.length) {
        pending.chunks[0] = chunk.subarray(taken)
        return
      }
      pending.chunks.shift()
    }
    this.#pending = null
    pending.done()
  }

  #wantIo(): void {
    if (this.#isIoWanted || this.destroyed) return
    this.#isIoWanted = true
    this.#options.host.io(() => {
      this.#isIoWanted = false
      this.#io()
    })
  }

  /** One thing a turn: bytes, then the end, then what went wrong. */
  #io(): void {
    if (this.destroyed) return
    if (this.#received.length > 0) {
      if (this.#isReading) this.#readOnce()
      else if (this.#isReset) this.#fail()
    } else if (this.#isReset) this.#fail()
    else if (this.#hasEnded && !this.#hasSaidEnd) {
      this.#hasSaidEnd = true
      this.push(null)
    }
  }

  #readOnce(): void {
    let bytes = Buffer.concat(this.#received)
    this.#received.length = 0
    if (bytes.length > READ_BYTES) {
      this.#received.push(bytes.subarray(READ_BYTES))
      bytes = bytes.subarray(0, READ_BYTES)
    }
    const isTls = this.#options.isServer && this.#receivedBytes === 0 && bytes[0] === TLS_HANDSHAKE
    this.#receivedBytes += bytes.length
    this.#options.incoming.read(bytes.length)
    if (isTls) return void this.destroy()
    this.#isReading = this.push(bytes)
    if (this.#received.length > 0 || this.#hasEnded || this.#isReset) this.#wantIo()
  }

  #fail(): void {
    this.destroy(systemError('ECONNRESET', 'read ECONNRESET'))
  }
}

export function systemError(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code })
}
