import { once, type EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { UNBOUNDED, type Job } from '../compare/job.ts'
import type { Client, Connect, Supply } from './client.ts'
import { contend } from './harness.ts'

const RECORDS_A_TURN = 1000
const QUEUE_FULL = -184
/** Reports also come whenever 1000 records have been sent; this is for the rest. */
const POLL_INTERVAL_MS = 1

interface NodeRdkafka {
  readonly Producer: new (options: object) => RdkafkaProducer
}

interface RdkafkaProducer extends EventEmitter {
  connect(): void
  disconnect(done: () => void): void
  setPollInterval(ms: number): void
  poll(): void
  produce(topic: string, partition: null, value: Buffer, key: Buffer | null, timestamp: number, opaque: number): unknown
}

const require = createRequire(import.meta.url)

const connect: Connect = async (job, supply) => {
  const { Producer } = require('node-rdkafka') as NodeRdkafka
  const { version } = require('node-rdkafka/package.json') as { version: string }
  const lingerMs = job.concurrency === 1 ? 0 : 5
  const settings = { acks: 'all', 'linger.ms': lingerMs, 'compression.codec': job.compression }
  const producer = new Producer({ 'bootstrap.servers': job.brokers, dr_cb: true, ...settings })
  producer.setPollInterval(POLL_INTERVAL_MS)
  producer.connect()
  await once(producer, 'ready')
  return clientOf(job, supply, producer, {
    version,
    settings: { ...settings, dr_cb: true, setPollInterval: POLL_INTERVAL_MS },
  })
}

function clientOf(
  job: Job,
  supply: Supply,
  producer: RdkafkaProducer,
  about: Pick<Client, 'version' | 'settings'>,
): Client {
  const limit = job.concurrency >= UNBOUNDED ? Infinity : job.concurrency
  let [sent, acked] = [0, 0]
  let onAck: (index: number) => void = () => undefined
  let failure: Error | null = null
  producer.on('delivery-report', (error: Error | null, { opaque }: { opaque: number }) => {
    if (error !== null) failure ??= error
    acked++
    onAck(opaque)
  })
  const trySend = (index: number): boolean => {
    const value = supply.values[sent % supply.values.length] ?? Buffer.alloc(0)
    const key = supply.keys[sent % supply.keys.length] ?? null
    try {
      producer.produce(job.topic, null, value, key, Date.now(), index)
    } catch (error) {
      if ((error as { errno?: number }).errno === QUEUE_FULL) return false
      throw error
    }
    sent++
    return true
  }
  const settle = async (): Promise<void> => {
    while (acked < sent) await pause()
    if (failure !== null) throw failure
  }
  return {
    ...about,
    async flood(until) {
      const before = acked
      while (!until.isOver) {
        let isFull = false
        for (let i = 0; i < RECORDS_A_TURN && sent - acked < limit && !isFull; i++) isFull = !trySend(0)
        producer.poll()
        await (isFull ? pause() : new Promise((resolve) => setImmediate(resolve)))
      }
      await settle()
      return acked - before
    },
    async burst(first, count, ack) {
      onAck = ack
      for (let i = first; i < first + count; i++) while (!trySend(i)) await pause()
      await settle()
    },
    close: () => new Promise((resolve) => producer.disconnect(resolve)),
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1))
}

await contend(connect)
