import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { canarySecret } from '../support/canary.ts'
import { listeningAt } from '../support/listening-at.ts'
import { runCli, startCli, type CliResult, type RunningCli } from '../support/run-cli.ts'

const example = new URL('../../examples/segment-destination/', import.meta.url)
const readme = readFileSync(new URL('README.md', example), 'utf8')
const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => block.trim().split('\n'))
const folder = mkdtempSync(join(tmpdir(), 'headrace-example-'))
const running: RunningCli[] = []
let ports: { readonly 9092: string; readonly 8080: string }

/** The README's ports may be taken on this machine. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return String(port)
}

const onFreePorts = (text: string): string => text.replaceAll('9092', ports[9092]).replaceAll('8080', ports[8080])

/** The one command of the README that has all of these words; its files are those of the folder. */
function args(...words: string[]): string[] {
  const found = commands.filter((command) => words.every((word) => command.includes(word)))
  expect(found).toHaveLength(1)
  const [, program, ...rest] = onFreePorts(found[0] ?? '').split(' ')
  expect(program).toBe('headrace')
  return rest.map((word) => (/^[\w-]+\.(json|ndjson)$/.test(word) ? join(folder, word) : word))
}

beforeAll(async () => {
  ports = { 9092: await freePort(), 8080: await freePort() }
  for (const name of ['events.ndjson', 'with-login.json']) copyFileSync(new URL(name, example), join(folder, name))
  writeFileSync(join(folder, 'config.json'), onFreePorts(readFileSync(new URL('config.json', example), 'utf8')))
})

afterAll(async () => {
  for (const { child } of running) child.kill('SIGINT')
  await Promise.all(running.map(({ ended }) => ended))
  rmSync(folder, { recursive: true, force: true })
})

test('seg-S22: the example runs as its README says', async () => {
  const broker = startCli(args('broker'))
  running.push(broker)
  await vi.waitUntil(() => broker.stdout().includes(ports[9092]), { timeout: 20_000 })
  const check = await runCli(args('--config config.json', '--check'))
  expect(check).toMatchObject({ code: 0, stdout: '' })
  const file = await runCli(args('--config config.json', '--file'))
  expect(file.code).toBe(0)
  const lines = file.stdout.trimEnd().split('\n')
  const mappings = lines.map((line) => /^line \d+ {2}(\w+) {2}200 {2}\w+ \d+ @ \d+$/.exec(line)?.[1] ?? 'none')
  const expected = ['none', 'everything', 'everything', 'audiences', 'everything', 'audiences', 'everything']
  expect(mappings).toEqual([...expected, 'everything', 'orders', 'everything', 'everything', 'everything', 'none'])
  expect(file.stderr).toMatch(/^11 records delivered from 10 events in .*; 2 events not for Kafka\n$/)
}, 30_000)

const hasCurl = ((): boolean => {
  try {
    execFileSync('curl', ['--version'])
    return true
  } catch {
    return false
  }
})()

test.skipIf(!hasCurl)(
  'seg-S22: the service of the example takes what curl sends',
  async () => {
    const service = startCli(args('--config config.json', '--listen'))
    running.push(service)
    await listeningAt(service)
    const curl = async (path: string): Promise<string> => {
      const [command = ''] = commands.filter((line) => line.startsWith('curl') && line.includes(path))
      return (await promisify(execFile)('sh', ['-c', onFreePorts(command)])).stdout
    }
    expect(await curl('/v1/track')).toBe('{"success":true}')
    expect(await curl('/readyz')).toBe('ok\n')
    expect(await curl('/metrics')).toContain('headrace_events_total{mapping="orders",status="200"} 1')
  },
  30_000,
)

test('seg-S22: the example with a login runs where there is one', async () => {
  const password = canarySecret('password of the example')
  await using cluster = await TestCluster.start({ sasl: { users: { events: password } }, tls: {} })
  writeFileSync(join(folder, 'ca.pem'), cluster.ca ?? '')
  const path = join(folder, 'with-login.json')
  writeFileSync(path, readFileSync(path, 'utf8').replace('kafka.example:9093', cluster.bootstrap))
  const run = (words: string[]): Promise<CliResult> =>
    runCli(words, '', { env: { KAFKA_PASSWORD: password, WRITE_KEY: password } })
  expect(await run(args('--config with-login.json', '--check'))).toMatchObject({ code: 0, stdout: '' })
  const { code, stdout } = await run(args('--config with-login.json', '--file'))
  expect(code).toBe(0)
  expect(stdout.trimEnd().split('\n')).toHaveLength(10)
  expect(cluster.recordCount('events')).toBe(8)
}, 30_000)
