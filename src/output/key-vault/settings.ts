import { showOption, type CheckedOption } from '../types/column-type.ts'

/** The option `keyVault`. */
export interface KeyVaultOptions {
  readonly vaultName?: string | undefined
  /** Instead of `vaultName`, for the national clouds: `https://<name>.vault.azure.cn`. */
  readonly vaultUrl?: string | undefined
  /** Certificates to trust, PEM. Default: those of the system. */
  readonly truststoreSecret?: string | undefined
  /** One PEM with certificate, chain and private key. */
  readonly clientCertificateSecret?: string | undefined
  readonly identity?:
    { readonly type: 'SystemAssigned' | 'UserAssigned'; readonly clientId?: string | undefined } | undefined
  /** How often, at most, the vault is asked whether a secret has a new version. 0, the default: never. */
  readonly refreshIntervalMs?: number | undefined
}

/** The same, checked. */
export interface KeyVaultSettings {
  /** `<name>.vault.azure.net`: requests go to this host only, by https. */
  readonly host: string
  /** Whom the token is for: the same cloud's Key Vault. */
  readonly resource: string
  readonly truststoreSecret: string | undefined
  readonly clientCertificateSecret: string | undefined
  /** Of a user-assigned identity; undefined: the system-assigned one. */
  readonly clientId: string | undefined
  readonly refreshIntervalMs: number
}

const CLOUDS = ['vault.azure.net', 'vault.azure.cn', 'vault.usgovcloudapi.net'] as const
const IDENTITY_TYPES = ['SystemAssigned', 'UserAssigned'] as const
const PROPERTIES = [
  ...['vaultName', 'vaultUrl', 'truststoreSecret', 'clientCertificateSecret', 'identity'],
  'refreshIntervalMs',
]
const VAULT_NAME = /^[a-z](?!.*--)[a-z0-9-]{1,22}[a-z0-9]$/
const VAULT_NAME_RULE = '3 to 24 letters, digits and single hyphens, with a letter first and no hyphen last'
const SECRET_NAME = /^[0-9A-Za-z-]{1,127}$/
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** More often than this is no use, and the vault throttles. */
const MIN_REFRESH_MS = 1000
const MAX_REFRESH_MS = 2 ** 31 - 1

/** Checks the option `keyVault`; every problem names the property, the value and what is allowed. */
export function checkKeyVault(input: unknown): CheckedOption<KeyVaultSettings> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { problems: [`keyVault: got ${showOption(input)}, expected { vaultName, truststoreSecret, ... }`] }
  }
  const problems = unknownNames(input, PROPERTIES, 'keyVault')
  const vault = checkVault(own(input, 'vaultName'), own(input, 'vaultUrl'), problems)
  const [truststoreSecret, clientCertificateSecret] = (['truststoreSecret', 'clientCertificateSecret'] as const).map(
    (name) => checkSecretName(own(input, name), `keyVault.${name}`, problems),
  )
  if (truststoreSecret === undefined && clientCertificateSecret === undefined && problems.length === 0) {
    problems.push('keyVault: names no secret: set truststoreSecret, clientCertificateSecret, or both')
  }
  const clientId = checkIdentity(own(input, 'identity'), problems)
  const refreshIntervalMs = checkRefresh(own(input, 'refreshIntervalMs'), problems)
  if (problems.length > 0 || vault === null) return { problems }
  return { value: { ...vault, truststoreSecret, clientCertificateSecret, clientId, refreshIntervalMs } }
}

type Vault = Pick<KeyVaultSettings, 'host' | 'resource'>

function checkVault(name: unknown, url: unknown, problems: string[]): Vault | null {
  if ((name === undefined) === (url === undefined)) {
    const what = name === undefined ? 'names no vault' : 'names its vault twice'
    problems.push(`keyVault: ${what}: set either vaultName or vaultUrl`)
    return null
  }
  if (url !== undefined) return checkUrl(url, problems)
  const folded = typeof name === 'string' ? name.toLowerCase() : ''
  if (VAULT_NAME.test(folded)) return { host: `${folded}.${CLOUDS[0]}`, resource: `https://${CLOUDS[0]}` }
  const hint = /[.:/]/.test(folded) ? ' (the name alone; for an address there is vaultUrl)' : ''
  problems.push(`keyVault.vaultName: got ${showOption(name)}, expected ${VAULT_NAME_RULE}${hint}`)
  return null
}

/** A token is sent there: nothing but https, and nothing but a vault of one of the clouds. */
function checkUrl(given: unknown, problems: string[]): Vault | null {
  const refuse = (shown: string): null => {
    const allowed = CLOUDS.map((cloud) => `https://<name>.${cloud}`).join(', ')
    problems.push(`keyVault.vaultUrl: got ${shown}, expected one of ${allowed}, and nothing behind it`)
    return null
  }
  if (typeof given !== 'string') return refuse(showOption(given))
  if (!URL.canParse(given)) return refuse(showOption(given))
  const { protocol, hostname, port, pathname, search, hash, username, password } = new URL(given)
  if (username !== '' || password !== '') return refuse('an address with a user name or password in it')
  if (search !== '' || hash !== '') return refuse('an address with a query or fragment')
  const cloud = CLOUDS.find((suffix) => hostname.endsWith(`.${suffix}`))
  const name = cloud === undefined ? '' : hostname.slice(0, -cloud.length - 1)
  const isBare = protocol === 'https:' && port === '' && pathname === '/'
  if (!isBare || cloud === undefined || !VAULT_NAME.test(name)) return refuse(showOption(given))
  return { host: hostname, resource: `https://${cloud}` }
}

function checkSecretName(given: unknown, where: string, problems: string[]): string | undefined {
  if (given === undefined || (typeof given === 'string' && SECRET_NAME.test(given))) return given
  const isPem = typeof given === 'string' && given.includes('-----BEGIN')
  const shown = isPem ? 'PEM' : showOption(given)
  problems.push(
    `${where}: got ${shown}, expected the name of a secret in the vault: 1 to 127 letters, digits and hyphens`,
  )
  return undefined
}

function checkIdentity(given: unknown, problems: string[]): string | undefined {
  if (given === undefined) return undefined
  const where = 'keyVault.identity'
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    problems.push(`${where}: got ${showOption(given)}, expected { type: 'UserAssigned', clientId }`)
    return undefined
  }
  problems.push(...unknownNames(given, ['type', 'clientId'], where))
  const [type, clientId] = [own(given, 'type'), own(given, 'clientId')]
  const known = IDENTITY_TYPES.find((one) => typeof type === 'string' && one.toLowerCase() === type.toLowerCase())
  if (known === undefined) {
    problems.push(`${where}.type: got ${showOption(type)}, expected one of ${IDENTITY_TYPES.join(', ')}`)
  } else if (known === 'SystemAssigned' && clientId !== undefined) {
    problems.push(`${where}.clientId: got ${showOption(clientId)}, but a system-assigned identity has none`)
  } else if (known === 'UserAssigned' && (typeof clientId !== 'string' || !GUID.test(clientId))) {
    problems.push(`${where}.clientId: got ${showOption(clientId)}, expected the client id of the identity, a GUID`)
  }
  return typeof clientId === 'string' ? clientId : undefined
}

function checkRefresh(given: unknown, problems: string[]): number {
  if (given === undefined || given === 0) return 0
  const isFine = Number.isInteger(given) && Number(given) >= MIN_REFRESH_MS && Number(given) <= MAX_REFRESH_MS
  if (isFine) return Number(given)
  const range = `${MIN_REFRESH_MS} to ${MAX_REFRESH_MS}, or 0 for never`
  problems.push(`keyVault.refreshIntervalMs: got ${showOption(given)}, expected whole milliseconds, ${range}`)
  return 0
}

function unknownNames(given: object, known: readonly string[], where: string): string[] {
  const unknown = Object.keys(given).filter((name) => !known.includes(name))
  return unknown.map((name) => `${where}: ${showOption(name)} is unknown; it has ${known.join(', ')}`)
}

function own(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined
}
