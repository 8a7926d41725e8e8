/** `npm run bench`: the engine against a real Apache Kafka, in figures. */
import { execFile, spawnSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Command } from 'commander'
import { startCluster } from '../test/support/kafka/cluster.ts'
import { benchAround } from './around.ts'
import { createTopic, sharedJavaHelper } from '../test/support/kafka/readers.ts'

const run = promisify(execFile)
const RUN = fileURLToPath(new URL('produce-run.ts', import.meta.url))
const RECORDS = fileURLToPath(new URL('record-batch.bench.ts', import.meta.url))

export interface ProduceRun {
  readonly recordsPerSecond: number
  readonly cpuUsPerRecord: number
  readonly rssMib: number
}

interface ProduceOptions {
  readonly brokers?: string
  readonly kafka: string
  readonly runs: string
  readonly partitions: string
}

interface Contender {
  readonly valueBytes: number
  readonly records: number
  readonly batchBytes: number
}

const contenders: readonly Contender[] = [
  { valueBytes: 100, records: 500_000, batchBytes: 16_384 },
  { valueBytes: 100, records: 1_000_000, batchBytes: 1_000_000 },
  { valueBytes: 1024, records: 100_000, batchBytes: 16_384 },
  { valueBytes: 1024, records: 200_000, batchBytes: 1_000_000 },
]

async function benchProduce(options: ProduceOptions): Promise<void> {
  const cluster = options.brokers === undefined ? await startCluster({ version: options.kafka, nodes: 1 }) : null
  const bootstrap = options.brokers ?? cluster?.listeners.plaintext ?? ''
  try {
    const topic = `bench-${Date.now()}`
    await createTopic({ bootstrap, topic, partitions: Number(options.partitions), replicationFactor: 1 })
    const runs = contenders.map((): ProduceRun[] => [])
    // Interleaved, so that a machine that slows down slows all of them down.
    for (let i = 0; i < Number(options.runs); i++) {
      for (const [c, { valueBytes, records, batchBytes }] of contenders.entries()) {
        process.stderr.write(`\rrun ${i + 1} of ${options.runs}: ${valueBytes} B, batches of ${batchBytes} B   `)
        const args = [bootstrap, topic, valueBytes, records, batchBytes].map(String)
        const { stdout } = await run(process.execPath, ['--import', 'tsx', RUN, ...args])
        runs[c]?.push(JSON.parse(stdout) as ProduceRun)
      }
    }
    process.stderr.write('\r\u001b[K')
    print(options, runs)
  } finally {
    await cluster?.close()
    await (await sharedJavaHelper()).close()
  }
}

function print({ brokers, kafka, partitions }: ProduceOptions, runs: readonly (readonly ProduceRun[])[]): void {
  console.log(
    `sendAll, acks=all, ${partitions} partitions, ${brokers ?? `one Kafka ${kafka} on this machine`}, Node ${process.version}`,
  )
  console.log(
    `load before the end: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}; median (best) of ${runs[0]?.length ?? 0} runs`,
  )
  console.table(
    contenders.map(({ valueBytes, batchBytes }, c) => ({
      'value B': valueBytes,
      'batch B': batchBytes,
      'records/s': spread(runs[c]?.map((each) => each.recordsPerSecond) ?? [], 0, Math.max),
      'CPU us/record': spread(runs[c]?.map((each) => each.cpuUsPerRecord) ?? [], 2, Math.min),
      'RSS MiB': spread(runs[c]?.map((each) => each.rssMib) ?? [], 0, Math.min),
    })),
  )
}

function spread(values: readonly number[], digits: number, best: (...all: number[]) => number): string {
  const sorted = [...values].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? NaN
  return `${median.toFixed(digits)} (${best(...values).toFixed(digits)})`
}

const program = new Command('npm run bench --')
  .description('What headrace costs. Timings are for reading, no test depends on them.')
  .showHelpAfterError()
program
  .command('produce', { isDefault: true })
  .description('throughput and CPU a record against a real Kafka, at 100 B and 1 KiB')
  .option('--brokers <host:port>', 'a cluster that runs already (default: one is started)')
  .option('--kafka <version>', 'the version to start', '4.3.1')
  .option('--runs <n>', 'runs of each', '3')
  .option('--partitions <n>', 'partitions of the topic', '6')
  .action(benchProduce)
program
  .command('around')
  .description(
    'what surrounds a send: import, first acknowledgement, memory, the end of the process (npm run build first)',
  )
  .option('--brokers <host:port>', 'a cluster that runs already (default: one is started)')
  .option('--kafka <version>', 'the version to start', '4.3.1')
  .option('--runs <n>', 'runs of each', '7')
  .action(benchAround)
program
  .command('records')
  .description('ns a record in the encoder, MB/s in the checksum')
  .action(
    () =>
      void (process.exitCode =
        spawnSync(process.execPath, ['--import', 'tsx', RECORDS], { stdio: 'inherit' }).status ?? 1),
  )
await program.parseAsync()
