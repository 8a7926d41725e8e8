import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SettingsProblem } from '../../../src/destination/settings/problem.ts'
import { toProducerOptions } from '../../../src/destination/settings/producer-options.ts'
import { validateSettings } from '../../../src/destination/settings/validate-settings.ts'
import { Producer } from '../../../src/index.ts'
import { expectNoSecret, registerSecret } from '../../support/canary.ts'
import { Authority, daysFromNow, type Issued } from '../../support/tls/authority.ts'
import { plain } from './valid-settings.ts'

let authority: Authority
let own: Issued
let ownRsa: Issued
let other: Issued
let expired: Issued

beforeAll(async () => {
  authority = await Authority.root('destination')
  own = await authority.issue({ usage: 'clientAuth' })
  ownRsa = await authority.issue({ usage: 'clientAuth', rsaBits: 2048 })
  other = await authority.issue({ usage: 'clientAuth' })
  expired = await authority.issue({ usage: 'clientAuth', from: daysFromNow(-9), to: daysFromNow(-2) })
}, 60_000)

afterAll(async () => {
  await authority.remove()
})

const base = { clientId: 'a-client', brokers: 'kafka.test:9093', mechanism: 'client-cert-auth' }

function settingsWith({ cert, key }: Issued): object {
  return { ...base, ssl_cert: cert, ssl_key: key }
}

/** Checks on the way that no problem shows anything of a key. */
function problemsOf(settings: object): SettingsProblem[] {
  const problems = validateSettings(settings)
  expectNoSecret(problems)
  return problems
}

function bare(pem: string): string {
  return pem.replace(/-----[^-]+-----/g, '').trim()
}

function keyAs(pem: string, type: 'pkcs1' | 'sec1' | 'pkcs8'): string {
  const key: KeyObject = createPrivateKey(pem)
  return registerSecret(`a key as ${type}`, String(key.export({ format: 'pem', type } as never)))
}

describe('seg-S5: certificates and keys', () => {
  const shapes: Record<string, (pem: string) => string> = {
    'as openssl wrote it': (pem) => pem,
    'without its first and last line': bare,
    'on one line': (pem) => bare(pem).replace(/\n/g, ''),
    'with spaces for line ends': (pem) => pem.trim().replace(/\n/g, ' '),
    'with literal \\n': (pem) => pem.replace(/\n/g, '\\n'),
    'with space around it': (pem) => `\r\n  ${pem}\n\n`,
    'with doubled headers': (pem) => `-----BEGIN X-----\n${pem}-----END X-----`,
  }

  test.each(Object.entries(shapes))('pasted %s, they are taken', (_, shape) => {
    const settings = { ...settingsWith({ cert: shape(own.cert), key: shape(own.key) }), ssl_ca: shape(authority.cert) }
    expect(problemsOf(settings)).toEqual([])
    expect(new Producer(toProducerOptions(settings)).stats().state).toBe('running')
  })

  test('keys in PKCS#8, PKCS#1 and SEC1, with their lines and without', () => {
    const keys = [
      [own, keyAs(own.key, 'sec1')],
      [own, keyAs(own.key, 'pkcs8')],
      [ownRsa, keyAs(ownRsa.key, 'pkcs1')],
    ] as const
    for (const [{ cert }, key] of keys) {
      expect(problemsOf(settingsWith({ cert, key }))).toEqual([])
      expect(problemsOf(settingsWith({ cert, key: bare(key) }))).toEqual([])
    }
  })

  test('a chain of certificates, and authorities one behind the other', () => {
    const chain = { cert: own.cert + authority.cert, key: own.key }
    expect(problemsOf({ ...settingsWith(chain), ssl_ca: authority.cert + other.cert })).toEqual([])
  })

  test('certificate and key in the field of the other', () => {
    expect(problemsOf(settingsWith({ cert: own.key, key: own.cert }))).toEqual([])
  })

  test('an expired client certificate is no problem of the settings: the broker says so', () => {
    expect(problemsOf(settingsWith(expired))).toEqual([])
  })

  const NOTHING = 'is neither PEM nor base64 of a certificate or key.'
  const MATERIAL = { code: 'SSL_MATERIAL_INVALID', status: 400 }

  test.each([
    ['ssl_ca', 'SSL Certificate Authority'],
    ['ssl_cert', 'SSL Client Certificate'],
    ['ssl_key', 'SSL Client Key'],
  ])('garbage in %s is named', (field, label) => {
    expect(problemsOf({ ...settingsWith(own), [field]: 'yourCert' })).toEqual([
      { ...MATERIAL, field, message: `${label}: ${NOTHING}` },
    ])
  })

  test('garbage in all of them is named at once', () => {
    const fields = problemsOf({ ...base, ssl_ca: 'x', ssl_cert: 'y', ssl_key: 'z' }).map(({ field }) => field)
    expect(fields).toEqual(['ssl_ca', 'ssl_cert', 'ssl_key'])
  })

  test('the words are for a form', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const publicPem = String(publicKey.export({ format: 'pem', type: 'spki' }))
    const encrypted = createPrivateKey(own.key).export({
      ...{ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'four' },
    })
    const messageFor = (change: object): string[] =>
      problemsOf({ ...settingsWith(own), ...change }).map(({ message }) => message)
    expect(messageFor({ ssl_key: other.key })).toEqual([
      'SSL Client Key: does not belong to the certificate in SSL Client Certificate.',
    ])
    expect(messageFor({ ssl_key: String(encrypted) })).toEqual([
      'SSL Client Key: is encrypted: decrypt it first (openssl pkey -in encrypted.key).',
    ])
    expect(messageFor({ ssl_key: '/etc/ssl/client.key' })).toEqual([
      'SSL Client Key: is the path of a file, it seems: paste what is in the file.',
    ])
    expect(messageFor({ ssl_cert: publicPem })).toEqual(['SSL Client Certificate: holds a public key.'])
    expect(messageFor({ ssl_ca: own.key })).toEqual([
      'SSL Certificate Authority: holds a private key, and no certificate.',
    ])
    expect(messageFor({ ssl_ca: authority.cert.replace(/^(.{150})./s, '$1*') })).toEqual([
      'SSL Certificate Authority: is PEM with something between its labels that is not base64.',
    ])
  })

  test('a PKCS#12 store is not for a form', async () => {
    const names = [await authority.write('p12.crt', own.cert), await authority.write('p12.key', own.key)] as const
    const args = ['-in', names[0], '-inkey', names[1], '-out', 'own.p12', '-passout', 'pass:']
    await authority.openssl('pkcs12', '-export', ...args)
    const store = (await authority.read('own.p12')).toString('base64')
    for (const { message } of problemsOf({ ...settingsWith(own), ssl_cert: store, ssl_ca: store })) {
      expect(message).toContain('a PKCS#12 key store (convert it: openssl pkcs12 -nodes)')
    }
    const javaStore = Buffer.from([0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 0]).toString('base64')
    const [problem] = problemsOf({ ...settingsWith(own), ssl_ca: javaStore })
    expect(problem?.message).toMatch(/PKCS12, then openssl pkcs12 -nodes\), and no certificate\.$/)
  })

  test('what belongs to another mechanism, or to TLS that is off, is not looked at', () => {
    const garbage = { ssl_cert: 'x', ssl_key: 'y' }
    expect(problemsOf({ ...plain, ...garbage })).toEqual([])
    expect(problemsOf({ ...plain, ...garbage, ssl_ca: 'z', ssl_enabled: false })).toEqual([])
    expect(problemsOf({ ...plain, ssl_ca: ' \n' })).toEqual([])
    expect(problemsOf({ ...plain, ssl_ca: 'z' })).toHaveLength(1)
  })
})

describe('seg-S5: the options of the producer', () => {
  test('a client certificate is used without ssl_ca, which upstream drops it without', () => {
    const options = toProducerOptions(settingsWith(own))
    expect(options.tls).toEqual({ cert: own.cert.trim(), key: own.key.trim(), rejectUnauthorized: true })
    expect(options).not.toHaveProperty('sasl')
  })

  test('and with it', () => {
    const { tls } = toProducerOptions({ ...settingsWith(own), ssl_ca: authority.cert })
    expect(tls).toMatchObject({ ca: authority.cert.trim(), cert: own.cert.trim(), key: own.key.trim() })
  })
})
