import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { ProducerRecord } from '../index.ts'
import { LineSplitter } from './line-splitter.ts'

/** What the demo sends: the lines of a file, once, or again and again until there are `records`. */
export interface DemoTopic {
  readonly topic: string
  readonly file: string
  /** What it is, for people. */
  readonly what: string
  /** How its key is chosen, for people. */
  readonly keyedBy: string
  /** What `produce --key-field` is to be given for about the same. */
  readonly keyField: string | null
  key(event: Readonly<Record<string, unknown>>): string | null
  header(event: Readonly<Record<string, unknown>>): readonly [string, string] | null
  readonly records: number | null
}

export const PARTITIONS = 3
export const LOAD_RECORDS = 100_000

export const DEMO_TOPICS: readonly DemoTopic[] = [
  {
    topic: 'segment-events',
    file: 'segment-events.ndjson',
    what: "Segment's example events",
    keyedBy: 'key userId: one user stays in one partition',
    keyField: 'userId',
    key: ({ userId, anonymousId }) => textOrNull(userId) ?? textOrNull(anonymousId),
    header: ({ type }) => ['type', textOrNull(type) ?? ''],
    records: null,
  },
  {
    topic: 'asa-telco',
    file: 'asa-telco.ndjson.gz',
    what: 'call records of Stream Analytics',
    keyedBy: 'key CallingIMSI: so do the calls of one phone',
    keyField: 'CallingIMSI',
    key: ({ CallingIMSI }) => textOrNull(CallingIMSI),
    header: () => null,
    records: null,
  },
  {
    topic: 'asa-sensors',
    file: 'asa-sensors.ndjson.gz',
    what: 'sensor readings',
    keyedBy: 'no key: a batch here, the next one elsewhere',
    keyField: null,
    key: () => null,
    header: () => null,
    records: LOAD_RECORDS,
  },
]

/** Beside the sources and beside dist/: the way from here is the same in a clone and in an installed package. */
export function dataPath(file: string): string {
  return fileURLToPath(new URL(`../../examples/data/${file}`, import.meta.url))
}

/** A file of the sample data; larger ones are kept compressed. */
export async function readData(file: string): Promise<Buffer> {
  const bytes = await readFile(dataPath(file))
  return file.endsWith('.gz') ? gunzipSync(bytes) : bytes
}

export async function demoRecords(demo: DemoTopic): Promise<ProducerRecord[]> {
  const bytes = await readData(demo.file)
  const splitter = new LineSplitter(bytes.length)
  const once = [...splitter.push(bytes), ...splitter.end()].map(({ bytes: line }) => toRecord(demo, line))
  if (demo.records === null) return once
  return Array.from({ length: demo.records }, (_, i) => once[i % once.length]).filter((record) => record !== undefined)
}

function toRecord(demo: DemoTopic, line: Buffer | null): ProducerRecord {
  const event = JSON.parse(String(line)) as Record<string, unknown>
  const header = demo.header(event)
  return { topic: demo.topic, key: demo.key(event), value: line, headers: header === null ? undefined : [header] }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
