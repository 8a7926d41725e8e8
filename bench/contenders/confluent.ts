import { createRequire } from 'node:module'
import type { Connect } from './client.ts'
import { clientWithArrays, type Message } from './handmade-batches.ts'
import { contend } from './harness.ts'

interface Confluent {
  readonly KafkaJS: {
    readonly logLevel: { readonly ERROR: number }
    readonly Kafka: new (options: object) => { producer(options: object): ConfluentProducer }
  }
}

interface ConfluentProducer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  send(request: { topic: string; messages: Message[] }): Promise<unknown>
}

const require = createRequire(import.meta.url)

const connect: Connect = async (job, supply) => {
  const { KafkaJS } = require('@confluentinc/kafka-javascript') as Confluent
  const { version } = require('@confluentinc/kafka-javascript/package.json') as { version: string }
  const { compression, concurrency } = job
  const lingerMs = concurrency === 1 ? 0 : 5
  const kafka = new KafkaJS.Kafka({ kafkaJS: { brokers: job.brokers.split(','), logLevel: KafkaJS.logLevel.ERROR } })
  const settings = { acks: 'all', 'linger.ms': lingerMs, 'compression.codec': compression }
  const producer = kafka.producer(settings)
  await producer.connect()
  const send = (messages: Message[]): Promise<unknown> => producer.send({ topic: job.topic, messages })
  return clientWithArrays(job, supply, { version, settings, send, close: () => producer.disconnect() })
}

await contend(connect)
