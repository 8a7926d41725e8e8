import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canarySecret } from '../support/canary.ts'
import { importCost } from './import-cost.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSC = path.join(ROOT, 'node_modules/typescript/bin/tsc')

/** users.md section 2. */
const MAX_INSTALLED_BYTES = 1024 * 1024

/** A millisecond each 30 kB, half of one a file (`npm run bench -- import`, where there is a clock). */
const MAX_IMPORTED_BYTES = 300_000
const MAX_IMPORTED_FILES = 3
/** Of Node's own modules, those that an import may bring in at once; the others are loaded when they are used. */
const CHEAP_BUILTINS = ['diagnostics_channel', 'util/types']

/** Whatever dist loads late is used, through classes that stand in for others (scripts/late-builtins.ts), too. */
const LATE = `
import { diagnose, Producer } from 'headrace'
import { TestCluster } from 'headrace/testing'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { inspect } from 'node:util'

const [username, password] = ['ada', process.env.HEADRACE_TEST_PASSWORD]
const cluster = await TestCluster.start({ topics: { t: 1 }, tls: true, sasl: { users: { [username]: password } } })
const brokers = cluster.bootstrap.replaceAll('127.0.0.1', 'localhost')
const options = { brokers, tls: { ca: cluster.ca }, sasl: { mechanism: 'scram-sha-256', username, password }, compression: 'gzip' }
const producer = new Producer(options)
const writable = producer.writable()
const kinds = [writable instanceof Writable, new Writable() instanceof writable.constructor, writable instanceof writable.constructor]
await pipeline(Readable.from([{ topic: 't', value: 'x'.repeat(100_000) }]), writable)
await producer.close()
const stored = cluster.records('t').map(({ value, compression }) => [value.length, compression])
const steps = []
for await (const { step, ok } of diagnose(options, { topic: 't' })) steps.push([step, ok])
const wrong = await diagnose({ brokers: 7 })[Symbol.asyncIterator]().next().catch(({ code }) => code)
await cluster.close()
console.log(JSON.stringify({ kinds, stored, failed: steps.filter(([, ok]) => !ok), steps: steps.length > 5, wrong, isSecret: !inspect(producer, { depth: 9, showHidden: true }).includes(password) }))
`

const PROGRAM = `
import { Producer, KafkaError, type ProducerRecord, type RecordMetadata, type DeliveryReport } from 'headrace'
import { TestCluster } from 'headrace/testing'
import { KafkaDestination, settingsFields, validateSettings, type DeliveryResult } from 'headrace/destination'
import { KafkaOutput, outputFields, type KafkaOutputOptions, type WriteReport } from 'headrace/output'
import { apis, decodeRequest, encodeRequest, encodeRecordBatch, decodeRecordBatch, murmur2, crc32c } from 'headrace/protocol'

const record: ProducerRecord = { topic: 't', value: 'v', headers: { a: ['1', null] } }
const cluster = await TestCluster.start({ brokers: 1, topics: { t: 3 } })
const producer = new Producer({ brokers: cluster.bootstrap })
const placed: RecordMetadata = await producer.send(record)
const report: DeliveryReport = await producer.sendAll([{ value: 'x' }], { topic: 't' })
const offset: bigint = placed.offset
const body = encodeRequest('Metadata', 12, { topics: null, allowAutoTopicCreation: false })
const decoded: boolean = decodeRequest('Metadata', 12, body).allowAutoTopicCreation
const batch = decodeRecordBatch(encodeRecordBatch([{ key: null, value: 'v', timestamp: 5 }]))
// @ts-expect-error a record needs a value
const bad: ProducerRecord = { topic: 't' }
try {
  // @ts-expect-error so does a producer its brokers
  new Producer({})
} catch (error) {
  if (!(error instanceof KafkaError)) throw error
}
await producer.close()

const destination = new KafkaDestination({
  settings: { clientId: 'c', brokers: cluster.bootstrap, mechanism: 'plain', username: 'u', password: 'p', ssl_enabled: false },
  mappings: [{ name: 'all', trigger: 'type = "track"', action: 'send', fields: { topic: 't', payload: { '@path': '$.' } } }],
  logger: { debug() {}, info() {}, warn() {}, error() {} },
})
const results: DeliveryResult[] = await destination.deliver([{ type: 'page' }])
await destination.close()
const asked: KafkaOutputOptions = { outputAlias: 'o', bootstrapServers: cluster.bootstrap, topic: 't', securityProtocol: 'None', serialization: 'json' }
const output = new KafkaOutput(asked)
const written: WriteReport = await output.write([{ a: 1n, b: null }])
await output.close()
const doors = [results.length, settingsFields.length, validateSettings({}).length > 0, outputFields.length > 5, written.delivered]
await cluster.close()
console.log(JSON.stringify([offset >= 0n, report.count, decoded, [...batch.records].length, apis.length >= 3, murmur2(Buffer.from('21')), crc32c(Buffer.from('123456789')), bad.topic, doors]))
`

describe('the packed package, installed in an empty project', () => {
  let project: string
  let tarball: string

  beforeAll(async () => {
    project = await mkdtemp(path.join(tmpdir(), 'headrace-package-'))
    await run('npm', ['run', '-s', 'build'], { cwd: ROOT })
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', project], { cwd: ROOT })
    const [packed] = JSON.parse(stdout) as { filename: string }[]
    tarball = path.join(project, packed!.filename)
    await writeFile(path.join(project, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: project })
  })

  afterAll(async () => {
    await rm(project, { recursive: true, force: true })
  })

  it('is one package of at most 1 MB, without scripts and native code', async () => {
    const modules = path.join(project, 'node_modules')
    expect((await readdir(modules)).filter((name) => !name.startsWith('.'))).toEqual(['headrace'])
    const files = await readdir(path.join(modules, 'headrace'), { recursive: true, withFileTypes: true })
    const sizes = files
      .filter((file) => file.isFile())
      .map(async (file) => (await stat(path.join(file.parentPath, file.name))).size)
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
    console.log(`installed: ${bytes} bytes in ${sizes.length} files; tarball: ${(await stat(tarball)).size} bytes`)
    expect(bytes).toBeLessThanOrEqual(MAX_INSTALLED_BYTES)
    expect(files.filter(({ name }) => /\.(node|wasm|test\.js|tsbuildinfo)$/.test(name))).toEqual([])
    const manifest = JSON.parse(await readFile(path.join(modules, 'headrace/package.json'), 'utf8')) as Record<
      string,
      object
    >
    expect(manifest['dependencies']).toBeUndefined()
    expect(
      Object.keys(manifest['scripts'] ?? {}).filter((name) => /^(pre|post)?install$|^prepare$/.test(name)),
    ).toEqual([])
  })

  it('costs little to import', async () => {
    const { files, bytes, builtins } = await importCost('headrace', project)
    console.log(`imported: ${bytes} bytes in ${files.length} files, and of Node ${builtins.join(', ')}`)
    expect(files.length).toBeGreaterThan(0)
    expect(files.length).toBeLessThanOrEqual(MAX_IMPORTED_FILES)
    expect(bytes).toBeLessThanOrEqual(MAX_IMPORTED_BYTES)
    expect(builtins.filter((name) => !CHEAP_BUILTINS.includes(name))).toEqual([])
  })

  it.each(['headrace/protocol', 'headrace/testing'])('%s does not load the engine', async (door) => {
    const { bytes } = await importCost(door, project)
    expect(bytes).toBeLessThan(MAX_IMPORTED_BYTES / 2)
  })

  it('loads the rest when it is used: TLS, logins, names of hosts, streams, compression, a diagnosis', async () => {
    const file = path.join(project, 'late.mjs')
    await writeFile(file, LATE)
    const env = { ...process.env, HEADRACE_TEST_PASSWORD: canarySecret('packed') }
    const { stdout } = await run(process.execPath, [file], { cwd: project, env })
    expect(JSON.parse(stdout)).toEqual({
      ...{ kinds: [true, false, true], stored: [[100_000, 'gzip']] },
      ...{ failed: [], steps: true, wrong: 'INVALID_OPTIONS', isSecret: true },
    })
  })

  it.each([
    ['import', 'import * as all from "headrace"; console.log(Object.keys(all).length, typeof all.Producer)'],
    [
      'require',
      'const all = require("headrace"); console.log(Object.keys(all).filter((k) => k !== "__esModule").length, typeof all.Producer)',
    ],
  ])('works with %s', async (kind, program) => {
    const file = path.join(project, kind === 'require' ? 'use.cjs' : 'use.mjs')
    await writeFile(file, program)
    const { stdout, stderr } = await run(process.execPath, ['--no-warnings', file], { cwd: project })
    expect(stdout).toMatch(/^\d+ function\n$/)
    expect(stderr).toBe('')
  })

  it.each([
    ['nodenext', 'nodenext'],
    ['node16', 'node16'],
    ['bundler', 'esnext'],
  ])(
    'has types that resolve under %s, libraries checked, too; and the program runs',
    async (moduleResolution, module) => {
      const folder = path.join(project, moduleResolution)
      await mkdir(folder)
      await writeFile(path.join(folder, 'use.ts'), PROGRAM)
      const compilerOptions = {
        module,
        moduleResolution,
        target: 'es2022',
        lib: ['es2023', 'esnext.disposable'],
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        types: ['node'],
        typeRoots: [path.join(ROOT, 'node_modules/@types')],
      }
      await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }))
      const compiled = await run(process.execPath, [TSC, '-p', folder]).catch(
        (error: unknown) => error as { stdout: string },
      )
      expect(compiled.stdout).toBe('')
      const { stdout } = await run(process.execPath, [path.join(folder, 'use.js')], { cwd: project })
      expect(JSON.parse(stdout)).toEqual([true, 1, false, 1, true, -973932308, 0xe3069283, 't', [0, 13, true, true, 1]])
    },
  )

  it.each(['snappy', 'lz4', ...(Number(process.versions.node.split('.')[0]) < 22 ? ['zstd'] : [])])(
    'names the package that %s needs, and the command that installs it',
    async (codec) => {
      const file = path.join(project, 'codec.mjs')
      await writeFile(
        file,
        `import { Producer } from 'headrace'; new Producer({ brokers: 'a:1', compression: '${codec}' })`,
      )
      const { stderr } = await run(process.execPath, [file], { cwd: project }).catch(
        (error: unknown) => error as { stderr: string },
      )
      expect(stderr).toContain('CODEC_UNAVAILABLE')
      expect(stderr).toMatch(/npm install (snappy|lz4-napi|@mongodb-js\/zstd@1\.2)/)
    },
  )

  it('brings a command', async () => {
    const { stdout } = await run(path.join(project, 'node_modules/.bin/headrace'), ['--help'], { cwd: project })
    expect(stdout).toContain('produce')
    const demo = await run(path.join(project, 'node_modules/.bin/headrace'), ['demo', '--json'], { cwd: project })
    expect(() => JSON.parse(demo.stdout) as unknown).not.toThrow()
  })

  it('has examples that run', async () => {
    const example = path.join(project, 'orders.test.mjs')
    await copyFile(path.join(ROOT, 'examples/orders.test.mjs'), example)
    const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap', example], { cwd: project })
    expect(stdout).toContain('# pass 1')
    expect(stdout).toContain('# fail 0')
  })

  it('has a README whose program runs', async () => {
    const readme = await readFile(path.join(project, 'node_modules/headrace/README.md'), 'utf8')
    const program = /```js\n(import \{ Producer \}[\s\S]*?)```/.exec(readme)?.[1]
    const withCluster = `
      import { TestCluster } from 'headrace/testing'
      const cluster = await TestCluster.start({ topics: { orders: 3 } })
      ${program!.replace("'localhost:9092'", 'cluster.bootstrap')}
      await cluster.close()`
    const file = path.join(project, 'readme.mjs')
    await writeFile(file, withCluster)
    const { stdout } = await run(process.execPath, [file], { cwd: project })
    expect(stdout).toMatch(/^written to partition \d at offset 0\n3 more\n$/)
  })
})
