import type { KeyVaultSettings } from './key-vault/settings.ts'
import { saslMechanisms, type SaslMechanism, type SecurityProtocol } from './output-options.ts'
import { isBlank, type Problems } from './problems.ts'

/** How to log in. */
export interface Login {
  readonly mechanism: SaslMechanism
  readonly username: string
  readonly password: string | (() => string | Promise<string>)
}

/** Stream Analytics has none of them either (B.2). */
const TOKEN_LOGIN =
  /^(sasl[_ -]?)?(oauth|oauthbearer|oauth2|oidc|saml|sso|saml sso|aws[_-]msk[_-]iam|gssapi|kerberos)$/i

interface Given {
  readonly username?: unknown
  readonly password?: unknown
  readonly saslMechanism?: unknown
}

/** `username`, `password` and `saslMechanism`. Neither a user's name nor a password is ever in a problem. */
export function checkLogin(given: Given, protocol: SecurityProtocol, problems: Problems): Login | null {
  const names = ['username', 'password', 'saslMechanism'] as const
  const present = names.filter((name) => !isBlank(given[name]))
  if (protocol === 'None') {
    for (const name of present) {
      problems.add(name, 'securityProtocol None has no login; set SASL_SSL or SASL_PLAINTEXT, or leave it out')
    }
    return null
  }
  // mTLS says who we are by the certificate; a login on top of it is for brokers that want both.
  if (protocol === 'mTLS' && present.length === 0) return null
  const mechanism = checkMechanism(given.saslMechanism, problems)
  const username = checkText('username', given.username, protocol, problems)
  const password = checkPassword(given.password, protocol, problems)
  return mechanism === null || username === null || password === null ? null : { mechanism, username, password }
}

function checkMechanism(value: unknown, problems: Problems): SaslMechanism | null {
  if (typeof value === 'string' && TOKEN_LOGIN.test(value)) {
    const instead = 'use an API key: its key as username, its secret as password, with PLAIN'
    problems.add('saslMechanism', `got "${value}", which is not supported, as in Stream Analytics: ${instead}`)
    return null
  }
  return problems.oneOf('saslMechanism', value, { allowed: saslMechanisms, fallback: 'PLAIN' })
}

function checkText(name: string, value: unknown, protocol: SecurityProtocol, problems: Problems): string | null {
  if (typeof value === 'string' && value !== '') return value
  if (isBlank(value)) problems.add(name, `required with securityProtocol ${protocol}`)
  else problems.add(name, `got a ${typeof value}, expected a string`)
  return null
}

function checkPassword(value: unknown, protocol: SecurityProtocol, problems: Problems): Login['password'] | null {
  if (typeof value === 'function') return value as () => string | Promise<string>
  return checkText('password', value, protocol, problems)
}

interface Transport {
  readonly protocol: SecurityProtocol
  readonly keyVault: KeyVaultSettings | null
  readonly hasKeyVault: boolean
  /** Option `tls` of `producer`: certificates without a vault. */
  readonly tls: unknown
}

/** Whether certificates come from one place, and only where there is TLS. */
export function checkTransport({ protocol, keyVault, hasKeyVault, tls }: Transport, problems: Problems): void {
  const hasTls = protocol === 'mTLS' || protocol === 'SASL_SSL'
  const hasOwn = tls !== undefined && tls !== false
  if (!hasTls && hasKeyVault) {
    problems.add('keyVault', `securityProtocol ${protocol} has no certificates; set mTLS or SASL_SSL, or leave it out`)
  }
  if (!hasTls && hasOwn) {
    problems.add('producer.tls', `securityProtocol ${protocol} has no TLS; set mTLS or SASL_SSL, or leave it out`)
  }
  if (hasTls && tls === false) problems.add('producer.tls', `got false, but securityProtocol ${protocol} is TLS`)
  if (hasKeyVault && hasOwn) problems.add('producer.tls', 'certificates come from keyVault or from here, not from both')
  if (protocol === 'mTLS') checkClientCertificate(keyVault, hasKeyVault, hasOwn ? tls : undefined, problems)
}

function checkClientCertificate(
  keyVault: KeyVaultSettings | null,
  hasKeyVault: boolean,
  tls: unknown,
  problems: Problems,
): void {
  const isInVault = hasKeyVault && (keyVault === null || keyVault.clientCertificateSecret !== undefined)
  if (isInVault || hasCertificate(tls)) return
  const where = 'keyVault.clientCertificateSecret, or producer.tls with cert and key where there is no vault'
  problems.add('securityProtocol', `mTLS needs a client certificate: set ${where}`)
}

/** What a function gives shows at the first connection. */
function hasCertificate(tls: unknown): boolean {
  if (typeof tls === 'function') return true
  if (typeof tls !== 'object' || tls === null) return false
  const { cert, key, pfx } = tls as Record<string, unknown>
  return pfx !== undefined || (cert !== undefined && key !== undefined)
}
