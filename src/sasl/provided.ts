import type { Clock } from '../clock.ts'
import { Secret } from '../secret.ts'
import { brokerText } from './broker-text.ts'
import { CredentialsProblem, SaslProblem } from './exchange.ts'

/** How long a function for credentials may take. Those who wait for it mostly give up before (`connectTimeoutMs`), and find
 * its result when they try again. */
export const PROVIDER_TIMEOUT_MS = 30_000

/** A secret that never changes, or a function that is asked anew at each login. */
export type SecretSource = Secret | (() => unknown)

/** @throws {CredentialsProblem} the function failed, or gave no text. `field` is its option. */
export async function reveal(field: string, source: SecretSource, clock: Clock): Promise<string> {
  if (source instanceof Secret) return source.reveal()
  const value = await askProvider(field, source, clock)
  if (typeof value === 'string' && value !== '') return value
  throw new CredentialsProblem(
    `${field}: the function gave ${value === '' ? 'an empty string' : kindOf(value)}, not a string`,
  )
}

/**
 * Calls a function of the user's.
 *
 * @throws {CredentialsProblem} `retriable`: it threw, rejected, or did not settle in 30 s. `cause` is what it threw, as it is.
 */
export async function askProvider<T>(field: string, provide: () => T | Promise<T>, clock: Clock): Promise<T> {
  try {
    return await within(PROVIDER_TIMEOUT_MS, clock, new Promise<T>((resolve) => resolve(provide())))
  } catch (cause) {
    if (cause instanceof SaslProblem) throw cause
    const why = `${field}: the function failed`
    // A text that is thrown is not repeated, nor kept as cause: it may be anything.
    if (!(cause instanceof Error))
      throw new CredentialsProblem(`${why}: it threw ${kindOf(cause)}`, { retriable: true })
    throw new CredentialsProblem(`${why}: ${brokerText(cause.message)}`, { retriable: true, cause })
  }
}

/** Rejects if `work` has not settled after `timeoutMs`. Whoever waits for it keeps the process alive, not this. */
export function within<T>(timeoutMs: number, clock: Clock, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(timeoutMs, () => reject(new Error(`not done after ${timeoutMs} ms`)), false)
    work.then(resolve, reject).finally(() => timer.cancel())
  })
}

/** A value that may be a secret, by its kind only. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return value === undefined ? 'nothing' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`
}
