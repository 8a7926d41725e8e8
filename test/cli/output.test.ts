import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { canarySecret, expectNoSecret } from '../support/canary.ts'
import { lastJson, runCli, startCli, type CliResult } from '../support/run-cli.ts'

let cluster: TestCluster
let folder: string
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** The bundle of a test lies elsewhere; avsc is found as if it were installed beside it. */
const env = { NODE_PATH: join(ROOT, 'node_modules') }
const fixture = (name: string): string => join(ROOT, 'test/fixtures/asa', name)

beforeAll(async () => {
  cluster = await TestCluster.start({ topics: {} })
  folder = mkdtempSync(join(tmpdir(), 'headrace-output-'))
})
afterAll(async () => {
  await cluster.close()
  rmSync(folder, { recursive: true, force: true })
})

let files = 0
function file(text: string | Uint8Array, name = 'in.ndjson'): string {
  const path = join(folder, `${++files}-${name}`)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

function config(topic: string, more: object = {}): string {
  const common = { outputAlias: topic, bootstrapServers: cluster.bootstrap, topic, securityProtocol: 'None' }
  return file(JSON.stringify({ ...common, serialization: 'Json', ...more }), 'config.json')
}

async function output(args: readonly string[], input: string | Uint8Array = ''): Promise<CliResult> {
  return await runCli(['output', ...args], input, { env })
}

const values = (topic: string): string[] => cluster.records(topic).map(({ value }) => String(value))
const report = ({ stdout }: CliResult): Record<string, unknown> => lastJson(stdout) as Record<string, unknown>

describe('rows', () => {
  test('of a file in lines, of a JSON array, of stdin', async () => {
    cluster.createTopic('json', 1)
    const rows = '{"id":9007199254740993,"at":1.0}\n\n{"id":-1,"at":null}\n'
    const result = await output(['--config', config('json'), '--file', file(rows), '--json'])
    expect(result).toMatchObject({ code: 0, stderr: 'writing to "json" (1 partition)\n' })
    expect(report(result)).toMatchObject({
      ...{ rows: 2, delivered: 2, dropped: 0, unreadable: 0, messages: 2, retried: 0, possibleDuplicates: 0 },
      inputBytes: rows.length,
      metrics: { 'Input Events': 2, 'Output Events': 2, 'Input Event Bytes': rows.length, 'Runtime Errors': 0 },
    })
    expect(values('json')).toEqual(['{"id":9007199254740993,"at":1}', '{"id":-1,"at":null}'])

    cluster.createTopic('array', 3)
    const array = await output(['--config', config('array'), '--file', fixture('Entry.json')])
    expect(array).toMatchObject({ code: 0, stdout: '' })
    expect(array.stderr).toMatch(
      /^writing to .*\n23 rows \(.* kB read\) delivered to "array" in .*: .* rows\/s\nby partition/,
    )
    const counts = [0, 1, 2].map((at) => cluster.records('array').filter(({ partition }) => partition === at).length)
    expect(counts.sort()).toEqual([7, 8, 8])

    cluster.createTopic('stdin', 1)
    expect(await output(['--config', config('stdin')], '{"a":1}')).toMatchObject({ code: 0 })
    expect(values('stdin')).toEqual(['{"a":1}'])
  })

  test('of CSV: types from columns, delimiter from a flag, names from columns without a header row', async () => {
    cluster.createTopic('csv', 1)
    const columns = [
      { name: 'id', type: 'bigint' },
      { name: 'text', type: 'nvarchar(max)' },
      { name: 'at', type: 'datetime' },
    ]
    const text = 'id;text;at\n9007199254740993;"a;""b""";2015-01-01\n;;\n'
    const args = ['--config', config('csv', { columns }), '--file', file(text, 'in.csv'), '--delimiter', 'semicolon']
    expect((await output(args)).code).toBe(0)
    expect(values('csv')).toEqual([
      '{"id":9007199254740993,"text":"a;\\"b\\"","at":"2015-01-01T00:00:00.0000000Z"}',
      '{"id":null,"text":"","at":null}',
    ])
    const headless = config('csv', { columns, input: { format: 'csv', header: false, delimiter: 'tab' } })
    expect((await output(['--config', headless], '1\tx\t\n')).code).toBe(0)
    expect(values('csv').at(-1)).toBe('{"id":1,"text":"x","at":null}')
  })

  test('to CSV and Avro', async () => {
    cluster.createTopic('to-csv', 1)
    cluster.createTopic('to-avro', 1)
    const sensors = ['--file', fixture('SensorDataSample.csv')]
    const csv = config('to-csv', { serialization: { type: 'Csv', properties: { fieldDelimiter: '|' } } })
    expect((await output(['--config', csv, ...sensors])).code).toBe(0)
    expect(values('to-csv')[0]).toBe(
      "time|hmdt|temp|prss|lght|dspl\r\n2014-12-11T02:24:56.8850110Z|42.7|72.6|98187.75|0.38|R-PI Olivier's Office",
    )
    const avro = await output(['--config', config('to-avro', { serialization: 'Avro' }), ...sensors])
    expect(avro).toMatchObject({ code: 0 })
    expect(cluster.records('to-avro').every(({ value }) => String(value).startsWith('Obj\x01'))).toBe(true)
  })
})

test('Ctrl-C ends a read that waits for more input', async () => {
  cluster.createTopic('waiting', 1)
  const running = startCli(['output', '--config', config('waiting')], { env })
  running.child.stdin.write('{"a":1}\n{"a":')
  await vi.waitUntil(() => cluster.records('waiting').length === 1, { timeout: 15_000 })
  running.child.kill('SIGINT')
  expect(await running.ended).toMatchObject({ code: 1 })
  running.child.stdin.destroy()
  expect(values('waiting')).toEqual(['{"a":1}'])
})

describe('bad rows', () => {
  const BAD = '{"a":1}\nnonsense\n{"a":2}\n[]\n{"a":3}\n{"a":\n'

  test('are told, counted and skipped', async () => {
    cluster.createTopic('bad', 1)
    const errors = join(folder, 'bad.errors')
    const result = await output(['--config', config('bad'), '--file', file(BAD), '--errors', errors, '--json'])
    expect(result.code).toBe(1)
    expect(report(result)).toMatchObject({
      ...{ rows: 3, delivered: 3, unreadable: 3 },
      metrics: { 'Input Deserialization Errors': 3, 'Data Conversion Errors': 0 },
    })
    expect(values('bad')).toEqual(['{"a":1}', '{"a":2}', '{"a":3}'])
    const lines = readFileSync(errors, 'utf8').trimEnd().split('\n')
    const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(records.map(({ Message, EventCount }) => [Message, EventCount])).toEqual([
      ['line 2, column 1: expected a value', 1],
      ['line 4: expected an object, got an array', 1],
      ['line 6, column 6: expected a value', 1],
    ])
    expect(records[0]).toMatchObject({ Type: 'DataError', DataErrorType: 'InputDeserializerError.InvalidData' })
  })

  test.runIf(existsSync('/dev/full'))('are told on stderr when --errors is full, and end nothing', async () => {
    cluster.createTopic('full', 1)
    const input = file(`${'no\n'.repeat(3)}{"a":1}\n`)
    const { code, stderr } = await output(['--config', config('full'), '--file', input, '--errors', '/dev/full'])
    expect(code).toBe(1)
    expect(stderr).toContain('headrace: --errors: cannot write /dev/full: no space left on device; stderr has the rest')
    expect(stderr.match(/InvalidData/g)).toHaveLength(2)
    expect(stderr).toContain('3 rows of the input could not be read')
    expect(values('full')).toEqual(['{"a":1}'])
  })

  test('end the reading, if that is asked for', async () => {
    cluster.createTopic('stop', 1)
    const result = await output(['--config', config('stop'), '--file', file(BAD), '--bad-rows', 'stop'])
    expect(result.code).toBe(1)
    expect(result.stderr).toContain('headrace: reading ended at row 2, which cannot be read: line 2, column 1')
    expect(values('stop')).toEqual(['{"a":1}'])
  })

  test('that cannot be converted: Drop counts them, and tells them as Stream Analytics does', async () => {
    cluster.createTopic('drop', 1)
    const columns = [{ name: 'a', type: 'bigint' }]
    const args = ['--config', config('drop', { columns, errorPolicy: 'Drop' }), '--json']
    const result = await output(args, '{"a":1}\n{"a":"x"}\n{"a":3}\n')
    expect(result.code).toBe(1)
    expect(report(result)).toMatchObject({
      ...{ rows: 3, delivered: 2, dropped: 1 },
      metrics: { 'Data Conversion Errors': 1, 'Dropped Events': 1 },
    })
    const told = result.stderr.split('\n').find((line) => line.startsWith('{')) ?? ''
    expect(JSON.parse(told)).toMatchObject({
      ...{ Source: 'drop', Type: 'DataError', EventCount: 1 },
      DataErrorType: 'OutputDataConversionError.TypeConversionError',
    })
    expect(values('drop')).toEqual(['{"a":1}', '{"a":3}'])
  })

  test('that cannot be converted: Retry waits and says so; Ctrl-C ends it, with what came before', async () => {
    cluster.createTopic('retry', 1)
    const columns = [{ name: 'a', type: 'bigint' }]
    const running = startCli(['output', '--config', config('retry', { columns }), '--json'], { env })
    running.child.stdin.end('{"a":1}\n{"a":"x"}\n{"a":3}\n')
    await vi.waitUntil(() => running.stderr().includes('row 2 is in the way of all behind it'), { timeout: 15_000 })
    running.child.kill('SIGINT')
    const result = await running.ended
    expect(result.code).toBe(1)
    expect(report(result)).toMatchObject({ delivered: 1, dropped: 0 })
    expect(result.stderr).toContain('interrupted: delivering what was read')
    expect(values('retry')).toEqual(['{"a":1}'])
  })
})

describe('--checkpoint', () => {
  const rows = (count: number): string => Array.from({ length: count }, (_, i) => `{"i":${i}}\n`).join('')

  test('goes on where the input was safe, also when there is more of it', async () => {
    cluster.createTopic('more', 2)
    const [path, checkpoint] = [file(rows(500)), join(folder, 'more.cp')]
    const args = ['--config', config('more'), '--file', path, '--checkpoint', checkpoint]
    expect((await output(args)).stderr).toContain(`checkpoint ${checkpoint}: 500 rows of the input are done with`)
    writeFileSync(path, rows(700))
    const again = await output(args)
    expect(again).toMatchObject({ code: 0 })
    expect(again.stderr).toContain(`resuming at row 501 (${checkpoint}); no row behind that was sent`)
    expect(values('more').sort()).toEqual(rows(700).trimEnd().split('\n').sort())
  })

  test('Ctrl-C delivers what was read, writes it, and the next run has the rest, once', async () => {
    cluster.createTopic('interrupted', 1)
    const rule = cluster.fail({ api: 'Produce', topic: 'interrupted', delayMs: 150 })
    const [path, checkpoint] = [file(rows(20_000)), join(folder, 'interrupted.cp')]
    const args = [
      '--config',
      config('interrupted'),
      '--file',
      path,
      '--checkpoint',
      checkpoint,
      '--checkpoint-rows',
      '500',
    ]
    const running = startCli(['output', ...args], { env })
    await vi.waitUntil(() => cluster.records('interrupted').length > 0, { timeout: 15_000 })
    running.child.kill('SIGTERM')
    const stopped = await running.ended
    expect(stopped.stderr).toContain('interrupted: delivering what was read; once more gives it up')
    expect(stopped.stderr).toContain('headrace: interrupted: reading ended after row')
    expect(stopped.code).toBe(1)
    rule.remove()
    const before = cluster.records('interrupted').length
    expect(before).toBeLessThan(20_000)
    const again = await output(args)
    expect(again.code).toBe(0)
    expect(again.stderr).toContain(`resuming at row ${before + 1} `.replace(/\B(?=(\d{3})+ )/g, ','))
    expect(again.stderr).toContain('no row behind that was sent')
    expect(values('interrupted')).toEqual(rows(20_000).trimEnd().split('\n'))
  })

  test('a second Ctrl-C gives up what was read, and the checkpoint knows', async () => {
    cluster.createTopic('twice', 1)
    const rule = cluster.fail({ api: 'Produce', topic: 'twice', delayMs: 60_000 })
    const args = ['--config', config('twice'), '--file', file(rows(30)), '--checkpoint', join(folder, 'twice.cp')]
    const running = startCli(['output', ...args, '--checkpoint-rows', '77'], { env })
    await vi.waitUntil(() => cluster.records('twice').length > 0, { timeout: 15_000 })
    running.child.kill('SIGINT')
    await vi.waitUntil(() => running.stderr().includes('once more gives it up'))
    running.child.kill('SIGINT')
    const { code, stderr } = await running.ended
    expect(code).toBe(1)
    expect(stderr).toContain('headrace: interrupted: reading ended after row')
    rule.remove()
    const again = await output(args)
    expect(again.code).toBe(0)
    expect(again.stderr).toContain('resuming at row 1 ')
    expect(again.stderr).toContain('up to 77 rows after it may be in the topic already')
  })

  test('two at a time are refused', async () => {
    cluster.createTopic('two', 1)
    const rule = cluster.fail({ api: 'Produce', topic: 'two', delayMs: 60_000 })
    const array = file('[{"i":0},{"i":1},{"i":2}]', 'in.json')
    const args = ['--config', config('two'), '--file', array, '--checkpoint', join(folder, 'two.cp')]
    const first = startCli(['output', ...args], { env })
    await vi.waitUntil(() => first.stderr().includes('writing to'), { timeout: 15_000 })
    const second = await output(args)
    expect(second).toMatchObject({
      code: 2,
      stderr: `headrace: --checkpoint: ${join(folder, 'two.cp')} is in use by process ${first.child.pid}\n`,
    })
    first.child.kill('SIGKILL')
    await first.ended
    rule.remove()
    const third = await output(args)
    expect(third.code).toBe(0)
    expect(third.stderr).toContain('resuming at row 1 ')
    expect(third.stderr).toContain('up to 10,000 rows after it may be in the topic already')
  })

  test('what does not fit is refused with a sentence', async () => {
    cluster.createTopic('fit', 1)
    const [path, checkpoint] = [file(rows(10)), join(folder, 'fit.cp')]
    const refused = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await output([...args, '--checkpoint', checkpoint])
      expect(code).toBe(2)
      return stderr
    }
    const settings = config('fit')
    expect(await refused('--config', settings)).toContain('--checkpoint needs --file: stdin cannot be read again')
    expect((await output(['--config', settings, '--file', path, '--checkpoint', checkpoint])).code).toBe(0)
    expect(await refused('--config', config('other'), '--file', path)).toContain('is of topic "fit", not "other"')
    expect(await refused('--config', settings, '--file', path, '--format', 'csv')).toContain('is of an input in ndjson')
    writeFileSync(path, rows(5))
    expect(await refused('--config', settings, '--file', path)).toContain('is not of')
    const raw = config('fit', { serialization: 'Avro', avroFraming: 'raw' })
    expect(await refused('--config', raw, '--file', path)).toContain('avroFraming raw needs avroSchema, too')
  })

  test('a last row that is still being written is looked at again', async () => {
    cluster.createTopic('cut', 1)
    const path = file('{"i":0}\n{"i":')
    const args = ['--config', config('cut'), '--file', path, '--checkpoint', join(folder, 'cut.cp')]
    expect((await output(args)).code).toBe(1)
    writeFileSync(path, '{"i":0}\n{"i":1}\n{"i":2}\n')
    const again = await output(args)
    expect(again).toMatchObject({ code: 0 })
    expect(again.stderr).toContain('resuming at row 2 ')
    expect(values('cut')).toEqual(['{"i":0}', '{"i":1}', '{"i":2}'])
  })

  test('other addresses may be another cluster, whose topic has none of it', async () => {
    cluster.createTopic('elsewhere', 1)
    const [path, checkpoint] = [file(rows(2)), join(folder, 'elsewhere.cp')]
    const run = async (more: object): Promise<string> => {
      const args = ['--config', config('elsewhere', more), '--file', path, '--checkpoint', checkpoint]
      return (await output(args)).stderr
    }
    await run({})
    expect(await run({})).not.toContain('another cluster')
    const { bootstrap } = cluster
    expect(await run({ bootstrapServers: `${bootstrap},${bootstrap}` })).toContain(
      `bootstrapServers were ${JSON.stringify(bootstrap)} then: if this is another cluster, remove ${checkpoint}`,
    )
  })

  test('CSV remembers its header row', async () => {
    cluster.createTopic('header', 1)
    const path = file('a,b\n1,2\n', 'in.csv')
    const args = ['--config', config('header'), '--file', path, '--checkpoint', join(folder, 'header.cp')]
    expect((await output(args)).code).toBe(0)
    writeFileSync(path, 'a,b\n1,2\n3,4\n')
    expect((await output(args)).code).toBe(0)
    expect(values('header')).toEqual(['{"a":"1","b":"2"}', '{"a":"3","b":"4"}'])
  })
})

describe('what is wrong', () => {
  test.each([
    [{ topic: 'a b' }, 'topic'],
    [{ securityProtocol: 'SSL' }, 'securityProtocol'],
    [{ serialization: { type: 'Csv', properties: { encoding: 'UTF16' } } }, 'serialization.properties.encoding'],
    [{ input: { format: 'xml' } }, 'input.format: expected one of ndjson, csv'],
    [{ input: { delimeter: ',' } }, 'input.delimeter: there is only format, delimiter, header, badRows'],
    [{ input: { format: 'csv', header: false } }, 'input.header: false needs columns'],
  ])('with the configuration: %j', async (wrong, sentence) => {
    const path = config('wrong', wrong)
    const { code, stderr } = await output(['--config', path])
    expect(code).toBe(2)
    expect(stderr).toContain(`headrace: ${path}: `)
    expect(stderr).toContain(sentence)
  })

  test('with the command line, or the header row', async () => {
    expect(await output([])).toMatchObject({ code: 2, stderr: 'headrace: --config is missing; see --help\n' })
    const args = ['--config', config('wrong')]
    expect((await output([...args, '--file', 'no-such'])).stderr).toContain(
      'cannot read no-such: there is no such file',
    )
    expect((await output([...args, '--delimiter', 'x'])).stderr).toContain('--delimiter: expected comma, semicolon')
    const header = await output([...args, '--format', 'csv'], 'a,a\n')
    expect(header).toMatchObject({ code: 2 })
    expect(header.stderr).toContain('stdin: the header row is not one: two columns are called "a"')
  })

  test('with files that are the same: none is written over', async () => {
    const path = file('{"i":0}\nno\n')
    const settings = config('same')
    const link = join(folder, 'same.link')
    symlinkSync(path, link)
    const common = ['--config', settings, '--file', path]
    const refused = async (...more: string[]): Promise<string> => {
      const { code, stderr } = await output([...common, ...more])
      expect(code).toBe(2)
      return stderr
    }
    expect(await refused('--errors', link)).toBe(`headrace: --errors and --file are the same file, ${link}\n`)
    expect(await refused('--checkpoint', settings)).toContain('--checkpoint and --config are the same file')
    const [errors, checkpoint] = [join(folder, 'same.new'), `${folder}/../${basename(folder)}/same.new`]
    expect(await refused('--errors', errors, '--checkpoint', checkpoint)).toContain('--checkpoint and --errors are')
    expect(readFileSync(path, 'utf8')).toBe('{"i":0}\nno\n')
    cluster.createTopic('same', 1)
    expect((await output(['--config', settings, '--file', '/dev/null', '--errors', '/dev/null'])).code).toBe(0)
  })

  test('with the brokers: exit code 3, and nothing is read', async () => {
    const nobody = config('nobody', { bootstrapServers: '127.0.0.1:1' })
    const { code, stderr } = await output(['--config', nobody], '{"a":1}\n')
    expect(code).toBe(3)
    expect(stderr).toMatch(/^headrace: reachability: 127\.0\.0\.1:1: connection refused/)
  })

  test('with the password: exit code 3, and it is nowhere', async () => {
    const [right, wrong] = [canarySecret('the right password'), canarySecret('a wrong password')]
    const secured = await TestCluster.start({
      topics: { t: 1 },
      sasl: { mechanisms: ['PLAIN'], users: { ann: right } },
    })
    try {
      const login = { securityProtocol: 'SASL_PLAINTEXT', bootstrapServers: secured.bootstrap, username: 'ann' }
      const of = (password: object): string[] => ['output', '--config', config('t', { ...login, password }), '--json']
      const good = await runCli(of({ env: 'THE_PASSWORD' }), '{"a":1}\n', { env: { THE_PASSWORD: right } })
      expect(good).toMatchObject({ code: 0 })
      const bad = await runCli(of({ file: file(`${wrong}\n`, 'password') }), '{"a":1}\n')
      expect(bad).toMatchObject({ code: 3 })
      expect(bad.stderr).toContain('authentication')
      expectNoSecret([good, bad])
    } finally {
      await secured.close()
    }
  })
})

test('--test-connection writes nothing, and says what it found', async () => {
  cluster.createTopic('look', 2)
  const good = await output(['--config', config('look'), '--test-connection', '--json'])
  const steps = good.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { step: string; ok: boolean | null })
  expect(good.code).toBe(0)
  expect(steps.map(({ step, ok }) => [step, ok])).toEqual([
    ['reachability', true],
    ['authentication', true],
    ['topic', true],
    // Brokers of this kind say so only of what is written.
    ['permission', null],
  ])
  expect(values('look')).toEqual([])
  const missing = await output(['--config', config('no-such-topic'), '--test-connection'])
  expect(missing.code).toBe(1)
  expect(missing.stdout).toMatch(
    /^ok .*reachability .*\nok .*authentication .*\nFAILED .*topic .*no topic "no-such-topic"/,
  )
  const nobody = config('look', { bootstrapServers: '127.0.0.1:1' })
  expect((await output(['--config', nobody, '--test-connection'])).code).toBe(3)
})
