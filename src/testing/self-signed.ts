/**
 * A certificate for a test cluster that was given none: signed by its own key, for the names of this machine.
 *
 * Source: RFC 5280; X.690 for the encoding; RFC 5758 for the signature.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIP, isIPv4 } from 'node:net'

export interface Certificate {
  /** PEM; it is its own authority. */
  readonly cert: string
  readonly key: string
}

const TAG = {
  ...{ integer: 0x02, bitString: 0x03, octetString: 0x04, oid: 0x06, utf8: 0x0c, utcTime: 0x17 },
  ...{ sequence: 0x30, set: 0x31, version: 0xa0, extensions: 0xa3, dnsName: 0x82, address: 0x87 },
} as const

/** Object identifiers, encoded. */
const ECDSA_WITH_SHA256 = Buffer.from('2a8648ce3d040302', 'hex')
const COMMON_NAME = Buffer.from('550403', 'hex')
const SUBJECT_ALT_NAME = Buffer.from('551d11', 'hex')
const EXTENDED_KEY_USAGE = Buffer.from('551d25', 'hex')
const SERVER_AUTH = Buffer.from('2b06010505070301', 'hex')

const DAY_MS = 86_400_000
const LIFE_DAYS = 3650

/** @param names host names and addresses. */
export function selfSigned(names: readonly string[]): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(TAG.sequence, der(TAG.oid, ECDSA_WITH_SHA256))
  const name = der(
    TAG.sequence,
    der(TAG.set, der(TAG.sequence, der(TAG.oid, COMMON_NAME), der(TAG.utf8, Buffer.from('headrace TestCluster')))),
  )
  // OpenSSL goes by the system's time, whatever clock the cluster has.
  const now = Date.now()
  const signed = der(
    TAG.sequence,
    der(TAG.version, der(TAG.integer, Buffer.of(2))),
    der(TAG.integer, Buffer.concat([Buffer.of(0x40), randomBytes(15)])),
    algorithm,
    name,
    der(TAG.sequence, utcTime(now - DAY_MS), utcTime(now + LIFE_DAYS * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(TAG.extensions, der(TAG.sequence, alternativeNames(names), keyUsage())),
  )
  const signature = sign('sha256', signed, privateKey)
  const certificate = der(TAG.sequence, signed, algorithm, der(TAG.bitString, Buffer.of(0), signature))
  return { cert: pem(certificate), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

function alternativeNames(names: readonly string[]): Buffer {
  const parts = [...new Set(names)].map((name) =>
    isIP(name) === 0 ? der(TAG.dnsName, Buffer.from(name)) : der(TAG.address, addressBytes(name)),
  )
  return extension(SUBJECT_ALT_NAME, der(TAG.sequence, ...parts))
}

function keyUsage(): Buffer {
  return extension(EXTENDED_KEY_USAGE, der(TAG.sequence, der(TAG.oid, SERVER_AUTH)))
}

function extension(id: Buffer, value: Buffer): Buffer {
  return der(TAG.sequence, der(TAG.oid, id), der(TAG.octetString, value))
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, '')
  return der(TAG.utcTime, Buffer.from(`${digits.slice(2, 14)}Z`))
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail = ''] = address.split('::')
  const [left, right] = [head, tail].map((part) => (part === '' ? [] : part.split(':'))) as [string[], string[]]
  const zeros = Array<string>(8 - left.length - right.length).fill('0')
  return Buffer.from([...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(''), 'hex')
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const contents = Buffer.concat(parts)
  const { length } = contents
  const digits: number[] = []
  for (let rest = length; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff)
  const lengthBytes = length < 0x80 ? [length] : [0x80 | digits.length, ...digits]
  return Buffer.concat([Buffer.of(tag, ...lengthBytes), contents])
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
