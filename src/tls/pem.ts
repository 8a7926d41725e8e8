import type { Checked } from '../options.ts'
import { derKind, derLength, type DerKind } from './der.ts'

/**
 * PEM in any shape that people paste: on one line, with literal `\n`, with Windows ends, in quotes, without its first and
 * last line, under a wrong label, in base64 once more, or as DER. What comes out is PEM as RFC 7468 writes it, one block
 * for each certificate or key. Problems name what was found, never the content.
 */
export type PemKind = DerKind | 'legacy-encrypted-key' | 'openssh-key' | 'java-key-store'

export interface PemBlock {
  readonly kind: PemKind
  readonly pem: string
}

/** A bundle of all public authorities has 250 KB. */
const MAX_CHARS = 4 * 1024 * 1024
/** Kubernetes encodes what was encoded before. */
const MAX_WRAPPINGS = 3
const JAVA_KEY_STORE = 0xfeedfeed

/** Hyphens of word processors count. Lengths are bounded, so that no input makes the search slow. */
const DASHES = '[-\u2010-\u2015\u2212]{1,10}'
const MARKER = new RegExp(`${DASHES}\\s{0,5}(BEGIN|END)\\s{1,5}([A-Z0-9 ]{1,40}?)\\s{0,5}${DASHES}`, 'g')
/** How long the vector is depends on the cipher: on one line nothing else tells where it ends. */
const LEGACY_HEADERS =
  /^\s*Proc-Type:\s*4,\s*ENCRYPTED\s*DEK-Info:\s*((?:AES|CAMELLIA|ARIA)[A-Z0-9-]*,[0-9A-Fa-f]{32}|[A-Z0-9-]+,[0-9A-Fa-f]{16})/

const LABELS: Partial<Record<PemKind, string>> = {
  certificate: 'CERTIFICATE',
  'pkcs8-key': 'PRIVATE KEY',
  'encrypted-pkcs8-key': 'ENCRYPTED PRIVATE KEY',
  'pkcs1-key': 'RSA PRIVATE KEY',
  'sec1-key': 'EC PRIVATE KEY',
  'public-key': 'PUBLIC KEY',
  request: 'CERTIFICATE REQUEST',
  crl: 'X509 CRL',
  pkcs7: 'PKCS7',
}

/** What to call a block in a sentence, and what to do about it where it is of no use. */
export const PEM_WORDS: Readonly<Record<PemKind, string>> = {
  certificate: 'a certificate',
  'pkcs8-key': 'a private key',
  'pkcs1-key': 'a private key',
  'sec1-key': 'a private key',
  'encrypted-pkcs8-key': 'an encrypted private key',
  'legacy-encrypted-key': 'an encrypted private key',
  'public-key': 'a public key',
  request: 'a certificate request (CSR), which the authority has not signed yet',
  crl: 'a revocation list',
  pkcs7: 'a PKCS#7 bundle (convert it: openssl pkcs7 -print_certs)',
  pkcs12: 'a PKCS#12 key store (give it as pfx)',
  'openssh-key': "a key in OpenSSH's own format (convert it: ssh-keygen -p -m PKCS8)",
  'java-key-store': 'a Java key store (convert it: keytool -importkeystore -deststoretype PKCS12, and give it as pfx)',
  unknown: 'something that is no certificate and no key',
}

/** Reads text or bytes, or a list of them. */
export function readPem(value: unknown): Checked<readonly PemBlock[]> {
  const blocks: PemBlock[] = []
  for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
    const read = readOne(item)
    if (!('value' in read)) return read
    blocks.push(...read.value)
  }
  return blocks.length === 0 ? { problem: 'an empty list' } : { value: blocks }
}

function readOne(value: unknown): Checked<readonly PemBlock[]> {
  if (typeof value === 'string') return readText(value, 0)
  if (value instanceof ArrayBuffer) return readBytes(Buffer.from(value), 0)
  if (!ArrayBuffer.isView(value)) return { problem: 'expected PEM text or a Buffer' }
  return readBytes(Buffer.from(value.buffer, value.byteOffset, value.byteLength), 0)
}

function readBytes(bytes: Buffer, wrappings: number): Checked<readonly PemBlock[]> {
  if (isJavaKeyStore(bytes)) return only('java-key-store')
  if (derLength(bytes) !== null) return readDer(bytes)
  // PowerShell writes UTF-16: a byte order mark, or every other byte is zero.
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes.length > 1 && bytes[0] !== 0 && bytes[1] === 0)
  return readText(bytes.toString(isUtf16 ? 'utf16le' : 'utf8'), wrappings)
}

function readText(given: string, wrappings: number): Checked<readonly PemBlock[]> {
  if (given.length > MAX_CHARS) return { problem: `over ${MAX_CHARS} characters` }
  const text = plainText(given)
  if (text === '') return { problem: 'empty' }
  const markers = [...text.matchAll(MARKER)]
  if (markers.length > 0) return readBlocks(text, markers)
  const bytes = fromBase64(text)
  if (bytes === null) return { problem: looksLikePath(given) ? PATH : NOTHING }
  if (derLength(bytes) !== null || isJavaKeyStore(bytes)) return readBytes(bytes, wrappings)
  if (looksLikePath(given)) return { problem: PATH }
  if (wrappings >= MAX_WRAPPINGS || !isText(bytes)) return { problem: NOTHING }
  return readText(bytes.toString('utf8'), wrappings + 1)
}

/** Without what surrounds and interrupts the text: quotes, literal `\n`, percent signs, marks that nobody sees. */
function plainText(given: string): string {
  const decoded = /%[0-9A-Fa-f]{2}/.test(given) ? given.replace(/%([0-9A-Fa-f]{2})/g, fromPercent) : given
  return decoded
    .replace(/[\ufeff\u200b-\u200d]/g, '')
    .replace(/\\{1,8}[rnt]/g, '\n')
    .replace(/[\\"'`]/g, '')
    .trim()
}

function fromPercent(_: string, hex: string): string {
  return String.fromCharCode(parseInt(hex, 16))
}

function readBlocks(text: string, markers: readonly RegExpExecArray[]): Checked<readonly PemBlock[]> {
  const blocks: PemBlock[] = []
  for (const [i, marker] of markers.entries()) {
    const isBegin = marker[1] === 'BEGIN'
    // Somebody left out the first line only: what is before the last one is the body.
    const isBody = isBegin || i === 0
    const from = isBegin ? marker.index + marker[0].length : 0
    const to = isBegin ? (markers[i + 1]?.index ?? text.length) : marker.index
    const body = text.slice(from, to)
    if (!isBody || body.trim() === '') continue // a label around a label: the inner one has the body
    const read = readBody(marker[2] ?? '', body)
    if (!('value' in read)) return read
    blocks.push(...read.value)
  }
  return blocks.length === 0 ? { problem: 'a PEM label with nothing in it' } : { value: blocks }
}

function readBody(label: string, body: string): Checked<readonly PemBlock[]> {
  if (label.startsWith('OPENSSH')) return only('openssh-key')
  if (label.endsWith('PARAMETERS')) return { value: [] } // of a key that follows, and says so itself
  const legacy = LEGACY_HEADERS.exec(body)
  const bytes = fromBase64(legacy === null ? body : body.slice(legacy[0].length))
  if (bytes === null) return { problem: 'PEM with something between its labels that is not base64' }
  if (legacy === null) return readDer(bytes, label.startsWith('TRUSTED'))
  const headers = `Proc-Type: 4,ENCRYPTED\nDEK-Info: ${legacy[1] ?? ''}\n\n`
  return { value: [{ kind: 'legacy-encrypted-key', pem: wrap(label, bytes, headers) }] }
}

/** One DER value, or several in a row; `mayHaveMore`: OpenSSL's TRUSTED CERTIFICATE has its settings behind it. */
function readDer(bytes: Buffer, mayHaveMore = false): Checked<readonly PemBlock[]> {
  const blocks: PemBlock[] = []
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at)
    const length = derLength(rest)
    if (length === null) return { problem: at === 0 ? PEM_WORDS.unknown : 'something behind the end of what it holds' }
    if (length > rest.length) return { problem: `cut short: ${rest.length} bytes of ${length} are there` }
    const der = rest.subarray(0, length)
    const kind = derKind(der)
    blocks.push({ kind, pem: wrap(LABELS[kind] ?? 'UNKNOWN', der) })
    if (mayHaveMore) break
    at += length
  }
  return blocks.length === 0 ? { problem: 'empty' } : { value: blocks }
}

function isJavaKeyStore(bytes: Buffer): boolean {
  return bytes.length >= 4 && bytes.readUInt32BE(0) === JAVA_KEY_STORE
}

function only(kind: PemKind): Checked<readonly PemBlock[]> {
  return { value: [{ kind, pem: '' }] }
}

/** Base64 in either alphabet, in one piece or several that each have their padding; null: it is something else. */
function fromBase64(text: string): Buffer | null {
  const plain = text.replace(/\s+/g, '').replaceAll('-', '+').replaceAll('_', '/')
  if (plain.length < 8 || !/^[A-Za-z0-9+/][A-Za-z0-9+/=]+$/.test(plain)) return null
  return Buffer.concat((plain.match(/[^=]+/g) ?? []).map((piece) => Buffer.from(piece, 'base64')))
}

function wrap(label: string, der: Uint8Array, headers = ''): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${headers}${lines.join('\n')}\n-----END ${label}-----\n`
}

const NOTHING = 'neither PEM nor base64 of a certificate or key'
const PATH = 'the path of a file, it seems: give what is in the file, for example readFileSync(path)'

function looksLikePath(text: string): boolean {
  const line = text.trim()
  if (line.length > 4096 || line.includes('\n')) return false
  return /^(\.{0,2}|~|file:\/*|[A-Za-z]:)[\\/]/.test(line) || /\.(pem|crt|cer|key|der|p12|pfx|jks|p7b|ca)$/i.test(line)
}

function isText(bytes: Buffer): boolean {
  return bytes.subarray(0, 64).every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127))
}
