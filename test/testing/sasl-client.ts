import { once } from 'node:events'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { decodeResponseFrame, encodeRequestFrame } from '../../src/protocol/frame.ts'
import { apiVersions } from '../../src/protocol/messages/api-versions.ts'
import { saslAuthenticate } from '../../src/protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../../src/protocol/messages/sasl-handshake.ts'
import type { Api, RequestInput, ResponseOf } from '../../src/protocol/schema.ts'
import type { Send } from '../../src/sasl/exchange.ts'
import { Refusal } from '../../src/sasl/exchange.ts'

export const SOFTWARE = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }

/** What a broker did: an answer, or its end of the connection. */
export type Heard<T> = T | 'closed'

/** A client that logs in by hand, step by step, and sees what becomes of the connection; raw tokens, too. */
export class SaslClient {
  readonly socket: Duplex
  readonly closed: Promise<void>
  /** How a test lets time pass. */
  passTime: (ms: number) => Promise<unknown> = () => Promise.reject(new Error('nobody owns the time'))
  wallNow: () => number = () => Date.now()
  #received = Buffer.alloc(0)
  #isClosed = false
  #waiting: (() => void) | null = null

  constructor(socket: Duplex) {
    this.socket = socket
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('error', () => undefined) // a reset is how a broker hangs up
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#waiting?.()
    })
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#isClosed = true
        this.#waiting?.()
      })
    }
  }

  static async to(port: number): Promise<SaslClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new SaslClient(socket)
  }

  static async toTls(port: number, options: ConnectionOptions): Promise<SaslClient> {
    const socket = connectTls({ port, host: '127.0.0.1', ...options })
    await once(socket, 'secureConnect')
    return new SaslClient(socket)
  }

  /** Bytes that nobody has looked at. */
  get received(): number {
    return this.#received.length
  }

  /** The next frame, without its length. */
  async frame(): Promise<Heard<Buffer>> {
    for (;;) {
      const length = this.#received.length < 4 ? null : this.#received.readInt32BE(0)
      if (length !== null && this.#received.length >= 4 + length) {
        const frame = this.#received.subarray(4, 4 + length)
        this.#received = this.#received.subarray(4 + length)
        return frame
      }
      if (this.#isClosed) return 'closed'
      await new Promise<void>((resolve) => (this.#waiting = resolve))
    }
  }

  write<A extends Api>(api: A, version: number, body: RequestInput<A>): void {
    const { chunks } = encodeRequestFrame(api, version, { correlationId: 7, clientId: 'raw' }, body)
    this.socket.write(Buffer.concat(chunks))
  }

  async ask<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<Heard<ResponseOf<A>>> {
    this.write(api, version, body)
    const frame = await this.frame()
    return frame === 'closed' ? 'closed' : decodeResponseFrame(api, version, frame)
  }

  versions(version = 3): Promise<Heard<ResponseOf<typeof apiVersions>>> {
    return this.ask(apiVersions, version, SOFTWARE)
  }

  handshake(mechanism: string, version = 1): Promise<Heard<ResponseOf<typeof saslHandshake>>> {
    return this.ask(saslHandshake, version, { mechanism })
  }

  token(authBytes: Uint8Array | string, version = 2): Promise<Heard<ResponseOf<typeof saslAuthenticate>>> {
    return this.ask(saslAuthenticate, version, { authBytes: Buffer.from(authBytes) })
  }

  /** A token as it is, behind its length, as after SaslHandshake v0. */
  rawToken(bytes: Uint8Array | string): Promise<Heard<Buffer>> {
    const token = Buffer.from(bytes)
    const length = Buffer.alloc(4)
    length.writeInt32BE(token.length)
    this.socket.write(Buffer.concat([length, token]))
    return this.frame()
  }

  /** For `runExchange`. */
  readonly send: Send = async (token) => {
    const answer = await this.token(token)
    if (answer === 'closed') throw new Error('closed')
    if (answer.errorCode !== 0) throw new Refusal(answer.errorCode, answer.errorMessage)
    return answer.authBytes
  }

  destroy(): void {
    this.socket.destroy()
  }
}

export function plainToken(name: string, password: string, authorizationId = ''): string {
  return `${authorizationId}\0${name}\0${password}`
}
