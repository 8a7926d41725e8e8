/**
 * The steps of a record's way that `record-batch.bench.ts` and `partitioner.ts` leave out: `npx tsx bench/hot-path.bench.ts [filter]`.
 *
 * Records enter a batch with a promise each, requests are encoded, answers decoded, promises settled.
 */
import { loadavg } from 'node:os'
import { Bench } from 'tinybench'
import { Batch } from '../src/producer/batch.ts'
import type { RecordMetadata } from '../src/producer/record-metadata.ts'
import { decodeResponse, encodeRequest, encodeResponse } from '../src/protocol/protocol.ts'

const RECORDS = 200
const PARTITIONS = 120
const PRODUCE_VERSION = 11
const METADATA_VERSION = 12
const value = Buffer.alloc(100, 'abcdefghij')
const timestamp = 1_700_000_000_000

interface Task {
  readonly name: string
  /** How many records, partitions ... one run is. */
  readonly units: number
  readonly unit: string
  readonly run: () => void | Promise<void>
  readonly before?: () => void
}

let sink = 0

function newBatch(): { batch: Batch; settled: Promise<RecordMetadata>[] } {
  const place = { topic: 't', partition: 0, createdMs: 0, deadlineMs: Infinity }
  const batch = new Batch(place, RECORDS * (value.length + 16))
  const settled: Promise<RecordMetadata>[] = []
  for (let i = 0; i < RECORDS; i++) {
    settled.push(
      new Promise((resolve) => {
        batch.append({ timestamp: timestamp + (i >> 3), key: null, value, headers: [] }, resolve, 0, 700)
      }),
    )
  }
  return { batch, settled }
}

let ready = newBatch()

async function settle(): Promise<void> {
  ready.batch.deliver(17n, -1)
  const last = await ready.settled[RECORDS - 1]
  sink += Number(last?.offset)
}

const topicData = [
  {
    name: 'orders',
    partitionData: Array.from({ length: PARTITIONS }, (_, index) => ({ index, records: value })),
  },
]
const produceAnswer = encodeResponse('Produce', PRODUCE_VERSION, {
  responses: [
    {
      name: 'orders',
      partitionResponses: Array.from({ length: PARTITIONS }, (_, index) => ({ index, errorCode: 0, baseOffset: 17n })),
    },
  ],
})
const metadataAnswer = encodeResponse('Metadata', METADATA_VERSION, {
  brokers: [1, 2, 3].map((nodeId) => ({ nodeId, host: `broker-${nodeId}`, port: 9092 })),
  topics: [
    {
      ...{ errorCode: 0, name: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' },
      partitions: Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
        ...{ errorCode: 0, partitionIndex, leaderId: 1, leaderEpoch: 1, replicaNodes: [1, 2, 3], isrNodes: [1, 2, 3] },
      })),
    },
  ],
})

const tasks: readonly Task[] = [
  {
    ...{ name: 'append 100 B with a promise', units: RECORDS, unit: 'record' },
    run: () => void (sink += newBatch().batch.sizeBytes),
  },
  {
    ...{ name: 'settle promises', units: RECORDS, unit: 'record', run: settle },
    before: () => void (ready = newBatch()),
  },
  {
    ...{ name: 'encode Produce request', units: PARTITIONS, unit: 'partition' },
    run: () =>
      void (sink += encodeRequest('Produce', PRODUCE_VERSION, { acks: -1, timeoutMs: 30_000, topicData }).length),
  },
  {
    ...{ name: 'decode Produce answer', units: PARTITIONS, unit: 'partition' },
    run: () => void (sink += decodeResponse('Produce', PRODUCE_VERSION, produceAnswer).responses.length),
  },
  {
    ...{ name: 'decode Metadata answer by its schema', units: PARTITIONS, unit: 'partition' },
    run: () => void (sink += decodeResponse('Metadata', METADATA_VERSION, metadataAnswer).topics.length),
  },
]

const filter = process.argv[2] ?? ''
const bench = new Bench({ time: 400, warmupTime: 200 })
for (const { name, run, before } of tasks.filter((task) => task.name.includes(filter))) {
  bench.add(name, run, before === undefined ? {} : { beforeEach: before })
}
await bench.run()
console.table(
  bench.tasks.map(({ name, result }) => {
    const task = tasks.find((each) => each.name === name)
    if (task === undefined || result.state !== 'completed') throw new Error(`${name} did not complete`)
    const ns = (ms: number): string => ((ms * 1e6) / task.units).toFixed(1)
    return { name, 'best ns': ns(result.latency.min), 'median ns': ns(result.latency.p50), per: task.unit }
  }),
)
console.log(`Node ${process.version}, load ${loadavg()[0]?.toFixed(2) ?? '?'}, sink ${sink}`)
