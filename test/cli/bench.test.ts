import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { until } from '../support/fake-clock.ts'
import { lastJson, runCli, startCli } from '../support/run-cli.ts'
import { elementsOf } from './bench/svg-elements.ts'

let cluster: TestCluster
let folder: string

beforeAll(async () => {
  cluster = await TestCluster.start({ topics: { load: 3 } })
  folder = await mkdtemp(join(tmpdir(), 'headrace-bench-'))
})

afterAll(async () => {
  await cluster.close()
  await rm(folder, { recursive: true, force: true })
})

const bench = (topic: string, ...more: string[]): string[] => [
  ...['bench', '--brokers', cluster.bootstrap, '--topic', topic],
  ...more,
]

interface Json {
  readonly records: number
  readonly delivered: number
  readonly failed: number
  readonly seconds: number
  readonly recordsPerSecond: { mean: number; min: number | null; max: number | null }
  readonly latencyMs: Record<string, number> | null
  readonly errors: Record<string, number>
  readonly ended: string | null
  readonly unsent: number
  readonly warmupRecords: number
  readonly settings: Record<string, unknown>
  readonly timeline: { delivered: number; seconds: number }[]
}

const outcomeOf = (stdout: string): Json => lastJson(stdout) as Json

const waitForRecords = (topic: string): Promise<void> =>
  until(() => cluster.recordCount(topic) > 0, `records in ${topic}`)

describe('headrace bench', () => {
  test('sends so many records, of the size and with the keys that were asked for, nowhere else', async () => {
    cluster.createTopic('counted', 4)
    const { code, stdout, stderr } = await runCli(
      bench('counted', '--records', '5000', '--value-bytes', '64', '--keys', '7', '--compression', 'gzip', '--json'),
    )
    expect({ code, lines: stderr.split('\n').length }).toEqual({ code: 0, lines: 3 })
    const records = cluster.records('counted')
    expect(records).toHaveLength(5000)
    expect(new Set(records.map(({ value, compression }) => `${value?.length} ${compression}`))).toEqual(
      new Set(['64 gzip']),
    )
    expect(new Set(records.map(({ key, partition }) => `${String(key)} ${partition}`)).size).toBe(7)
    expect(cluster.topics).not.toContain('__consumer_offsets')
    expect(cluster.violations).toEqual([])
    const outcome = outcomeOf(stdout)
    expect(outcome).toMatchObject({
      ...{ records: 5000, delivered: 5000, failed: 0, bytes: 5000 * (64 + 12), errors: {}, ended: null, unsent: 0 },
      ...{ warmupRecords: 0, settings: { topic: 'counted', partitions: 4, keys: 7, compression: 'gzip', acks: 'all' } },
    })
    const { p50 = NaN, p95 = NaN, p99 = NaN, p999 = NaN, max = NaN } = outcome.latencyMs ?? {}
    expect([p50, p95, p99, p999, max]).toEqual([p50, p95, p99, p999, max].sort((a, b) => a - b))
    expect(outcome.timeline.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(5000)
    expect(Object.keys(outcome)).toEqual([
      ...['records', 'delivered', 'failed', 'bytes', 'seconds', 'recordsPerSecond', 'bytesPerSecond', 'latencyMs'],
      ...['cpuUsPerRecord', 'rssPeakBytes', 'eventLoopDelayP99Ms', 'errors', 'ended', 'unsent', 'settings', 'timeline'],
      'warmupRecords',
    ])
  })

  test('says what it will write where, warms up, and reports to people, with a plot in the terminal and one in a file', async () => {
    cluster.createTopic('told', 2)
    const svg = join(folder, 'told.svg')
    const args = bench('told', '--seconds', '2', '--warmup-seconds', '1', '--rate', '1000', '--svg', svg)
    const { code, stdout, stderr } = await runCli(args)
    expect(code).toBe(0)
    expect(stderr.split('\n')).toEqual([
      `writing to "told" (2 partitions) at ${cluster.bootstrap}: 1 s of warm-up, then 2 s at 1,000 records/s`,
      'values of 100 B, no keys; 10,000 sends under way at most; acks all, compression none, batches of 16,384 B, linger 0 ms',
      `plot written to ${svg}`,
      '',
    ])
    // Rate x seconds, not one more; the report is without the warm-up.
    expect(cluster.recordCount('told')).toBe(3000)
    expect(stdout).toMatch(/^2,000 records \(200 kB\) delivered to "told" in [\d.]+ s\n {2}throughput {2}\d/)
    expect(stdout).toMatch(/\n {2}latency {5}p50 [\d.]+ ms, p95 .* max .*s \(from when a record was due\)\n {2}CPU /)
    expect(stdout).toMatch(/\nrecords\/s\n[^]*\np99 latency, ms\n[^]*\n {7}0 +\d+ s\n$/)
    const { texts } = elementsOf(await readFile(svg, 'utf8'))
    expect(texts[0]).toMatch(/^headrace bench: [\d,]+ records\/s, .* p99 [\d.]+ m?s$/)
  })

  test('one after the other, and without confirmation', async () => {
    const { code, stdout, stderr } = await runCli(
      bench('load', '--records', '200', '--concurrency', '1', '--acks', '0'),
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/^200 records \(20\.0 kB\) sent to "load" in /)
    expect(stderr).toContain('; 1 send under way at most; acks 0,')
    expect(stderr).toContain('With --acks 0 nobody confirms')
    expect(cluster.violations).toEqual([])
  })

  test('no more sends under way than fit into the buffer', async () => {
    const { code, stdout, stderr } = await runCli(
      bench('load', '--records', '100', '--value-bytes', '1000000', '--concurrency', '1000', '--json'),
    )
    expect({ code, settings: outcomeOf(stdout).settings }).toMatchObject({ code: 0, settings: { concurrency: 33 } })
    expect(stderr).toContain('headrace: no more than 33 sends under way: so many fit into bufferBytes (33,554,432)\n')
  })

  test('the largest value that it takes is one that the library takes, with a key, too', async () => {
    const largest = bench('load', '--records', '1', '--keys', '1', '--value-bytes', '1048476', '--json')
    const { code, stdout } = await runCli(largest)
    expect({ code, outcome: outcomeOf(stdout) }).toMatchObject({ code: 0, outcome: { delivered: 1 } })
  })

  test('at a rate it takes all of its time, and says a mean of less than one', async () => {
    const args = ['--rate', '1', '--seconds', '1', '--warmup-seconds', '0', '--json']
    const { stdout } = await runCli(bench('load', ...args))
    const { recordsPerSecond, seconds, delivered } = outcomeOf(stdout)
    expect(delivered).toBe(1)
    expect(seconds).toBeGreaterThan(0.98)
    expect(recordsPerSecond.mean).toBeCloseTo(1 / seconds, 1)
    expect(recordsPerSecond.max).not.toBe(null)
  })
})

describe('when something is wrong', () => {
  test.each([
    [['--seconds', '0'], "option '--seconds <number>' argument '0' is invalid. Expected a whole number, 1 to 86400."],
    [['--seconds', '1.5'], "'1.5' is invalid. Expected a whole number"],
    [['--records', '-1'], "option '--records <number>' argument '-1' is invalid. Expected a whole number, from 1."],
    [['--rate', 'fast'], "option '--rate <number>' argument 'fast' is invalid."],
    [['--concurrency', '0'], "option '--concurrency <number>' argument '0' is invalid."],
    [['--value-bytes', '0'], "option '--value-bytes <number>' argument '0' is invalid."],
    [['--keys', '0'], "option '--keys <number>' argument '0' is invalid."],
    [['--acks', '2'], "option '--acks <who>' argument '2' is invalid. Allowed choices are all, 1, 0."],
    [['--seconds', '1', '--records', '1'], 'headrace: --seconds and --records: give one of them'],
    [['--value-bytes', '2000000'], 'headrace: --value-bytes: 2000000 does not fit into --max-request-bytes (1048576)'],
    [
      ['--value-bytes', '1048500', '--records', '1'],
      'headrace: --value-bytes: 1048500 does not fit into --max-request-bytes (1048576): a record needs 100 bytes more',
    ],
    [
      ['--batch-bytes', '99999999999'],
      'headrace: --batch-bytes: got 99999999999, expected an integer, 1 to 2147483647',
    ],
    [['--compression', 'zip'], 'headrace: --compression: '],
    [
      ['--topic', '__consumer_offsets'],
      "headrace: --topic: __consumer_offsets is one of Kafka's own; made-up records break it",
    ],
    [['--svg', join(tmpdir(), 'nowhere', 'a.svg')], 'a.svg cannot be written: there is no such folder'],
    [['--svg', tmpdir()], 'cannot be written: it is a folder'],
  ])('%j exits 2, and nothing is sent', async (args, message) => {
    const { code, stdout, stderr } = await runCli(bench('untouched', ...args))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })

  test('a topic that is not there is not made', async () => {
    const { code, stdout, stderr } = await runCli(bench('lod'))
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe('headrace: topic "lod" does not exist, and bench makes none\n')
    expect(cluster.topics).not.toContain('lod')
  })

  test('nobody there: 3; no topic or no brokers: 2', async () => {
    const [nobody, noTopic, nothing] = await Promise.all([
      runCli(['bench', '--brokers', '127.0.0.1:1', '--topic', 'load']),
      runCli(['bench', '--brokers', cluster.bootstrap]),
      runCli(['bench']),
    ])
    expect(nobody).toMatchObject({ code: 3, stdout: '' })
    expect(nobody.stderr).toMatch(/^headrace: 127\.0\.0\.1:1: CONNECTION_REFUSED: .*\n$/)
    expect(noTopic).toEqual({ code: 2, stdout: '', stderr: 'headrace: --topic is missing; see --help\n' })
    expect(nothing.stderr).toBe('headrace: --brokers and --topic are missing; see --help\n')
  })

  test('what will not go away ends it, in the warm-up, too', async () => {
    cluster.createTopic('forbidden')
    const rule = cluster.fail({ api: 'Produce', topic: 'forbidden', error: 'TOPIC_AUTHORIZATION_FAILED', times: 99 })
    const [measured, warmup] = await Promise.all([
      runCli(bench('forbidden', '--warmup-seconds', '0', '--concurrency', '50', '--json')),
      runCli(bench('forbidden', '--concurrency', '50')),
    ])
    rule.remove()
    expect([measured.code, warmup.code]).toEqual([1, 1])
    expect(outcomeOf(measured.stdout)).toMatchObject({
      ...{ records: 50, delivered: 0, failed: 50, latencyMs: null, ended: 'hopeless' },
      errors: { TOPIC_AUTHORIZATION_FAILED: 50 },
    })
    expect(measured.stderr).toMatch(/\nheadrace: 50 records not delivered\n {2}TOPIC_AUTHORIZATION_FAILED {2}50 {2}\S/)
    expect(warmup.stderr).toContain(
      'headrace: ended after 50 records of the warm-up, because that will not go away: TOPIC_AUTHORIZATION_FAILED\n',
    )
    expect(cluster.recordCount('forbidden')).toBe(0)
  })

  test('what may go away is counted, with its code', async () => {
    cluster.createTopic('stuck')
    const rule = cluster.fail({ api: 'Produce', topic: 'stuck', silent: true, times: 99 })
    const { code, stdout } = await runCli(
      bench('stuck', '--records', '20', '--concurrency', '10', '--delivery-timeout-ms', '300', '--json'),
    )
    rule.remove()
    expect(code).toBe(1)
    const { failed, delivered, errors, ended } = outcomeOf(stdout)
    expect({ failed, delivered, errors, ended }).toEqual({
      ...{ failed: 20, delivered: 0, errors: { DELIVERY_TIMEOUT: 20 }, ended: null },
    })
  })

  test('a rate that is too high is said, and how much is missing', async () => {
    const { code, stdout, stderr } = await runCli(
      bench('load', '--rate', '100000000', '--seconds', '1', '--warmup-seconds', '0', '--json'),
    )
    expect(code).toBe(0)
    const { records, delivered, unsent, latencyMs } = outcomeOf(stdout)
    expect([delivered, unsent]).toEqual([records, 100_000_000 - records])
    // They were due at the beginning, for all that matters.
    expect(latencyMs?.['p50']).toBeGreaterThan(300)
    expect(stderr).toMatch(
      /\nheadrace: --rate 100,000,000 was not reached: [\d,]+ records due in time could not be sent\n/,
    )
  })

  test('Ctrl-C: what is under way is delivered, and there is a report', async () => {
    cluster.createTopic('interrupted')
    const { child, ended } = startCli(bench('interrupted', '--seconds', '600', '--warmup-seconds', '0', '--json'))
    await waitForRecords('interrupted')
    child.kill('SIGINT')
    const { code, stdout, stderr } = await ended
    expect(code).toBe(1)
    const outcome = outcomeOf(stdout)
    expect(outcome).toMatchObject({ failed: 0, ended: 'interrupted' })
    expect(outcome.delivered).toBe(cluster.recordCount('interrupted'))
    expect(outcome.records).toBe(outcome.delivered)
    expect(stderr).toMatch(/\ninterrupted: delivering what is under way; once more gives it up\n/)
    expect(stderr).toMatch(/\nheadrace: interrupted after [\d,]+ records\n$/)
  })

  test('Ctrl-C in the warm-up ends all of it; twice gives up what is under way', async () => {
    cluster.createTopic('given-up')
    const rule = cluster.fail({ api: 'Produce', topic: 'given-up', silent: true, times: 99 })
    const { child, ended, stderr } = startCli(
      bench('given-up', '--warmup-seconds', '600', '--concurrency', '5', '--json'),
    )
    await until(() => rule.hits > 0, 'a request')
    child.kill('SIGINT')
    await until(() => stderr().includes('once more gives it up'), 'a note')
    child.kill('SIGINT')
    const { code, stdout } = await ended
    rule.remove()
    expect(code).toBe(1)
    expect(outcomeOf(stdout)).toMatchObject({ records: 5, failed: 5, errors: { CLOSED: 5 }, ended: 'interrupted' })
  })
})

describe('its help', () => {
  test('has the flags that docs/bench.md has, and no other', async () => {
    const { stdout } = await runCli(['bench', '--help'])
    const docs = await readFile(new URL('../../docs/bench.md', import.meta.url), 'utf8')
    const flagsOf = (text: string): Set<string> => new Set(text.match(/--[a-z][\w-]+/g))
    const known = flagsOf(stdout)
    expect([...flagsOf(docs)].filter((flag) => !known.has(flag))).toEqual([])
    // Those for TLS and for logging in have a page of their own.
    const own = [...flagsOf(stdout.slice(0, stdout.indexOf('\nTLS:')))]
    expect(own.filter((flag) => !docs.includes(flag))).toEqual(['--help'])
  })

  test('is among the commands', async () => {
    const { stdout } = await runCli(['--help'])
    expect(stdout).toMatch(/^ {2}bench .* put load on a cluster, and measure it$/m)
  })

  test('names every option, says what is written, and fits into a terminal', async () => {
    const { code, stdout } = await runCli(['bench', '--help'])
    expect(code).toBe(0)
    const named = new Set([...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, name]) => name))
    for (const option of [
      ...[
        '--brokers',
        '--config',
        '--tls',
        '--sasl',
        '--topic',
        '--seconds',
        '--records',
        '--warmup-seconds',
        '--rate',
      ],
      ...['--concurrency', '--value-bytes', '--keys', '--acks', '--compression', '--batch-bytes', '--linger-ms'],
      ...['--max-request-bytes', '--delivery-timeout-ms', '--client-id', '--svg', '--json', '--help'],
    ])
      expect(named).toContain(option)
    expect(stdout).toContain('deletes nothing')
    expect(stdout).toContain('made-up JSON events')
    expect(stdout).toContain('$ headrace bench')
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  })
})
