import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { validateOutput } from '../../src/output/output.ts'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { lastJson, runCli, type CliResult } from '../support/run-cli.ts'

/** examples/stream-analytics-output, as its README says, but for the port, which may be taken. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const EXAMPLE = join(ROOT, 'examples/stream-analytics-output')
const readme = readFileSync(join(EXAMPLE, 'README.md'), 'utf8')
/** The commands of the README, without `npx headrace`. */
const commands = [...readme.matchAll(/^npx headrace (.*)$/gm)].map(([, command = '']) => command.split(' '))
const embedded = commands.filter((args) => args[0] === 'output' && !args.includes('with-login.json'))

let cluster: TestCluster
let folder: string
let results: CliResult[]

beforeAll(async () => {
  const topics = [...(commands[0] ?? []).join(' ').matchAll(/--topic (\w+):(\d+)/g)]
  cluster = await TestCluster.start({
    topics: Object.fromEntries(topics.map(([, name = '', partitions]) => [name, Number(partitions)])),
  })
  folder = mkdtempSync(join(tmpdir(), 'headrace-example-'))
  for (const name of readdirSync(EXAMPLE)) copyFileSync(join(EXAMPLE, name), join(folder, name))
  for (const name of ['toll-json.json', 'sensors-csv.json', 'machines-avro.json']) {
    const path = join(folder, name)
    writeFileSync(path, readFileSync(path, 'utf8').replace('127.0.0.1:9092', cluster.bootstrap))
  }
  results = []
  for (const args of embedded) {
    // Arguments that are files are in that folder.
    const placed = args.map((arg) => (/\.(json|csv|checkpoint)$/.test(arg) ? join(folder, arg) : arg))
    results.push(await runCli(placed, '', { env: { NODE_PATH: join(ROOT, 'node_modules') } }))
  }
})
afterAll(async () => {
  await cluster.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the example of the output', () => {
  test('has commands that all do what they are for', () => {
    expect(embedded).toHaveLength(6)
    expect(results.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual([0, 0, 0, 0, 0, 0])
    expect(results[0]?.stdout).toContain('topic "toll" has 3 partitions')
    expect(lastJson(results[2]?.stdout ?? '')).toMatchObject({ rows: 219, delivered: 219, dropped: 0, messages: 5 })
    expect(results[5]?.stderr).toContain('resuming at row 24 ')
  })

  test('sends what its table says', () => {
    const toll = cluster.records('toll')
    // Once without a checkpoint, once with one.
    expect(toll).toHaveLength(46)
    const first = toll.find(({ key }) => String(key) === 'JNB 7001')
    expect(String(first?.value)).toContain('"EntryTime":"2014-09-10T12:01:00.0000000Z"')
    expect(first?.timestamp).toBe(Date.parse('2014-09-10T12:01:00Z'))
    const sensors = cluster.records('sensors').find(({ value }) => String(value).includes('02:24:56.8850110Z'))
    expect(sensors?.compression).toBe('gzip')
    expect(String(sensors?.value).split('\r\n')).toHaveLength(51)
    expect(String(sensors?.value)).toMatch(
      /^time;hmdt;temp;prss;lght;dspl\r\n2014-12-11T02:24:56\.8850110Z;42\.7;72\.6;/,
    )
    expect(cluster.records('machines').map(({ value }) => String(value).slice(0, 4))).toEqual(Array(12).fill('Obj\x01'))
  })

  test('has a configuration for a real cluster that is one', () => {
    const given = JSON.parse(readFileSync(join(EXAMPLE, 'with-login.json'), 'utf8')) as Record<string, unknown>
    const read = { bootstrapServers: 'kafka-1.example.com:9094', username: 'asa', password: 'x', producer: {} }
    expect(validateOutput({ ...given, ...read })).toEqual([])
  })

  test('has the rows of the samples, unchanged but for blanks', () => {
    const pairs = [
      ['toll.json', 'Entry.json'],
      ['sensors.csv', 'SensorDataSample.csv'],
      ['machines.json', 'TemperatureSampleData.json'],
    ]
    for (const [own = '', sample = ''] of pairs) {
      const [rows, original] = [join(EXAMPLE, own), join(ROOT, 'test/fixtures/asa', sample)].map(withoutBlanks)
      expect(rows).toBe(original)
    }
  })
})

function withoutBlanks(path: string): string {
  return readFileSync(path, 'utf8').replaceAll(/\s|\ufeff/g, '')
}
