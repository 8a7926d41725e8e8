import { readFileSync } from 'node:fs'
import type { Connect } from './client.ts'
import { clientWithArrays, type Message } from './handmade-batches.ts'

interface Platformatic {
  readonly Producer: new (options: object) => PlatformaticProducer
}

interface PlatformaticProducer {
  send(request: { messages: (Message & { topic: string })[]; acks: number; compression: string }): Promise<unknown>
  close(): Promise<void>
}

/** Two versions are installed side by side, under names of ours. */
export function connectPlatformatic(name: string): Connect {
  return async (job, supply) => {
    const { Producer } = (await import(name)) as Platformatic
    const manifest = new URL('../package.json', import.meta.resolve(name))
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
    const { topic, compression } = job
    const producer = new Producer({ clientId: 'bench', bootstrapBrokers: job.brokers.split(',') })
    const send = (messages: Message[]): Promise<unknown> => {
      const withTopic = messages.map((message) =>
        message.key === null ? { topic, value: message.value } : { topic, ...message },
      )
      return producer.send({ messages: withTopic as (Message & { topic: string })[], acks: -1, compression })
    }
    const settings = { acks: -1, compression, 'idempotent (default)': false, 'maxInflights (default)': 5 }
    return clientWithArrays(job, supply, { version, settings, send, close: () => producer.close() })
  }
}
