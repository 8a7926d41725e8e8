/**
 * The process whose memory, or whose instructions, are counted: it sends waves of records, one way. `run-spender.ts`
 * starts it, and says why with which flags. It sends a wave for each message.
 *
 * One record, made before, is sent throughout, and nobody awaits the single promises: what is counted is headrace's own.
 */
import { performance, PerformanceObserver } from 'node:perf_hooks'
import { Producer, type ProducerRecord } from '../../src/index.ts'
import { WAVE_RECORDS, type SpendingJob, type Wave, type Way } from './spending.ts'

interface Mark {
  readonly atMs: number
  readonly heapBytes: number
  readonly bufferBytes: number
}

const collectionsMs: number[] = []
new PerformanceObserver((list) => {
  for (const { startTime } of list.getEntries()) collectionsMs.push(startTime)
}).observe({ entryTypes: ['gc'] })

const { brokers, topic, way, wastes, warmWaves } = JSON.parse(process.argv[2] ?? '') as SpendingJob
const producer = new Producer({ brokers })
const records = new Array<ProducerRecord>(WAVE_RECORDS).fill({ topic, value: Buffer.alloc(100, 'abcdefghij') })

const send: Readonly<Record<Way, () => unknown>> = {
  send: () => {
    for (const record of records) void producer.send(record)
  },
  sendAll: () => producer.sendAll(records),
  offer: () => {
    for (const record of records) taken(producer.offer(record))
  },
  'watched offer': () => {
    for (const record of records) taken(producer.offer(record, settled))
  },
}

function taken(isTaken: boolean): void {
  if (!isTaken) throw new Error('a record found no room: it was not sent')
}

function settled(error: Error | null): void {
  if (error !== null) throw error
}

/** Kept until the next one comes: what goes nowhere, the compiler does not make. */
const kept: object[] = [{}]
function waste(n: number): void {
  kept[0] = { a: n, b: n, c: n, d: n, e: n, f: n, g: n, h: n, i: n, j: n, k: n, l: n, m: n }
}

async function wave(): Promise<void> {
  if (wastes) for (let i = 0; i < records.length; i++) waste(i)
  await send[way]()
  await producer.flush()
}

function mark(): Mark {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { atMs: performance.now(), heapBytes: heapUsed, bufferBytes: arrayBuffers }
}

function between(before: Mark, after: Mark): Wave {
  if (collectionsMs.some((atMs) => atMs >= before.atMs && atMs <= after.atMs)) return null
  return { heapBytes: after.heapBytes - before.heapBytes, bufferBytes: after.bufferBytes - before.bufferBytes }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function counted(): Promise<Wave> {
  const before = mark()
  await wave()
  const after = mark()
  for (let i = 0; i < 3; i++) await turn() // the observer is told in a turn of its own
  return between(before, after)
}

for (let i = 0; i < warmWaves; i++) await wave()
process.on('message', () => void counted().then((waved) => process.send?.(waved)))
process.once('disconnect', () => void producer.close())
process.send?.(null)
