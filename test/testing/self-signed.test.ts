import { createPrivateKey, X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { selfSigned } from '../../src/testing/self-signed.ts'

const DAY_MS = 86_400_000

it('is good for the names and addresses that it is made for, and for no other', () => {
  const addresses = ['127.0.0.1', '::1', 'fe80::1:2', '2001:db8:1:2:3:4:5:6', '::']
  const { cert, key } = selfSigned(['localhost', 'broker-1.test', ...addresses, '127.0.0.1'])
  const certificate = new X509Certificate(cert)
  for (const name of ['localhost', 'broker-1.test']) expect(certificate.checkHost(name)).toBe(name)
  for (const address of addresses) expect(certificate.checkIP(address)).toBe(address)
  expect([certificate.checkHost('other.test'), certificate.checkIP('127.0.0.2')]).toEqual([undefined, undefined])
  expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true)
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect(certificate.subjectAltName?.split(', ')).toHaveLength(7)
})

it('is good from yesterday on, for as long as nobody is warned', () => {
  const { validFrom, validTo } = new X509Certificate(selfSigned(['localhost']).cert)
  expect(Date.parse(validFrom)).toBeLessThan(Date.now())
  expect(Date.parse(validTo) - Date.now()).toBeGreaterThan(365 * DAY_MS)
})

it.each([1, 5, 10, 100])('is strict DER, with %i names', (count) => {
  const names = Array.from({ length: count }, (_, i) => `broker-${i}.example.test`)
  const { raw, subjectAltName } = new X509Certificate(selfSigned(names).cert)
  expect(subjectAltName?.split(', ')).toHaveLength(count)
  expect(endOf(raw, 0)).toBe(raw.length)
})

/** Where the value at `at` ends; fails for a length that is not written in the shortest way. */
function endOf(bytes: Buffer, at: number): number {
  const tag = bytes[at]!
  const first = bytes[at + 1]!
  const count = first < 0x80 ? 0 : first - 0x80
  const length = count === 0 ? first : bytes.readUIntBE(at + 2, count)
  if (count > 0) expect(length).toBeGreaterThanOrEqual(count === 1 ? 0x80 : 256 ** (count - 1))
  const start = at + 2 + count
  const isConstructed = (tag & 0x20) !== 0
  if (isConstructed) for (let next = start; next < start + length;) next = endOf(bytes, next)
  return start + length
}
