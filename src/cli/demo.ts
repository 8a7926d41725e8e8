import type { Command } from 'commander'
import { Producer, type DeliveryReport, type ProducerRecord } from '../index.ts'
import { TestCluster, type LoggedRecord } from '../testing/test-cluster.ts'
import { DEMO_TOPICS, PARTITIONS, demoRecords, type DemoTopic } from './demo-data.ts'
import { demoScreen, partitionsOf, type DemoOutcome, type TopicOutcome } from './demo-screen.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { paintFor, printData, printJson } from './terminal.ts'

const BROKERS = 2
const BATCH_BYTES = 262_144

const DETAILS = `
Starts a small Kafka cluster in this process, sends events that ship with
headrace through real connections, reads them back, compares every byte, and
shows what happened. No Kafka, no network, no files written; a second or two.

With --json stdout is one document:
  {"bootstrap":"...","sent":N,"returned":N,"unchanged":true,"seconds":S,
   "recordsPerSecond":N,"topics":[{"topic":"...","partition":N,"records":N,
   "firstOffset":"N","lastOffset":"N"}]}

Exit code: 0 everything came back unchanged, 1 it did not.

Examples:
  $ headrace demo
  $ headrace demo --json
`

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .summary('see headrace at work, without a Kafka')
    .description('Sends real events to a Kafka cluster inside of this process, and shows what happened.')
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', DETAILS)
    .action(async (options: { json?: boolean }) => {
      process.exitCode = await demo(options)
    })
}

async function demo({ json = false }: { json?: boolean }): Promise<ExitCode> {
  const outcome = await run()
  const { isUnchanged } = outcome
  if (json) printJson(toJson(outcome))
  else for (const line of demoScreen(outcome, paintFor(process.stdout))) printData(line)
  return isUnchanged ? EXIT.ok : EXIT.undelivered
}

async function run(): Promise<DemoOutcome> {
  const names = Object.fromEntries(DEMO_TOPICS.map(({ topic }) => [topic, PARTITIONS]))
  const cluster = await TestCluster.start({ brokers: BROKERS, topics: names })
  const producer = new Producer({ brokers: cluster.bootstrap, clientId: 'headrace-demo', batchBytes: BATCH_BYTES })
  try {
    await producer.connect()
    const topics: TopicOutcome[] = []
    for (const topic of DEMO_TOPICS) topics.push(await sendAndReadBack(producer, cluster, topic))
    const isUnchanged = topics.every(({ sent, unchanged, logged }) => unchanged === sent && logged.length === sent)
    return { bootstrap: cluster.bootstrap, brokers: BROKERS, topics, isUnchanged }
  } finally {
    await producer.close()
    await cluster.close()
  }
}

async function sendAndReadBack(producer: Producer, cluster: TestCluster, demo: DemoTopic): Promise<TopicOutcome> {
  const records = await demoRecords(demo)
  const startedMs = performance.now()
  const report = await producer.sendAll(records)
  const seconds = (performance.now() - startedMs) / 1000
  const logged = cluster.records(demo.topic)
  const bytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
  return { demo, sent: records.length, bytes, seconds, logged, unchanged: countUnchanged(records, report, logged) }
}

/** How many records are in the log where the producer says they are, with every byte of key, value and headers. */
function countUnchanged(
  records: readonly ProducerRecord[],
  report: DeliveryReport,
  logged: readonly LoggedRecord[],
): number {
  const byPlace = new Map(logged.map((record) => [placeOf(record), record]))
  return records.filter((record, i) => {
    const found = byPlace.get(placeOf(report.metadata(i)))
    return found !== undefined && isSame(record, found)
  }).length
}

function placeOf({ partition, offset }: { partition: number; offset: bigint }): number {
  return Number(offset) * PARTITIONS + partition
}

function isSame(sent: ProducerRecord, found: LoggedRecord): boolean {
  const headers = [...((sent.headers ?? []) as Iterable<readonly [string, string]>)]
  return (
    isSameBytes(sent.key ?? null, found.key) &&
    isSameBytes(sent.value, found.value) &&
    headers.length === found.headers.length &&
    headers.every(([name, value], i) => {
      const header = found.headers[i]
      return header !== undefined && header[0] === name && isSameBytes(value, header[1])
    })
  )
}

function isSameBytes(sent: string | Uint8Array | null, found: Buffer | null): boolean {
  if (sent === null || found === null) return sent === found
  return found.equals(typeof sent === 'string' ? Buffer.from(sent) : sent)
}

function toJson({ bootstrap, topics, isUnchanged }: DemoOutcome): object {
  const load = topics.reduce((most, topic) => (topic.sent > most.sent ? topic : most))
  return {
    bootstrap,
    sent: topics.reduce((sum, { sent }) => sum + sent, 0),
    returned: topics.reduce((sum, { logged }) => sum + logged.length, 0),
    unchanged: isUnchanged,
    seconds: Number(topics.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(3)),
    recordsPerSecond: Math.round(load.sent / load.seconds),
    topics: topics.flatMap((topic) => partitionsOf(topic)),
  }
}
