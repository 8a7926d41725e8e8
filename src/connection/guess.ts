import type { KafkaError } from '../errors.ts'

/**
 * Errors whose reason is inferred: the peer hung up without a word, at a point where mostly one thing is the matter (a
 * listener that wants SASL, a certificate that is refused). It may as well have been stopped just then, so one is no
 * verdict; two in a row are.
 */
const guesses = new WeakSet<KafkaError>()

export function asGuess<E extends KafkaError>(error: E): E {
  guesses.add(error)
  return error
}

export function isGuess(error: KafkaError): boolean {
  return guesses.has(error)
}
