import { inspect } from 'node:util'
import { checkServerIdentity } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OptionError } from '../../src/errors.ts'
import { checkIdentity, expectedName } from '../../src/tls/identity.ts'
import { TlsSettings, tlsSource } from '../../src/tls/tls-settings.ts'
import { TlsWarnings, type TlsWarning } from '../../src/tls/warnings.ts'
import { Authority, daysFromNow, type Issued } from '../support/tls/authority.ts'
import { canarySecret, expectNoSecret } from '../support/canary.ts'

const PASSPHRASE = canarySecret('passphrase', (random) => `canary-${random}`)
let root: Authority
let middle: Authority
let own: Issued
let stranger: Issued
let encryptedKey: string
let pfx: Buffer

beforeAll(async () => {
  root = await Authority.root('the root')
  middle = await root.intermediate('the intermediate')
  own = await middle.issue({ usage: 'clientAuth', commonName: 'client' })
  stranger = await root.issue()
  const file = await root.write('own.pem', own.key + own.cert)
  const pass = ['-passout', `pass:${PASSPHRASE}`]
  encryptedKey = await root.openssl('pkcs8', '-topk8', '-in', file, ...pass)
  await root.openssl('pkcs12', '-export', '-in', file, '-out', 'own.p12', ...pass)
  pfx = await root.read('own.p12')
})
afterAll(() => root.remove())

function problemOf(given: unknown): string {
  try {
    new TlsSettings(given, 'tls')
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError)
    expect((error as OptionError).code).toBe('INVALID_OPTIONS')
    expectNoSecret(error, [own.key, own.cert, stranger.key, encryptedKey, PASSPHRASE, pfx.toString('base64')])
    return (error as OptionError).message
  }
  return 'none'
}

describe('TlsSettings', () => {
  it('takes true: the system decides who is trusted, nobody else is', () => {
    const settings = new TlsSettings(true, 'tls')
    expect(settings).toMatchObject({ hasClientCertificate: false, isVerifying: true, authorities: null })
    expect(settings.connectOptions('b.example')).toMatchObject({
      ...{ servername: 'b.example', host: 'b.example', rejectUnauthorized: true },
    })
  })

  it('says explicitly that strangers are rejected: NODE_TLS_REJECT_UNAUTHORIZED would decide otherwise', () => {
    for (const given of [true, {}, { rejectUnauthorized: undefined }, { rejectUnauthorized: true }]) {
      expect(new TlsSettings(given, 'tls').connectOptions('b').rejectUnauthorized).toBe(true)
    }
    expect(new TlsSettings({ rejectUnauthorized: false }, 'tls').connectOptions('b').rejectUnauthorized).toBe(false)
  })

  it('takes certificate and key in one text, in either field, in any order, and puts the chain in order', () => {
    const { key, cert } = own
    const shuffled = root.cert + middle.cert + cert
    for (const given of [
      { cert, key },
      { cert: cert + key },
      { key: key + cert },
      { cert: shuffled, key },
      { cert: shuffled + key, key },
      { cert, key: encryptedKey, passphrase: PASSPHRASE },
      { cert, key: [{ pem: encryptedKey, passphrase: PASSPHRASE }] },
      { cert, key: { pem: key } },
      { pfx, passphrase: PASSPHRASE },
      { pfx: pfx.toString('base64'), passphrase: PASSPHRASE },
      { cert: cert.replaceAll('\n', '\\n'), key: Buffer.from(key) },
    ]) {
      expect(new TlsSettings(given, 'tls').hasClientCertificate).toBe(true)
    }
  })

  it.each<[string, () => unknown, RegExp]>([
    ['ca that is no certificate', () => ({ ca: 'hello' }), /ca: is neither PEM nor base64/],
    ['ca that is a path', () => ({ ca: '/etc/ssl/ca.pem' }), /ca: is the path of a file, it seems: give what is in/],
    ['ca that is a key', () => ({ ca: own.key }), /ca: holds a private key, and no certificate/],
    ['ca that is empty', () => ({ ca: '' }), /ca: is empty/],
    ['ca that is an empty list', () => ({ ca: [] }), /ca: is an empty list/],
    [
      'ca with a damaged certificate',
      () => ({ ca: [root.cert, withoutDates(own.cert)] }),
      /ca: certificate 2 of 2 is damaged/,
    ],
    ['ca that is a number', () => ({ ca: 7 }), /ca: is expected PEM text or a Buffer|ca: expected/],
    ['cert without key', () => ({ cert: own.cert }), /key: missing: cert is set and holds a certificate only/],
    ['key without cert', () => ({ key: own.key }), /cert: missing: key is set and holds a private key only/],
    ['cert and key swapped', () => ({ cert: own.key, key: own.key }), /cert: holds a private key/],
    ['key is the certificate', () => ({ cert: own.cert, key: own.cert }), /key: holds a certificate/],
    [
      'key of another',
      () => ({ cert: own.cert, key: stranger.key }),
      /key: does not belong to the certificate in cert/,
    ],
    ['key of none', () => ({ cert: own.cert + root.cert, key: stranger.key }), /key: does not belong to any of the/],
    ['two keys', () => ({ cert: own.cert, key: own.key + stranger.key }), /key: holds 2 private keys, expected one/],
    ['encrypted key', () => ({ cert: own.cert, key: encryptedKey }), /key: is encrypted: set passphrase, too/],
    [
      'wrong passphrase',
      () => ({ cert: own.cert, key: encryptedKey, passphrase: 'x' }),
      /passphrase: does not open key/,
    ],
    [
      'passphrase of a wrong kind',
      () => ({ ...own, passphrase: 12345678 }),
      /passphrase: expected text, got a number$/,
    ],
    ['passphrase alone', () => ({ passphrase: PASSPHRASE }), /passphrase: there is no key that it could open/],
    ['damaged key', () => ({ cert: own.cert, key: damaged(own.key) }), /key: (is damaged|does not belong)/],
    ['pfx without passphrase', () => ({ pfx }), /pfx: is encrypted: set passphrase, too/],
    ['pfx with a wrong one', () => ({ pfx, passphrase: 'x' }), /passphrase: does not open pfx/],
    ['pfx that is none', () => ({ pfx: own.cert }), /pfx: holds no PKCS#12 store/],
    ['pfx beside cert', () => ({ ...own, pfx, passphrase: PASSPHRASE }), /pfx: holds certificate and key: leave out/],
    ['a key store as cert', () => ({ cert: pfx, key: own.key }), /cert: holds a PKCS#12 key store \(give it as pfx\)/],
    ['TLS 1.1', () => ({ minVersion: 'TLSv1.1' }), /minVersion: got "TLSv1.1", expected 'TLSv1.2' or 'TLSv1.3'/],
    ['versions crossed', () => ({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }), /maxVersion: below minVersion/],
    ['secureProtocol', () => ({ secureProtocol: 'TLSv1_method' }), /secureProtocol: unknown option: minVersion and/],
    ['no such cipher', () => ({ ciphers: 'NOPE' }), /ciphers: OpenSSL refuses it \(no cipher match\)/],
    ['no such group', () => ({ ecdhCurve: 'NOPE' }), /ecdhCurve: OpenSSL refuses it/],
    ['no such signature', () => ({ sigalgs: 'NOPE' }), /sigalgs: OpenSSL refuses it/],
    ['crl that is none', () => ({ crl: own.cert }), /crl: holds no revocation list/],
    [
      'a name mistyped',
      () => ({ rejectUnauthorised: false }),
      /rejectUnauthorised: unknown option: did you mean rejectUnauthorized\?/,
    ],
    [
      'rejectUnauthorized as text',
      () => ({ rejectUnauthorized: 'false' }),
      /rejectUnauthorized: got "false", expected true or/,
    ],
    [
      "librdkafka's name",
      () => ({ 'ssl.ca.location': '/x' }),
      /ssl.ca.location: unknown option: give what is in the file as ca/,
    ],
    ["Node's host", () => ({ host: 'x' }), /host: unknown option: brokers says where to dial/],
    ['a secure context', () => ({ secureContext: {} }), /secureContext: unknown option: give ca, cert and key/],
    ['a prototype for a name', () => JSON.parse('{"__proto__": {}}') as unknown, /__proto__: unknown option/],
    ['PEM instead of an object', () => own.key, /expected true, an object with ca, cert, key/],
    ['a Buffer instead of an object', () => Buffer.from(own.key), /expected true, an object with ca, cert, key/],
    ['null', () => null, /expected true, an object/],
    ['several at once', () => ({ ca: 'x', ciphrs: 'y' }), /ciphrs: .*did you mean ciphers\?; ca: is neither/],
  ])('refuses %s, naming the field', (_, given, words) => {
    expect(problemOf(given())).toMatch(words)
  })

  it('refuses a certificate of ours that OpenSSL would not send', async () => {
    const weak = await root.issue({ rsaBits: 512, usage: 'clientAuth' })
    expect(problemOf(weak)).toMatch(/cert: OpenSSL refuses it \(ee key too small\)/)
  })

  it('takes revocation lists', async () => {
    const crl = await root.revocations()
    expect(() => new TlsSettings({ ca: root.cert, crl }, 'tls')).not.toThrow()
  })

  it('shows nothing of key and passphrase', () => {
    const settings = new TlsSettings(
      { cert: own.cert, key: encryptedKey, passphrase: PASSPHRASE, ca: root.cert },
      'tls',
    )
    const secrets = [own.key, encryptedKey, PASSPHRASE]
    expectNoSecret(settings, secrets)
    expectNoSecret(settings.connectOptions('b'), secrets)
    expectNoSecret(JSON.stringify(settings), secrets)
    // The canary sings where there is something to find.
    expect(() => expectNoSecret({ a: { b: { c: { d: own.key } } } }, secrets)).toThrow()
    expect(() => expectNoSecret(Buffer.from(PASSPHRASE).toString('hex'), secrets)).toThrow()
  })
})

describe('tlsSource', () => {
  it('checks an object at once, and gives the same settings each time', () => {
    expect(() => tlsSource({ ca: 'x' }, 'Producer: tls')).toThrow(/^Producer: tls: INVALID_OPTIONS: ca: /)
    const source = tlsSource({ ca: root.cert })
    expect(source('b:1')).toBe(source('b:1'))
  })

  it('asks a function at each connection: certificates are renewed', async () => {
    let asked = 0
    const source = tlsSource(() => (asked++ === 0 ? { ca: root.cert } : Promise.resolve({ ...own, ca: root.cert })))
    expect(asked).toBe(0)
    expect((await source('b:1')).hasClientCertificate).toBe(false)
    expect((await source('b:1')).hasClientCertificate).toBe(true)
  })

  it('lets a function fail: certificate and key may be in the middle of a change', async () => {
    const failing: [() => unknown, RegExp][] = [
      [() => ({ cert: own.cert, key: stranger.key }), /tls\(\): INVALID_OPTIONS: key: does not belong/],
      [() => undefined, /tls\(\): INVALID_OPTIONS: expected true/],
      [() => Promise.reject(new Error('vault is sealed')), /the function given as tls failed/],
    ]
    for (const [ask, words] of failing) {
      const error = await Promise.resolve(tlsSource(ask)('b:1')).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ name: 'ConnectionError', code: 'TLS_OPTIONS_FAILED', retriable: true })
      expect((error as Error).message).toMatch(words)
      expect((error as Error).message.startsWith('b:1: TLS_OPTIONS_FAILED: ')).toBe(true)
      expectNoSecret(error, [own.key, stranger.key])
    }
  })
})

describe('warnings', () => {
  function told(given: object, atMs: number, warnings?: TlsWarnings): TlsWarning[] {
    const heard: TlsWarning[] = []
    const teller = warnings ?? new TlsWarnings((warning) => heard.push(warning))
    teller.tell(new TlsSettings(given, 'tls').warnings(atMs))
    return heard
  }

  it('come at 30, 7 and 1 days before an end, and after it, each once', async () => {
    const end = daysFromNow(100)
    end.setMilliseconds(0)
    const short = await middle.issue({ usage: 'clientAuth', commonName: 'short', to: end })
    const settings = new TlsSettings(short, 'tls')
    const heard: string[] = []
    const warnings = new TlsWarnings(({ message }) => heard.push(message))
    const day = end.toISOString().slice(0, 10)
    for (const daysLeft of [40, 31, 30, 29, 8, 7, 3, 1, 0.5, -0.1, -20]) {
      warnings.tell(settings.warnings(end.getTime() - daysLeft * 86_400_000))
    }
    expect(heard).toEqual([
      `tls.cert: the certificate of "short" expires in 30 days, on ${day}`,
      `tls.cert: the certificate of "short" expires in 7 days, on ${day}`,
      `tls.cert: the certificate of "short" expires in 1 day, on ${day}`,
      `tls.cert: the certificate of "short" expired on ${day}`,
    ])
  })

  it('name an authority that ends, and the field', () => {
    const [warning] = told({ ca: root.cert }, daysFromNow(29).getTime())
    expect(warning).toMatchObject({ code: 'CERTIFICATE_EXPIRES' })
    expect(warning?.message).toMatch(/^tls\.ca: the certificate of "the root" expires within a day, on /)
    expect(told({ ca: root.cert }, Date.now() - 86_400_000)).toEqual([])
  })

  it('say once in a process that brokers are not verified', () => {
    expect(told({ rejectUnauthorized: false }, 0).map(({ code }) => code)).toEqual(['BROKERS_NOT_VERIFIED'])
    expect(told({ rejectUnauthorized: false }, 0)).toEqual([])
    expect(told({}, 0)).toEqual([])
  })
})

describe('expectedName', () => {
  it.each([
    ['b.example', undefined, 'b.example', 'b.example'],
    ['b.example.', undefined, 'b.example', 'b.example'],
    ['localhost', undefined, 'localhost', 'localhost'],
    ['b\u00fccher.example', undefined, 'xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['10.0.0.1', undefined, undefined, '10.0.0.1'],
    ['::1', undefined, undefined, '::1'],
    ['fe80::1%eth0', undefined, undefined, 'fe80::1'],
    ['10.0.0.1', 'b.example', 'b.example', 'b.example'],
    ['b.example', '10.0.0.1', undefined, '10.0.0.1'],
    ['b.example', '', undefined, 'b.example'],
  ])('of %s, servername %s: sends %s, checks %s', (host, override, servername, name) => {
    expect(expectedName(host, override)).toEqual(servername === undefined ? { name } : { servername, name })
  })
})

describe('checkIdentity', () => {
  const certificate = (subjectaltname: string | undefined) =>
    ({ subject: { CN: 'b.example' }, subjectaltname }) as never

  it('follows the subjectAltName, and never the common name', () => {
    expect(checkIdentity('b.example', certificate('DNS:b.example'))).toBeUndefined()
    expect(checkIdentity('a.b.example', certificate('DNS:*.b.example'))).toBeUndefined()
    expect(checkIdentity('10.0.0.1', certificate('IP Address:10.0.0.1'))).toBeUndefined()
    expect(checkIdentity('b.example', certificate(undefined))).toMatchObject({ code: 'COMMON_NAME_ONLY' })
    for (const names of ['DNS:other', 'DNS:*.b.example', 'IP Address:10.0.0.1', 'URI:b.example']) {
      expect(checkIdentity('b.example', certificate(names))).toMatchObject({ code: 'HOST_NOT_IN_CERTIFICATE' })
    }
  })

  it("lets the user's own check decide, and survives what it does wrong", () => {
    expect(checkIdentity('b.example', certificate(undefined), checkServerIdentity)).toBeUndefined()
    expect(checkIdentity('b.example', certificate('DNS:x'), () => undefined)).toBeUndefined()
    const wrong: (() => unknown)[] = [
      () => new Error('not pinned'),
      () => {
        throw new Error('not pinned')
      },
      () => Promise.resolve(undefined),
      () => Promise.reject(new Error('late')),
      () => true,
      () => null,
    ]
    for (const check of wrong) {
      const refusal = checkIdentity('b.example', certificate('DNS:b.example'), check as never)
      expect(refusal).toMatchObject({ code: 'REFUSED_BY_CHECK' })
      expect(inspect(refusal)).toMatch(/not pinned|must return/)
    }
  })
})

/** Still in the shape of a certificate; where its first date is, is none. */
function withoutDates(pem: string): Buffer {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  der[der.indexOf(Buffer.from([0x17, 13]))] = 0x05
  return der
}

/** Bytes in the middle of the DER are others now. */
function damaged(pem: string): string {
  const lines = pem.split('\n')
  lines[2] = Array.from(lines[2] ?? '')
    .reverse()
    .join('')
  return lines.join('\n')
}
