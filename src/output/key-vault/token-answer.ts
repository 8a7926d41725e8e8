import type { Answer, Silence } from './ask.ts'
import { KeyVaultError } from './key-vault-error.ts'
import type { IdentityEndpoint } from './identity-endpoint.ts'
import { SecretText } from './secret-text.ts'

export interface Token {
  readonly token: SecretText
  /** Milliseconds since the Unix epoch; null: nobody said. */
  readonly expiresAtMs: number | null
}

/** RFC 6750, and a length that servers take as a header. */
const TOKEN = /^[-\w.~+/]{1,16384}=*$/
const IN_AZURE_ONLY =
  'managed identities exist in Azure only: on a virtual machine, in App Service, Functions, AKS, ...'

/**
 * The token in what an endpoint answers.
 *
 * @throws {KeyVaultError} `IDENTITY_UNREACHABLE`, `IDENTITY_NOT_FOUND`, `IDENTITY_FAILED`, `THROTTLED`, `UNEXPECTED_REDIRECT`.
 */
export function readToken(
  answer: Answer | Silence,
  from: IdentityEndpoint,
  isUserAssigned: boolean,
  nowMs: number,
): Token {
  if ('kind' in answer) throw silence(answer, from)
  if (answer.status !== 200) throw refusal(answer, from, isUserAssigned)
  const body = record(answer.json)
  const token = body['access_token']
  if (typeof token !== 'string' || !TOKEN.test(token)) {
    throw failed(from, 'what it answers holds no token', { retriable: true, status: 200 })
  }
  return { token: new SecretText(token), expiresAtMs: expiry(body, nowMs) }
}

/** Seconds, as digits in a string or as a number. */
function expiry(body: Readonly<Record<string, unknown>>, nowMs: number): number | null {
  const [onSeconds, inSeconds] = [seconds(body['expires_on']), seconds(body['expires_in'])]
  if (onSeconds !== null) return onSeconds * 1000
  return inSeconds === null ? null : nowMs + inSeconds * 1000
}

function seconds(value: unknown): number | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null
  return /^\d{1,11}$/.test(String(value)) ? Number(value) : null
}

function refusal(answer: Answer, from: IdentityEndpoint, isUserAssigned: boolean): KeyVaultError {
  const { status, retryAfterMs } = answer
  const details = { status, retryAfterMs }
  if (status >= 300 && status < 400)
    return new KeyVaultError('UNEXPECTED_REDIRECT', from.where, NOT_FOLLOWED, { status })
  if (status === 400 && isNotFound(answer.json, from)) return notFound(from, isUserAssigned)
  if (status === 429) {
    const what = 'too many requests for tokens on this machine; give processes some time between their starts'
    return new KeyVaultError('THROTTLED', from.where, what, { ...details, retriable: true })
  }
  if (status === 401 && from.kind === 'app-service') {
    return failed(from, 'IDENTITY_HEADER is refused (401): it is new after each start of the app', details)
  }
  // The metadata service gives 404 and 410 while it is being updated, for 70 s at most.
  const isTransient = status >= 500 || status === 408 || (from.kind === 'imds' && (status === 404 || status === 410))
  return failed(from, `it answers with status ${status}`, { ...details, retriable: isTransient })
}

/** IMDS says `invalid_request` and "Identity not found"; App Service says it in a sentence only, with any 400. */
function isNotFound(json: unknown, from: IdentityEndpoint): boolean {
  return from.kind === 'app-service' || record(json)['error'] === 'invalid_request'
}

function notFound(from: IdentityEndpoint, isUserAssigned: boolean): KeyVaultError {
  const what = isUserAssigned
    ? 'no user-assigned identity with keyVault.identity.clientId is assigned to this resource: assign it, or check the client id (it is not the object id)'
    : 'this resource has no system-assigned identity: switch it on (Identity, System assigned), or name a user-assigned one in keyVault.identity'
  return new KeyVaultError('IDENTITY_NOT_FOUND', from.where, what, { status: 400 })
}

function silence(why: Silence, from: IdentityEndpoint): KeyVaultError {
  if (why.kind === 'too-large') return failed(from, 'its answer is too large', { retriable: true })
  const reason = why.kind === 'timeout' ? 'no answer in time' : why.code
  const what = `no token endpoint here (${reason}): ${IN_AZURE_ONLY}`
  return new KeyVaultError('IDENTITY_UNREACHABLE', from.where, what, { retriable: true, cause: new Error(reason) })
}

function failed(from: IdentityEndpoint, what: string, details: object): KeyVaultError {
  return new KeyVaultError('IDENTITY_FAILED', from.where, `no token: ${what}`, details)
}

const NOT_FOLLOWED =
  'a redirect, which is not followed: what we send is for this host only. Is there a proxy in between?'

/** An object's members, or none. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
