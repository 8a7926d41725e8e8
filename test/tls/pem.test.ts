import { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { derKind, derLength } from '../../src/tls/der.ts'
import { readPem } from '../../src/tls/pem.ts'
import { Authority, type Issued } from '../support/tls/authority.ts'

let root: Authority
let leaf: Issued
/** Made by openssl, by what they are. */
const made: Record<string, string> = {}

beforeAll(async () => {
  root = await Authority.root('pem root')
  leaf = await root.issue()
  made['certificate'] = leaf.cert
  made['pkcs8-key'] = leaf.key
  const sec1 = await root.openssl('ecparam', '-name', 'prime256v1', '-genkey')
  made['sec1-key'] = sec1
  made['encrypted-pkcs8-key'] = await root.openssl('pkcs8', '-topk8', '-in', 'ca.key', '-passout', 'pass:canary-1')
  made['legacy-encrypted-key'] = await root.openssl('ec', '-in', 'ca.key', '-aes128', '-passout', 'pass:canary-1')
  made['public-key'] = await root.openssl('ec', '-in', 'ca.key', '-pubout')
  await root.openssl('genrsa', '-traditional', '-out', 'rsa.key', '1024')
  made['pkcs1-key'] = await root.openssl('rsa', '-in', 'rsa.key', '-traditional')
  made['crl'] = await root.revocations()
  made['request'] = await root.openssl('req', '-new', '-config', 'ca.cnf', '-key', 'ca.key', '-subj', '/CN=r')
  made['pkcs7'] = await root.openssl('crl2pkcs7', '-nocrl', '-certfile', 'ca.pem')
})
afterAll(() => root.remove())

function kindsOf(value: unknown): string[] {
  const read = readPem(value)
  if (!('value' in read)) throw new Error('problem' in read ? read.problem : read.expected)
  return read.value.map(({ kind }) => kind)
}

function blocksOf(value: unknown): string[] {
  const read = readPem(value)
  if (!('value' in read)) throw new Error('problem' in read ? read.problem : read.expected)
  return read.value.map(({ pem }) => pem)
}

function problemOf(value: unknown): string {
  const read = readPem(value)
  return 'problem' in read ? read.problem : 'none'
}

const derOf = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
const withoutLabels = (pem: string): string => pem.replace(/-----[^-]+-----\n?/g, '')

/** What happens to PEM on its way through forms, environment variables, YAML, JSON and word processors. */
const SHAPES: Readonly<Record<string, (pem: string) => unknown>> = {
  'as it is': (pem) => pem,
  'as a Buffer': (pem) => Buffer.from(pem),
  'as a Uint8Array': (pem) => new Uint8Array(Buffer.from(pem)),
  'in a list': (pem) => [pem],
  'with Windows ends': (pem) => pem.replaceAll('\n', '\r\n'),
  'with old Mac ends': (pem) => pem.replaceAll('\n', '\r'),
  'on one line': (pem) => pem.replaceAll('\n', ''),
  'with spaces for line ends': (pem) => pem.replaceAll('\n', ' '),
  'with literal \\n': (pem) => pem.replaceAll('\n', '\\n'),
  'with literal \\r\\n': (pem) => pem.replaceAll('\n', '\\r\\n'),
  'with \\n escaped twice': (pem) => pem.replaceAll('\n', '\\\\n'),
  'as a JSON string': (pem) => JSON.stringify(pem),
  'in single quotes': (pem) => `'${pem}'`,
  'indented, as in YAML': (pem) => pem.replace(/^/gm, '    '),
  'after a byte order mark': (pem) => `\ufeff${pem}`,
  'as UTF-16': (pem) => Buffer.from(`\ufeff${pem}`, 'utf16le'),
  'as UTF-16 without a mark': (pem) => Buffer.from(pem, 'utf16le'),
  'percent-encoded': (pem) => encodeURIComponent(pem),
  'with dashes of a word processor': (pem) => pem.replaceAll('-----', '\u2014\u2014-'),
  'with too few dashes': (pem) => pem.replaceAll('-----', '----'),
  'with text around it': (pem) => `Bag Attributes\n    friendlyName: x\n${pem}\nthat is all\n`,
  'in base64': (pem) => Buffer.from(pem).toString('base64'),
  'in base64, twice': (pem) => Buffer.from(Buffer.from(pem).toString('base64')).toString('base64'),
  'in base64, on lines': (pem) => Buffer.from(pem).toString('base64').replace(/.{76}/g, '$&\n'),
}

/** These lose the label, which only DER that can be read makes up for. */
const UNLABELLED: Readonly<Record<string, (pem: string) => unknown>> = {
  'as DER': derOf,
  'as an ArrayBuffer of DER': (pem) => new Uint8Array(derOf(pem)).buffer,
  'without first and last line': withoutLabels,
  'without first and last line, on one line': (pem) => withoutLabels(pem).replaceAll('\n', ''),
  'without its first line': (pem) => pem.replace(/-----BEGIN[^-]+-----/, ''),
  'without its last line': (pem) => pem.replace(/-----END[^-]+-----/, ''),
  'in base64url': (pem) => derOf(pem).toString('base64url'),
  'under a wrong label': (pem) => pem.replace(/(BEGIN|END) [A-Z0-9 ]+/g, '$1 PRIVATE KEY'),
  'under the label of something else': (pem) => pem.replace(/(BEGIN|END) [A-Z0-9 ]+/g, '$1 X509 CERTIFICATE'),
  'in a second label': (pem) => `-----BEGIN PRIVATE KEY-----\n${pem}-----END PRIVATE KEY-----\n`,
}

const KINDS = ['certificate', 'pkcs8-key', 'pkcs1-key', 'encrypted-pkcs8-key', 'public-key', 'crl', 'request', 'pkcs7']

describe('readPem', () => {
  it.each(Object.keys(SHAPES))('gives what openssl wrote, %s', (shape) => {
    for (const kind of [...KINDS, 'legacy-encrypted-key']) {
      expect(blocksOf(SHAPES[shape]!(made[kind]!)).map(derOfBlock)).toEqual([derOfBlock(made[kind]!)])
      expect(kindsOf(SHAPES[shape]!(made[kind]!))).toEqual([kind])
    }
  })

  it.each(Object.keys(UNLABELLED))('finds the label by what is in it, %s', (shape) => {
    for (const kind of KINDS) {
      expect(kindsOf(UNLABELLED[shape]!(made[kind]!))).toEqual([kind])
      expect(blocksOf(UNLABELLED[shape]!(made[kind]!))[0]).toBe(
        made[kind]!.replaceAll('NEW CERTIFICATE', 'CERTIFICATE'),
      )
    }
  })

  it('leaves out the parameters that openssl writes before an EC key', () => {
    expect(made['sec1-key']).toContain('EC PARAMETERS')
    expect(kindsOf(made['sec1-key'])).toEqual(['sec1-key'])
  })

  it('keeps the headers of an encrypted key of old, even on one line', () => {
    const oneLine = made['legacy-encrypted-key']!.replaceAll('\n', ' ')
    expect(blocksOf(oneLine)).toEqual([made['legacy-encrypted-key']])
  })

  it('gives each of several, in their order, key and certificates in one text included', () => {
    const text = `${leaf.key}\nissuer=...\n${leaf.cert}${root.cert}`
    expect(kindsOf(text)).toEqual(['pkcs8-key', 'certificate', 'certificate'])
    expect(kindsOf(text.replaceAll('\n', '\\n'))).toEqual(['pkcs8-key', 'certificate', 'certificate'])
    expect(kindsOf(Buffer.concat([derOf(leaf.cert), derOf(root.cert)]))).toEqual(['certificate', 'certificate'])
    expect(kindsOf(withoutLabels(leaf.cert) + withoutLabels(root.cert))).toEqual(['certificate', 'certificate'])
    expect(kindsOf([leaf.cert, derOf(root.cert)])).toEqual(['certificate', 'certificate'])
  })

  it("takes the certificate out of OpenSSL's TRUSTED CERTIFICATE", async () => {
    const trusted = await root.openssl('x509', '-in', 'ca.pem', '-trustout', '-addtrust', 'serverAuth')
    expect(trusted).toContain('TRUSTED')
    expect(blocksOf(trusted)).toEqual([root.cert])
  })

  it.each([
    ['', 'empty'],
    ['  \n', 'empty'],
    [[], 'an empty list'],
    [Buffer.alloc(0), 'empty'],
    [42, 'expected PEM text or a Buffer'],
    [null, 'expected PEM text or a Buffer'],
    [{}, 'expected PEM text or a Buffer'],
    ['not a certificate', 'neither PEM nor base64'],
    ['bm90IGEgY2VydGlmaWNhdGU=', 'neither PEM nor base64'],
    ['========', 'neither PEM nor base64'],
    ['-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----', 'a PEM label with nothing in it'],
    ['-----BEGIN CERTIFICATE-----\n***\n-----END CERTIFICATE-----', 'not base64'],
    ['-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydA==\n-----END CERTIFICATE-----', 'no certificate and no key'],
    ['/etc/ssl/certs/ca.pem', 'the path of a file'],
    ['/etc/ssl/authority', 'the path of a file'],
    ['./ca.crt', 'the path of a file'],
    ['ca.pem', 'the path of a file'],
    ['C:\\certs\\new\\ca.pem', 'the path of a file'],
    ['file:///ca', 'the path of a file'],
  ])('says what it found in %j', (value, words) => {
    expect(problemOf(value)).toContain(words)
  })

  it('knows what it cannot use: OpenSSH and Java key stores', () => {
    const ssh = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----'
    expect(kindsOf(ssh)).toEqual(['openssh-key'])
    const store = Buffer.from('feedfeed0000000200000000', 'hex')
    expect(kindsOf(store)).toEqual(['java-key-store'])
    expect(kindsOf(store.toString('base64'))).toEqual(['java-key-store'])
  })

  it('says how much is missing of what was cut short, at every length', () => {
    const der = derOf(leaf.cert)
    for (let length = 8; length < der.length; length += 7) {
      expect(problemOf(der.subarray(0, length))).toBe(`cut short: ${length} bytes of ${der.length} are there`)
    }
    const lines = leaf.cert.split('\n')
    expect(problemOf([...lines.slice(0, 4), ...lines.slice(-2)].join('\n'))).toMatch(/^cut short: 144 bytes of \d+/)
  })

  it('never throws, never shows what it was given, never takes long', () => {
    const alphabet = fc.constantFrom(
      '-----',
      'BEGIN ',
      'END ',
      'CERTIFICATE',
      '\n',
      '\\n',
      'MIIB',
      '=',
      '-',
      '"',
      '%2B',
    )
    const noise = fc.oneof(
      fc.string({ minLength: 12, unit: 'binary' }),
      fc.array(alphabet, { maxLength: 60 }).map((parts) => parts.join('')),
      fc.uint8Array({ minLength: 12, maxLength: 300 }),
      fc.uint8Array({ minLength: 12, maxLength: 300 }).map((bytes) => Buffer.from([0x30, ...bytes])),
    )
    fc.assert(
      fc.property(noise, (value) => {
        const read = readPem(value)
        if ('problem' in read) expect(read.problem).toMatch(/^[a-zA-Z0-9 .,:()#'\\]{5,120}$/)
      }),
      { numRuns: 1000 },
    )
    for (const piece of ['-', '-----BEGIN ', '-BEGIN A', '=', '\\', '%', 'A ', ' BEGIN']) {
      expect(readPem(piece.repeat(200_000))).toBeDefined()
    }
    expect(problemOf('A'.repeat(5_000_000))).toContain('over')
  })

  it('has nothing of a damaged key in its words', () => {
    const key = derOf(leaf.key)
    fc.assert(
      fc.property(fc.nat(key.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(key)
        damaged[at] = damaged[at]! ^ change
        const problem = problemOf(
          `-----BEGIN PRIVATE KEY-----\n${damaged.toString('base64')}\n-----END PRIVATE KEY-----`,
        )
        expect(problem.length).toBeLessThan(100)
        expect(problem).not.toContain(damaged.toString('base64').slice(40, 52))
      }),
      { numRuns: 300 },
    )
  })
})

describe('derKind and derLength', () => {
  it('take any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(typeof derKind(bytes)).toBe('string')
        expect(derLength(bytes) ?? 0).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: 1000 },
    )
  })

  it('know the certificates that Node itself trusts', async () => {
    const { rootCertificates } = await import('node:tls')
    for (const pem of rootCertificates) {
      const { raw } = new X509Certificate(pem)
      expect([derKind(raw), derLength(raw)]).toEqual(['certificate', raw.length])
    }
  })
})

function derOfBlock(pem: string): string {
  return pem.replace(/-----[^-]+-----|Proc-Type.*|DEK-Info:\s*\S+|\s/g, '')
}
