import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { canarySecret, expectNoSecret } from '../support/canary.ts'
import { listeningAt } from '../support/listening-at.ts'
import { runCli, startCli, type CliResult, type RunningCli } from '../support/run-cli.ts'

const password = canarySecret('password of the command destination')
const folder = mkdtempSync(join(tmpdir(), 'headrace-destination-'))
let cluster: TestCluster
let running: RunningCli[] = []

beforeAll(async () => {
  cluster = await TestCluster.start({ topics: { t: 3, one: 1 }, sasl: { users: { ann: password } } })
})

afterEach(() => {
  for (const { child } of running) child.kill('SIGKILL')
  running = []
})

afterAll(async () => {
  await cluster.close()
  rmSync(folder, { recursive: true, force: true })
})

const wholeEvent = { topic: 't', payload: { '@path': '$.' }, key: { '@path': '$.userId' } }

function settings(): Record<string, unknown> {
  const login = { mechanism: 'scram-sha-256', username: 'ann', password: { env: 'PASSWORD' } }
  return { clientId: 'c', brokers: cluster.bootstrap, ...login, ssl_enabled: false }
}

let files = 0
function fileWith(text: string): string {
  const path = join(folder, `file-${++files}`)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

function config(document: Record<string, unknown> = {}, fields: Record<string, unknown> = {}): string {
  const mappings = [{ name: 'all', fields: { ...wholeEvent, ...fields } }]
  return fileWith(JSON.stringify({ settings: settings(), mappings, ...document }))
}

function run(args: readonly string[], input = ''): Promise<CliResult> {
  return runCli(['destination', ...args], input, { env: { PASSWORD: password } })
}

function start(args: readonly string[]): RunningCli {
  const cli = startCli(['destination', ...args], { env: { PASSWORD: password, WRITE_KEY: password } })
  running.push(cli)
  return cli
}

function linesOf(text: string): unknown[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
}

const track = (userId: string, more: object = {}): string =>
  JSON.stringify({ type: 'track', event: 'Bought', userId, ...more })

const notes = (stderr: string): string[] => stderr.split('\n').filter((line) => line !== '')

describe('headrace destination --file', () => {
  test('a result for every line, as JSON', async () => {
    const input = [track('u1'), '{"type":', '', track('u2'), '{"type":"alias","userId":"u"}', '7', '\xff'].join('\r\n')
    const bad = Buffer.from(input, 'latin1')
    const events = join(folder, 'events.ndjson')
    writeFileSync(events, bad)
    const before = cluster.recordCount('t')
    const { code, stdout, stderr } = await run(['--config', config(), '--file', events, '--json'])
    const fault = (line: number, error: string): object => ({
      ...{ line, mapping: null, status: 400, error: { code: error, message: expect.any(String) }, retry: false },
    })
    const place = { mapping: 'all', status: 200, topic: 't', partition: expect.any(Number) }
    expect(linesOf(stdout)).toEqual([
      { line: 1, ...place, offset: expect.stringMatching(/^\d+$/) },
      fault(2, 'INVALID_JSON'),
      { line: 4, ...place, offset: expect.stringMatching(/^\d+$/) },
      { line: 5, mapping: null, isSkipped: true },
      fault(6, 'INVALID_EVENT'),
      fault(7, 'INVALID_JSON'),
    ])
    expect(code).toBe(1)
    expect(cluster.recordCount('t') - before).toBe(2)
    expect(notes(stderr)[0]).toMatch(/^2 records delivered from 4 events in .*; 1 event not for Kafka$/)
    expect(stderr).toMatch(/INVALID_JSON +2 {2}lines 2; 7 {2}The line is not valid JSON/)
  })

  test('a file that an editor on Windows has saved', async () => {
    const { code, stdout } = await run(
      ['--config', config(), '--file', '-'],
      `\ufeff${track('u')}\r\n${track('u')}\r\n`,
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/^line 1 {2}all {2}200 .*\nline 2 {2}all {2}200 .*\n$/)
  })

  test('in words, and only the sums', async () => {
    const words = await run(['--config', config(), '--file', '-'], `${track('u')}\n{}\n`)
    expect(words.stdout).toMatch(/^line 1 {2}all {2}200 {2}t \d @ \d+\nline 2 {2}not for Kafka: /)
    expect(words.code).toBe(0)
    const quiet = await run(['--config', config(), '--file', '-', '--quiet'], `${track('u')}\n`)
    expect(quiet).toMatchObject({ code: 0, stdout: '' })
    const sums = await run(['--config', config({ dedupe: true }), '--file', '-', '--quiet', '--json'], twice())
    const expected = { events: 2, delivered: 2, failed: 0, skipped: 0, duplicates: 1, seconds: expect.any(Number) }
    expect(linesOf(sums.stdout)).toEqual([expected])
  })

  const twice = (): string => `${track('u', { messageId: 'm' })}\n`.repeat(2)

  test('5000 events arrive in order, with results in order, however they are cut', async () => {
    const lines = Array.from({ length: 5000 }, (_, i) => track('u', { i, pad: 'x'.repeat(i % 400) }))
    const input = lines.join('\n')
    const { code, stdout } = await run(['--config', config({}, { topic: 'one' }), '--file', '-', '--json'], input)
    expect(code).toBe(0)
    expect(cluster.records('one').map(({ value }) => String(value))).toEqual(lines)
    const results = linesOf(stdout) as { line: number; offset: string }[]
    expect(results.map(({ line, offset }) => [line, offset])).toEqual(lines.map((_, i) => [i + 1, String(i)]))
    expect(cluster.violations).toEqual([])
  })

  test('an event that comes alone on an endless input is delivered at once; Ctrl-C ends', async () => {
    const cli = start(['--config', config(), '--file', '-'])
    cli.child.stdin.write(`${track('first')}\n`)
    await vi.waitUntil(() => cli.stdout().includes('line 1'), { timeout: 10_000 })
    cli.child.stdin.write(`${track('second')}\n{"type":`)
    await vi.waitUntil(() => cli.stdout().includes('line 2'), { timeout: 10_000 })
    cli.child.kill('SIGINT')
    const { code, stderr } = await cli.ended
    expect(code).toBe(1)
    expect(stderr).toContain('interrupted: reading ended after line 2')
  })

  test('failures of the events themselves do not stop it; trouble that hits all does', async () => {
    const own = await run(
      ['--config', config({}, { partition: 99 }), '--file', '-', '--quiet'],
      `${track('u')}\n`.repeat(3),
    )
    expect(own.code).toBe(1)
    expect(own.stderr).toMatch(/UNKNOWN_PARTITION +3 {2}lines 1; 2; 3/)
    expect(own.stderr).not.toContain('reading ended')
    const rule = cluster.fail({ api: 'Produce', topic: 'one', times: Infinity, error: 'TOPIC_AUTHORIZATION_FAILED' })
    const all = await run(
      ['--config', config({}, { topic: 'one' }), '--file', '-', '--quiet'],
      `${track('u')}\n`.repeat(5000),
    )
    rule.remove()
    expect(all.code).toBe(1)
    expect(all.stderr).toMatch(/reading ended after line [\d,]+, because all events fail: TOPIC_AUTHORIZATION_FAILED/)
  })
})

describe('headrace destination --config', () => {
  test('says everything that is wrong at once, and no secret', async () => {
    const document = {
      settings: { ...settings(), brokers: 'nowhere', password, ssl_ca: 'no certificate', mechanism: 'gssapi' },
      mappings: [
        { name: 'one', trigger: 'type = ', fields: wholeEvent },
        { name: 'two', fields: { topic: { '@path': '$.topic' } } },
        { fields: { topic: 't', payload: { '@foo': 1 } } },
      ],
      listen: { writeKeys: [''], prot: 1 },
      dedup: true,
      logger: {},
      idleMs: -1,
      producer: { lingerMs: -1 },
    }
    const { code, stdout, stderr } = await run(['--config', fileWith(JSON.stringify(document)), '--check'])
    expect([code, stdout]).toEqual([2, ''])
    const expected = [
      'settings.brokers: Brokers must be in the format host:port',
      'Authentication Mechanism must be one of',
      ...['dedup: unknown option', 'logger: unknown option', 'idleMs: expected milliseconds', 'lingerMs: '],
      ...['mapping "one": ', 'mapping "two": events could write to any topic', 'mapping "mapping 3": '],
      ...['listen.prot: unknown option', 'listen.writeKeys: expected a list'],
    ]
    for (const text of expected) expect(stderr).toContain(text)
    expectNoSecret(stderr, [password])
  })

  test('a name that is spelt wrong is not passed over', async () => {
    const { username: _, ...others } = settings()
    const document = {
      settings: { ...others, usrname: 'ann', ssl_enable: false },
      mappings: [
        { name: 'one', triger: 'event = "Bought"', fields: wholeEvent },
        { name: 'two', fields: { topic: 't', paylod: {}, partiton: 1 } },
        { name: 'off', enabled: false, fields: { topic: 't' } },
        { name: 'made', fields: { '@merge': { objects: [{ topic: 't' }], direction: 'right' } } },
      ],
      topicAllowList: 'any',
    }
    const { code, stderr } = await run(['--config', fileWith(JSON.stringify(document)), '--check'])
    expect(code).toBe(2)
    const expected = [
      'settings.usrname: unknown setting; there are clientId, brokers,',
      'settings.ssl_enable: unknown setting',
      'mapping "one": triger: unknown; there are name, trigger,',
      'mapping "two": fields.paylod: unknown field; there are topic, payload,',
      'mapping "two": fields.partiton: unknown field',
      'mapping "two": fields.payload: missing',
    ]
    for (const text of expected) expect(stderr).toContain(text)
    expect(stderr).not.toMatch(/"off"|"made"/)
  })

  test('without settings says what is missing', async () => {
    const { stderr } = await run(['--config', fileWith('{"mappings":[]}'), '--check'])
    expect(stderr).toContain('settings: missing: ')
  })

  test('50 mappings are fine, 51 are not', async () => {
    const mappings = (count: number): object[] =>
      Array.from({ length: count }, (_, i) => ({ name: `m${i}`, trigger: 'type = "x"', fields: wholeEvent }))
    expect((await run(['--config', config({ mappings: mappings(50) }), '--check'])).code).toBe(0)
    const { code, stderr } = await run(['--config', config({ mappings: mappings(51) }), '--check'])
    expect(code).toBe(2)
    expect(stderr).toContain('a destination has at most 50 mappings, these are 51')
  })

  test('what Kafka says comes in the words of the file', async () => {
    const plain = await TestCluster.start({})
    const brokers = plain.bootstrap
    const check = async (more: object): Promise<string> =>
      (await run(['--config', config({ settings: { ...settings(), brokers, ...more } }), '--check'])).stderr
    expect(await check({})).toContain('wants no SASL: set "producer": { "sasl": null }, or')
    expect(await check({ ssl_enabled: true })).toContain('Set ssl_enabled to false, or use')
    await plain.close()
  })

  test.each([
    [['--file', 'x'], '--config is missing; see --help'],
    [['--config', 'CONFIG'], 'say one of --file, --listen, --check, --topics; see --help'],
    [['--config', 'CONFIG', '--file', 'x', '--check'], 'say one of'],
    [['--config', 'CONFIG', '--file', 'x', '--host', '::1'], '--host needs --listen'],
    [['--config', 'CONFIG', '--listen', '0', '--json'], '--json is not for --listen'],
    [['--config', 'CONFIG', '--listen', '0', '--quiet'], '--quiet is for --file'],
    [['--config', 'CONFIG', '--check', '--quiet'], '--quiet is for --file'],
    [['--config', 'CONFIG', '--file', '/no/such/file'], 'cannot read /no/such/file: there is no such file'],
    [['--config', 'CONFIG', '--listen', '0', '--host', '0.0.0.0'], '--host 0.0.0.0: anybody could send events'],
    [['--config', '/no/such/file', '--check'], '--config: cannot read /no/such/file: there is no such file'],
  ])('%j is refused', async (args, expected) => {
    const path = config()
    const { code, stdout, stderr } = await run(args.map((arg) => (arg === 'CONFIG' ? path : arg)))
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(expected)
  })

  test('--check and --topics', async () => {
    const mappings = [{ name: 'a', fields: { ...wholeEvent, topic: 'nope' } }]
    const check = await run(['--config', config({ mappings }), '--check'])
    expect(check).toMatchObject({ code: 0, stdout: '' })
    expect(notes(check.stderr)).toEqual([
      '1 mapping can be used, and Kafka lets us in: 2 topics',
      'topic nope is not there yet',
    ])
    const topics = await run(['--config', config(), '--topics'])
    expect(topics).toMatchObject({ code: 0, stdout: 'one  1 partition\nt  3 partitions\n' })
  })

  test.each([['--check'], ['--topics'], ['--file', '-'], ['--listen', '0']])(
    'a wrong password is exit code 3: %s',
    async (...args) => {
      const path = config({ settings: { ...settings(), password: 'wrong' } })
      const { code, stdout, stderr } = await run(['--config', path, ...args], track('u'))
      expect([code, stdout]).toEqual([3, ''])
      expect(stderr).toContain('SASL_AUTHENTICATION_FAILED')
    },
  )
})

describe('seg-S22: headrace destination --listen', () => {
  const post = (url: string, body: object, key = password): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` },
      body: JSON.stringify(body),
    })

  test('takes events, says how it is, and answers all before it ends', async () => {
    const service = start(['--config', config({ listen: { writeKeys: [{ env: 'WRITE_KEY' }] } }), '--listen', '0'])
    const url = await listeningAt(service)
    const body = readFileSync(new URL('../fixtures/segment/analytics-node-3.1.0-v1-batch-body.json', import.meta.url))
    const before = cluster.recordCount('t')
    const response = await post(`${url}/v1/batch`, JSON.parse(String(body)) as object)
    expect([response.status, await response.json()]).toEqual([200, { success: true }])
    expect(cluster.recordCount('t')).toBeGreaterThan(before)
    expect((await post(`${url}/v1/track`, { userId: 'u', event: 'e' }, 'wrong')).status).toBe(401)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^kafka_connection_opened 1$/m)
    const rule = cluster.fail({ api: 'Produce', topic: 't', times: 1, delayMs: 500 })
    const answer = post(`${url}/v1/track`, { userId: 'u', event: 'e' })
    await vi.waitUntil(() => rule.hits === 1)
    service.child.kill('SIGTERM')
    expect((await answer).status).toBe(200)
    const { code, stdout, stderr } = await service.ended
    expect([code, stdout]).toEqual([0, ''])
    expect(notes(stderr)).toEqual([
      expect.stringMatching(/^listening on http:\/\/127\.0\.0\.1:\d+$/),
      'shutting down: answering what is here; once more ends at once',
    ])
    expectNoSecret(stderr, [password])
  })

  test('what cannot be finished in time was never told 200; a second signal ends at once', async () => {
    const rule = cluster.fail({ api: 'Produce', topic: 't', times: Infinity, silent: true })
    const path = config()
    const [patient, hurried] = [
      start(['--config', path, '--listen', '0', '--shutdown-timeout-ms', '50']),
      start(['--config', path, '--listen', '0']),
    ]
    const answers = await Promise.all(
      [patient, hurried].map(async (service) => {
        const url = await listeningAt(service)
        return { answer: post(`${url}/v1/track`, { userId: 'u', event: 'e' }).catch((error: unknown) => error) }
      }),
    )
    await vi.waitUntil(() => rule.hits >= 2, { timeout: 10_000 })
    patient.child.kill('SIGTERM')
    hurried.child.kill('SIGTERM')
    await vi.waitUntil(() => hurried.stderr().includes('once more ends at once'))
    hurried.child.kill('SIGTERM')
    const [slow, quick] = await Promise.all([patient.ended, hurried.ended])
    rule.remove()
    expect([slow.code, quick.code]).toEqual([1, 1])
    expect(slow.stderr).toContain('not everything was delivered within 50 ms')
    for (const { answer } of answers) expect(await answer).toBeInstanceOf(Error)
  })

  test('a signal while Kafka is asked for the first time ends it', async () => {
    const silent = createServer()
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const asked = new Promise<Socket>((resolve) => silent.once('connection', resolve))
    const brokers = `127.0.0.1:${(silent.address() as AddressInfo).port}`
    const service = start(['--config', config({ settings: { ...settings(), brokers } }), '--listen', '0'])
    const socket = await asked
    service.child.kill('SIGTERM')
    expect(await service.ended).toEqual({ code: 0, stdout: '', stderr: '' })
    socket.destroy()
    silent.close()
  })

  test('without Kafka it is there, not ready, and says 503', async () => {
    const brokers = '127.0.0.1:1'
    const path = config({ settings: { ...settings(), brokers }, listen: { answerTimeoutMs: 100 } })
    const service = start(['--config', path, '--listen', '0'])
    const url = await listeningAt(service)
    expect(service.stderr()).toContain('events get 503 until that changes')
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(503)
    expect((await post(`${url}/v1/track`, { userId: 'u', event: 'e' })).status).toBe(503)
  })
})

test('headrace destination --help shows examples', async () => {
  const { code, stdout } = await run(['--help'])
  expect(code).toBe(0)
  expect(stdout).toContain('headrace destination --config kafka.json --file events.ndjson')
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})
