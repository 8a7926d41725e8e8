import type * as Headrace from '../../src/index.ts'
import { UNBOUNDED, type Job } from '../compare/job.ts'
import type { Client, Supply, Until } from './client.ts'

/** How many `offer`s in a row: a source that never lets the event loop turn starves every client in Node. */
const OFFERS_A_TURN = 1000
const BUFFER_BYTES = 32 * 1024 * 1024
/** What a record is charged beside its value, with a key. */
const RECORD_BYTES = 700

interface Parts {
  readonly producer: Headrace.Producer
  readonly next: () => Headrace.ProducerRecord
  readonly concurrency: number
}

/** Sends until the switch, its own way; resolves with the number of acknowledged records. */
export type Form = (parts: Parts, until: Until) => Promise<number>

/** As many loops of awaited sends as records may be under way: what code that handles requests looks like. */
export const awaitedSends: Form = async ({ producer, next, concurrency }, until) => {
  let count = 0
  // Not by chains(): its function around each send would allocate as much as the send.
  const loop = async (): Promise<void> => {
    while (!until.isOver) {
      await producer.send(next())
      count++
    }
  }
  await Promise.all(Array.from({ length: concurrency }, loop))
  return count
}

export const sendAll: Form = async ({ producer, next, concurrency }, until) => {
  function* upTo(limit: number): Generator<Headrace.ProducerRecord> {
    for (let i = 0; i < limit && !until.isOver; i++) yield next()
  }
  if (concurrency >= UNBOUNDED) return (await producer.sendAll(upTo(Infinity))).count
  let count = 0
  while (!until.isOver) count += (await producer.sendAll(upTo(concurrency))).count
  return count
}

export const offer: Form = async ({ producer, next, concurrency }, until) => {
  const limit = concurrency >= UNBOUNDED ? Infinity : concurrency
  const tally: Tally = { offered: 0, acked: 0, failure: null }
  while (!until.isOver) {
    for (let i = 0; i < OFFERS_A_TURN && tally.offered - tally.acked < limit; i++) {
      if (!producer.offer(next(), settled, tally)) {
        await producer.ready()
        continue
      }
      tally.offered++
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  await producer.flush()
  if (tally.failure !== null) throw tally.failure
  return tally.acked
}

interface Tally {
  offered: number
  acked: number
  failure: Error | null
}

function settled(error: Error | null, _metadata: unknown, tally: Tally): void {
  if (error === null) tally.acked++
  else tally.failure ??= error
}

/** As many awaited sends as have room: more would be refused, since what waits for room counts, too. */
export function withRoom(job: Job): Job {
  const room = Math.floor(BUFFER_BYTES / (job.valueBytes + RECORD_BYTES))
  return { ...job, concurrency: Math.min(job.concurrency, room) }
}

export async function connectHeadrace(job: Job, supply: Supply, form: Form): Promise<Client> {
  const { Producer } = (await import(job.headrace)) as typeof Headrace
  const version = await versionOf(job)
  const { topic, compression, concurrency } = job
  // Its batches as large as librdkafka's are by default; everything else is headrace's default.
  const settings = { batchBytes: 1_000_000, compression }
  const producer = new Producer({ brokers: job.brokers, ...settings })
  await producer.connect()
  const next = recordsOf(topic, supply)
  return {
    version,
    settings: {
      acks: 'all',
      idempotent: true,
      'bufferBytes (default)': BUFFER_BYTES,
      ...settings,
      'under way': form === awaitedSends || concurrency < UNBOUNDED ? concurrency : 'as many as it takes',
    },
    flood: (until) => form({ producer, next, concurrency }, until),
    burst: async (first, count, acked) => {
      const sent: Promise<void>[] = []
      for (let i = first; i < first + count; i++) sent.push(sendWhenRoom(producer, next()).then(() => acked(i)))
      await Promise.all(sent)
    },
    close: () => producer.close(),
  }
}

/** Where the broker stalls the buffer fills up: it waits for room, as the program for librdkafka does, and its latency goes on. */
function sendWhenRoom(producer: Headrace.Producer, record: Headrace.ProducerRecord): Promise<unknown> {
  return producer.send(record).catch(async (error: unknown) => {
    if ((error as { code?: string }).code !== 'BUFFER_FULL') throw error
    await producer.ready()
    return sendWhenRoom(producer, record)
  })
}

/** A build has its version in a file of its own, a bundle of the sources has none. */
async function versionOf({ headrace }: Job): Promise<string> {
  const file = new URL('version.js', headrace).href
  const { VERSION } = (await import(file).catch(() => ({ VERSION: 'from source' }))) as { VERSION: string }
  return VERSION
}

function recordsOf(topic: string, { values, keys }: Supply): () => Headrace.ProducerRecord {
  let i = 0
  if (keys.length === 0) return () => ({ topic, value: values[i++ % values.length] ?? null })
  return () => ({ topic, key: keys[i % keys.length], value: values[i++ % values.length] ?? null })
}
