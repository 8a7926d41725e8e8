import type { Command } from 'commander'
import { givenOptions, integer, requireAll } from './arguments.ts'
import type { BenchPlan } from './bench/plan.ts'
import { addConnectionFlags, type ConnectionFlags } from './connection-flags.ts'
import { connectionOptions } from './connection-options.ts'
import { UsageError, type ExitCode } from './exit-code.ts'
import { acksFlag, addBatchFlags, MAX_REQUEST_BYTES, SENDING_FLAGS } from './sending-flags.ts'

interface BenchOptions extends ConnectionFlags {
  readonly topic: string
  readonly seconds?: number
  readonly records?: number
  readonly warmupSeconds?: number
  readonly rate?: number
  readonly concurrency: number
  readonly valueBytes: number
  readonly keys?: number
  readonly svg?: string
  readonly json?: true
}

const DEFAULT_SECONDS = 10
const DEFAULT_WARMUP_SECONDS = 2
const DAY_SECONDS = 86_400
const MAX_VALUE_BYTES = 100_000_000
/** Of the library; a benchmark of other defaults would be of another producer. */
const BATCH_BYTES = 16_384
/** What the library counts beside a value, at most: a batch of its own, the record's fields, a key. */
const RECORD_BYTES = 100

const DETAILS = `
It writes to the topic, which must exist, and deletes nothing: take one that was
made for this. It says what it will write before it begins. The values are
pieces of made-up JSON events, which codecs make three to five times smaller.

Without --rate it sends as fast as it goes: up to --concurrency sends are under
way, and latency runs from the call of send to its acknowledgement. With --rate
latency runs from when a record was due, whatever held it up: sends that are
late do not hide a cluster that stalls (no coordinated omission). What was due
and never sent, as too many were under way, has no latency: it is counted.

CPU is that of this process, per delivered record, without start and warm-up.
Batches are as small as in the library; --batch-bytes 262144 is for throughput.

Ctrl-C ends it early: what is under way is still delivered, the report is about
what was sent, and the exit code is 1 (a second Ctrl-C gives that up, too). It
also ends when a record fails for a reason that will not go away.

With --json the only line on stdout has the same figures and one entry a second.

Exit code: 0 everything was delivered, 1 something was not or it was
interrupted, 2 usage or configuration, 3 could not connect or log in.

Examples:
  $ headrace bench --brokers localhost:9092 --topic load
  $ headrace bench --brokers localhost:9092 --topic load --rate 20000 \\
      --seconds 60 --svg load.svg
  $ headrace bench --config kafka.json --topic load --concurrency 1 --keys 1000
`

export function addBenchCommand(program: Command): void {
  const command = program
    .command('bench')
    .summary('put load on a cluster, and measure it')
    .description('Sends made-up records to a topic and measures: throughput, latency, and what it costs this process.')
  addConnectionFlags(command)
    .option('--topic <name>', 'where the records go; it must exist')
    .option('--seconds <number>', `how long to send (default: ${DEFAULT_SECONDS})`, integer(1, DAY_SECONDS))
    .option('--records <number>', 'how many to send, instead of --seconds', integer(1))
    .option(
      '--warmup-seconds <number>',
      `how long to send before that, unmeasured (default: ${DEFAULT_WARMUP_SECONDS}, with --records 0)`,
      integer(0, DAY_SECONDS),
    )
    .option('--rate <number>', 'records a second (default: as fast as it goes)', integer(1, 100_000_000))
    .option('--concurrency <number>', 'sends under way at most; 1: one after the other', integer(1, 1_000_000), 10_000)
    .option('--value-bytes <number>', 'size of a value', integer(1, MAX_VALUE_BYTES), 100)
    .option('--keys <number>', 'how many different keys, in turn (default: records have none)', integer(1, 1_000_000))
    .addOption(acksFlag())
  addBatchFlags(command, { batchBytes: BATCH_BYTES, what: 'records', clientId: 'headrace-bench' })
    .option('--svg <file>', 'write the plot there, too')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', DETAILS)
    .action(async (options: Partial<BenchOptions>) => {
      requireAll(options, options.config === undefined ? ['brokers', 'topic'] : ['topic'])
      process.exitCode = await bench(options as BenchOptions, givenOptions(command, Object.keys(SENDING_FLAGS)))
    })
}

/** @throws {UsageError | SpokenError} nothing was sent. */
async function bench(options: BenchOptions, given: Readonly<Record<string, unknown>>): Promise<ExitCode> {
  checkTogether(options)
  // The topic must exist: a benchmark of one that came from a typing error, with one partition, helps nobody.
  const defaults = { allowAutoTopicCreation: false, clientId: 'headrace-bench' }
  const asked = connectionOptions(options, { given, defaults, flagNames: SENDING_FLAGS })
  const { valueBytes } = options
  const maxRequestBytes = asked.options.maxRequestBytes ?? MAX_REQUEST_BYTES
  if (valueBytes + RECORD_BYTES > maxRequestBytes) {
    const where = `--max-request-bytes (${maxRequestBytes}): a record needs ${RECORD_BYTES} bytes more`
    throw new UsageError(`--value-bytes: ${valueBytes} does not fit into ${where}`)
  }
  const { runBench } = await import('./bench/run-bench.ts')
  return await runBench(asked, planOf(options))
}

function checkTogether({ topic, seconds, records, svg }: BenchOptions): void {
  if (seconds !== undefined && records !== undefined) throw new UsageError('--seconds and --records: give one of them')
  if (svg === '') throw new UsageError('--svg: expected a path')
  if (topic === '') throw new UsageError('--topic: expected a name')
  if (topic.startsWith('__')) throw new UsageError(`--topic: ${topic} is one of Kafka's own; made-up records break it`)
}

function planOf(options: BenchOptions): BenchPlan {
  const { topic, records = null, rate = null, keys = 0, concurrency, valueBytes, svg = null, json } = options
  const seconds = records === null ? (options.seconds ?? DEFAULT_SECONDS) : null
  const warmupSeconds = options.warmupSeconds ?? (records === null ? DEFAULT_WARMUP_SECONDS : 0)
  const load = { ratePerSecond: rate, concurrency, seconds, records }
  return { topic, warmupSeconds, load, valueBytes, keys, svgFile: svg, isJson: json === true }
}
