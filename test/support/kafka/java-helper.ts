import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory, makeOnce } from './cache.ts'
import { ensureJars } from './jars.ts'
import { findJava, requireCompiler } from './java-installation.ts'
import { LineProcess } from './line-process.ts'
import { askMetadata } from './probe.ts'
import { runCommand } from './run-command.ts'
import { NEWEST_VERSION } from './versions.ts'
import { setTimeout as delay } from 'node:timers/promises'

const SOURCES = fileURLToPath(new URL('java/', import.meta.url))
const LEADERS_TIMEOUT_MS = 30_000
const ASK_PAUSE_MS = 20

/** Where the cluster is; `properties` are settings of Kafka's Java client, such as its security. */
export interface At {
  readonly bootstrap: string
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

export interface Murmur2Answer {
  readonly hash: number
  /** The partition Java's producer takes, for each of the asked partition counts. */
  readonly partitions: readonly number[]
}

type WireRecord = [number, string, number, ReadRecord['timestampType'], string | null, string | null, (string | null)[]]

/**
 * Starts one JVM with Kafka's own clients, which answers many requests: its start costs half a second, a request
 * some ten milliseconds. It ends with this process.
 *
 * @throws {BrokersUnavailable} no Java, no `javac`, or the jars cannot be downloaded.
 */
export async function startJavaHelper(version: string = NEWEST_VERSION): Promise<JavaHelper> {
  const [installation, jars] = await Promise.all([findJava(), ensureJars(version)])
  const javac = requireCompiler(installation)
  const names = (await readdir(SOURCES)).filter((name) => name.endsWith('.java')).sort()
  const files = names.map((name) => path.join(SOURCES, name))
  const hash = createHash('sha256').update(`${version} ${installation.fingerprint}`)
  for (const file of files) hash.update(await readFile(file))
  const classes = path.join(cacheDirectory(), 'classes', hash.digest('hex').slice(0, 20))
  await makeOnce(classes, async (folder) => {
    await runCommand(javac, ['-nowarn', '-proc:none', '-cp', jars.classPath, '-d', folder, ...files])
  })
  const flags = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']
  const logging = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  const classPath = [jars.classPath, classes].join(path.delimiter)
  return new JavaHelper(new LineProcess(installation.java, [...flags, ...logging, '-cp', classPath, 'KafkaHelper']))
}

export class JavaHelper {
  readonly #process: LineProcess

  constructor(process: LineProcess) {
    this.#process = process
  }

  /** Creates the topic and waits until every broker of `bootstrap` knows a leader for each partition. */
  async createTopic(topic: NewTopic): Promise<void> {
    await this.#process.ask('createTopic', topic)
    await awaitLeaders(topic, topic.partitions)
  }

  async deleteTopic(at: AtTopic): Promise<void> {
    await this.#process.ask('deleteTopic', at)
  }

  /** Grows the topic to `partitions` and waits for their leaders, like `createTopic`. */
  async createPartitions(at: AtTopic & { readonly partitions: number }): Promise<void> {
    await this.#process.ask('createPartitions', at)
    await awaitLeaders(at, at.partitions)
  }

  async describeTopic(at: AtTopic): Promise<PartitionState[]> {
    return (await this.#process.ask('describeTopic', at)).result as PartitionState[]
  }

  /** Gives every partition back to its preferred leader. */
  async electLeaders(at: AtTopic): Promise<void> {
    await this.#process.ask('electLeaders', at)
  }

  /** The next offset of each partition, by partition number. */
  async endOffsets(at: AtTopic): Promise<bigint[]> {
    return ((await this.#process.ask('endOffsets', at)).result as string[]).map(BigInt)
  }

  /** Every record, in the order of partition and offset. @throws when they are not there in `timeoutMs`. */
  async readTopic({ timeoutMs = 60_000, ...options }: ReadOptions): Promise<ReadRecord[]> {
    const { parts } = await this.#process.ask('read', { ...options, timeoutMs })
    const records = (parts as WireRecord[][]).flatMap((part) => part.map(toRecord))
    return records.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset))
  }

  /** Kafka's own producer; resolves when all records are acknowledged. `properties` may say acks, compression.type... */
  async produce(at: AtTopic, records: readonly RecordToProduce[]): Promise<{ partition: number; offset: bigint }[]> {
    const { result } = await this.#process.ask('produce', { ...at, records: records.map(toWire) })
    return (result as [number, string][]).map(([partition, offset]) => ({ partition, offset: BigInt(offset) }))
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

function toWire({ key, value, headers = [], ...rest }: RecordToProduce): object {
  const base64 = (data: Buffer | null | undefined) => data?.toString('base64') ?? null
  return {
    ...rest,
    ...{ key: base64(key), value: base64(value), headers: headers.map(([name, data]) => [name, base64(data)]) },
  }
}
