import type { Duplex } from 'node:stream'
import { createServer, TLSSocket, type Server, type TlsOptions } from 'node:tls'
import type { Checked } from '../options.ts'
import { ANONYMOUS } from './sasl/session.ts'
import { selfSigned } from './self-signed.ts'

/** The broker's end of TLS, over whatever carries the bytes. */
export class TlsDoor {
  readonly #server: Server

  constructor(options: TlsOptions, onSecure: (socket: TLSSocket) => void) {
    this.#server = createServer(options, onSecure)
  }

  /** `onSecure` is called when the handshake is done, if it succeeds. Whom it does not let in is told by TLS itself. */
  enter(raw: Duplex): void {
    raw.on('error', ignore)
    this.#server.emit('connection', raw)
  }
}

/** The option `tls`; null: none; empty: with a certificate of our own. */
export function checkTls(value: unknown): Checked<TlsOptions | null> {
  if (value === undefined || value === false) return { value: null }
  if (value === true) return { value: {} }
  if (typeof value !== 'object' || value === null) return { expected: 'true, or an object as node:tls takes it' }
  const { cert, key } = value as TlsOptions
  if ((cert === undefined) !== (key === undefined)) return { problem: 'tls: cert and key belong together' }
  try {
    createServer(value)
  } catch (error) {
    return { problem: `tls: ${error instanceof Error ? error.message : String(error)}` }
  }
  return { value }
}

/** With a certificate of our own, if there is none: it is `ca` then. */
export function withCertificate(
  options: TlsOptions,
  host: string,
): { readonly tls: TlsOptions; readonly ca: string | undefined } {
  if (options.cert !== undefined || options.pfx !== undefined) return { tls: options, ca: undefined }
  const own = selfSigned([host, 'localhost', '127.0.0.1', '::1'])
  return { tls: { ...options, ...own }, ca: own.cert }
}

/** Whom a client's certificate names, in Kafka's form: the last part of the subject first. */
export function principalOf(socket: Duplex): string {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  if (certificate === undefined) return ANONYMOUS
  return `User:${certificate.subject.split('\n').reverse().join(',')}`
}

/** Clients may go away whenever they like. */
function ignore(): void {
  return undefined
}
