/**
 * What choosing a partition costs a record: `npx tsx bench/partitioner.ts [filter]`.
 *
 * `sticky` is choose() and placed() of a record of 100 bytes without a key, in batches of 16 KiB, with queues of different lengths behind
 * a map, as the accumulator has them, so that the moves to the next partition are in the figure as they are in life.
 */
import { loadavg } from 'node:os'
import { Bench } from 'tinybench'
import { murmur2 } from '../src/partitioner/murmur2.ts'
import { namedPartitioner, type PartitionerName } from '../src/partitioner/named.ts'
import type { PartitionLoads } from '../src/partitioner/partitioner.ts'

const RECORDS = 1000
const BATCH_BYTES = 16_384
const KEYS = Array.from({ length: RECORDS }, (_, i) => Buffer.from(String(i).padStart(16, 'k')))

const tasks: { name: string; run: () => number }[] = []

function mapped(partitionCount: number): PartitionLoads {
  const queues = new Map(Array.from({ length: partitionCount }, (_, i) => [i, { waiting: new Array<number>(i % 4) }]))
  return { queued: (partition) => queues.get(partition)?.waiting.length ?? 0, hasOpenBatch: () => false }
}

function keyless(name: PartitionerName, partitionCount: number, recordBytes: number): void {
  const parts = { stickyBytes: BATCH_BYTES, random: () => Math.random(), loads: mapped(partitionCount) }
  const partitioner = namedPartitioner(name, parts)
  const topic = { topic: 't', partitionCount, available: Array.from({ length: partitionCount }, (_, i) => i) }
  const run = (): number => {
    let sum = 0
    for (let i = 0; i < RECORDS; i++) {
      const partition = partitioner.choose(null, topic, recordBytes)
      partitioner.placed(null, partition, recordBytes)
      sum += partition
    }
    return sum
  }
  tasks.push({ name: `${name}, ${partitionCount} partitions, ${recordBytes} B`, run })
}

for (const recordBytes of [100, 1024]) {
  for (const partitionCount of [6, 1000, 10_000]) keyless('default', partitionCount, recordBytes)
}
for (const partitionCount of [6, 10_000]) keyless('round-robin', partitionCount, 100)
tasks.push({ name: 'murmur2 of 16 B', run: () => KEYS.reduce((sum, key) => sum + murmur2(key), 0) })
for (const name of ['default', 'consistent', 'fnv1a'] as const) {
  const partitioner = namedPartitioner(name, { stickyBytes: 1, random: Math.random, loads: mapped(1) })
  const topic = { topic: 't', partitionCount: 12, available: [0] }
  tasks.push({
    name: `${name}, key of 16 B`,
    run: () => KEYS.reduce((sum, key) => sum + partitioner.choose(key, topic, 100), 0),
  })
}

const filter = process.argv[2] ?? ''
const bench = new Bench({ time: 300, warmupTime: 150 })
let sink = 0
for (const { name, run } of tasks) {
  if (name.includes(filter)) bench.add(name, () => void (sink += run()))
}
await bench.run()
console.log(`Node ${process.version}, load ${loadavg()[0]?.toFixed(1) ?? '?'}, checked ${sink % 10}`)
console.table(
  bench.tasks.map(({ name, result }) => {
    if (!('latency' in result)) throw new Error(`${name} did not run`)
    const nsOf = (ms: number): string => ((ms * 1e6) / RECORDS).toFixed(1)
    return { task: name, 'median ns/record': nsOf(result.latency.p50), 'min ns/record': nsOf(result.latency.min) }
  }),
)
