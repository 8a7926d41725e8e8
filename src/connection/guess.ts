import type { KafkaError } from '../errors.ts'

/**
 * Errors whose reason is inferred from how a peer hung up: a listener that wants SASL, a port without TLS, a broker of old
 * that refuses credentials. It may as well have been stopped just then, and behind a load balancer anybody hangs up like
 * this. So a guess is asked about where a question can settle it (`sasl-probe.ts`); where none can, several in a row are
 * believed. A port without TLS is not asked in plaintext: whoever set `tls` sends nothing without it.
 */
const guesses = new WeakSet<KafkaError>()

export function asGuess<E extends KafkaError>(error: E): E {
  guesses.add(error)
  return error
}

export function isGuess(error: KafkaError): boolean {
  return guesses.has(error)
}

/** Whether TLS failed in a way that has one reason mostly, and that proves nothing. */
export function isGuessOfTls({ code, retriable }: KafkaError): boolean {
  return retriable && (code === 'PEER_NOT_TLS' || code.startsWith('CLIENT_CERTIFICATE_'))
}
