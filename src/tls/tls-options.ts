import { OptionError } from '../errors.ts'
import { bool, custom, hook, resolve, type Checked, type OptionSpec, type Resolved } from '../options.ts'
import type { IdentityCheck } from './identity.ts'
import { readCertificates, readIdentityPart } from './key-material.ts'
import { readPem, type PemBlock } from './pem.ts'

/**
 * The user's `tls` object as a table: what of Node's `tls.ConnectionOptions` makes sense for a Kafka client. Whatever
 * could be a secret is never shown: its rows give problems in words.
 */
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const
export type TlsVersion = (typeof VERSIONS)[number]

export const TLS_TABLE = {
  ca: material(
    readCertificates,
    'PEM, DER, or a list',
    "authorities to trust, instead of the system's",
    'ssl.truststore.certificates',
  ),
  cert: material(
    readIdentityPart,
    'PEM or DER',
    'our certificate, and what it was signed by',
    'ssl.keystore.certificate.chain',
  ),
  key: material(readIdentityPart, 'PEM or DER', 'the private key of cert', 'ssl.keystore.key'),
  passphrase: secretText('opens key, or pfx', 'ssl.key.password'),
  pfx: material(readPfx, 'bytes or base64', 'certificate and key as a PKCS#12 store, instead of cert and key'),
  crl: material(readRevocations, 'PEM, DER, or a list', 'revocation lists of the authorities'),
  rejectUnauthorized: bool({
    default: true,
    doc: 'false: anybody is taken for the broker. Never for passwords or records that matter',
  }),
  servername: name('the name that the brokers have in their certificates, instead of the host that they advertise'),
  checkServerIdentity: hook<IdentityCheck>({
    doc: 'decides about the name instead of the usual check',
    signature: '(host, certificate) => Error | undefined',
    kafka: 'ssl.endpoint.identification.algorithm',
  }),
  minVersion: version('TLSv1.2', 'the oldest version of TLS'),
  maxVersion: version('TLSv1.3', 'the newest version of TLS'),
  ciphers: name("OpenSSL's list of cipher suites", 'ssl.cipher.suites'),
  ecdhCurve: name('groups for the exchange of keys'),
  sigalgs: name('signature algorithms'),
  minDHSize: count('smallest size of a Diffie-Hellman parameter, in bits'),
  secureOptions: count('SSL_OP_ flags of OpenSSL'),
  ALPNProtocols: list('protocols to offer to a proxy in front of the brokers'),
  allowPartialTrustChain: bool({ default: false, doc: 'an authority in ca need not be a root' }),
} as const

export type TlsTable = Resolved<typeof TLS_TABLE>

/** What Node has and others have, and what to do instead. Never values: these would be shown. */
const FOREIGN_NAMES: Readonly<Record<string, string>> = {
  host: 'brokers says where to dial; servername is the name in the certificate',
  port: 'brokers says where to dial',
  path: 'brokers says where to dial',
  lookup: 'brokers says where to dial; createSocket makes the connection',
  socket: 'createSocket makes the connection; TLS goes on top',
  timeout: 'connectTimeoutMs is the deadline',
  session: 'sessions are not resumed',
  secureContext: 'give ca, cert and key: they are checked before the first connection',
  secureProtocol: 'minVersion and maxVersion say which versions may be used',
  requestOCSP: 'the answer would not be checked; crl takes revocation lists',
  pskCallback: 'Kafka has no pre-shared keys; cert and key say who we are',
  enableTrace: 'start node with --trace-tls',
  enabled: 'tls: true, or the options themselves',
  clientCertEngine: 'engines are not supported; give cert and key',
  privateKeyEngine: 'engines are not supported; give cert and key',
  privateKeyIdentifier: 'engines are not supported; give cert and key',
  'ssl.ca.location': 'give what is in the file as ca',
  'ssl.ca.pem': 'it is called ca',
  'ssl.certificate.location': 'give what is in the file as cert',
  'ssl.certificate.pem': 'it is called cert',
  'ssl.key.location': 'give what is in the file as key',
  'ssl.key.pem': 'it is called key',
  'ssl.key.password': 'it is called passphrase',
  'ssl.keystore.location': 'give what is in the file as pfx',
  'ssl.keystore.password': 'it is called passphrase',
  'ssl.truststore.location': 'give the authorities as ca, in PEM (keytool -exportcert -rfc)',
  'ssl.endpoint.identification.algorithm': 'it is checked always; checkServerIdentity decides instead',
  'enable.ssl.certificate.verification': 'it is called rejectUnauthorized',
  password: 'it is called passphrase',
  insecure: 'it is called rejectUnauthorized: false',
  verify: 'it is called rejectUnauthorized',
}

/**
 * Checks the user's object, field by field.
 *
 * @param where what errors begin with.
 * @throws {OptionError} `INVALID_OPTIONS`, naming every field that is wrong, never its content.
 */
export function checkTlsOptions(given: unknown, where: string): TlsTable {
  if (typeof given !== 'object' || given === null || Array.isArray(given) || ArrayBuffer.isView(given)) {
    throw new OptionError(
      'INVALID_OPTIONS',
      `${where}: INVALID_OPTIONS: expected true, an object with ca, cert, key, ..., or a function that returns one`,
    )
  }
  const pair = ownValue(given, 'key')
  const input = isKeyAndPassphrase(pair) ? { ...given, key: pair.pem, passphrase: pair.passphrase } : given
  return resolve(input, {
    where,
    table: TLS_TABLE,
    foreignNames: FOREIGN_NAMES,
    rules: [
      [(tls) => tls.minVersion <= tls.maxVersion, () => 'maxVersion: below minVersion'],
      [
        (tls) => tls.pfx === undefined || (tls.cert === undefined && tls.key === undefined),
        () => 'pfx: holds certificate and key: leave out cert and key',
      ],
      [
        (tls) =>
          tls.passphrase === undefined || tls.key !== undefined || tls.cert !== undefined || tls.pfx !== undefined,
        () => 'passphrase: there is no key that it could open: set key, or pfx',
      ],
    ],
  })
}

/** Node's other way to write an encrypted key: `[{ pem, passphrase }]`, or only one. */
function isKeyAndPassphrase(value: unknown): value is { pem: unknown; passphrase?: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, 'pem')
}

function ownValue(object: object, key: string): unknown {
  const value: unknown = Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined
  return Array.isArray(value) && value.length === 1 ? (value as unknown[])[0] : value
}

function readPfx(value: unknown): Checked<Buffer> {
  const read = readPem(value)
  if (!('value' in read)) return { problem: `is ${'problem' in read ? read.problem : 'of the wrong kind'}` }
  const [block] = read.value
  if (block?.kind !== 'pkcs12' || read.value.length > 1) return { problem: 'holds no PKCS#12 store' }
  return { value: Buffer.from(block.pem.replace(/-----[^-]+-----|\s/g, ''), 'base64') }
}

function readRevocations(value: unknown): Checked<string> {
  const read = readPem(value)
  if (!('value' in read)) return { problem: `is ${'problem' in read ? read.problem : 'of the wrong kind'}` }
  const lists = read.value.filter((block: PemBlock) => block.kind === 'crl')
  return lists.length === 0 ? { problem: 'holds no revocation list' } : { value: lists.map(({ pem }) => pem).join('') }
}

function material<T>(
  read: (value: unknown) => Checked<T>,
  type: string,
  doc: string,
  kafka?: string,
): OptionSpec<T | undefined> {
  const row = { type, doc, defaultText: '-', ...(kafka === undefined ? {} : { kafka }) }
  const check = (value: unknown): Checked<T | undefined> => (value === undefined ? { value } : read(value))
  return custom<T | undefined>({ ...row, check })
}

/** Text that is never shown. */
function secretText(doc: string, kafka: string): OptionSpec<string | undefined> {
  const check = (value: unknown): Checked<string | undefined> =>
    value === undefined || typeof value === 'string' ? { value } : { problem: `expected text, got a ${typeof value}` }
  return custom({ type: 'string', doc, kafka, defaultText: '-', check })
}

function name(doc: string, kafka?: string): OptionSpec<string | undefined> {
  const row = { type: 'string', doc, defaultText: '-', ...(kafka === undefined ? {} : { kafka }) }
  const check = (value: unknown): Checked<string | undefined> =>
    value === undefined || typeof value === 'string' ? { value } : { expected: 'text' }
  return custom({ ...row, check })
}

/** TLS 1.0 and 1.1 are broken (RFC 8996): there is no option for them. */
function version(defaultVersion: TlsVersion, doc: string): OptionSpec<TlsVersion> {
  const check = (value: unknown): Checked<TlsVersion> => {
    const known = VERSIONS.find((one) => one === (value ?? defaultVersion))
    return known === undefined ? { expected: VERSIONS.map((one) => `'${one}'`).join(' or ') } : { value: known }
  }
  return custom({ type: VERSIONS.join(', '), doc, defaultText: `'${defaultVersion}'`, check })
}

function count(doc: string): OptionSpec<number | undefined> {
  const check = (value: unknown): Checked<number | undefined> => {
    const isFine = value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= 0)
    return isFine ? { value: value } : { expected: 'a whole number' }
  }
  return custom({ type: 'integer', doc, defaultText: '-', check })
}

function list(doc: string): OptionSpec<readonly string[] | undefined> {
  const check = (value: unknown): Checked<readonly string[] | undefined> => {
    const isFine = value === undefined || (Array.isArray(value) && value.every((one) => typeof one === 'string'))
    return isFine ? { value: value as readonly string[] | undefined } : { expected: 'a list of names' }
  }
  return custom({ type: 'string[]', doc, defaultText: '-', check })
}
