import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readConfigFile, type ConfigFile } from '../../src/cli/config-file.ts'
import { UsageError } from '../../src/cli/exit-code.ts'
import { canarySecret, expectNoSecret } from '../support/canary.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-config-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const PASSWORD = canarySecret('password in a configuration')
let count = 0
let warnings: string[] = []

function fileWith(text: string | Uint8Array, mode = 0o600, name = `file-${++count}`): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

function read(document: unknown, env: NodeJS.ProcessEnv = {}, mode = 0o600): ConfigFile {
  warnings = []
  const path = fileWith(typeof document === 'string' ? document : JSON.stringify(document), mode)
  return readConfigFile(path, { env, warn: (message) => warnings.push(message) })
}

function faultOf(document: unknown, env: NodeJS.ProcessEnv = {}): string {
  try {
    read(document, env)
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError)
    expectNoSecret(error)
    return (error as Error).message.replaceAll(folder, '').replaceAll(/\/file-\d+/g, 'FILE')
  }
  return 'none'
}

/** A password or token from a file is a function. */
function secretIn(config: ConfigFile, member: 'password' | 'token'): unknown {
  const secret = (config.options['sasl'] as Record<string, unknown>)[member]
  return typeof secret === 'function' ? (secret as () => unknown)() : secret
}

describe('a configuration file', () => {
  test('has options by their own names; nothing else happens to them', () => {
    const options = { brokers: ['a:1', 'b:2'], acks: 1, tls: true, compression: { codec: 'gzip', level: 3 } }
    expect(read(options).options).toEqual(options)
    expect(read(`\uFEFF${JSON.stringify(options)}\n`).options).toEqual(options)
    expect(Object.keys(read('{"__proto__":{"brokers":"x"}}').options)).toEqual(['__proto__'])
  })

  test('may take secrets from the environment', () => {
    const sasl = {
      username: { env: 'USER_NAME' },
      password: { env: 'PASS' },
      credentials: { secretAccessKey: { env: 'PASS' } },
    }
    const { options } = read(
      { brokers: { env: 'WHERE' }, tls: { passphrase: { env: 'PASS' } }, sasl },
      { WHERE: 'a:1', USER_NAME: 'me', PASS: PASSWORD },
    )
    expect(options).toEqual({
      brokers: 'a:1',
      tls: { passphrase: PASSWORD },
      sasl: { username: 'me', password: PASSWORD, credentials: { secretAccessKey: PASSWORD } },
    })
  })

  test('may take secrets, certificates and keys from files, which are relative to itself', () => {
    mkdirSync(join(folder, 'keys'), { recursive: true })
    fileWith(Buffer.from([1, 2, 255]), 0o600, 'keys/store.p12')
    fileWith('a certificate\n', 0o644, 'keys/ca.pem')
    const tls = { ca: [{ file: 'keys/ca.pem' }, './x'], pfx: { file: 'keys/store.p12' } }
    expect(read({ tls }).options['tls']).toEqual({
      ca: [Buffer.from('a certificate\n'), './x'],
      pfx: Buffer.from([1, 2, 255]),
    })
    expect(warnings).toEqual([])
  })

  test.each([
    [`${PASSWORD}\n`, PASSWORD],
    [`${PASSWORD}\r\n`, PASSWORD],
    [`\uFEFF${PASSWORD}`, PASSWORD],
    [`${PASSWORD}\n\n`, `${PASSWORD}\n`],
    [` ${PASSWORD} `, ` ${PASSWORD} `],
  ])('cuts one line end of a secret, and no more (%#)', (text, expected) => {
    const file = fileWith(text)
    expect(secretIn(read({ sasl: { password: { file } } }), 'password')).toBe(expected)
  })

  test('reads the file of a password or token anew each time', () => {
    const file = fileWith('first')
    const config = read({ sasl: { token: { file } } })
    expect(secretIn(config, 'token')).toBe('first')
    writeFileSync(file, 'second\n')
    expect(secretIn(config, 'token')).toBe('second')
    rmSync(file)
    expect(() => secretIn(config, 'token')).toThrow('there is no such file')
  })

  test.each([
    ['{"sasl": {"password": ' + PASSWORD + '}}', '--config: FILE is not JSON: look at line 1, column 23'],
    ['[1]', '--config: FILE: expected a JSON object with options, such as {"brokers":"localhost:9092"}'],
    ['"x"', '--config: FILE: expected a JSON object'],
    [
      { sasl: { password: { env: 'NOPE' } } },
      'FILE: sasl.password: there is no environment variable of that name (give',
    ],
    [{ sasl: { password: { env: 'EMPTY' } } }, 'FILE: sasl.password EMPTY: the environment variable is empty'],
    [{ sasl: { password: { env: PASSWORD } } }, 'FILE: sasl.password: there is no environment variable'],
    [{ sasl: { password: { env: 'constructor' } } }, 'FILE: sasl.password: there is no environment variable'],
    [
      { sasl: { password: { file: 'no-such-file' } } },
      'FILE: sasl.password: cannot read /no-such-file: there is no such file',
    ],
    [{ sasl: { password: { file: '.' } } }, 'it is a directory'],
    [{ sasl: { password: { file: '' } } }, 'FILE: sasl.password: expected { "env": "NAME" } or { "file": "path" }'],
    [
      { sasl: { password: { env: 'A', file: 'b' } } },
      'FILE: sasl.password: expected { "env": "NAME" } or { "file": "path" }',
    ],
    [{ tls: { ca: { file: 7 } } }, 'FILE: tls.ca: expected { "env": "NAME" } or { "file": "path" }'],
    [{ lingerMs: { env: 'SECRET' } }, 'FILE: lingerMs: "env" and "file" can stand for tls.ca, tls.cert, '],
  ])('%j is refused (%#)', (document, expected) => {
    expect(faultOf(document, { EMPTY: '', SECRET: PASSWORD })).toContain(expected)
  })

  test('an empty secret, one that is no text, and a file without end are refused', () => {
    expect(faultOf({ sasl: { password: { file: fileWith('\n') } } })).toMatch(/sasl.password: .* is empty$/)
    expect(faultOf({ sasl: { password: { file: fileWith(Buffer.from([0xff, 0x41])) } } })).toMatch(
      / is not text in UTF-8$/,
    )
    if (process.platform === 'linux')
      expect(faultOf({ tls: { ca: { file: '/dev/zero' } } })).toMatch(/ is larger than 1 MiB$/)
  })

  test.skipIf(process.platform === 'win32')('warns of secrets that others can read, and only of these', () => {
    const [closed, open] = [fileWith(PASSWORD), fileWith(PASSWORD, 0o644)]
    read({ sasl: { password: PASSWORD } }, {}, 0o644)
    expect(warnings).toEqual([expect.stringMatching(/holds a secret \(sasl\.password\), and other users .*chmod 600/)])
    read({ sasl: { password: { file: open } } }, {}, 0o644)
    expect(warnings).toEqual([
      expect.stringMatching(new RegExp(`: sasl\\.password: other users of this machine can read ${open} `)),
    ])
    read({ tls: { key: { file: open } } })
    expect(warnings).toEqual([expect.stringContaining('tls.key: other users')])
    read(
      { brokers: 'a:1', sasl: { username: 'me', password: { file: closed } }, tls: { ca: { file: open } } },
      {},
      0o644,
    )
    expect(warnings).toEqual([])
    read({ sasl: { password: PASSWORD } }, {}, 0o640)
    expect(warnings).toEqual([])
    expectNoSecret(warnings)
  })
})
