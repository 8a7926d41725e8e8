import type { Answer, Silence } from './ask.ts'
import { KeyVaultError, type KeyVaultErrorCode } from './key-vault-error.ts'
import { SecretText } from './secret-text.ts'
import { record } from './token-answer.ts'

/** One version of a secret. */
export interface VaultSecret {
  readonly name: string
  /** 32 hexadecimal digits; another one after each `az keyvault secret set`. */
  readonly version: string
  readonly value: SecretText
  /** It was stored as a PKCS#12 store: an Azure certificate's secret, for example. */
  readonly isPkcs12: boolean
}

/** Which secret of which vault, as messages begin. */
export interface SecretPlace {
  readonly host: string
  readonly resource: string
  readonly name: string
}

const VERSION = /\/secrets\/[0-9A-Za-z-]{1,127}\/([0-9a-f]{32})$/i

/**
 * The secret in what the vault answers.
 *
 * The vault gives out secrets before and after their dates, too; whoever set these dates meant something by it.
 *
 * @throws {KeyVaultError} any code of a vault or secret but `SECRET_DELETED`: that takes another question.
 */
export function readSecret(answer: Answer | Silence, place: SecretPlace, nowMs: number): VaultSecret {
  if ('kind' in answer) throw silence(answer, place)
  if (answer.status !== 200) throw refusal(answer, place)
  const { value, id, contentType, attributes } = record(answer.json)
  const version = typeof id === 'string' ? VERSION.exec(id)?.[1] : undefined
  if (typeof value !== 'string' || version === undefined) {
    throw problem('VAULT_FAILED', place, 'what it answers is no secret', { retriable: true, status: 200 })
  }
  checkDates(record(attributes), place, nowMs)
  return { name: place.name, version, value: new SecretText(value), isPkcs12: contentType === 'application/x-pkcs12' }
}

function checkDates(attributes: Readonly<Record<string, unknown>>, place: SecretPlace, nowMs: number): void {
  const { enabled, nbf, exp } = attributes
  if (enabled === false) throw disabled(place, 200)
  if (typeof exp === 'number' && exp * 1000 <= nowMs) {
    throw problem('SECRET_EXPIRED', place, `expired ${date(exp)}: store a new version, or move its expiration date`)
  }
  if (typeof nbf === 'number' && nbf * 1000 > nowMs) {
    throw problem('SECRET_NOT_YET_VALID', place, `is not to be used before its activation date, ${date(nbf)}`)
  }
}

function date(seconds: number): string {
  const moment = new Date(seconds * 1000)
  return Number.isNaN(moment.getTime()) ? 'at a date that is none' : moment.toISOString()
}

function refusal(answer: Answer, place: SecretPlace): KeyVaultError {
  const { status, retryAfterMs } = answer
  if (status === 401) return tokenRefused(answer, place)
  if (status === 403) return forbidden(answer, place)
  if (status === 404) {
    const what = `there is no such secret: store it (az keyvault secret set --vault-name ${place.host.split('.')[0]} --name ${place.name} --file cert.pem), or check its name`
    return problem('SECRET_NOT_FOUND', place, what, { status })
  }
  if (status === 429) {
    const what = 'the vault is asked too often, by all who use it together; set a longer refreshIntervalMs'
    return problem('THROTTLED', place, what, { status, retryAfterMs, retriable: true })
  }
  if (status >= 300 && status < 400) {
    const what = 'a redirect, which is not followed: the token is for this host only. Is there a proxy in between?'
    return problem('UNEXPECTED_REDIRECT', place, what, { status })
  }
  const retriable = status >= 500 || status === 408
  return problem('VAULT_FAILED', place, `the vault answers with status ${status}`, { status, retryAfterMs, retriable })
}

/** What the token endpoints of the clouds may be asked for; a vault names its own when it refuses. */
const RESOURCE = /resource="(https:\/\/vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net))\/?"/

function tokenRefused(answer: Answer, place: SecretPlace): KeyVaultError {
  const wanted = RESOURCE.exec(answer.authenticate)?.[1]
  const message = record(record(answer.json)['error'])['message']
  // AKV10032: invalid issuer.
  const isOtherTenant = typeof message === 'string' && message.includes('AKV10032')
  const why = isOtherTenant
    ? 'it is in another tenant than the identity'
    : wanted !== undefined && wanted !== place.resource
      ? `it wants one for ${wanted}, which is another cloud's`
      : "a new one, too: look at the vault's tenant, and at the clock of this machine"
  return problem('TOKEN_REFUSED', place, `the vault does not take the token: ${why}`, { status: 401 })
}

function forbidden(answer: Answer, place: SecretPlace): KeyVaultError {
  const error = record(record(answer.json)['error'])
  // Both spellings are seen.
  const inner = record(error['innererror'] ?? error['innerError'])['code']
  if (inner === 'SecretDisabled') return disabled(place, 403)
  if (inner === 'ForbiddenByFirewall' || inner === 'ForbiddenByConnection') {
    const what = `the vault's network rules do not let this address in (${inner}): allow its subnet or address under Networking, or use a private endpoint`
    return problem('NETWORK_NOT_ALLOWED', place, what, { status: 403 })
  }
  const role = 'the role "Key Vault Secrets User" on the vault'
  const policy = 'an access policy with the secret permission Get'
  const tail = 'it takes some minutes until that has an effect'
  const what =
    inner === 'ForbiddenByRbac'
      ? `the identity may not read secrets: give it ${role}; ${tail}`
      : inner === 'AccessDenied'
        ? `the identity may not read secrets: give it ${policy}; ${tail}`
        : `the identity may not read secrets: give it ${role}, or, where the vault has access policies, ${policy}; ${tail}`
  return problem('IDENTITY_NOT_ALLOWED', place, what, { status: 403 })
}

function disabled(place: SecretPlace, status: number): KeyVaultError {
  const what = 'its current version is disabled: enable it, or store a new one'
  return problem('SECRET_DISABLED', place, what, { status })
}

function silence(why: Silence, place: SecretPlace): KeyVaultError {
  if (why.kind === 'too-large') return problem('VAULT_FAILED', place, 'its answer is too large for a secret')
  if (why.kind === 'timeout') return problem('VAULT_UNREACHABLE', place, 'no answer in time', { retriable: true })
  const cause = new Error(why.code)
  if (why.code === 'ENOTFOUND') {
    const what = 'no vault has this name (ENOTFOUND): check vaultName, and vaultUrl for another cloud'
    return problem('VAULT_NOT_FOUND', place, what, { retriable: true, cause })
  }
  const what = `the vault cannot be reached (${why.code})`
  return problem('VAULT_UNREACHABLE', place, what, { retriable: true, cause })
}

/** An error about one secret. */
export function problem(
  code: KeyVaultErrorCode,
  place: Pick<SecretPlace, 'host' | 'name'>,
  what: string,
  details: object = {},
): KeyVaultError {
  return new KeyVaultError(code, `${place.host}: secret ${JSON.stringify(place.name)}`, what, details)
}
