import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { ensureToolJars } from './jars.ts'
import { findJava } from './java-installation.ts'
import { runCommand } from './run-command.ts'

export interface LogAt {
  /** One node's log directory: `RealCluster.logDirs[node - 1]`. */
  readonly logDir: string
  readonly topic: string
  readonly partition: number
}

/**
 * One stored batch, as Kafka's own tool of the newest version sees it, which reads every format: a record batch, or
 * before Kafka 0.11 (magic 0 and 1) a message, which if compressed is a wrapper of others. What a message does not have
 * (sequences, producer id and epoch, leader epoch) is -1, as in a batch of a producer without them.
 */
export interface StoredBatch {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly count: number
  /** Of each record or wrapped message, absolute, in their order. */
  readonly offsets: readonly bigint[]
  /** Magic 0 and 1: a compressed message with the real ones inside. */
  readonly isWrapper: boolean
  readonly baseSequence: number
  readonly lastSequence: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly partitionLeaderEpoch: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  /** Position in its segment file. */
  readonly position: number
  /** `CreateTime` or `LogAppendTime`. */
  readonly timestampType: string
  readonly timestamp: number
  readonly sizeBytes: number
  readonly magic: number
  /** As in `compression.type`: none, gzip, snappy, lz4, zstd. */
  readonly compression: string
  readonly crc: number
  /** The checksum is right, and that of each wrapped message. */
  readonly isValid: boolean
}

/** What `DumpLogSegments --deep-iteration --print-data-log` prints about every segment of a partition. */
export async function dumpLog(at: LogAt): Promise<string> {
  return runDump(at, ['--print-data-log'])
}

/** The batches of a partition, in file order, with every record iterated and every checksum computed. */
export async function dumpBatches(at: LogAt): Promise<StoredBatch[]> {
  // Without the data: a value may hold a new line and what looks like a batch after it.
  return parseDump(await runDump(at, []))
}

/** A line for each batch, and after it one that begins with a bar for each record in it. */
export function parseDump(text: string): StoredBatch[] {
  const batches: { line: string; records: string[] }[] = []
  for (const line of text.split('\n')) {
    if (/^(?:baseOffset|offset): /.test(line)) batches.push({ line, records: [] })
    else if (line.startsWith('| offset: ')) batches.at(-1)?.records.push(line)
  }
  return batches.map(({ line, records }) =>
    parseBatch(
      new Fields(line),
      records.map((record) => new Fields(record)),
    ),
  )
}

async function runDump({ logDir, topic, partition }: LogAt, flags: readonly string[]): Promise<string> {
  const [{ java }, jars] = await Promise.all([findJava(), ensureToolJars()])
  const folder = path.join(logDir, `${topic}-${partition}`)
  const segments = (await readdir(folder)).filter((name) => name.endsWith('.log')).sort()
  const files = segments.map((name) => path.join(folder, name)).join(',')
  return runCommand(java, [
    ...['-Xmx400m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'],
    ...['-cp', jars.classPath, 'org.apache.kafka.tools.DumpLogSegments', '--deep-iteration', ...flags],
    ...['--files', files],
  ])
}

function parseBatch(batch: Fields, records: readonly Fields[]): StoredBatch {
  const timestampType = batch.has('LogAppendTime') ? 'LogAppendTime' : 'CreateTime'
  const common = {
    offsets: records.map((record) => record.bigint('offset')),
    ...{ position: batch.number('position'), timestampType, timestamp: batch.number(timestampType, -1) },
    ...{ sizeBytes: batch.number('size'), magic: batch.number('magic'), compression: batch.text('compresscodec') },
    ...{ crc: batch.number('crc'), isValid: batch.text('isvalid') === 'true' },
  }
  return common.magic >= 2 ? { ...common, ...recordBatch(batch) } : { ...common, ...message(batch, records, common) }
}

function recordBatch(batch: Fields) {
  return {
    ...{ baseOffset: batch.bigint('baseOffset'), lastOffset: batch.bigint('lastOffset') },
    ...{ count: batch.number('count'), isWrapper: false },
    ...{ baseSequence: batch.number('baseSequence'), lastSequence: batch.number('lastSequence') },
    ...{ producerId: batch.bigint('producerId'), producerEpoch: batch.number('producerEpoch') },
    partitionLeaderEpoch: batch.number('partitionLeaderEpoch'),
    ...{ isTransactional: batch.text('isTransactional') === 'true', isControl: batch.text('isControl') === 'true' },
  }
}

function message(
  line: Fields,
  wrapped: readonly Fields[],
  { compression, isValid }: Pick<StoredBatch, 'compression' | 'isValid'>,
) {
  // A wrapper has the offset of its last message.
  const lastOffset = line.bigint('offset')
  return {
    ...{ baseOffset: wrapped[0]?.bigint('offset') ?? lastOffset, lastOffset },
    ...{ count: wrapped.length, isWrapper: compression !== 'none' },
    isValid: isValid && wrapped.every((one) => one.text('isValid') === 'true'),
    ...{ baseSequence: -1, lastSequence: -1, producerId: -1n, producerEpoch: -1, partitionLeaderEpoch: -1 },
    ...{ isTransactional: false, isControl: false },
  }
}

/** A line of `name: value` pairs. */
class Fields {
  readonly #line: string
  readonly #values: ReadonlyMap<string, string>

  constructor(line: string) {
    this.#line = line
    this.#values = new Map([...line.matchAll(/(\w+): (\S+)/g)].map(([, name = '', value = '']) => [name, value]))
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  text(name: string): string {
    const value = this.#values.get(name)
    if (value === undefined) throw new Error(`DumpLogSegments: no ${name} in ${JSON.stringify(this.#line)}`)
    return value
  }

  number(name: string, absent?: number): number {
    return absent !== undefined && !this.has(name) ? absent : Number(this.text(name))
  }

  bigint(name: string): bigint {
    return BigInt(this.text(name))
  }
}
