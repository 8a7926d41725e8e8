import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  KafkaOutput,
  type KafkaOutputOptions,
  type OutputDiagnosticEvents,
  type OutputRow,
} from '../../src/output/output.ts'
import { registerSecret } from '../support/canary.ts'
import { FakeVault } from '../support/fake-vault.ts'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import type { LineProcess } from '../support/kafka/line-process.ts'
import { createTopic, dumpBatches, readTopic, sharedJavaHelper, type ReadRecord } from '../support/kafka/readers.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { lastJson, runCli, startCli } from '../support/run-cli.ts'
import { fixtureRows, fixtureText, jsonFixtures, type JsonFixture } from '../output/support.ts'
import {
  expectedOfAvro,
  expectedOfJson,
  formatReadersAvailable,
  startFormatReaders,
  type Answered,
} from '../oracle/output-judge.ts'
import { csvText } from '../../src/output/serialize/csv.ts'
import { Row, type Value } from '../../src/output/types/value.ts'

/** How long the broker is down in the middle of 200 000 rows. The issue asks for 150 s, which CI has no time for. */
const DOWN_MS = Number(process.env['HEADRACE_OUTPUT_DOWN_MS'] ?? 10_000)
const DOWN_ROWS = 200_000
const KILLS = 5
const CHECKPOINT_ROWS = 2000
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const env = { NODE_PATH: join(ROOT, 'node_modules') }
const VAULT_NAME = 'team-vault'

type Security = Partial<KafkaOutputOptions>

async function write(
  options: Partial<KafkaOutputOptions> & Pick<KafkaOutputOptions, 'bootstrapServers' | 'topic'>,
  rows: Iterable<OutputRow> | AsyncIterable<OutputRow>,
): Promise<void> {
  const common = { outputAlias: 'test', securityProtocol: 'None', serialization: 'Json' }
  await using output = new KafkaOutput({ ...common, ...options })
  await output.write(rows)
}

/** The values of a topic, each partition in its order. */
async function valuesOf(cluster: RealCluster, topic: string): Promise<string[]> {
  return (await readTopic({ ...cluster.at, topic })).map(({ value }) => String(value))
}

function loginOf(cluster: RealCluster, saslMechanism: string): Security {
  return { saslMechanism, username: 'alice', password: cluster.users['alice'] ?? '' }
}

describeBrokers('the output on Apache Kafka 4.3.1', () => {
  let cluster: RealCluster
  let vault: FakeVault
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'headrace-output-'))
    cluster = await startCluster({ version: '4.3.1', nodes: 1, security: true })
    vault = new FakeVault(() => Date.now())
    await vault.listen()
    const [ca, cert, key] = [cluster.files.ca, cluster.files.clientCert, cluster.files.clientKey].map((file) =>
      readFileSync(file ?? '', 'utf8'),
    )
    vault.set('truststore', ca ?? '')
    vault.set('client', `${cert ?? ''}${registerSecret('the key of the client certificate', key ?? '')}`)
  })
  afterAll(async () => {
    await vault.close()
    await cluster.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function topic(name: string, partitions = 1): Promise<string> {
    await createTopic({ ...cluster.at, topic: name, partitions, replicationFactor: 1 })
    return name
  }

  function fileOf(name: string, text: string): string {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }

  function configOf(of: string, more: object = {}): string {
    const common = {
      outputAlias: of,
      bootstrapServers: cluster.listeners.plaintext,
      topic: of,
      securityProtocol: 'None',
    }
    return fileOf(`${of}.json`, JSON.stringify({ ...common, serialization: 'Json', ...more }))
  }

  describe('asa-Z5: each protocol, against its listener', () => {
    beforeAll(async () => {
      await topic('protocols')
    })
    const inVault = (): Security => ({
      keyVault: { vaultName: VAULT_NAME, truststoreSecret: 'truststore' },
      fetch: vault.fetch,
    })

    it.each<[string, keyof RealCluster['listeners'], () => Security]>([
      ['None', 'plaintext', () => ({})],
      ['SASL_PLAINTEXT PLAIN', 'saslPlaintext', () => loginOf(cluster, 'PLAIN')],
      ['SASL_PLAINTEXT SCRAM-SHA-512', 'saslPlaintext', () => loginOf(cluster, 'SCRAM-SHA-512')],
      ['SASL_SSL PLAIN', 'saslSsl', () => ({ ...loginOf(cluster, 'PLAIN'), ...inVault() })],
      ['SASL_SSL SCRAM-SHA-256', 'saslSsl', () => ({ ...loginOf(cluster, 'SCRAM-SHA-256'), ...inVault() })],
      ['SASL_SSL SCRAM-SHA-512', 'saslSsl', () => ({ ...loginOf(cluster, 'SCRAM-SHA-512'), ...inVault() })],
      [
        'mTLS',
        'mtls',
        () => ({
          fetch: vault.fetch,
          keyVault: { vaultName: VAULT_NAME, truststoreSecret: 'truststore', clientCertificateSecret: 'client' },
        }),
      ],
    ])('%s', async (name, listener, security) => {
      const [securityProtocol = ''] = name.split(' ')
      const bootstrapServers = cluster.listeners[listener] ?? ''
      await write({ bootstrapServers, topic: 'protocols', securityProtocol, ...security() }, [{ protocol: name }])
      expect(await valuesOf(cluster, 'protocols')).toContain(JSON.stringify({ protocol: name }))
    })

    it('SASL_SSL by the command line, with a certificate from a file', async () => {
      const more = {
        ...{ bootstrapServers: cluster.listeners.saslSsl, topic: 'protocols', securityProtocol: 'SASL_SSL' },
        ...{ ...loginOf(cluster, 'SCRAM-SHA-256'), password: { env: 'THE_PASSWORD' } },
        producer: { tls: { ca: { file: cluster.files.ca } } },
      }
      const args = ['output', '--config', configOf('by-cli', more)]
      const { code, stderr } = await runCli(args, '{"protocol":"by cli"}\n', {
        env: { THE_PASSWORD: cluster.users['alice'] ?? '' },
      })
      expect({ code, stderr }).toMatchObject({ code: 0 })
      expect(await valuesOf(cluster, 'protocols')).toContain('{"protocol":"by cli"}')
    })
  })

  it.concurrent.each(['None', 'Gzip', 'Snappy', 'Lz4', 'Zstd'])(
    'asa-Z6: compression %s is what the log has, and Kafka’s consumer reads it',
    async (compressionType) => {
      const name = await topic(`codec-${compressionType}`)
      const rows = Array.from({ length: 500 }, (_, i) => ({ i, text: 'the same again and again' }))
      await write({ bootstrapServers: cluster.listeners.plaintext, topic: name, compressionType }, rows)
      const batches = await dumpBatches({ logDir: cluster.logDirs[0] ?? '', topic: name, partition: 0 })
      expect(new Set(batches.map(({ compression }) => compression))).toEqual(new Set([compressionType.toLowerCase()]))
      expect(batches.every(({ isValid }) => isValid)).toBe(true)
      expect(await valuesOf(cluster, name)).toEqual(rows.map((row) => JSON.stringify(row)))
    },
  )

  it('asa-Z7: without a key rows rotate exactly; with one, each key has its partition, that of Java', async () => {
    const bootstrapServers = cluster.listeners.plaintext
    const [rotating, keyed] = [await topic('rotating', 5), await topic('keyed', 5)]
    await write(
      { bootstrapServers, topic: rotating },
      Array.from({ length: 5003 }, (_, i) => ({ i })),
    )
    const counts = new Map<number, number>()
    for (const { partition, key } of await readTopic({ ...cluster.at, topic: rotating })) {
      expect(key).toBeNull()
      counts.set(partition, (counts.get(partition) ?? 0) + 1)
    }
    expect([...counts.values()].sort()).toEqual([1000, 1000, 1001, 1001, 1001])
    const rows = Array.from({ length: 600 }, (_, i) => ({ device: `gerät ${i % 40}`, i }))
    await write({ bootstrapServers, topic: keyed, partitionKey: 'device' }, rows)
    const java = await sharedJavaHelper()
    const records = await readTopic({ ...cluster.at, topic: keyed })
    expect(records).toHaveLength(600)
    for (const key of new Set(records.map((record) => String(record.key)))) {
      const [answer] = await java.murmur2([Buffer.from(key)], [5])
      const own = records.filter((record) => String(record.key) === key)
      expect(own.map(({ value }) => (JSON.parse(String(value)) as { device: string }).device)).toEqual(
        own.map(() => key),
      )
      expect(new Set(own.map(({ partition }) => partition))).toEqual(new Set(answer?.partitions))
    }
  })

  describe('the fixtures, read by others', async () => {
    const { ok } = await formatReadersAvailable()
    let readers: LineProcess
    beforeAll(async () => void (readers = await startFormatReaders()))
    afterAll(() => readers.close())

    const cell = (value: Value): string => (value === null ? '' : csvText(value))

    async function ask(op: string, { value }: ReadRecord, more: object = {}): Promise<Answered[]> {
      const { result } = await readers.ask(op, { base64: (value ?? Buffer.alloc(0)).toString('base64'), ...more })
      return (op === 'avro_container' ? (result as { rows: Answered[] }).rows : result) as Answered[]
    }

    /** A topic of one partition: in the order of the input. */
    async function send(name: string, serialization: string, file: string): Promise<ReadRecord[]> {
      const of = await topic(`${name}-${serialization}`)
      const args = ['output', '--config', configOf(of, { serialization }), '--file', file]
      const { code, stderr } = await runCli(args, '', { env })
      expect({ code, stderr }).toMatchObject({ code: 0 })
      return await readTopic({ ...cluster.at, topic: of })
    }

    async function check(name: string, file: string, rows: readonly Row[]): Promise<void> {
      const json = await send(name, 'Json', file)
      expect((await Promise.all(json.map((record) => ask('json_lines', record)))).flat()).toEqual(
        rows.map(expectedOfJson),
      )
      const csv = await send(name, 'Csv', file)
      expect((await Promise.all(csv.map((record) => ask('csv_rows', record, { delimiter: ',' })))).flat()).toEqual(
        rows.flatMap((row) => [[...row.names], row.values.map(cell)]),
      )
      const avro = await send(name, 'Avro', file)
      const answers = (await Promise.all(avro.map((record) => ask('avro_container', record)))).flat()
      expect(answers.map(asDouble)).toEqual(rows.map(expectedOfAvro).map(asDouble))
    }

    it.skipIf(!ok).concurrent.each(jsonFixtures)('asa-Z1, asa-Z2, asa-Z3: %s.json', async (name: JsonFixture) => {
      await check(name, join(ROOT, `test/fixtures/asa/${name}.json`), fixtureRows(name))
    })

    it.skipIf(!ok).concurrent('asa-Z1, asa-Z2, asa-Z3: SensorDataSample.csv', async () => {
      const file = join(ROOT, 'test/fixtures/asa/SensorDataSample.csv')
      const base64 = Buffer.from(fixtureText('SensorDataSample.csv')).toString('base64')
      const [names = [], ...lines] = (await readers.ask('csv_rows', { base64, delimiter: ',' })).result as string[][]
      await check(
        'SensorDataSample',
        file,
        lines.map((line) => new Row(names, line)),
      )
    })
  })

  it('the example runs as written', async () => {
    const example = join(ROOT, 'examples/stream-analytics-output')
    const runs = [
      ['toll', 'toll-json.json', 'toll.json', 23],
      ['sensors', 'sensors-csv.json', 'sensors.csv', 5],
      ['machines', 'machines-avro.json', 'machines.json', 12],
    ] as const
    await Promise.all(
      runs.map(async ([name, config, input, messages]) => {
        await topic(name, 2)
        const text = readFileSync(join(example, config), 'utf8').replace('127.0.0.1:9092', cluster.listeners.plaintext)
        const args = ['output', '--config', fileOf(config, text), '--file', join(example, input)]
        expect(await runCli(args, '', { env })).toMatchObject({ code: 0 })
        expect(await readTopic({ ...cluster.at, topic: name })).toHaveLength(messages)
      }),
    )
  })

  it('five times killed with SIGKILL: every row is there, twice only those that were announced', async () => {
    const name = await topic('killed', 3)
    const total = 120_000
    const file = fileOf(
      'killed.ndjson',
      Array.from({ length: total }, (_, i) => `{"i":${i},"x":"${'x'.repeat(60)}"}\n`).join(''),
    )
    const checkpoint = join(folder, 'killed.cp')
    const args = ['output', '--config', configOf(name), '--file', file, '--checkpoint', checkpoint]
    const more = ['--checkpoint-rows', String(CHECKPOINT_ROWS)]
    const safeRows = (): number => {
      try {
        return (JSON.parse(readFileSync(checkpoint, 'utf8')) as { safeRows: number }).safeRows
      } catch {
        return 0
      }
    }
    const deaths: number[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      const running = startCli([...args, ...more], { env })
      const goal = safeRows() + 1 + Math.floor(Math.random() * (total / KILLS / 2))
      await vi.waitUntil(() => safeRows() >= goal || running.child.exitCode !== null, { timeout: 30_000, interval: 2 })
      running.child.kill('SIGKILL')
      const { code, stderr } = await running.ended
      expect(code).toBeNull()
      if (kill > 0) expect(stderr).toContain(announced(deaths.at(-1) ?? 0))
      deaths.push(safeRows())
    }
    const last = await runCli([...args, ...more, '--json'], '', { env })
    expect(last).toMatchObject({ code: 0 })
    expect(last.stderr).toContain(announced(deaths.at(-1) ?? 0))
    expect((lastJson(last.stdout) as { checkpoint: { rows: number } }).checkpoint.rows).toBe(total)
    const times = new Array<number>(total).fill(0)
    for (const value of await valuesOf(cluster, name)) times[(JSON.parse(value) as { i: number }).i]!++
    const missing = times.flatMap((count, i) => (count === 0 ? [i] : []))
    const windows = (i: number): number => deaths.filter((at) => i >= at && i < at + CHECKPOINT_ROWS).length
    const unannounced = times.flatMap((count, i) => (count > 1 + windows(i) ? [i] : []))
    const twice = times.filter((count) => count > 1).length
    console.log(`five SIGKILLs at rows ${deaths.join(', ')}: ${total} rows there, ${twice} of them twice`)
    expect({ missing, unannounced }).toEqual({ missing: [], unannounced: [] })
  })

  // The last one here: the broker dies.
  it(
    `asa-Z10: the broker is down for ${DOWN_MS} ms in the middle of ${DOWN_ROWS} rows`,
    async () => {
      const name = await topic('down', 3)
      const bootstrapServers = cluster.listeners.plaintext
      let revived: Promise<void> = Promise.resolve()
      async function* rows(): AsyncGenerator<OutputRow> {
        for (let i = 0; i < DOWN_ROWS; i++) {
          if (i === DOWN_ROWS / 2) {
            await cluster.kill(1)
            revived = delay(DOWN_MS).then(() => cluster.start(1))
          }
          yield { i }
        }
      }
      const output = new KafkaOutput({
        ...{ outputAlias: 'down', securityProtocol: 'None', serialization: 'Json' },
        ...{ bootstrapServers, topic: name },
      })
      const startedMs = performance.now()
      const report = await output.write(rows())
      await revived
      await output.close()
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
      const records = await readTopic({ ...cluster.at, topic: name, timeoutMs: 120_000 })
      const numbers = [0, 1, 2].map((at) =>
        records
          .filter(({ partition }) => partition === at)
          .map(({ value }) => (JSON.parse(String(value)) as { i: number }).i),
      )
      const unsorted = numbers.flatMap((list) => list.filter((i, at) => at > 0 && i <= (list[at - 1] ?? 0)))
      console.log(`down for ${DOWN_MS} ms: ${records.length} rows in ${seconds} s, ${JSON.stringify(report)}`)
      expect(report).toMatchObject({ rows: DOWN_ROWS, delivered: DOWN_ROWS, dropped: 0, possibleDuplicates: 0 })
      expect(unsorted).toEqual([])
      expect(new Set(numbers.flat()).size).toBe(DOWN_ROWS)
      expect(records).toHaveLength(DOWN_ROWS)
    },
    DOWN_MS + 120_000,
  )
})

function announced(safeRows: number): string {
  const at = String(safeRows + 1).replaceAll(/\B(?=(\d{3})+$)/g, ',')
  return `resuming at row ${at} `
}

/** A column that changes between bigint and float is double from its first float on: what is compared is the number. */
function asDouble(answer: Answered): unknown {
  if (Array.isArray(answer)) return answer.map(asDouble)
  if (typeof answer !== 'object' || answer === null) return answer
  if ('o' in answer) return { o: answer.o.map(([name, value]) => [name, asDouble(value)]) }
  return 'i' in answer ? Number(answer.i) : Buffer.from(answer.f, 'hex').readDoubleBE()
}

describeBrokers('the output on Apache Kafka 0.10.2.2', () => {
  let cluster: RealCluster
  beforeAll(async () => {
    cluster = await startCluster({ version: '0.10.2.2', nodes: 1, security: true })
    await createTopic({ ...cluster.at, topic: 'old', partitions: 2, replicationFactor: 1 })
  })
  afterAll(() => cluster.close())

  it.each([
    ['None', 'plaintext', ''],
    ['SASL_PLAINTEXT', 'saslPlaintext', 'PLAIN'],
    ['SASL_PLAINTEXT', 'saslPlaintext', 'SCRAM-SHA-256'],
  ] as const)(
    'asa-Z11: %s (%s) %s, and it says what the broker lacks',
    async (securityProtocol, listener, mechanism) => {
      const started: OutputDiagnosticEvents['headrace:output:started'][] = []
      const listen = (event: unknown): void => void started.push(event as (typeof started)[number])
      subscribe('headrace:output:started', listen)
      const rows = Array.from({ length: 101 }, (_, i) => ({ by: `${securityProtocol} ${mechanism}`, i }))
      const login = mechanism === '' ? {} : loginOf(cluster, mechanism)
      const bootstrapServers = cluster.listeners[listener] ?? ''
      await using output = new KafkaOutput({
        ...{ outputAlias: 'old', topic: 'old', serialization: 'Json', compressionType: 'Gzip' },
        ...{ bootstrapServers, securityProtocol, ...login },
      })
      await output.write(rows)
      await vi.waitUntil(() => started.length > 0, { timeout: 10_000 })
      unsubscribe('headrace:output:started', listen)
      expect(started[0]?.lacks.join()).toMatch(/idempoten/)
      const values = await valuesOf(cluster, 'old')
      expect(values).toEqual(expect.arrayContaining(rows.map((row) => JSON.stringify(row))))
      const batches = await dumpBatches({ logDir: cluster.logDirs[0] ?? '', topic: 'old', partition: 0 })
      expect(new Set(batches.map(({ magic, compression }) => `${magic} ${compression}`))).toEqual(new Set(['1 gzip']))
    },
  )
})
