import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import type { Checked } from '../options.ts'
import { PEM_WORDS, readPem, type PemBlock } from './pem.ts'

/** Who we are to a broker that asks: our certificate, first, with what it was signed by, and its key. */
export interface ClientIdentity {
  readonly certificates: readonly X509Certificate[]
  readonly certPem: string
  readonly keyPem: string
}

/** What the user gave, block by block. */
export interface IdentityParts {
  readonly cert: readonly PemBlock[] | undefined
  readonly key: readonly PemBlock[] | undefined
  readonly passphrase: string | undefined
}

const ENCRYPTED = new Set(['encrypted-pkcs8-key', 'legacy-encrypted-key'])
const KEYS = new Set(['pkcs8-key', 'pkcs1-key', 'sec1-key', ...ENCRYPTED])

/** All certificates of an option. OpenSSL takes no notice of what is none, and fails later for a reason that is not this one. */
export function readCertificates(value: unknown): Checked<readonly X509Certificate[]> {
  const read = readPem(value)
  return 'value' in read ? certificatesOf(read.value) : holds(read)
}

/** Blocks of which one at least is a certificate or a key. */
export function readIdentityPart(value: unknown): Checked<readonly PemBlock[]> {
  const read = readPem(value)
  if (!('value' in read)) return holds(read)
  const isOfUse = read.value.some(({ kind }) => kind === 'certificate' || KEYS.has(kind))
  return isOfUse ? read : { problem: `holds ${wordsFor(read.value)}` }
}

/**
 * Puts certificate and key together: either may be in the text of the other, and the certificates in any order. A problem
 * begins with the name of the option that it is in.
 */
export function clientIdentity(parts: IdentityParts): Checked<ClientIdentity | null> {
  const { cert, key, passphrase } = parts
  if (cert === undefined && key === undefined) return { value: null }
  const given = [...(cert ?? []), ...(key ?? [])]
  const certBlocks = cert?.some(isCertificate) === true ? cert : (key ?? [])
  const keyBlocks = key?.some(isKey) === true ? key : (cert ?? [])
  if (!certBlocks.some(isCertificate)) return { problem: missing('cert', 'key', cert, given) }
  if (!keyBlocks.some(isKey)) return { problem: missing('key', 'cert', key, given) }
  const certificates = certificatesOf(certBlocks)
  if (!('value' in certificates)) return named(certBlocks === cert ? 'cert' : 'key', certificates)
  const keyField = keyBlocks === key ? 'key' : 'cert'
  const privateKey = privateKeyOf(keyBlocks.filter(isKey), passphrase, keyField)
  if (!('value' in privateKey)) return privateKey
  const own = certificates.value.find((certificate) => certificate.checkPrivateKey(privateKey.value))
  if (own === undefined) return { problem: mismatch(certificates.value) }
  const chain = inOrder(own, certificates.value)
  const keyPem = keyBlocks.find(isKey)?.pem ?? ''
  return { value: { certificates: chain, certPem: chain.map(String).join(''), keyPem } }
}

function certificatesOf(blocks: readonly PemBlock[]): Checked<readonly X509Certificate[]> {
  const found = blocks.filter(isCertificate)
  if (found.length === 0) return { problem: `holds ${wordsFor(blocks)}, and no certificate` }
  const certificates: X509Certificate[] = []
  for (const [i, { pem }] of found.entries()) {
    try {
      certificates.push(new X509Certificate(pem))
    } catch {
      // OpenSSL's reason is a place in its source; which certificate it is helps more.
      return { problem: `certificate ${i + 1} of ${found.length} is damaged: OpenSSL cannot read it` }
    }
  }
  return { value: certificates }
}

/** Checks the key by reading it; OpenSSL's own errors are replaced, so that nothing of a key can be in them. */
function privateKeyOf(blocks: readonly PemBlock[], passphrase: string | undefined, field: string): Checked<KeyObject> {
  const [block] = blocks
  if (block === undefined || blocks.length > 1)
    return { problem: `${field}: holds ${blocks.length} private keys, expected one` }
  const isEncrypted = ENCRYPTED.has(block.kind)
  if (isEncrypted && passphrase === undefined) return { problem: `${field}: is encrypted: set passphrase, too` }
  try {
    return { value: createPrivateKey(passphrase === undefined ? block.pem : { key: block.pem, passphrase }) }
  } catch (error) {
    const code = codeOf(error)
    if (/UNSUPPORTED/i.test(code) && isEncrypted) {
      return {
        problem: `${field}: is encrypted in a way that OpenSSL no longer has (convert it: openssl pkcs8 -topk8)`,
      }
    }
    if (isEncrypted) return { problem: `passphrase: does not open ${field} (or the key is damaged)` }
    return { problem: `${field}: is damaged: OpenSSL cannot read it${code === '' ? '' : ` (${code})`}` }
  }
}

/** Our own certificate first, then who signed it, and so on: servers expect that order (RFC 5246, 7.4.2). */
function inOrder(own: X509Certificate, all: readonly X509Certificate[]): X509Certificate[] {
  const chain = [own]
  for (let last: X509Certificate | undefined = own; last !== undefined;) {
    const signed: X509Certificate = last
    last = all.find((candidate) => !chain.includes(candidate) && signed.checkIssued(candidate))
    if (last !== undefined) chain.push(last)
  }
  return chain
}

function missing(
  field: string,
  other: string,
  given: readonly PemBlock[] | undefined,
  all: readonly PemBlock[],
): string {
  if (given !== undefined) return `${field}: holds ${wordsFor(given)}`
  return `${field}: missing: ${other} is set and holds ${wordsFor(all)} only; a broker wants certificate and key`
}

function mismatch(certificates: readonly X509Certificate[]): string {
  return `key: does not belong to ${certificates.length === 1 ? 'the certificate' : 'any of the certificates'} in cert`
}

function isCertificate(block: PemBlock): boolean {
  return block.kind === 'certificate'
}

function isKey(block: PemBlock): boolean {
  return KEYS.has(block.kind)
}

function wordsFor(blocks: readonly PemBlock[]): string {
  return [...new Set(blocks.map(({ kind }) => PEM_WORDS[kind]))].join(' and ')
}

function holds(read: Checked<unknown>): { problem: string } {
  return { problem: `is ${'problem' in read ? read.problem : 'of the wrong kind'}` }
}

function named(field: string, read: Checked<unknown>): { problem: string } {
  return { problem: `${field}: ${'problem' in read ? read.problem : 'of the wrong kind'}` }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
