import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { lastJson, runCli, startCli } from '../support/run-cli.ts'

let cluster: TestCluster
let folder: string

beforeAll(async () => {
  cluster = await TestCluster.start({ topics: { three: 3 } })
  folder = await mkdtemp(join(tmpdir(), 'headrace-cli-'))
})

afterAll(async () => {
  await cluster.close()
  await rm(folder, { recursive: true, force: true })
})

const produce = (topic: string, ...more: string[]): string[] => [
  ...['produce', '--brokers', cluster.bootstrap, '--topic', topic],
  ...more,
]

const values = (topic: string): (string | undefined)[] =>
  cluster.records(topic).map(({ value }) => value?.toString('latin1'))

const report = (stdout: string): Record<string, number> => lastJson(stdout) as Record<string, number>

describe('bytes', () => {
  test('of odd lines arrive as they are, from a file', async () => {
    const long = 'x'.repeat(700_000)
    const lines = ['plain', '', 'zürich ☃ 𝄞', '\0\x01\x7f', ' blanks \t', 'a\rb', long, 'last, without a line end']
    const invalid = Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x80])
    const file = join(folder, 'odd.txt')
    await writeFile(file, Buffer.concat([invalid, Buffer.from('\r\n'), Buffer.from(lines.join('\n'))]))
    const { code, stdout, stderr } = await runCli(produce('odd', '--file', file, '--json'))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const sent = [invalid, ...lines.map((line) => Buffer.from(line))]
    expect(values('odd')).toEqual(sent.map((line) => line.toString('latin1')))
    expect(cluster.records('odd').every(({ key, headers }) => key === null && headers.length === 0)).toBe(true)
    const { seconds, ...counts } = report(stdout)
    const bytes = sent.reduce((sum, line) => sum + line.length, 0)
    expect(counts).toEqual({ records: 9, delivered: 9, failed: 0, bytes })
    expect(seconds).toBeGreaterThan(0)
    expect(stdout).toMatch(/^\{"records":9,"delivered":9,"failed":0,"bytes":\d+,"seconds":[\d.]+\}\n$/)
  })

  test('of 200 000 lines from a pipe arrive in order', async () => {
    const lines = Array.from({ length: 200_000 }, (_, i) => `${i} ${'·'.repeat(i % 50)}`)
    const { code, stderr } = await runCli(produce('many'), lines.join('\n'))
    expect(stderr).toMatch(
      /^200,000 records \(.* MB\) delivered to "many" in .* records\/s, .*\/s\nby partition {2}0: 200,000\n$/,
    )
    expect(code).toBe(0)
    expect(cluster.records('many').map(({ value }) => String(value))).toEqual(lines)
    expect(cluster.violations).toEqual([])
  })

  test('nothing in, nothing out', async () => {
    const { code, stdout } = await runCli(produce('three', '--file', '-', '--json'))
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\{"records":0,"delivered":0,"failed":0,"bytes":0,"seconds":[\d.]+\}\n$/)
  })
})

describe('keys, headers, partitions', () => {
  test('lines: key before the separator, a header for all', async () => {
    const args = produce('keyed', '--key-separator', '\\t', '--header', 'a=1=2', '--header', 'a=', '--header', 'ü=é')
    const { code } = await runCli(args, 'k1\tv1\nno key\nk2\t\tv2\n')
    expect(code).toBe(0)
    const records = cluster.records('keyed')
    expect(records.map(({ key, value }) => [key?.toString() ?? null, String(value)])).toEqual([
      ['k1', 'v1'],
      [null, 'no key'],
      ['k2', '\tv2'],
    ])
    const headers = records.map((record) => record.headers.map(([name, value]) => [name, String(value)]))
    expect(headers).toEqual(
      Array(3).fill([
        ['a', '1=2'],
        ['a', ''],
        ['ü', 'é'],
      ]),
    )
  })

  test('ndjson: key from a field; one key, one partition', async () => {
    const lines = Array.from(
      { length: 300 },
      (_, i) => `{"user": {"id": ${9007199254740993n + BigInt(i % 7)}}, "i": ${i}}`,
    )
    const args = produce('three', '--format', 'ndjson', '--key-field', 'user.id', '--client-id', 'me')
    const { code } = await runCli(args, `${lines.join('\n')}\n`)
    expect(code).toBe(0)
    const records = cluster.records('three')
    expect(records.map(({ value }) => String(value)).sort()).toEqual([...lines].sort())
    expect(new Set(records.map(({ key }) => String(key))).size).toBe(7)
    expect(new Set(records.map(({ key, partition }) => `${String(key)} ${partition}`)).size).toBe(7)
    expect(cluster.requests.at(-1)?.clientId).toBe('me')
  })

  test('--partition and --partitioner decide', async () => {
    cluster.createTopic('one-of-two', 2)
    cluster.createTopic('turns', 2)
    const [, turns] = await Promise.all([
      runCli(produce('one-of-two', '--partition', '1', '--acks', '1'), 'a\nb\n'),
      runCli(
        produce('turns', '--partitioner', 'round-robin', '--linger-ms', '5', '--batch-bytes', '1000'),
        'a\nb\nc\nd\n',
      ),
    ])
    expect(cluster.records('one-of-two').map(({ partition }) => partition)).toEqual([1, 1])
    expect(cluster.records('turns').map(({ partition }) => partition)).toEqual([0, 0, 1, 1])
    expect(turns.stderr).toContain('by partition  0: 2  1: 2\n')
  })

  test('--acks 0 waits for nobody, and says so', async () => {
    cluster.createTopic('unconfirmed')
    const rule = cluster.fail({ api: 'Produce', topic: 'unconfirmed', silent: true })
    const { code, stderr } = await runCli(
      produce('unconfirmed', '--acks', '0', '--delivery-timeout-ms', '3000'),
      'a\nb\n',
    )
    rule.remove()
    expect(code).toBe(0)
    expect(stderr).toMatch(/2 records \(2 B\) sent .*\nWith --acks 0 nobody confirms/)
  })
})

describe('what is not delivered', () => {
  test('a line that is no JSON is named, the others go on', async () => {
    const input = '{"a":1}\n\n{bad\n{"a":2}\n[}\n \n"x"\n'
    const { code, stdout, stderr } = await runCli(produce('bad-json', '--format', 'ndjson', '--json'), input)
    expect(code).toBe(1)
    expect(values('bad-json')).toEqual(['{"a":1}', '{"a":2}', '"x"'])
    expect(report(stdout)).toMatchObject({ records: 5, delivered: 3, failed: 2, bytes: 17 })
    expect(stderr).toMatch(
      /^headrace: 2 of 5 records not delivered\n {2}INVALID_JSON {2}2 {2}lines 3; 5 {2}not valid JSON: .*\n$/,
    )
  })

  test('a line that is too long is named, kept or not', async () => {
    const input = `a\n${'x'.repeat(3_000_000)}\nb\n${'x'.repeat(1_048_576)}\nc\n`
    const { code, stdout, stderr } = await runCli(produce('too-long', '--json'), input)
    expect(code).toBe(1)
    expect(values('too-long')).toEqual(['a', 'b', 'c'])
    expect(report(stdout)).toMatchObject({ records: 5, delivered: 3, failed: 2, bytes: 3 })
    expect(stderr).toMatch(
      /RECORD_TOO_LARGE {2}2 {2}lines 2; 4 {2}a line of 3000000 bytes is over --max-request-bytes \(1048576\)/,
    )
  })

  test('a line that the cluster refuses fails alone', async () => {
    cluster.createTopic('small', { partitions: 1, maxMessageBytes: 1000 })
    const { code, stderr } = await runCli(produce('small', '--batch-bytes', '500'), `a\n${'x'.repeat(2000)}\nb\n`)
    expect(code).toBe(1)
    expect(values('small')).toEqual(['a', 'b'])
    expect(stderr).toMatch(/1 of 3 records not delivered\n {2}MESSAGE_TOO_LARGE {2}1 {2}line 2 {2}/)
  })

  test('line numbers count lines that are no records', async () => {
    const long = `"${'x'.repeat(990)}"`
    const args = produce('numbered', '--format', 'ndjson', '--max-request-bytes', '1000', '--json')
    const { code, stderr } = await runCli(args, `\n{bad\n1\n\n${long}\n2\n\n${long}\n`)
    expect(code).toBe(1)
    expect(values('numbered')).toEqual(['1', '2'])
    expect(stderr).toMatch(/RECORD_TOO_LARGE {2}2 {2}lines 5; 8 {2}/)
    expect(stderr).toMatch(/INVALID_JSON {6}1 {2}line 2 {2}/)
  })

  test('a line that the cluster refuses does not end the reading, though nothing else was read with it', async () => {
    cluster.createTopic('one-by-one', { partitions: 1, maxMessageBytes: 1000 })
    const before = cluster.requests.length
    const { child, ended } = startCli(produce('one-by-one'))
    child.stdin.write(`${'x'.repeat(2000)}\n`)
    const produced = (): number => cluster.requests.slice(before).filter(({ api }) => api === 'Produce').length
    await expect.poll(produced, { timeout: 10_000 }).toBe(1)
    child.stdin.end('b\n')
    const { code, stderr } = await ended
    expect(code).toBe(1)
    expect(values('one-by-one')).toEqual(['b'])
    expect(stderr).toMatch(/MESSAGE_TOO_LARGE {2}1 {2}line 1 {2}.*--batch-bytes/)
    expect(stderr).not.toContain('reading ended')
  })

  test('when all fail for good, reading ends', async () => {
    cluster.createTopic('forbidden')
    const rule = cluster.fail({ api: 'Produce', topic: 'forbidden', error: 'TOPIC_AUTHORIZATION_FAILED' })
    const { child, ended } = startCli(produce('forbidden', '--json'))
    child.stdin.write('a\nb\n')
    // Stdin stays open: only the failure can end this.
    const { code, stdout, stderr } = await ended
    rule.remove()
    expect(code).toBe(1)
    expect(report(stdout)).toMatchObject({ records: 2, delivered: 0, failed: 2, bytes: 0 })
    expect(stderr).toContain('TOPIC_AUTHORIZATION_FAILED  2  lines 1; 2  ')
    expect(stderr).toContain('reading ended after line 2, because all records fail: TOPIC_AUTHORIZATION_FAILED\n')
  })

  test('a partition that is not there', async () => {
    const { code, stderr } = await runCli(produce('three', '--partition', '99'), 'a\n')
    expect(code).toBe(1)
    expect(stderr).toContain('UNKNOWN_PARTITION  1  line 1  topic "three" has 3 partitions (0 to 2), not partition 99')
  })

  test('what may be written nevertheless is said', async () => {
    cluster.createTopic('silent')
    const rule = cluster.fail({ api: 'Produce', topic: 'silent', silent: true })
    const { code, stderr } = await runCli(produce('silent', '--delivery-timeout-ms', '300'), 'a\n')
    rule.remove()
    expect(code).toBe(1)
    expect(stderr).toMatch(/DELIVERY_TIMEOUT {2}1 {2}line 1 {2}.*\(may be written nevertheless\)/)
  })
})

describe('Ctrl-C', () => {
  test('delivers what was read, and says so', async () => {
    const { child, ended } = startCli(produce('interrupted', '--json'))
    child.stdin.write('a\nb\nc\nhalf a li')
    await expect.poll(() => cluster.recordCount('interrupted'), { timeout: 10_000 }).toBe(3)
    child.kill('SIGINT')
    const { code, stdout, stderr } = await ended
    expect(code).toBe(1)
    expect(values('interrupted')).toEqual(['a', 'b', 'c'])
    expect(report(stdout)).toMatchObject({ records: 3, delivered: 3, failed: 0, bytes: 3 })
    expect(stderr).toContain('headrace: interrupted: reading ended after line 3\n')
  })

  test('waits for what is on its way; a second one gives it up', async () => {
    cluster.createTopic('stuck')
    const rule = cluster.fail({ api: 'Produce', topic: 'stuck', silent: true })
    const { child, ended, stderr } = startCli(produce('stuck', '--json'))
    child.stdin.write('a\nb\n')
    await expect.poll(() => rule.hits, { timeout: 10_000 }).toBe(1)
    child.kill('SIGINT')
    await expect.poll(stderr, { timeout: 10_000 }).toContain('once more gives it up')
    child.kill('SIGINT')
    const { code, stdout } = await ended
    rule.remove()
    expect(code).toBe(1)
    expect(report(stdout)).toMatchObject({ records: 2, delivered: 0, failed: 2 })
    expect(stderr()).toMatch(/CLOSED {2}2 {2}lines 1; 2 {2}.*\(may be written nevertheless\)/)
  })
})

describe('what is wrong before anything is sent', () => {
  test.each([
    [['--file', '/no/such/file'], 'cannot read /no/such/file: there is no such file'],
    [['--file', '/'], 'cannot read /: it is a directory'],
    [['--compression', 'brotli'], '--compression: '],
    [['--linger-ms', '99999'], '--linger-ms: got 99999'],
    [['--linger-ms', '-1'], "'--linger-ms <number>' argument '-1' is invalid"],
    [['--acks', '2'], 'Allowed choices are all, 1, 0'],
    [['--format', 'csv'], 'Allowed choices are lines, ndjson'],
    [['--header', 'novalue'], 'Expected name=value'],
    [['--key-field', 'id'], '--key-field needs --format ndjson'],
    [['--format', 'ndjson', '--key-separator', ':'], '--key-separator needs --format lines'],
    [['--topc', 'x'], '(Did you mean --topic?)'],
  ])('%j exits 2', async (args, message) => {
    const { code, stdout, stderr } = await runCli(produce('three', ...args))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr).toMatch(/^headrace: /)
    expect(stderr).not.toMatch(/\n {4}at /)
  })

  test('brokers and topic are needed', async () => {
    const { code, stderr } = await runCli(['produce'])
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'headrace: --brokers and --topic are missing; see --help\n' })
  })

  test('no broker: exit 3 with every address and reason, before stdin is read', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const brokers = `127.0.0.1:${port},no-such-host.invalid:9092`
    const { ended } = startCli(['produce', '--brokers', brokers, '--topic', 't', '--json'])
    const { code, stdout, stderr } = await ended
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
    expect(stderr).toMatch(/^headrace: connect: BOOTSTRAP_FAILED: .*\n$/)
    expect(stderr).toContain(`127.0.0.1:${port}: CONNECTION_REFUSED`)
    expect(stderr).toContain('no-such-host.invalid:9092: HOST_NOT_FOUND')
  })
})

describe('endings', () => {
  test('a reader of stdout that leaves does not change the outcome', async () => {
    const { child, ended } = startCli(produce('unread', '--json'))
    child.stdout.destroy()
    child.stderr.destroy()
    child.stdin.end('a\n')
    expect((await ended).code).toBe(0)
    expect(values('unread')).toEqual(['a'])
  })

  test('a topic that is not there ends the reading, and the nearest name is told', { timeout: 30_000 }, async () => {
    const strict = await TestCluster.start({ autoCreateTopics: false, topics: { orders: 1 } })
    const args = ['produce', '--brokers', strict.bootstrap, '--topic', 'order']
    const { child, ended } = startCli(args)
    child.stdin.write('a\nb\n')
    const { code, stderr } = await ended
    await strict.close()
    expect(code).toBe(1)
    expect(stderr).toMatch(/UNKNOWN_TOPIC_OR_PARTITION {2}2 {2}lines 1; 2 {2}.*did you mean "orders"\?/)
  })
})

test.runIf(existsSync('/dev/full'))(
  'where stdout is full, everything is delivered, and the exit code tells',
  async () => {
    const stdoutFd = openSync('/dev/full', 'w')
    const { code, stderr } = await runCli(produce('full', '--json'), 'a\nb\n', { stdoutFd })
    closeSync(stdoutFd)
    expect(values('full').sort()).toEqual(['a', 'b'])
    expect({ code, stderr }).toEqual({
      ...{
        code: 1,
        stderr: expect.stringMatching(/^headrace: cannot write to stdout: .*no space left.*\n$/) as string,
      },
    })
  },
)
