import { toReadRecords, toWireRecords, toWritten } from './java-helper.ts'
import type { ReadOptions, ReadRecord, RecordToProduce, Written } from './java-helper.ts'
import { BrokersUnavailable } from './java-installation.ts'
import { startKfake } from './kfake.ts'
import { startLibrdkafkaMock } from './librdkafka-mock.ts'
import type { LineProcess } from './line-process.ts'
import { produce, readTopic } from './readers.ts'
import type { Availability } from './available.ts'

export type ForeignBrokerKind = 'kfake' | 'librdkafka-mock'

export interface ForeignBrokerOptions {
  /** How many brokers its cluster has; one by default. */
  readonly nodes?: number
}

export type ForeignRead = Pick<ReadOptions, 'topic' | 'count' | 'timeoutMs'>

/** Somebody else's implementation of Kafka's protocol, on loopback. It ends with this process, however that ends. */
export interface ForeignBroker {
  readonly kind: ForeignBrokerKind
  /** Its brokers' addresses, comma-separated. */
  readonly bootstrap: string
  readonly pid: number
  createTopic(topic: string, partitions: number): Promise<void>
  /** By a producer that is not ours: kfake's by Kafka's own, librdkafka's by librdkafka's. */
  produce(topic: string, records: readonly RecordToProduce[]): Promise<Written[]>
  /** As `readTopic` of `readers.ts`: kfake through Kafka's own consumer, librdkafka's through librdkafka's. */
  readTopic(options: ForeignRead): Promise<ReadRecord[]>
  /** Its records are in memory: they are gone with it. Again: nothing. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts franz-go's kfake (needs Go) or librdkafka's mock cluster (needs Python 3). The first call on a machine fetches
 * and builds it.
 *
 * @throws {BrokersUnavailable} Go or Python is missing, or the packages cannot be fetched.
 */
export async function startForeignBroker(
  kind: ForeignBrokerKind,
  { nodes = 1 }: ForeignBrokerOptions = {},
): Promise<ForeignBroker> {
  const process = await START[kind](nodes)
  const { result } = await process.ask('bootstrap', {})
  return new LineBroker(kind, process, String(result))
}

/** Whether it can run here; fetches and builds it where that was not done before. */
export async function foreignBrokerAvailable(kind: ForeignBrokerKind): Promise<Availability> {
  try {
    await (await START[kind](1)).close()
    return { ok: true }
  } catch (error) {
    if (error instanceof BrokersUnavailable) return { ok: false, reason: error.message }
    throw error
  }
}

const START: Readonly<Record<ForeignBrokerKind, (nodes: number) => Promise<LineProcess>>> = {
  kfake: startKfake,
  'librdkafka-mock': startLibrdkafkaMock,
}

class LineBroker implements ForeignBroker {
  readonly kind: ForeignBrokerKind
  readonly bootstrap: string
  readonly #process: LineProcess

  constructor(kind: ForeignBrokerKind, process: LineProcess, bootstrap: string) {
    this.kind = kind
    this.#process = process
    this.bootstrap = bootstrap
  }

  get pid(): number {
    return this.#process.pid
  }

  async createTopic(topic: string, partitions: number): Promise<void> {
    // Not by Kafka's AdminClient: the mock has no CreateTopics, and kfake's answer to it makes the client fail.
    await this.#process.ask('createTopic', { topic, partitions })
  }

  async produce(topic: string, records: readonly RecordToProduce[]): Promise<Written[]> {
    switch (this.kind) {
      case 'kfake':
        return produce({ bootstrap: this.bootstrap, topic }, records)
      case 'librdkafka-mock':
        return toWritten((await this.#process.ask('produce', { topic, records: toWireRecords(records) })).result)
    }
  }

  async readTopic(options: ForeignRead): Promise<ReadRecord[]> {
    switch (this.kind) {
      case 'kfake':
        return readTopic({ ...options, bootstrap: this.bootstrap })
      case 'librdkafka-mock': {
        // Kafka's consumer begins with ApiVersions 4, which the mock refuses in bytes that Java reads as "throttled for
        // twenty minutes".
        const { parts } = await this.#process.ask('read', { timeoutMs: 60_000, ...options })
        return toReadRecords(parts)
      }
    }
  }

  async close(): Promise<void> {
    await this.#process.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
