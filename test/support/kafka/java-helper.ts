import { setTimeout as delay } from 'node:timers/promises'
import { startJavaProcess } from './java-process.ts'
import type { Answer, LineProcess } from './line-process.ts'
import { askMetadata } from './probe.ts'
import { kafkaVersion, NEWEST_VERSION, type KafkaVersion, type TopicOperation } from './versions.ts'
import * as zookeeperTools from './zookeeper-tools.ts'

const LEADERS_TIMEOUT_MS = 30_000
const ASK_PAUSE_MS = 20

/** Where the cluster is; `properties` are settings of Kafka's Java client, such as its security. */
export interface At {
  readonly bootstrap: string
  /** The brokers' version, which decides who reads them: a row of `versions.ts`, by default the newest. */
  readonly version?: string
  /** `host:port`: what brokers before 2.2 have no API for goes through it. */
  readonly zookeeper?: string
  readonly properties?: Readonly<Record<string, string>>
}

export interface AtTopic extends At {
  readonly topic: string
}

export interface NewTopic extends AtTopic {
  readonly partitions: number
  readonly replicationFactor: number
  readonly configs?: Readonly<Record<string, string>>
}

export interface PartitionState {
  readonly partition: number
  /** -1: none at the moment. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export interface ReadOptions extends AtTopic {
  /** Reads this many, waiting for them; without it, to the end offsets of the moment of the call. */
  readonly count?: number
  /** Default 60 s. */
  readonly timeoutMs?: number
}

export interface ReadRecord {
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number
  readonly timestampType: 'CreateTime' | 'LogAppendTime' | 'NoTimestampType'
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [string, Buffer | null])[]
}

export interface RecordToProduce {
  readonly key?: Buffer | null
  readonly value?: Buffer | null
  readonly headers?: readonly (readonly [string, Buffer | null])[]
  readonly partition?: number
  readonly timestamp?: number
}

/** Where a record went. */
export interface Written {
  readonly partition: number
  readonly offset: bigint
}

export interface Murmur2Answer {
  readonly hash: number
  /** The partition Java's producer takes, for each of the asked partition counts. */
  readonly partitions: readonly number[]
}

type WireRecord = [number, string, number, ReadRecord['timestampType'], string | null, string | null, (string | null)[]]

/**
 * Kafka's own clients for brokers of one Kafka version: one JVM that answers many requests. Its start costs half a
 * second, a request some ten milliseconds. It ends with this process.
 *
 * @throws {BrokersUnavailable} no Java, no `javac`, or the jars cannot be downloaded.
 */
export async function startJavaHelper(brokerVersion: string = NEWEST_VERSION): Promise<JavaHelper> {
  const row = kafkaVersion(brokerVersion)
  return new JavaHelper(await startJavaProcess(row.readerVersion), row)
}

export class JavaHelper {
  readonly #process: LineProcess
  readonly #broker: KafkaVersion

  constructor(process: LineProcess, broker: KafkaVersion) {
    this.#process = process
    this.#broker = broker
  }

  /** Creates the topic and waits until every broker of `bootstrap` knows a leader for each partition. */
  async createTopic(topic: NewTopic): Promise<void> {
    const zookeeper = this.#zookeeperFor('createTopic', topic)
    if (zookeeper === undefined) await this.ask('createTopic', topic)
    else await zookeeperTools.createTopic(zookeeper, topic)
    await awaitLeaders(topic, topic.partitions)
  }

  async deleteTopic(at: AtTopic): Promise<void> {
    const zookeeper = this.#zookeeperFor('deleteTopic', at)
    if (zookeeper === undefined) await this.ask('deleteTopic', at)
    else await zookeeperTools.deleteTopic(zookeeper, at.topic)
  }

  /** Grows the topic to `partitions` and waits for their leaders, like `createTopic`. */
  async createPartitions(at: AtTopic & { readonly partitions: number }): Promise<void> {
    const zookeeper = this.#zookeeperFor('createPartitions', at)
    if (zookeeper === undefined) await this.ask('createPartitions', at)
    else await zookeeperTools.createPartitions(zookeeper, at.topic, at.partitions)
    await awaitLeaders(at, at.partitions)
  }

  async describeTopic(at: AtTopic): Promise<PartitionState[]> {
    return (await this.ask('describeTopic', at)).result as PartitionState[]
  }

  /** Gives every partition back to its preferred leader; before Kafka 2.2 that is done some time later. */
  async electLeaders(at: AtTopic): Promise<void> {
    const zookeeper = this.#zookeeperFor('electLeaders', at)
    if (zookeeper === undefined) await this.ask('electLeaders', at)
    else await zookeeperTools.electLeaders(zookeeper)
  }

  /** The next offset of each partition, by partition number. */
  async endOffsets(at: AtTopic): Promise<bigint[]> {
    return ((await this.ask('endOffsets', at)).result as string[]).map(BigInt)
  }

  /** Every record, in the order of partition and offset. @throws when they are not there in `timeoutMs`. */
  async readTopic({ timeoutMs = 60_000, ...options }: ReadOptions): Promise<ReadRecord[]> {
    const { parts } = await this.ask('read', options, { timeoutMs })
    return toReadRecords(parts)
  }

  /** Kafka's own producer; resolves when all records are acknowledged. `properties` may say acks, compression.type... */
  async produce(at: AtTopic, records: readonly RecordToProduce[]): Promise<Written[]> {
    return toWritten((await this.ask('produce', at, { records: toWireRecords(records) })).result)
  }

  /** `Utils.murmur2` and `BuiltInPartitioner.partitionForKey` of each key. */
  async murmur2(keys: readonly Buffer[], partitionCounts: readonly number[] = []): Promise<Murmur2Answer[]> {
    const asked = { keys: keys.map((key) => key.toString('base64')), partitionCounts }
    const { result } = await this.#process.ask('murmur2', asked)
    return (result as number[][]).map(([hash = 0, ...partitions]) => ({ hash, partitions }))
  }

  get pid(): number {
    return this.#process.pid
  }

  async close(): Promise<void> {
    await this.#process.close()
  }

  /** An operation of `java/*Operations.java` that has no method here. */
  ask(op: string, at: At, more: object = {}): Promise<Answer> {
    const properties = { ...this.#broker.clientProperties, ...at.properties }
    return this.#process.ask(op, { ...at, ...more, properties })
  }

  #zookeeperFor(operation: TopicOperation, { zookeeper }: At): zookeeperTools.AtZooKeeper | undefined {
    const { version, throughZooKeeper } = this.#broker
    if (!throughZooKeeper.includes(operation)) return undefined
    if (zookeeper !== undefined) return { version, zookeeper }
    throw new Error(
      `${operation}: a broker of Kafka ${version} cannot be asked; give \`zookeeper\` (or \`...cluster.at\`)`,
    )
  }
}

/** AdminClient answers when the controller knows; the brokers hear of it some milliseconds later, one by one. */
async function awaitLeaders(at: AtTopic, partitions: number): Promise<void> {
  // The probe speaks plain text only; a topic made through a secured listener is not waited for.
  if (at.properties?.['security.protocol'] !== undefined) return
  const deadline = Date.now() + LEADERS_TIMEOUT_MS
  for (const address of at.bootstrap.split(',')) {
    while (!(await hasLeaders(address, at.topic, partitions))) {
      if (Date.now() > deadline) throw new Error(`${at.topic}: ${address} knows no leader for each of its partitions`)
      await delay(ASK_PAUSE_MS)
    }
  }
}

async function hasLeaders(address: string, topic: string, partitions: number): Promise<boolean> {
  // A bootstrap address may be a dead node's: whoever answers must know the topic.
  const view = await askMetadata(address, [topic]).catch(() => undefined)
  const found = view?.topics[0]
  if (found === undefined) return true
  const led = found.partitions.filter(({ leader, errorCode }) => leader >= 0 && errorCode === 0)
  return found.errorCode === 0 && led.length === partitions
}

/** The parts of an answer to `read`, in the order of partition and offset. */
export function toReadRecords(parts: readonly unknown[]): ReadRecord[] {
  const records = (parts as WireRecord[][]).flatMap((part) => part.map(toRecord))
  return records.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset))
}

function toRecord([partition, offset, timestamp, timestampType, key, value, flatHeaders]: WireRecord): ReadRecord {
  const headers: [string, Buffer | null][] = []
  for (let i = 0; i < flatHeaders.length; i += 2)
    headers.push([flatHeaders[i] ?? '', bytes(flatHeaders[i + 1] ?? null)])
  return {
    ...{ partition, offset: BigInt(offset), timestamp, timestampType },
    ...{ key: bytes(key), value: bytes(value), headers },
  }
}

function bytes(base64: string | null): Buffer | null {
  return base64 === null ? null : Buffer.from(base64, 'base64')
}

/** The `records` of a request to `produce`. */
export function toWireRecords(records: readonly RecordToProduce[]): object[] {
  const base64 = (data: Buffer | null | undefined) => data?.toString('base64') ?? null
  return records.map(({ key, value, headers = [], ...rest }) => ({
    ...rest,
    ...{ key: base64(key), value: base64(value), headers: headers.map(([name, data]) => [name, base64(data)]) },
  }))
}

/** The answer to `produce`. */
export function toWritten(result: unknown): Written[] {
  return (result as [number, string][]).map(([partition, offset]) => ({ partition, offset: BigInt(offset) }))
}
