import { KafkaError } from '../../index.ts'

export type KeyVaultErrorCode =
  | 'IDENTITY_ENDPOINT_INVALID' // the environment names a token endpoint that cannot be used
  | 'IDENTITY_UNREACHABLE' // no token endpoint answers: not in Azure, or a firewall in between
  | 'IDENTITY_NOT_FOUND' // the endpoint answers: there is no such managed identity here
  | 'IDENTITY_FAILED' // the endpoint gave no token for any other reason
  | 'TOKEN_REFUSED' // the vault does not take the token (401), a new one neither
  | 'IDENTITY_NOT_ALLOWED' // the vault knows the identity, which may not read secrets (403)
  | 'NETWORK_NOT_ALLOWED' // firewall or private-endpoint rules of the vault (403)
  | 'VAULT_NOT_FOUND' // its host name does not resolve
  | 'VAULT_UNREACHABLE' // the network, or no answer in time
  | 'VAULT_FAILED' // 5xx, or an answer that is none of Key Vault's
  | 'UNEXPECTED_REDIRECT' // never followed: the token would go with it
  | 'THROTTLED' // 429, and again after waiting
  | 'SECRET_NOT_FOUND'
  | 'SECRET_DELETED' // soft-deleted: it can be recovered
  | 'SECRET_DISABLED'
  | 'SECRET_EXPIRED' // the secret's own date in the vault
  | 'SECRET_NOT_YET_VALID'
  | 'KEY_STORE_NOT_PEM' // PKCS#12 or a Java key store
  | 'PEM_INVALID' // no PEM, or damaged
  | 'CERTIFICATE_MISSING'
  | 'KEY_MISSING'
  | 'KEY_ENCRYPTED'
  | 'KEY_MISMATCH' // the private key belongs to none of the certificates
  | 'CERTIFICATE_EXPIRED'
  | 'CERTIFICATE_NOT_YET_VALID'

export interface KeyVaultDetails {
  readonly retriable?: boolean
  /** HTTP status that was answered. */
  readonly status?: number | undefined
  /** How long the other side wants to be left alone, in milliseconds. */
  readonly retryAfterMs?: number | undefined
  /** What the system called it; never an error object of `fetch`, which may hold request headers. */
  readonly cause?: unknown
}

/**
 * A secret could not be had from Key Vault, or is not what it should be. The message says what to do.
 *
 * Nothing of an answer's text is ever in it, only its status and words that we know: answers repeat what they were sent.
 */
export class KeyVaultError extends KafkaError {
  override readonly name = 'KeyVaultError'
  readonly code: KeyVaultErrorCode
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined

  /** @param where the vault's host, a secret of it, or the token endpoint. */
  constructor(code: KeyVaultErrorCode, where: string, what: string, details: KeyVaultDetails = {}) {
    super(`${where}: ${code}: ${what}`, { retriable: details.retriable ?? false, cause: details.cause })
    this.code = code
    this.status = details.status
    this.retryAfterMs = details.retryAfterMs
  }
}
