/** `npm run bench`: headrace in figures, beside its peers and alone. */
import { execFile, spawnSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Command, InvalidArgumentError } from 'commander'
import { startCluster } from '../test/support/kafka/cluster.ts'
import { benchAround } from './around.ts'
import { addCompare } from './compare/command.ts'
import { addProfile } from './compare/profile-command.ts'
import { benchImport } from './import.ts'
import { createTopic, sharedJavaHelper } from '../test/support/kafka/readers.ts'

const run = promisify(execFile)
const RUN = fileURLToPath(new URL('produce-run.ts', import.meta.url))
const MICRO = ['record-batch.bench.ts', 'hot-path.bench.ts', 'partitioner.ts']

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

/** Each file in a process of its own: what one has taught the compiler is nothing to the next. */
function runAlone(names: readonly string[], args: readonly string[]): void {
  for (const name of names) {
    const file = fileURLToPath(new URL(name, import.meta.url))
    const { status } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', file, ...args], {
      stdio: 'inherit',
    })
    if (status !== 0) process.exitCode = 1
  }
}

const program = new Command('npm run bench --')
  .description('What headrace costs. Timings are for reading, no test depends on them.')
  .showHelpAfterError()
addCompare(program)
addProfile(program)
program
  .command('produce')
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
  .command('micro [filter]')
  .alias('records')
  .description('ns a record or partition in the steps of the hot path: encode, CRC, murmur2, append, settle, decode')
  .action((filter: string | undefined) => runAlone(MICRO, filter === undefined ? [] : [filter]))
program
  .command('memory [args...]')
  .description('what unsettled records hold, and that nothing is kept of settled ones: silent, through, idle, cost')
  .allowUnknownOption()
  .action((args: string[]) => runAlone(['memory.ts'], args))
program
  .command('import')
  .description('what each door of the package costs at import, over an empty module (npm run build first)')
  .option('--runs <n>', 'runs of each', '40')
  .action(benchImport)
program
  .command('metadata')
  .description('metadata of large clusters: how long it takes, and what it holds')
  .action(() => runAlone(['metadata.ts'], []))
try {
  await program.parseAsync()
} catch (error) {
  // Names and folders are looked at by the commands themselves.
  if (error instanceof InvalidArgumentError) program.error(`error: ${error.message}`, { exitCode: 2 })
  throw error
}
