import { createSecureContext, type ConnectionOptions, type SecureContext, type SecureContextOptions } from 'node:tls'
import { ConnectionError, OptionError } from '../errors.ts'
import { expectedName, type ExpectedName, type IdentityCheck } from './identity.ts'
import { clientIdentity, type ClientIdentity } from './key-material.ts'
import { checkTlsOptions, type TlsTable } from './tls-options.ts'
import { expiryWarning, nameIn, NOT_VERIFIED, type TlsWarning } from './warnings.ts'

/** Names of authorities that an error lists. */
const MAX_NAMES = 5

/**
 * TLS as it will be spoken, checked: certificates and keys have been read by OpenSSL, and belong together. Nothing of a key
 * or passphrase can be seen from outside, `util.inspect` included: they are in OpenSSL's context.
 */
export class TlsSettings {
  readonly #context: SecureContext
  readonly #table: TlsTable
  readonly #identity: ClientIdentity | null

  /** @throws {OptionError} `INVALID_OPTIONS`, naming the field. */
  constructor(given: unknown, where: string) {
    const table = checkTlsOptions(given === true ? {} : given, where)
    const identity = clientIdentity(table)
    if (!('value' in identity)) throw invalid(where, 'problem' in identity ? identity.problem : identity.expected)
    this.#identity = identity.value
    this.#context = contextOf(contextOptions(table, identity.value), where)
    // The material is in the context now; what is kept must not show it.
    this.#table = { ...table, key: undefined, passphrase: undefined, pfx: undefined, cert: undefined }
    this.hasClientCertificate = identity.value !== null || table.pfx !== undefined
    this.isVerifying = table.rejectUnauthorized
    this.authorities =
      table.ca === undefined ? null : [...new Set(table.ca.map(({ subject }) => nameIn(subject)))].slice(0, MAX_NAMES)
  }

  readonly hasClientCertificate: boolean
  readonly isVerifying: boolean
  /** Common names in `ca`, the first ones; null: the system's authorities. */
  readonly authorities: readonly string[] | null

  get check(): IdentityCheck | undefined {
    return this.#table.checkServerIdentity
  }

  /** @param host what the broker advertises, wherever we dial. */
  expectedName(host: string): ExpectedName {
    return expectedName(host, this.#table.servername)
  }

  /**
   * For `tls.connect`, without socket and identity check. `rejectUnauthorized` is always given: left out,
   * NODE_TLS_REJECT_UNAUTHORIZED would decide.
   */
  connectOptions(host: string): ConnectionOptions {
    const { name, servername } = this.expectedName(host)
    const { minDHSize, ALPNProtocols } = this.#table
    return {
      ...{ secureContext: this.#context, host: name, rejectUnauthorized: this.isVerifying },
      ...(servername === undefined ? {} : { servername }),
      ...(minDHSize === undefined ? {} : { minDHSize }),
      ...(ALPNProtocols === undefined ? {} : { ALPNProtocols: [...ALPNProtocols] }),
    }
  }

  /** What is worth a word at this time. */
  warnings(nowMs: number): TlsWarning[] {
    const own = (this.#identity?.certificates ?? []).map((certificate) => expiryWarning('cert', certificate, nowMs))
    const authorities = (this.#table.ca ?? []).map((certificate) => expiryWarning('ca', certificate, nowMs))
    const found = [...own, ...authorities].filter((warning) => warning !== null)
    return this.isVerifying ? found : [NOT_VERIFIED, ...found]
  }
}

/** Settings that are asked for at each connection: they may have changed, because certificates are renewed. */
export type TlsSource = (address: string) => TlsSettings | Promise<TlsSettings>

/**
 * From the option `tls`: true, an object, or a function that returns one. What is no function is checked now.
 *
 * The source of a function throws `ConnectionError` (`TLS_OPTIONS_FAILED`): the function failed, or returned what does not
 * fit. That can be tried again: certificate and key are files that are replaced one after the other.
 *
 * @throws {OptionError} `INVALID_OPTIONS`, naming every field that is wrong.
 */
export function tlsSource(given: unknown, where = 'tls'): TlsSource {
  if (typeof given !== 'function') {
    const settings = new TlsSettings(given, where)
    return () => settings
  }
  const ask = given as () => unknown
  return async (address) => {
    try {
      return new TlsSettings(await ask(), `${where}()`)
    } catch (error) {
      const what = error instanceof OptionError ? error.message : 'the function given as tls failed'
      throw optionsFailed(address, what, error)
    }
  }
}

function optionsFailed(address: string, what: string, cause: unknown): ConnectionError {
  const code = 'TLS_OPTIONS_FAILED'
  return new ConnectionError(code, `${address}: ${code}: ${what}`, { retriable: true, cause })
}

function contextOptions(table: TlsTable, identity: ClientIdentity | null): SecureContextOptions {
  const { ca, pfx, passphrase, minVersion, maxVersion, crl, ciphers, ecdhCurve, sigalgs, secureOptions } = table
  const own = identity === null ? {} : { cert: identity.certPem, key: identity.keyPem }
  const given = { pfx, passphrase, crl, ciphers, ecdhCurve, sigalgs, secureOptions, ca: ca?.map(String) }
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const { allowPartialTrustChain } = table
  return {
    ...{ minVersion, maxVersion },
    ...own,
    ...present,
    ...(allowPartialTrustChain ? { allowPartialTrustChain } : {}),
  }
}

/** OpenSSL reads everything now, and not at the first connection. It does not say which option it means; trying them does. */
function contextOf(options: SecureContextOptions, where: string): SecureContext {
  try {
    return createSecureContext(options)
  } catch (error) {
    for (const field of ['ciphers', 'ecdhCurve', 'sigalgs', 'crl', 'ca'] as const) {
      if (options[field] !== undefined && !isTaken({ [field]: options[field] })) {
        throw invalid(where, `${field}: OpenSSL refuses it${reasonOf(error)}`)
      }
    }
    if (options.pfx !== undefined) throw invalid(where, pfxProblem(error, options))
    throw invalid(
      where,
      `${options.cert === undefined ? 'OpenSSL refuses them' : 'cert: OpenSSL refuses it'}${reasonOf(error)}`,
    )
  }
}

function pfxProblem(error: unknown, { passphrase }: SecureContextOptions): string {
  const words = error instanceof Error ? error.message : ''
  if (/mac verify/i.test(words)) {
    return passphrase === undefined ? 'pfx: is encrypted: set passphrase, too' : 'passphrase: does not open pfx'
  }
  if (!/unsupported/i.test(words)) return `pfx: OpenSSL cannot read it${reasonOf(error)}`
  return 'pfx: is encrypted in a way that OpenSSL no longer has (write it anew, for example with keytool or openssl pkcs12)'
}

function isTaken(options: SecureContextOptions): boolean {
  try {
    createSecureContext(options)
    return true
  } catch {
    return false // only asked; the caller has the error that counts
  }
}

/** OpenSSL's words for it: `ee key too small`. They never hold what was read. */
function reasonOf(error: unknown): string {
  const reason: unknown = error instanceof Error && 'reason' in error ? error.reason : undefined
  return typeof reason === 'string' ? ` (${reason})` : ''
}

function invalid(where: string, problem: string): OptionError {
  return new OptionError('INVALID_OPTIONS', `${where}: INVALID_OPTIONS: ${problem}`)
}
