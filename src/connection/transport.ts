import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { KafkaError } from '../errors.ts'
import { secure, type SecureSocket } from '../tls/connect-tls.ts'
import type { SeenCertificate } from '../tls/tls-facts.ts'
import { asGuess, isGuessOfTls } from './guess.ts'
import { openSocket, type OpenSocketOptions } from './open-socket.ts'
import type { Security } from './security.ts'

/** What carries the bytes: TCP, or what the user's hook made, and TLS on top of it. */
export interface Transport {
  readonly socket: Duplex
  readonly isTls: boolean
  /** Bytes that were written are copies: TCP of our own making, or TLS on whatever. A Duplex of the user's may keep them. */
  readonly isCopying: boolean
  /** Resolved, of the peer; empty: a Duplex of the user's that has none. */
  readonly remoteAddress: string
  /** The broker's certificates, its own first; empty without TLS. */
  readonly chain: readonly SeenCertificate[]
  /** `TLSv1.3`; null without TLS. */
  readonly tlsVersion: string | null
  /** Why TLS ended; null: there is none to ask. @param hasAnswered the broker has answered a question. */
  explain(error: Error | null, hasAnswered: boolean): KafkaError | null
}

export interface TransportOptions extends OpenSocketOptions, Pick<Security, 'tls' | 'tlsWarnings'> {
  /** When all of it must be done, by the clock. */
  readonly readyByMs: number
  /** The peer can be reached; what follows is TLS. */
  readonly onSocket?: ((remoteAddress: string) => void) | undefined
}

/**
 * @throws {ConnectionError} as `openSocket` and `secure` do.
 * @throws {AuthenticationError} as `secure` does.
 */
export async function openTransport(options: TransportOptions): Promise<Transport> {
  const { tls, tlsWarnings, host, port, clock, signal, connectTimeoutMs, readyByMs } = options
  const leftMs = (): number => Math.max(readyByMs - clock.now(), 0)
  const raw = await openSocket({ ...options, timeoutMs: leftMs() })
  const remoteAddress = raw instanceof Socket ? (raw.remoteAddress ?? '') : ''
  options.onSocket?.(remoteAddress)
  if (tls === null || tls === undefined) {
    const isCopying = raw instanceof Socket && options.createSocket === undefined
    return { socket: raw, isTls: false, isCopying, remoteAddress, chain: [], tlsVersion: null, explain: () => null }
  }
  const timeoutMs = leftMs()
  const warnings = tlsWarnings && { warnings: tlsWarnings }
  try {
    const secured = await secure(
      raw,
      { source: tls, host, port, timeoutMs, connectTimeoutMs, ...warnings },
      signal,
      clock,
    )
    return securedTransport(secured, remoteAddress)
  } catch (error) {
    throw error instanceof KafkaError && isGuessOfTls(error) ? asGuess(error) : error
  }
}

function securedTransport(secured: SecureSocket, remoteAddress: string): Transport {
  const { socket, chain } = secured
  return {
    ...{ socket, isTls: true, isCopying: true, remoteAddress, chain, tlsVersion: socket.getProtocol() },
    explain: (error, hasAnswered) => secured.explain(error, hasAnswered),
  }
}
