/**
 * What one record costs on its way into a batch, and what the CRC costs: `npx tsx bench/record-batch.bench.ts [filter]`.
 *
 * Each task fills a batch of 200 records, so that the cost of making the builder is in the figure as it is in life.
 * With a filter only the tasks whose name contains it run, in a process where nothing else has trained the compiler.
 */
import { loadavg } from 'node:os'
import { Bench } from 'tinybench'
import { crc32cByTable } from '../src/bytes/crc32c-table.ts'
import { crc32c } from '../src/bytes/crc32c.ts'
import { decodeRecordBatch, encodeRecordBatch, RecordBatchBuilder } from '../src/protocol/record-batch.ts'
import type { Bytes, RecordHeaders } from '../src/protocol/record.ts'

const RECORDS = 200
const NO_HEADERS: RecordHeaders = []
const HEADERS: RecordHeaders = [
  ['content-type', 'application/json'],
  ['trace-id', Buffer.from('0123456789abcdef')],
]
const start = 1_700_000_000_000

/** Different contents, as in life: one value again and again would stay in the processor's first cache line. */
function values(make: (text: string) => Bytes, length: number): Bytes[] {
  return Array.from({ length: RECORDS }, (_, i) => make(`${i}:`.padEnd(length, 'abcdefghij')))
}
const bytes = (text: string): Bytes => Uint8Array.from(Buffer.from(text))
const latin = (text: string): Bytes => Buffer.from(text).toString('latin1')
const unicode = (text: string): Bytes => Buffer.from(text.replaceAll('abc', '\u00e9\u4e2d')).toString('utf8')
const keys = values(latin, 12)

const tasks: { name: string; units: number; unit: 'ns/record' | 'MB/s'; run: () => number }[] = []

function append(name: string, items: Bytes[], key: Bytes[] | null, headers: RecordHeaders, asksFirst: boolean): void {
  const capacity = fill(new RecordBatchBuilder(64), items, key, headers, false)
  const run = (): number => fill(new RecordBatchBuilder(capacity), items, key, headers, asksFirst)
  tasks.push({ name, units: RECORDS, unit: 'ns/record', run })
}

function fill(
  builder: RecordBatchBuilder,
  items: Bytes[],
  key: Bytes[] | null,
  headers: RecordHeaders,
  asksFirst: boolean,
): number {
  let fitting = 0
  for (let i = 0; i < RECORDS; i++) {
    const item = items[i] ?? null
    const itemKey = key?.[i] ?? null
    if (asksFirst) fitting += builder.sizeAfter(start + (i >> 3), itemKey, item, headers) < 1e6 ? 1 : 0
    builder.append(start + (i >> 3), itemKey, item, headers)
  }
  return builder.sizeBytes + fitting - fitting
}

append('append 100 B Uint8Array', values(bytes, 100), null, NO_HEADERS, false)
append('append 100 B Uint8Array, sizeAfter first', values(bytes, 100), null, NO_HEADERS, true)
append('append 100 B string', values(latin, 100), null, NO_HEADERS, false)
append('append 100 B string, sizeAfter first', values(latin, 100), null, NO_HEADERS, true)
append('append 100 B string, not ASCII', values(unicode, 100), null, NO_HEADERS, false)
append('append 100 B string, key of 12', values(latin, 100), keys, NO_HEADERS, false)
append('append 100 B Uint8Array, key of 12, 2 headers', values(bytes, 100), keys, HEADERS, false)
append('append 1 KiB Uint8Array', values(bytes, 1024), null, NO_HEADERS, false)
append('append 1 KiB string', values(latin, 1024), null, NO_HEADERS, false)

const batch = encodeRecordBatch(values(bytes, 100).map((value) => ({ key: null, value, timestamp: start })))
tasks.push({
  name: 'decode 100 B Uint8Array',
  units: RECORDS,
  unit: 'ns/record',
  run: () => decodeRecordBatch(batch).batchLength,
})
for (const size of [200, 1024, 16 * 1024, 1024 * 1024]) {
  const input = Buffer.alloc(size, 'abcdefghijklmnopqrstuvwxyz')
  const common = { units: size, unit: 'MB/s' } as const
  tasks.push({ name: `crc32c ${size} B`, ...common, run: () => crc32c(input) })
  tasks.push({ name: `crc32c ${size} B, by tables`, ...common, run: () => crc32cByTable(input, 0, size, 0) })
}

let sink = 0
const filter = process.argv[2] ?? ''
const bench = new Bench({ time: 400, warmupTime: 200 })
for (const { name, run } of tasks.filter((task) => task.name.includes(filter)))
  bench.add(name, () => void (sink ^= run()))
await bench.run()
console.table(
  bench.tasks.map(({ name, result }) => {
    const task = tasks.find((it) => it.name === name)
    if (task === undefined || result.state !== 'completed') throw new Error(`${name} did not complete`)
    const figure = (ms: number): string => {
      return task.unit === 'MB/s' ? (task.units / ms / 1000).toFixed(0) : ((ms * 1e6) / task.units).toFixed(1)
    }
    return { name, best: figure(result.latency.min), median: figure(result.latency.p50), unit: task.unit }
  }),
)
console.log(`node ${process.version}, load ${loadavg()[0]?.toFixed(2) ?? '?'}, sink ${sink}`)
