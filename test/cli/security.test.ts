import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { canarySecret, expectNoSecret } from '../support/canary.ts'
import { runCli, type CliResult } from '../support/run-cli.ts'

const PASSWORD = canarySecret('password of the command line', (random) => `p\u00e4ss,=${random}`)
const WRONG = canarySecret('wrong password of the command line')
const folder = mkdtempSync(join(tmpdir(), 'headrace-cli-security-'))
let cluster: TestCluster
let plain: TestCluster

beforeAll(async () => {
  cluster = await TestCluster.start({ topics: { orders: 3 }, tls: true, sasl: { users: { me: PASSWORD } } })
  plain = await TestCluster.start({ topics: { orders: 3 }, autoCreateTopics: false })
  write('ca.pem', String(cluster.ca))
  write('password', `${PASSWORD}\n`)
  write('token', unsecuredToken('me'))
})
afterAll(async () => {
  await Promise.all([cluster.close(), plain.close()])
  rmSync(folder, { recursive: true, force: true })
})

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text, { mode: 0o600 })
  return join(folder, name)
}

/** What the in-process broker takes without a signature, as Kafka's does. */
function unsecuredToken(name: string): string {
  const part = (document: unknown): string => Buffer.from(JSON.stringify(document)).toString('base64url')
  const nowSeconds = Date.now() / 1000
  return `${part({ alg: 'none' })}.${part({ sub: name, iat: nowSeconds - 60, exp: nowSeconds + 3600 })}.`
}

/** Whatever happens, no secret is printed. */
async function run(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  const result = await runCli(args, input, { env: { RIGHT: PASSWORD, WRONG, ...env } })
  expectNoSecret(result)
  return result
}

const tls = (): string[] => ['--brokers', cluster.bootstrap, '--tls-ca', join(folder, 'ca.pem')]
const login = (mechanism: string, variable = 'RIGHT'): string[] => [
  ...['--sasl', mechanism, '--username', 'me', '--password-env', variable],
]

describe('the way in', () => {
  test.each([
    ['plain', () => login('plain')],
    ['scram-sha-256', () => login('SCRAM-SHA-256')],
    [
      'a password in a file',
      () => ['--sasl', 'plain', '--username', 'me', '--password-file', join(folder, 'password')],
    ],
    ['a token in a file', () => ['--sasl', 'oauthbearer', '--token-file', join(folder, 'token')]],
  ])('%s', async (_, flags) => {
    const { code, stdout, stderr } = await run(['topics', ...tls(), ...flags()])
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'TOPIC   PARTITIONS\norders           3\n',
      stderr: '',
    })
  })

  test('a configuration file, with flags over it', async () => {
    const config = write(
      'cluster.json',
      JSON.stringify({
        brokers: cluster.bootstrap,
        acks: 0,
        compression: 'gzip',
        tls: { ca: { file: 'ca.pem' } },
        sasl: { mechanism: 'scram-sha-512', username: 'me', password: { env: 'RIGHT' } },
      }),
    )
    const produce = ['produce', '--config', config, '--topic', 'orders', '--partition', '2']
    const [asInFile, asInFlags] = [await run(produce, 'a\n'), await run([...produce, '--acks', 'all'], 'b\n')]
    expect(asInFile).toMatchObject({ code: 0 })
    expect(asInFile.stderr).toContain('With --acks 0 nobody confirms')
    expect(asInFlags).toMatchObject({ code: 0 })
    expect(asInFlags.stderr).not.toContain('nobody confirms')
    await expect.poll(() => cluster.records('orders').map(({ value }) => String(value))).toEqual(['a', 'b'])
    expect(cluster.requests.at(-1)?.clientId).toBe('headrace-cli')
  })

  test('without checking who answers, with a warning', async () => {
    const { code, stderr } = await run([
      'topics',
      '--brokers',
      cluster.bootstrap,
      '--tls-trust-anyone',
      ...login('plain'),
    ])
    expect(code).toBe(0)
    expect(stderr).toMatch(
      /^headrace: warning: --tls-trust-anyone: whoever answers is taken for the broker, .*--tls-ca.*\n$/,
    )
  })
})

describe('no way in: exit code 3, in the words of the command line', () => {
  test.each([
    [
      'plaintext to a TLS port',
      () => ['--brokers', cluster.bootstrap],
      'PEER_SPEAKS_TLS: this port speaks TLS: use --tls',
    ],
    ['TLS to a plaintext port', () => ['--brokers', plain.bootstrap, '--tls'], 'Leave out --tls'],
    ['no authority', () => ['--brokers', cluster.bootstrap, '--tls'], 'set --tls-ca to it'],
    ['no login', () => tls(), 'does this listener want SASL?'],
    [
      'a wrong password',
      () => [...tls(), ...login('plain', 'WRONG')],
      'SASL_AUTHENTICATION_FAILED (58): PLAIN, user "me"',
    ],
  ])('%s', async (_, flags, expected) => {
    const commands = [['topics'], ['produce', '--topic', 'orders']]
    const results = await Promise.all(commands.map((command) => run([...command, ...flags()])))
    for (const { code, stdout, stderr } of results) {
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
      expect(stderr).toMatch(/^headrace: .*\n$/)
      expect(stderr).toContain(expected)
    }
  })

  test('with HEADRACE_DEBUG=1 there is more to read, and no secret', async () => {
    const args = ['topics', ...tls(), ...login('scram-sha-256', 'WRONG')]
    const { code, stderr } = await run(args, '', { HEADRACE_DEBUG: '1' })
    expect(code).toBe(3)
    expect(stderr).toMatch(/\n {4}at /)
  })
})

describe('secrets on the command line', () => {
  test.each([
    [
      ['--password', WRONG],
      /^headrace: --password is not taken: every user .*; use --password-env NAME, --password-file/,
    ],
    [[`--password=${WRONG}`], /^headrace: --password is not taken/],
    [['--token', WRONG], /^headrace: --token is not taken: .*; use --token-env NAME/],
    [['--tls-key-passphrase', WRONG], /^headrace: --tls-key-passphrase is not taken: .*; use --tls-key-passphrase-env/],
    [['--sasl-password', WRONG], /^headrace: --sasl-password is not taken/],
    [[`--pasword-env=${WRONG}`], /^headrace: unknown option '--pasword-env'\n$/],
    [[`--pass='${WRONG}'`], /^headrace: unknown option '--pass'\n/],
    [[`-p${WRONG}`], /^headrace: unknown option '-p'\n/],
    [
      ['--password-env', WRONG, '--sasl', 'plain', '--username', 'me'],
      /^headrace: --password-env: there is no environment variable/,
    ],
  ])('%# are refused and not repeated', async (args, expected) => {
    const debugging = ['', '1'].map((HEADRACE_DEBUG) =>
      run(['topics', '--brokers', 'a:1', ...args], '', { HEADRACE_DEBUG }),
    )
    const results = await Promise.all(debugging)
    expect(results.map(({ code, stdout }) => ({ code, stdout }))).toEqual(Array(2).fill({ code: 2, stdout: '' }))
    expect(results[0]?.stderr).toMatch(expected)
  })

  test('nor is what stands around a fault in a configuration file', async () => {
    const faulty = [
      `{"brokers":"a:1","sasl":{"mechanism":"plain","username":"me","password":${WRONG}}}`,
      `{"brokers":"a:1","sasl":{"mechanism":"plain","username":"me","password":["${WRONG}"]}}`,
      `{"brokers":"a:1","sasl":{"mechanism":"plain","username":"me","pasword":"${WRONG}"}}`,
      `{"brokers":"a:1","sasl":"${WRONG}"}`,
      `{"brokers":"a:1","tls":{"ca":"${WRONG}"}}`,
      `{"brokers":"a:1","tls":{"key":{"pem":"${WRONG}"}}}`,
    ]
    const results = await Promise.all(
      faulty.map((text, i) =>
        run(['topics', '--config', write(`faulty-${i}.json`, text)], '', { HEADRACE_DEBUG: '1' }),
      ),
    )
    expect(results.map(({ code, stdout }) => ({ code, stdout }))).toEqual(faulty.map(() => ({ code: 2, stdout: '' })))
  })
})

describe('headrace check', () => {
  const stepsIn = (stdout: string): string[] =>
    [...stdout.matchAll(/^(ok|WARN|FAILED) +\S+ \S+ +([\w-]+)/gm)].map(([, mark, step]) => `${mark} ${step}`)

  test('follows the way to a topic', async () => {
    const { code, stdout, stderr } = await run(['check', ...tls(), ...login('scram-sha-512'), '--topic', 'orders'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.startsWith(`${cluster.bootstrap}\n`)).toBe(true)
    expect(stepsIn(stdout).slice(0, 7)).toEqual([
      'ok resolve',
      'ok tcp',
      'ok tls',
      'ok api-versions',
      'ok sasl',
      'ok metadata',
      'ok topic',
    ])
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^ALL IS WELL: nothing is in the way of records to "orders"/)
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(cluster.requests.some(({ api }) => api === 'Produce')).toBe(cluster.recordCount('orders') > 0)
  })

  test.each<[string, () => string[], number, string, string]>([
    ['nobody listens', () => ['--brokers', '127.0.0.1:1'], 3, 'tcp', 'CONNECTION_REFUSED'],
    ['no such host', () => ['--brokers', 'no-such-host.invalid:9092'], 3, 'resolve', 'HOST_NOT_FOUND'],
    ['plaintext to a TLS port', () => ['--brokers', cluster.bootstrap], 3, 'tls', 'PEER_SPEAKS_TLS'],
    ['TLS to a plaintext port', () => ['--brokers', plain.bootstrap, '--tls'], 3, 'tls', 'PEER_NOT_TLS'],
    ['no authority', () => ['--brokers', cluster.bootstrap, '--tls'], 3, 'tls', 'CERTIFICATE_SELF_SIGNED'],
    ['a wrong password', () => [...tls(), ...login('plain', 'WRONG')], 3, 'sasl', 'SASL_AUTHENTICATION_FAILED'],
    [
      'a topic that is not there',
      () => ['--brokers', plain.bootstrap, '--topic', 'order'],
      1,
      'topic',
      'UNKNOWN_TOPIC_OR_PARTITION',
    ],
  ])('%s', async (_, flags, code, step, reason) => {
    const [told, asJson] = await Promise.all([run(['check', ...flags()]), run(['check', ...flags(), '--json'])])
    expect(told).toMatchObject({ code, stderr: '' })
    expect(asJson).toMatchObject({ code, stderr: '' })
    expect(stepsIn(told.stdout).at(-1)).toBe(`FAILED ${step}`)
    expect(told.stdout).toContain(`FAILED: 1 of `)
    expect(told.stdout.trimEnd().split('\n').at(-1)).toContain(`: ${step} (${reason}).`)
    const documents = asJson.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { step: string; code?: string })
    expect(documents.at(-1)).toMatchObject({ step, ok: false, code: reason })
  })

  test('what is to be tried are flags', async () => {
    const { stdout } = await run(['check', '--brokers', cluster.bootstrap])
    expect(stdout).toContain('use --tls')
    expect(stdout).toContain('--tls-ca')
    expect(stdout).not.toMatch(/\b[Ss]et tls|\b(tls|sasl)\.\w|\{ ca|\btrue\b/)
  })

  test('wrong options exit 2', async () => {
    const [none, bad] = await Promise.all([run(['check']), run(['check', '--brokers', 'a'])])
    expect(none).toEqual({ code: 2, stdout: '', stderr: 'headrace: --brokers is missing; see --help\n' })
    expect(bad).toMatchObject({ code: 2, stdout: '' })
    expect(bad.stderr).toContain('headrace: --brokers: "a" has no port')
  })
})
