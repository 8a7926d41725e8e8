/** A process that sends as fast as it is let, one way, and says how much memory it had at most: `memory.test.ts` starts it. */
import { Producer, type ProducerRecord } from '../../src/index.ts'
import type { Way } from './spending.ts'

export interface FullSpeedJob {
  readonly brokers: string
  readonly topic: string
  readonly way: Exclude<Way, 'watched offer'>
  readonly records: number
}

export interface FullSpeed {
  readonly delivered: number
  /** Of what `bufferBytes` allows, how much was taken at most: 1, unless the brokers are faster. */
  readonly filled: number
  readonly peakRssBytes: number
}

const TEXT = 'abcdefghij'.repeat(10)
/** Awaited sends under way, as in the bench. */
const IN_FLIGHT = 10_000
/** A report has 24 bytes a record, which are the caller's. */
const RECORDS_A_REPORT = 100_000
const OFFERS_A_TURN = 1000

const { brokers, topic, way, records } = JSON.parse(process.argv[2] ?? '') as FullSpeedJob
const producer = new Producer({ brokers })
const { bufferBytes } = producer.stats()
let filled = 0
let sent = 0

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Values as a service has them: each made for its record, and garbage once it is sent. */
function next(): ProducerRecord {
  if (++sent % 1000 === 0) filled = Math.max(filled, producer.stats().bufferUsedBytes / bufferBytes)
  return { topic, value: Buffer.from(TEXT) }
}

function* upTo(limit: number): Generator<ProducerRecord> {
  for (let i = 0; i < limit && sent < records; i++) yield next()
}

const ways: Readonly<Record<FullSpeedJob['way'], () => Promise<unknown>>> = {
  send: async () => {
    const loop = async (): Promise<void> => {
      while (sent < records) await producer.send(next())
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, loop))
  },
  sendAll: async () => {
    while (sent < records) await producer.sendAll(upTo(RECORDS_A_REPORT))
  },
  offer: async () => {
    for (const record of upTo(records)) {
      while (!producer.offer(record)) await producer.ready()
      if (sent % OFFERS_A_TURN === 0) await turn()
    }
  },
}

await ways[way]()
await producer.close()
const { delivered } = producer.stats()
const answer: FullSpeed = { delivered, filled, peakRssBytes: process.resourceUsage().maxRSS * 1024 }
process.send?.(answer)
process.disconnect()
