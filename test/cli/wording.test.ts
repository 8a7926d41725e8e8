import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inFlags } from '../../src/cli/connect.ts'
import type { ConnectionFlags } from '../../src/cli/connection-flags.ts'
import { connectionOptions } from '../../src/cli/connection-options.ts'
import { UsageError } from '../../src/cli/exit-code.ts'
import { Wording } from '../../src/cli/wording.ts'
import { Producer } from '../../src/index.ts'
import { canarySecret, expectNoSecret, registerSecret } from '../support/canary.ts'
import { Authority } from '../support/tls/authority.ts'

const PASSPHRASE = canarySecret('passphrase of a wording', (random) => `canary-${random}`)
const folder = mkdtempSync(join(tmpdir(), 'headrace-wording-'))
const path = (name: string): string => join(folder, name)
let authority: Authority

beforeAll(async () => {
  authority = await Authority.root('the root')
  const [own, other] = [await authority.issue({ usage: 'clientAuth' }), await authority.issue()]
  const file = await authority.write('own.key', own.key)
  const locked = await authority.openssl('pkcs8', '-topk8', '-in', file, '-passout', `pass:${PASSPHRASE}`)
  registerSecret('key of a wording', own.key)
  const files = {
    'own.pem': own.cert,
    'own.key': own.key,
    'other.key': other.key,
    'locked.key': locked,
    'noise.pem': 'x y z',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(path(name), text, { mode: 0o600 })
})
afterAll(async () => {
  await authority.remove()
  rmSync(folder, { recursive: true, force: true })
})

/** What the command line says of options that only the library can judge. */
function faultOf(flags: ConnectionFlags, given: Record<string, unknown> = {}): string {
  const own = {
    given,
    flagNames: { lingerMs: '--linger-ms', deliveryTimeoutMs: '--delivery-timeout-ms', acks: '--acks' },
  }
  const env = { WRONG: 'not-the-passphrase', PASS: PASSPHRASE, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }
  const asked = connectionOptions({ brokers: 'a:1', ...flags }, own, { env, warn: () => undefined })
  try {
    inFlags(asked.wording, () => new Producer(asked.options))
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError)
    expectNoSecret(error)
    return (error as Error).message.replaceAll(`${folder}/`, '')
  }
  return 'none'
}

describe('what the library says of options is said of flags', () => {
  test.each<[string, () => ConnectionFlags, Record<string, unknown>, string]>([
    ['an address', () => ({ brokers: 'a' }), {}, '--brokers: "a" has no port; write a:9092 or whatever the port is'],
    ['a number', () => ({}), { lingerMs: 99_999 }, '--linger-ms: got 99999, expected an integer, 0 to 60000'],
    [
      'two numbers',
      () => ({}),
      { lingerMs: 5, deliveryTimeoutMs: 5 },
      '--delivery-timeout-ms (5) is not longer than --linger-ms (5): every record would expire',
    ],
    [
      'noise as authority',
      () => ({ tlsCa: path('noise.pem') }),
      {},
      '--tls-ca noise.pem: is neither PEM nor base64 of a certificate or key',
    ],
    [
      'a key as authority',
      () => ({ tlsCa: path('own.key') }),
      {},
      '--tls-ca own.key: holds a private key, and no certificate',
    ],
    [
      'no key',
      () => ({ tlsCert: path('own.pem') }),
      {},
      '--tls-key: missing: --tls-cert is set and holds a certificate only; a broker wants certificate and key',
    ],
    [
      'no certificate',
      () => ({ tlsKey: path('own.key') }),
      {},
      '--tls-cert: missing: --tls-key is set and holds a private key only; a broker wants certificate and key',
    ],
    [
      "another's key",
      () => ({ tlsCert: path('own.pem'), tlsKey: path('other.key') }),
      {},
      '--tls-key other.key: does not belong to the certificate in --tls-cert',
    ],
    [
      'a locked key',
      () => ({ tlsCert: path('own.pem'), tlsKey: path('locked.key') }),
      {},
      '--tls-key locked.key: is encrypted: set --tls-key-passphrase-env, too',
    ],
    [
      'a wrong passphrase',
      () => ({ tlsCert: path('own.pem'), tlsKey: path('locked.key'), tlsKeyPassphraseEnv: 'WRONG' }),
      {},
      '--tls-key-passphrase-env WRONG: does not open --tls-key (or the key is damaged)',
    ],
    [
      'the right one',
      () => ({ tlsCert: path('own.pem'), tlsKey: path('locked.key'), tlsKeyPassphraseEnv: 'PASS' }),
      {},
      'none',
    ],
    ['a mechanism', () => ({ sasl: 'scram' }), {}, `--sasl: "scram": is it 'scram-sha-256' or 'scram-sha-512'?`],
    ['a near mechanism', () => ({ sasl: 'plian' }), {}, `did you mean 'plain'?`],
    ['a role', () => ({ tls: true, sasl: 'aws-msk-iam', roleArn: 'x' }), {}, '--role-arn: got "x", expected a role'],
    [
      'AWS without TLS',
      () => ({ sasl: 'aws-msk-iam' }),
      {},
      '--sasl: AWS_MSK_IAM is never used without TLS: use --tls',
    ],
    ['several', () => ({ brokers: 'a', tlsCa: path('noise.pem'), sasl: 'x' }), {}, '; --tls-ca noise.pem: is neither'],
  ])('%s', (_, flags, given, expected) => {
    const fault = faultOf(flags(), given)
    if (expected === 'none') expect(fault).toBe('none')
    else expect(fault).toContain(expected)
  })
})

describe('what stands in the configuration file keeps its name there', () => {
  const config = (options: unknown): ConnectionFlags => {
    writeFileSync(path('config.json'), JSON.stringify(options), { mode: 0o600 })
    return { config: path('config.json') }
  }

  test.each([
    [{ lingerMS: 1 }, 'config.json: lingerMS: unknown option: did you mean lingerMs?'],
    [{ lingerMs: 99_999 }, 'config.json: lingerMs: got 99999, expected an integer'],
    [{ 'linger.ms': 1 }, 'config.json: linger.ms: unknown option: use lingerMs'],
    [{ tls: { cafile: 'x' } }, 'config.json: tls.cafile: unknown option'],
    [{ tls: { ca: 'ca.pem' } }, 'config.json: tls.ca: is the path of a file, it seems: write { "file": "path" }'],
    [
      { tls: { ca: 'x y', cert: 'x y' } },
      'config.json: tls.ca: is neither PEM nor base64 of a certificate or key; config.json: tls.cert: is neither',
    ],
    [
      { sasl: { mechanism: 'plain', user: 'me', password: PASSPHRASE } },
      'config.json: sasl.user: unknown option: it is username; config.json: sasl.username: required',
    ],
    [
      { sasl: { mechanism: 'plain', username: 'me', pasword: PASSPHRASE } },
      'config.json: sasl.pasword: unknown option: did you mean password?',
    ],
    [{ logger: {} }, 'config.json: logger: got an object, expected'],
    [{ __proto__: null, constructor: 1 }, 'config.json: constructor: unknown option'],
  ])('%j', (options, expected) => {
    expect(faultOf(config(options))).toContain(expected)
  })

  test('beside flags, each is named where it stands', () => {
    const flags = { ...config({ tls: { ca: 'x y' }, lingerMs: 'x' }), tlsCert: path('noise.pem'), sasl: 'x' }
    const fault = faultOf(flags)
    expect(fault).toContain('config.json: lingerMs: got "x"')
    expect(fault).toContain('config.json: tls.ca: is neither')
    expect(fault).toContain('--tls-cert noise.pem: is neither')
    expect(fault).toContain('--sasl: ')
  })
})

describe('other sentences', () => {
  const flagged = new Wording({}, { flags: new Map([['tls.rejectUnauthorized', '--tls-trust-anyone']]), config: null })
  const filed = new Wording(
    {},
    { flags: new Map([['tls.ca', '--tls-ca ca.pem']]), config: { path: 'c.json', names: new Set(['tls']) } },
  )

  test.each([
    ['a:1: PEER_SPEAKS_TLS: this port speaks TLS: set tls', 'a:1: PEER_SPEAKS_TLS: this port speaks TLS: use --tls'],
    ['Set tls to true, or to { ca } if the certificates', 'Use --tls, or --tls-ca if the certificates'],
    ['set tls. true is enough where', 'use --tls. --tls is enough where'],
    ['Set sasl.mechanism to one that', 'Set --sasl to one that'],
    ['Leave out tls, or use the port', 'Leave out --tls, or use the port'],
    ['set tls.cert and tls.key', 'set --tls-cert and --tls-key'],
    [
      'set tls, or allowPlaintextCredentials if this network is safe',
      'use --tls, or --allow-plaintext-credentials if this network is safe',
    ],
    [
      'signed by itself and not in tls.ca: set tls.ca to it',
      'signed by itself and not in --tls-ca: set --tls-ca to it',
    ],
    ['which AWS region? set sasl.region', 'which AWS region? set --region'],
    ['sasl.password: the function failed', '--password-env or --password-file: the function failed'],
    ['tls.rejectUnauthorized is false: whoever answers', '--tls-trust-anyone: whoever answers'],
    ['tls.crl, connectTimeoutMs, the key of a topic in tls', 'tls.crl, connectTimeoutMs, the key of a topic in tls'],
  ])('%j', (said, expected) => {
    expect(flagged.sentence(said)).toBe(expected)
  })

  test('with a configuration file, what no flag gave keeps its name', () => {
    expect(filed.sentence('set tls.cert; not in tls.ca; set sasl')).toBe('set tls.cert; not in --tls-ca; set sasl')
  })
})
