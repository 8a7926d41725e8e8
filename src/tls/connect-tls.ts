import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import type { Clock } from '../clock.ts'
import { KafkaError } from '../errors.ts'
import { checkIdentity } from './identity.ts'
import { explainTls, tlsError } from './tls-errors.ts'
import { seenChain, type SeenCertificate, type TlsFacts, type TlsStage } from './tls-facts.ts'
import { cut, handshakeTimeout, MAX_HOST_CHARS } from './tls-sentences.ts'
import type { TlsSettings, TlsSource } from './tls-settings.ts'
import type { TlsWarnings } from './warnings.ts'

export interface SecureOptions {
  readonly source: TlsSource
  /** What the broker advertises: that is who it must be, wherever we dialled. */
  readonly host: string
  readonly port: number
  /** For the user's function and the handshake together: what is left of `connectTimeoutMs`. */
  readonly timeoutMs: number
  /** As the user knows it. Default: `timeoutMs`. */
  readonly connectTimeoutMs?: number
  readonly warnings?: TlsWarnings
}

/** A socket whose peer has proven who it is. */
export interface SecureSocket {
  readonly socket: TLSSocket
  /** The broker's certificates, its own first. */
  readonly chain: readonly SeenCertificate[]
  /**
   * Puts into words why it ended; null: closed by the peer. Under TLS 1.3 a refused client certificate shows only here.
   *
   * @param hasAnswered the broker has answered a question: it has taken our certificate.
   */
  explain(error: Error | null, hasAnswered: boolean): KafkaError
}

/**
 * Speaks TLS over an open socket, which belongs to the call from now on: whatever fails, it is destroyed.
 *
 * @throws {AuthenticationError} the broker could not prove who it is, or wants to know who we are: `CERTIFICATE_...`,
 * `CLIENT_CERTIFICATE_...`.
 * @throws {ConnectionError} `PEER_NOT_TLS`, `TLS_VERSION_REFUSED`, `TLS_FAILED`, `TLS_OPTIONS_FAILED`, `CONNECT_TIMEOUT`,
 * `CONNECTION_CLOSED`; the signal's reason, if it aborts first.
 */
export async function secure(
  raw: Duplex,
  options: SecureOptions,
  signal: AbortSignal,
  clock: Clock,
): Promise<SecureSocket> {
  const { source, host, port, timeoutMs, connectTimeoutMs = timeoutMs, warnings } = options
  const name = cut(host, MAX_HOST_CHARS)
  const address = name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`
  const bytes = new ByteCount(raw)
  const giveUp = new AbortController()
  const onAbort = (): void => giveUp.abort(signal.reason)
  const timer = clock.after(timeoutMs, () => {
    const what = handshakeTimeout(bytes.received, connectTimeoutMs)
    giveUp.abort(tlsError(address, { code: 'CONNECT_TIMEOUT', what, retriable: true }, undefined))
  })
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  // A reset while the user's function is asked, or after the end, is told by what fails then.
  raw.on('error', ignoreError)
  try {
    const settings = await orAbort(Promise.resolve(source(address)), giveUp.signal)
    warnings?.tell(settings.warnings(clock.wallNow()))
    return await new Handshake({ raw, settings, address, host, bytes, clock }).run(giveUp.signal)
  } catch (error) {
    raw.destroy()
    throw error
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', onAbort)
  }
}

interface HandshakeParts {
  readonly raw: Duplex
  readonly settings: TlsSettings
  readonly address: string
  readonly host: string
  readonly bytes: ByteCount
  readonly clock: Clock
}

class Handshake implements SecureSocket {
  readonly socket: TLSSocket
  readonly #parts: HandshakeParts
  #stage: TlsStage = 'handshake'
  #error: Error | null = null
  #peer: PeerCertificate | null = null
  #chain: readonly SeenCertificate[] = []

  constructor(parts: HandshakeParts) {
    this.#parts = parts
    const { raw, settings, host } = parts
    const name = settings.expectedName(host).name
    this.socket = connect({
      ...settings.connectOptions(host),
      socket: raw,
      checkServerIdentity: (_, shown) => checkIdentity(name, this.#peer ?? shown, settings.check),
    })
    parts.bytes.watch()
    // For good: the caller listens only when it has the socket, and an error may be under way already.
    this.socket.on('error', (error: Error) => (this.#error ??= error))
    // Before Node's own listener, which closes a socket that it does not trust: afterwards nothing is left to be read.
    this.socket.prependListener('secure', () => this.#remember())
  }

  get chain(): readonly SeenCertificate[] {
    return this.#chain
  }

  run(signal: AbortSignal): Promise<SecureSocket> {
    const { socket } = this
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null): void => {
        signal.removeEventListener('abort', onAbort)
        socket.off('error', onError).off('close', onClose).off('secureConnect', onSecure)
        if (error === null) return resolve(this)
        socket.destroy()
        reject(error)
      }
      const onAbort = (): void => settle(signal.reason as Error)
      const onError = (error: Error): void => settle(this.explain(error, false))
      const onClose = (): void => settle(this.explain(null, false))
      const onSecure = (): void => {
        this.#stage = 'unproven'
        settle(null)
      }
      socket.on('error', onError).on('close', onClose).on('secureConnect', onSecure)
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
    })
  }

  explain(error: Error | null, hasAnswered: boolean): KafkaError {
    if (error instanceof KafkaError) return error
    if (hasAnswered) this.#stage = 'proven'
    return explainTls(error ?? this.#error, this.#facts())
  }

  /** Node gives the chain once: to read it takes it out of OpenSSL's hands, and its own check would find nothing. */
  #remember(): void {
    try {
      const leaf = this.socket.getPeerCertificate(true)
      this.#peer = leaf
      this.#chain = seenChain(leaf)
    } catch {
      this.#chain = [] // a certificate that Node verifies and cannot show: the error has fewer words
    }
  }

  #facts(): TlsFacts {
    const { settings, address, host, bytes, clock } = this.#parts
    return {
      ...{ address, name: settings.expectedName(host).name, stage: this.#stage },
      ...{ hasClientCertificate: settings.hasClientCertificate, authorities: settings.authorities },
      ...{ chain: this.#chain, receivedBytes: bytes.received, nowMs: clock.wallNow() },
    }
  }
}

/** How much has come from a peer. */
class ByteCount {
  readonly #raw: Duplex
  readonly #before: number
  #seen = 0

  constructor(raw: Duplex) {
    this.#raw = raw
    this.#before = raw instanceof Socket ? raw.bytesRead : 0
  }

  get received(): number {
    return this.#raw instanceof Socket ? this.#raw.bytesRead - this.#before : this.#seen
  }

  /** A Duplex of a user's does not count. To be called when TLS has it and has paused it: a listener would make it flow. */
  watch(): void {
    if (!(this.#raw instanceof Socket)) this.#raw.on('data', (chunk: Buffer) => (this.#seen += chunk.length))
  }
}

/** Waits for the user's function, which knows nothing of signals. */
function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function ignoreError(): void {
  return undefined
}
