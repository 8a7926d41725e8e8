import { createPrivateKey, X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KeyVaultError, type KeyVaultErrorCode } from '../../../src/output/key-vault/key-vault-error.ts'
import type { VaultSecret } from '../../../src/output/key-vault/secret-answer.ts'
import { readClientCertificate, readTruststore, type ClientPem } from '../../../src/output/key-vault/secret-pem.ts'
import { SecretText } from '../../../src/output/key-vault/secret-text.ts'
import { expectNoSecret } from '../../support/canary.ts'
import { Authority, daysFromNow, type Issued } from '../../support/tls/authority.ts'

let root: Authority
let own: Issued
let other: Issued
let old: Issued
let soon: Issued

beforeAll(async () => {
  root = await Authority.root('vault root')
  own = await root.issue({ usage: 'clientAuth', commonName: 'own' })
  other = await root.issue({ usage: 'clientAuth', commonName: 'other' })
  old = await root.issue({ from: daysFromNow(-20), to: daysFromNow(-10) })
  soon = await root.issue({ from: daysFromNow(10), to: daysFromNow(20) })
})
afterAll(() => root.remove())

const checking = { host: 'team-vault.vault.azure.net', nowMs: Date.now() }

function secret(text: string, isPkcs12 = false): VaultSecret {
  return { name: 'pem', version: 'a'.repeat(32), value: new SecretText(text), isPkcs12 }
}

function client(text: string): ClientPem {
  return readClientCertificate(secret(text), checking)
}

function codeOf(call: () => unknown): KeyVaultErrorCode {
  try {
    call()
  } catch (error) {
    expectNoSecret(error)
    if (error instanceof KeyVaultError) return error.code
    throw error
  }
  throw new Error('did not throw')
}

function fits({ cert, key }: ClientPem): boolean {
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
}

describe('a client certificate secret', () => {
  it('gives certificate, chain and key, the certificate of the key first, whatever the order', () => {
    for (const text of [own.cert + root.cert + own.key, own.key + root.cert + own.cert]) {
      const read = client(text)
      expect(fits(read)).toBe(true)
      expect(new X509Certificate(read.cert).subject).toContain('own')
      expect(read.cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
      expect(read.cert).not.toContain('PRIVATE')
    }
  })

  it.each<[string, (pem: string) => string]>([
    ['on one line', (pem) => pem.replaceAll('\n', ' ')],
    ['with literal line ends', (pem) => pem.replaceAll('\n', '\\n')],
    ['with those of Windows', (pem) => pem.replaceAll('\n', '\r\n')],
    ['in base64 as a whole', (pem) => Buffer.from(pem).toString('base64')],
    ['with remarks between the blocks', (pem) => `Bag Attributes\n  friendlyName: x\n${pem}`],
  ])('is read %s', (_, change) => {
    expect(fits(client(change(own.cert + own.key)))).toBe(true)
  })

  it('is read with keys of all kinds', async () => {
    await root.write('own.key', own.key)
    const sec1 = await root.openssl('ec', '-in', 'own.key')
    expect(sec1).toContain('BEGIN EC PRIVATE KEY')
    const parameters = await root.openssl('ecparam', '-name', 'prime256v1')
    expect(fits(client(own.cert + parameters + sec1))).toBe(true)
  })

  it('says what is wrong with it', async () => {
    await root.write('own.key', own.key)
    const encrypted = await root.openssl('pkcs8', '-topk8', '-in', 'own.key', '-passout', 'pass:secret')
    const legacy = await root.openssl('ec', '-in', 'own.key', '-aes128', '-passout', 'pass:secret')
    const wrong: [string, KeyVaultErrorCode][] = [
      [own.cert + other.key, 'KEY_MISMATCH'],
      [own.cert, 'KEY_MISSING'],
      [own.key, 'CERTIFICATE_MISSING'],
      [own.cert + encrypted, 'KEY_ENCRYPTED'],
      [own.cert + legacy, 'KEY_ENCRYPTED'],
      [old.cert + old.key, 'CERTIFICATE_EXPIRED'],
      [soon.cert + soon.key, 'CERTIFICATE_NOT_YET_VALID'],
      [own.cert + own.key + other.key, 'PEM_INVALID'],
      [own.cert + own.key.replace('M', '!'), 'PEM_INVALID'],
      [own.cert + own.key.slice(0, -20), 'PEM_INVALID'],
      [own.cert + own.key.replace(/\n[^-\n]{20}/, '\n'), 'PEM_INVALID'],
      [own.cert.replace(/\n[^-\n]{20}/, '\n') + own.key, 'PEM_INVALID'],
      ['', 'PEM_INVALID'],
      ['hunter2', 'PEM_INVALID'],
    ]
    expect(wrong.map(([text]) => codeOf(() => client(text)))).toEqual(wrong.map(([, code]) => code))
  })
})

describe('key stores', () => {
  it('of PKCS#12 are recognised, and told how to convert', async () => {
    await root.write('own.pem', own.cert + own.key)
    await root.openssl('pkcs12', '-export', '-in', 'own.pem', '-out', 'own.p12', '-passout', 'pass:')
    const base64 = (await root.read('own.p12')).toString('base64')
    expect(codeOf(() => client(base64))).toBe('KEY_STORE_NOT_PEM')
    expect(() => client(base64)).toThrow(/openssl pkcs12 -in/)
    expect(() => readTruststore(secret('not base64!', true), checking)).toThrow(/PKCS#12/)
  })

  it('of Java are recognised', () => {
    for (const magic of ['feedfeed', 'cececece']) {
      const base64 = Buffer.from(`${magic}0000000200000001`, 'hex').toString('base64')
      expect(() => readTruststore(secret(base64), checking)).toThrow(/KEY_STORE_NOT_PEM: it holds a Java key store/)
    }
  })
})

describe('a truststore secret', () => {
  it('gives all its certificates, and no key', () => {
    const read = readTruststore(secret(root.cert + own.cert + own.key), checking)
    expect(read.map((pem) => new X509Certificate(pem).subject.includes('vault root'))).toEqual([true, false])
    expect(read.join('')).not.toContain('PRIVATE')
  })

  it('has expired when all in it has', () => {
    expect(readTruststore(secret(root.cert + old.cert), checking)).toHaveLength(2)
    expect(codeOf(() => readTruststore(secret(old.cert), checking))).toBe('CERTIFICATE_EXPIRED')
    expect(codeOf(() => readTruststore(secret(own.key), checking))).toBe('CERTIFICATE_MISSING')
  })
})
