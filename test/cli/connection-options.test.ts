import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { ConnectionFlags } from '../../src/cli/connection-flags.ts'
import { connectionOptions, type Asked, type OwnOptions } from '../../src/cli/connection-options.ts'
import { UsageError } from '../../src/cli/exit-code.ts'
import { canarySecret, expectNoSecret } from '../support/canary.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-flags-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const PASSWORD = canarySecret('password of the flags')
const env = { PASS: PASSWORD, EMPTY: '' }
let warnings: string[] = []

function fileWith(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

const ca = fileWith('ca.pem', 'authorities', 0o644)
const cert = fileWith('cert.pem', 'certificate', 0o644)
const key = fileWith('key.pem', 'key')
const passwordFile = fileWith('password', `${PASSWORD}\n`)
const config = fileWith(
  'config.json',
  JSON.stringify({
    brokers: 'file:1',
    acks: 1,
    lingerMs: 7,
    tls: { servername: 'of-the-file', minVersion: 'TLSv1.3' },
    sasl: { mechanism: 'SCRAM-SHA-256', username: 'file', password: { env: 'PASS' } },
    allowPlaintextCredentials: false,
  }),
)

function ask(flags: ConnectionFlags, own: OwnOptions = {}, more: NodeJS.ProcessEnv = {}): Asked {
  warnings = []
  return connectionOptions(flags, own, { env: { ...env, ...more }, warn: (message) => warnings.push(message) })
}

function optionsOf(flags: ConnectionFlags, own: OwnOptions = {}): Record<string, unknown> {
  const { clientId, ...options } = ask(flags, own).options as unknown as Record<string, unknown>
  expect(clientId).toBe('headrace-cli')
  return options
}

function faultOf(flags: ConnectionFlags, more: NodeJS.ProcessEnv = {}): string {
  try {
    ask(flags, {}, more)
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError)
    expectNoSecret(error)
    return (error as Error).message.replaceAll(`${folder}/`, '')
  }
  return 'none'
}

const brokers = 'a:1'

describe('flags become options', () => {
  test.each<[ConnectionFlags, Record<string, unknown>]>([
    [{}, {}],
    [{ tls: true }, { tls: true }],
    [{ tlsCa: ca }, { tls: { ca: Buffer.from('authorities') } }],
    [{ tls: true, tlsServername: 'n' }, { tls: { servername: 'n' } }],
    [
      { tlsCert: cert, tlsKey: key, tlsKeyPassphraseEnv: 'PASS' },
      { tls: { cert: Buffer.from('certificate'), key: Buffer.from('key'), passphrase: PASSWORD } },
    ],
    [{ tlsTrustAnyone: true }, { tls: { rejectUnauthorized: false } }],
    [
      { sasl: 'PLAIN', username: 'me', passwordEnv: 'PASS', allowPlaintextCredentials: true },
      { sasl: { mechanism: 'PLAIN', username: 'me', password: PASSWORD }, allowPlaintextCredentials: true },
    ],
    [{ sasl: 'oauthbearer', tokenEnv: 'PASS' }, { sasl: { mechanism: 'oauthbearer', token: PASSWORD } }],
    [{ sasl: 'gssapi' }, { sasl: { mechanism: 'gssapi' } }],
  ])('%j', (flags, expected) => {
    expect(optionsOf({ brokers, ...flags })).toEqual({ brokers, ...expected })
    expect(warnings).toEqual([])
  })

  test('AWS_MSK_IAM takes its keys from the environment', () => {
    const keys = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: PASSWORD }
    const roleArn = 'arn:aws:iam::123456789012:role/r'
    const { options } = ask({ brokers, tls: true, sasl: 'AWS_MSK_IAM', region: 'eu-west-1', roleArn }, {}, keys)
    expect(options.sasl).toEqual({ mechanism: 'AWS_MSK_IAM', region: 'eu-west-1', roleArn })
    const message = faultOf({ brokers, tls: true, sasl: 'aws-msk-iam' }, { AWS_SECRET_ACCESS_KEY: PASSWORD })
    expect(message).toBe('--sasl aws-msk-iam takes its keys from the environment: AWS_ACCESS_KEY_ID is not set')
  })

  test('a password in a file is read at each login', () => {
    const sasl = optionsOf({ brokers, sasl: 'plain', username: 'me', passwordFile })['sasl'] as {
      password: () => string
    }
    expect(sasl.password()).toBe(PASSWORD)
    fileWith('password', 'the next one')
    expect(sasl.password()).toBe('the next one')
    fileWith('password', `${PASSWORD}\n`)
  })
})

describe('flags win over the configuration file, and the file over defaults', () => {
  const own: OwnOptions = { defaults: { lingerMs: 1, batchBytes: 2 }, given: { acks: 0 } }

  test('of the file, all counts that no flag says', () => {
    expect(optionsOf({ config }, own)).toEqual({
      ...{ brokers: 'file:1', acks: 0, lingerMs: 7, batchBytes: 2, allowPlaintextCredentials: false },
      tls: { servername: 'of-the-file', minVersion: 'TLSv1.3' },
      sasl: { mechanism: 'SCRAM-SHA-256', username: 'file', password: PASSWORD },
    })
  })

  test('in tls and sasl member by member', () => {
    const flags = {
      config,
      brokers,
      tls: true,
      tlsServername: 'of-the-flag',
      sasl: 'scram-sha-512',
      username: 'flag',
    } as const
    expect(optionsOf({ ...flags, allowPlaintextCredentials: true }, own)).toEqual({
      ...{ brokers, acks: 0, lingerMs: 7, batchBytes: 2, allowPlaintextCredentials: true },
      tls: { servername: 'of-the-flag', minVersion: 'TLSv1.3' },
      sasl: { mechanism: 'scram-sha-512', username: 'flag', password: PASSWORD },
    })
  })

  test('--tls wins over tls: false', () => {
    const off = fileWith('off.json', '{"brokers":"b:1","tls":false}')
    expect(optionsOf({ config: off })).toEqual({ brokers: 'b:1', tls: false })
    expect(optionsOf({ config: off, tls: true })).toEqual({ brokers: 'b:1', tls: true })
  })
})

describe('flags that make no sense are refused in the language of flags', () => {
  test.each<[ConnectionFlags, string]>([
    [{}, '--brokers is missing; see --help'],
    [{ config: fileWith('empty.json', '{}') }, '--brokers is missing; empty.json has no brokers either'],
    [{ brokers, config: 'no-such.json' }, '--config: cannot read no-such.json: there is no such file'],
    [{ brokers, tlsCa: '/no/such' }, '--tls-ca: cannot read /no/such: there is no such file'],
    [{ brokers, tlsCert: folder }, 'it is a directory'],
    [{ brokers, tlsKeyPassphraseEnv: 'PASS' }, '--tls-key-passphrase-env needs --tls-key'],
    [{ brokers, tlsServername: '' }, '--tls-servername: expected something that is not empty'],
    [{ brokers, sasl: 'plain' }, '--sasl plain needs --username and --password-env or --password-file'],
    [
      { brokers, sasl: 'SCRAM_SHA_512', username: 'me' },
      '--sasl scram-sha-512 needs --password-env or --password-file',
    ],
    [{ brokers, sasl: 'oauthbearer' }, '--sasl oauthbearer needs --token-env or --token-file'],
    [{ brokers, username: 'me', passwordEnv: 'PASS' }, 'missing --sasl MECHANISM'],
    [
      { brokers, sasl: 'plain', username: 'me', passwordEnv: 'PASS', region: 'r' },
      '--region: for aws-msk-iam, not for plain',
    ],
    [{ config, region: 'eu-west-1' }, '--region: for aws-msk-iam, not for scram-sha-256'],
    [
      { brokers, sasl: 'plain', username: 'me', passwordEnv: 'PASS', passwordFile },
      '--password-env and --password-file: give one of them',
    ],
    [
      { brokers, sasl: 'oauthbearer', tokenEnv: 'PASS', tokenFile: ca },
      '--token-env and --token-file: give one of them',
    ],
    [
      { brokers, sasl: 'plain', username: 'me', passwordEnv: 'EMPTY' },
      '--password-env EMPTY: the environment variable is empty',
    ],
    [
      { brokers, sasl: 'plain', username: 'me', passwordEnv: PASSWORD },
      '--password-env: there is no environment variable of that name (give the name of a variable, not what is in it, and export it)',
    ],
    [
      { brokers, sasl: 'plain', username: 'me', passwordFile: '/no/such' },
      '--password-file: cannot read /no/such: there is no such file',
    ],
  ])('%j', (flags, expected) => {
    expect(faultOf(flags)).toContain(expected)
  })

  test.skipIf(process.platform === 'win32')('a password file and a key that others can read are warned of', () => {
    const [password, open] = [fileWith('open-password', PASSWORD, 0o604), fileWith('open.pem', 'key', 0o644)]
    ask({ brokers, sasl: 'plain', username: 'me', passwordFile: password, tlsCert: cert, tlsKey: open })
    expect(warnings).toEqual([
      `--tls-key: other users of this machine can read ${open} (chmod 600 makes it yours alone)`,
      `--password-file: other users of this machine can read ${password} (chmod 600 makes it yours alone)`,
    ])
  })
})
