import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LoggedRecord } from '../testing/test-cluster.ts'
import { DEMO_TOPICS, dataPath, type DemoTopic } from './demo-data.ts'
import { bytes, counted, grouped, seconds } from './numbers.ts'
import { table } from './table.ts'
import type { Paint } from './terminal.ts'

export interface TopicOutcome {
  readonly demo: DemoTopic
  readonly sent: number
  /** Of the values. */
  readonly bytes: number
  readonly seconds: number
  /** What is in the log, by partition and offset. */
  readonly logged: readonly LoggedRecord[]
  /** How many came back as they were sent. */
  readonly unchanged: number
}

export interface DemoOutcome {
  readonly bootstrap: string
  readonly brokers: number
  readonly topics: readonly TopicOutcome[]
  readonly isUnchanged: boolean
}

interface PartitionOutcome {
  readonly topic: string
  readonly partition: number
  readonly records: number
  readonly firstOffset: string
  readonly lastOffset: string
}

const MAX_WIDTH = 100

/** One row for each partition that got records. */
export function partitionsOf({ demo, logged }: TopicOutcome): PartitionOutcome[] {
  const partitions = new Map<number, LoggedRecord[]>()
  for (const record of logged) {
    const records = partitions.get(record.partition)
    if (records === undefined) partitions.set(record.partition, [record])
    else records.push(record)
  }
  return [...partitions].map(([partition, records]) => ({
    topic: demo.topic,
    partition,
    records: records.length,
    firstOffset: String(records[0]?.offset ?? 0n),
    lastOffset: String(records.at(-1)?.offset ?? 0n),
  }))
}

/** One screen of a terminal that a newcomer understands. */
export function demoScreen(outcome: DemoOutcome, paint: Paint): string[] {
  return [...story(outcome, paint), '', ...places(outcome, paint), '', ...samples(outcome, paint), '', ...next(paint)]
}

function story({ bootstrap, brokers, topics, isUnchanged }: DemoOutcome, paint: Paint): string[] {
  const sent = topics.reduce((sum, topic) => sum + topic.sent, 0)
  const changed = sent - topics.reduce((sum, topic) => sum + topic.unchanged, 0)
  const load = topics.reduce((most, topic) => (topic.sent > most.sent ? topic : most))
  const rate = `${grouped(load.sent / load.seconds)} records/s (${bytes(Math.round(load.bytes / load.seconds))}/s)`
  const verdict = isUnchanged
    ? paint.good(`all ${grouped(sent)} came back: every byte unchanged, every offset as it was reported`)
    : paint.bad(`${counted(changed, 'record')} of ${grouped(sent)} did not come back as sent`)
  const files = topics.filter(({ demo }) => demo.records === null)
  const what = [...files.map((topic) => `${grouped(topic.sent)} ${topic.demo.what}`), load.demo.what]
  return [
    paint.bold('headrace is a Kafka producer: it brings records from a program into a Kafka cluster.'),
    `  started    a cluster of ${counted(brokers, 'broker')} inside this process, at ${bootstrap}`,
    `  sent       ${what.slice(0, -1).join(', ')},`,
    `             and ${grouped(load.sent)} ${what.at(-1) ?? ''} in ${seconds(load.seconds)}: ${paint.bold(rate)}`,
    `  read back  ${verdict}`,
  ]
}

function places({ topics }: DemoOutcome, paint: Paint): string[] {
  const rows = topics.flatMap((topic) =>
    partitionsOf(topic).map(({ partition, records, firstOffset, lastOffset }, i) => [
      i === 0 ? topic.demo.topic : '',
      String(partition),
      grouped(records),
      `${firstOffset} to ${lastOffset}`,
      i === 0 ? topic.demo.keyedBy : '',
    ]),
  )
  const [titles = '', ...lines] = table(
    [
      { title: 'TOPIC' },
      { title: 'PARTITION', align: 'right' },
      { title: 'RECORDS', align: 'right' },
      { title: 'OFFSETS' },
      { title: 'HOW THE PARTITION WAS CHOSEN' },
    ],
    rows,
  )
  return [paint.dim(titles), ...lines]
}

function samples({ topics }: DemoOutcome, paint: Paint): string[] {
  const shown = topics.flatMap(({ demo, logged }) => {
    if (demo.keyField === null) return []
    const record = logged.find(({ key }) => key !== null) ?? logged[0]
    if (record === undefined) return []
    const { partition, offset, key, headers, value } = record
    const place = `${demo.topic}/${partition} @${offset}`
    const header = headers.map(([name, text]) => `${name}: ${String(text)}`).join(', ')
    return [[place, key === null ? '-' : String(key), header === '' ? '-' : header, String(value)]]
  })
  const lines = table([{ title: 'RECORD' }, { title: 'KEY' }, { title: 'HEADER' }, { title: 'VALUE' }], shown)
  const width = Math.min(process.stdout.columns || MAX_WIDTH, MAX_WIDTH)
  const [titles = '', ...rows] = lines.map((line) => (line.length > width ? `${line.slice(0, width - 3)}...` : line))
  return [paint.dim(titles), ...rows]
}

/** What to type next, for where we run from. */
function next(paint: Paint): string[] {
  const [example] = DEMO_TOPICS
  const file = relative(process.cwd(), dataPath(example?.file ?? ''))
  const { topic, keyField } = { topic: example?.topic ?? '', keyField: example?.keyField ?? '' }
  return [
    paint.bold('The same with a real Kafka, if it listens at localhost:9092:'),
    `  ${commandName()} produce --brokers localhost:9092 --topic ${topic} \\`,
    `      --file ${quoted(file)} --format ndjson --key-field ${keyField}`,
    paint.bold('The same in a program, say send.mjs:'),
    "  import { Producer } from 'headrace'",
    "  const producer = new Producer({ brokers: 'localhost:9092' })",
    "  console.log(await producer.send({ topic: 'orders', key: 'o-17', value: '{\"total\":3}' }))",
    '  await producer.close()',
  ]
}

/** `npx headrace` where headrace is installed, the built file in a clone. */
function commandName(): string {
  const here = fileURLToPath(import.meta.url)
  if (here.includes('node_modules')) return 'npx headrace'
  const built = fileURLToPath(new URL('../../dist/cli/headrace.js', import.meta.url))
  return `node ${quoted(relative(process.cwd(), built))}`
}

function quoted(path: string): string {
  return /^[\w./\\:@-]+$/.test(path) ? path : `"${path}"`
}
