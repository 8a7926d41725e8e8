/** One block of a PEM text, its body on lines of 64 characters. */
export interface PemBlock {
  readonly kind: 'certificate' | 'key' | 'encrypted-key' | 'other'
  readonly pem: string
}

/** What a secret holds instead of PEM. */
export type NoPem = 'pkcs12' | 'java-key-store' | 'damaged' | 'nothing'

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*(?:-[^-]+)*)-----END \1-----/g
const KEY_LABELS = new Set(['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY'])
/** JKS and JCEKS. */
const JAVA_MAGIC = new Set([0xfeedfeed, 0xcececece])

/**
 * The blocks of a PEM text. It may have lost its line ends, as where it was pasted into a form, have them as `\n`, or be
 * base64 as a whole (`az keyvault secret set --encoding base64`).
 */
export function readBlocks(text: string): readonly PemBlock[] | NoPem {
  const plain = text.replace(/\\r\\n|\\n/g, '\n')
  if (plain.includes('-----BEGIN ')) return blocksOf(plain)
  const compact = plain.replace(/\s/g, '')
  if (compact.length < 8 || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return 'nothing'
  const bytes = Buffer.from(compact, 'base64')
  if (JAVA_MAGIC.has(bytes.readUInt32BE(0))) return 'java-key-store'
  if (isPkcs12(bytes)) return 'pkcs12'
  const inner = bytes.toString()
  return inner.includes('-----BEGIN ') ? blocksOf(inner) : 'nothing'
}

function blocksOf(text: string): readonly PemBlock[] | NoPem {
  const blocks: PemBlock[] = []
  for (const [, label = '', body = ''] of text.matchAll(BLOCK)) {
    if (label.endsWith('PARAMETERS')) continue // of an EC key that follows, and says so itself
    const isEncrypted = label === 'ENCRYPTED PRIVATE KEY' || body.includes('ENCRYPTED')
    const base64 = body.replace(/\s/g, '')
    if (!isEncrypted && !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return 'damaged'
    const lines = base64.match(/.{1,64}/g)?.join('\n') ?? ''
    const pem = `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
    blocks.push({ kind: isEncrypted ? 'encrypted-key' : kindOf(label), pem })
  }
  const begun = text.split('-----BEGIN ').length - 1
  const parameters = text.match(/-----BEGIN [A-Z0-9 ]*PARAMETERS-----/g)?.length ?? 0
  return blocks.length === begun - parameters && blocks.length > 0 ? blocks : 'damaged'
}

function kindOf(label: string): PemBlock['kind'] {
  if (label === 'CERTIFICATE' || label === 'X509 CERTIFICATE' || label === 'TRUSTED CERTIFICATE') return 'certificate'
  return KEY_LABELS.has(label) ? 'key' : 'other'
}

/** A DER sequence that begins with the integer 3 (RFC 7292, PFX). */
function isPkcs12(bytes: Buffer): boolean {
  if (bytes[0] !== 0x30) return false
  const first = bytes[1] ?? 0
  const at = first < 0x80 ? 2 : 2 + (first & 0x7f)
  return bytes.subarray(at, at + 3).equals(Buffer.from([2, 1, 3]))
}
