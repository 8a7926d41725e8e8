import { createRequire } from 'node:module'
import type { Connect } from './client.ts'
import { clientWithArrays, type Message } from './handmade-batches.ts'
import { contend } from './harness.ts'

interface KafkaJs {
  readonly logLevel: { readonly ERROR: number }
  readonly Kafka: new (options: object) => { producer(): KafkaJsProducer }
}

interface KafkaJsProducer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  send(request: { topic: string; messages: Message[]; acks: number }): Promise<unknown>
}

const require = createRequire(import.meta.url)

const connect: Connect = async (job, supply) => {
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
  const { Kafka, logLevel } = require('kafkajs') as KafkaJs
  const { version } = require('kafkajs/package.json') as { version: string }
  const producer = new Kafka({ brokers: job.brokers.split(','), logLevel: logLevel.ERROR }).producer()
  await producer.connect()
  const send = (messages: Message[]): Promise<unknown> => producer.send({ topic: job.topic, messages, acks: -1 })
  const settings = { acks: -1, 'idempotent (default)': false }
  return clientWithArrays(job, supply, { version, settings, send, close: () => producer.disconnect() })
}

await contend(connect)
