import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { runCli, startCli } from '../support/run-cli.ts'

let cluster: TestCluster

beforeAll(async () => {
  cluster = await TestCluster.start({ topics: { orders: 12, logs: 1 } })
})
afterAll(() => cluster.close())

const CONNECTION = ['--brokers', '--config']
const SECURITY = [
  ...['--tls', '--tls-ca', '--tls-cert', '--tls-key', '--tls-key-passphrase-env', '--tls-servername'],
  ...['--tls-trust-anyone', '--sasl', '--username', '--password-env', '--password-file', '--token-env', '--token-file'],
  ...['--region', '--role-arn', '--allow-plaintext-credentials'],
]

describe('help', () => {
  test('lists the commands and the exit codes', async () => {
    const { code, stdout } = await runCli(['--help'])
    expect(code).toBe(0)
    for (const command of ['demo', 'produce', 'topics', 'check', 'broker'])
      expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'))
    expect(stdout).toContain('Exit code: 0')
    expect(stdout).toContain('Examples:')
  })

  test.each([
    ['demo', ['--json', '--help']],
    ['topics', [...CONNECTION, '--all', '--json', '--help', ...SECURITY]],
    ['check', [...CONNECTION, '--topic', '--json', '--help', ...SECURITY]],
    ['broker', ['--port', '--brokers', '--topic', '--json', '--help']],
    [
      'produce',
      [
        ...CONNECTION,
        ...['--topic', '--file', '--format', '--key-field', '--key-separator', '--header', '--partition'],
        ...['--acks', '--partitioner', '--compression', '--batch-bytes', '--max-request-bytes', '--linger-ms'],
        ...['--delivery-timeout-ms', '--client-id', '--json', '--help'],
        ...SECURITY,
      ],
    ],
  ])('of %s names every option, and shows examples', async (command, options) => {
    const { code, stdout, stderr } = await runCli([command, '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const named = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, name]) => name)
    expect(named).toEqual(options)
    expect(stdout).toContain(`$ headrace ${command}`)
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  test('has the flags for TLS and for logging in as groups, and none for a password itself', async () => {
    const { stdout } = await runCli(['check', '--help'])
    const headings = [...stdout.matchAll(/^(\w[\w ]*):$/gm)].map(([, heading]) => heading)
    expect(headings).toEqual(['Options', 'TLS', 'Logging in', 'Examples'])
    expect(stdout).not.toMatch(/--(password|token|tls-key-passphrase) /)
    const document = /\{"brokers": [\s\S]*?\}\}\}/.exec(stdout)?.[0] ?? ''
    expect(Object.keys(JSON.parse(document) as object)).toEqual(['brokers', 'tls', 'sasl'])
  })

  test('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect(await runCli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  test('no command, or an unknown one, exits 2', async () => {
    const [none, unknown] = await Promise.all([runCli([]), runCli(['prodce'])])
    expect(none).toMatchObject({ code: 2, stdout: '' })
    expect(none.stderr).toContain('Usage: headrace')
    expect(unknown.code).toBe(2)
    expect(unknown.stderr).toContain("headrace: unknown command 'prodce'\n(Did you mean produce?)")
  })
})

describe('topics', () => {
  test('prints a table', async () => {
    const { code, stdout, stderr } = await runCli(['topics', '--brokers', cluster.bootstrap])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe('TOPIC   PARTITIONS\nlogs             1\norders          12\n')
  })

  test('prints one JSON document', async () => {
    const { code, stdout } = await runCli(['topics', '--brokers', cluster.bootstrap, '--json', '--all'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual([
      { name: 'logs', partitions: 1, isInternal: false },
      { name: 'orders', partitions: 12, isInternal: false },
    ])
  })

  test('exits 3 where nobody listens, in one line; HEADRACE_DEBUG=1 shows the stack', async () => {
    const args = ['topics', '--brokers', '127.0.0.1:1']
    const [plain, debug] = await Promise.all([runCli(args), startCli(args, { env: { HEADRACE_DEBUG: '1' } }).ended])
    expect(plain).toMatchObject({ code: 3, stdout: '' })
    expect(plain.stderr).toMatch(/^headrace: 127\.0\.0\.1:1: CONNECTION_REFUSED: .*\n$/)
    expect(debug.code).toBe(3)
    expect(debug.stderr).toMatch(/\n {4}at /)
  })

  test('exits 2 without brokers', async () => {
    const [none, bad] = await Promise.all([runCli(['topics']), runCli(['topics', '--brokers', 'host:port'])])
    expect(none).toEqual({ code: 2, stdout: '', stderr: 'headrace: --brokers is missing; see --help\n' })
    expect(bad.code).toBe(2)
    expect(bad.stderr).toMatch(/^headrace: --brokers: "host:port": .*\n$/)
  })

  test('does not mind a reader that leaves', async () => {
    const { child, ended } = startCli(['topics', '--brokers', cluster.bootstrap])
    child.stdout.destroy()
    expect(await ended).toMatchObject({ code: 0, stderr: '' })
  })
})
