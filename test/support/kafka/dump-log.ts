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

/** One stored batch, as the broker's own tool sees it. */
export interface StoredBatch {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly count: number
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
  readonly isValid: boolean
}

/** What `DumpLogSegments --deep-iteration --print-data-log` prints about every segment of a partition. */
export async function dumpLog(at: LogAt): Promise<string> {
  return runDump(at, ['--print-data-log'])
}

/** The batches of a partition, in file order, with every record iterated and every checksum computed. */
export async function dumpBatches(at: LogAt): Promise<StoredBatch[]> {
  // Without the data: a value may hold a new line and what looks like a batch after it.
  const lines = (await runDump(at, [])).split('\n')
  return lines.filter((line) => line.startsWith('baseOffset: ')).map(parseBatch)
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

function parseBatch(line: string): StoredBatch {
  const fields = new Map([...line.matchAll(/(\w+): (\S+)/g)].map(([, name = '', value = '']) => [name, value]))
  const text = (name: string) => {
    const value = fields.get(name)
    if (value === undefined) throw new Error(`DumpLogSegments: no ${name} in ${JSON.stringify(line)}`)
    return value
  }
  const number = (name: string) => Number(text(name))
  const timestampType = fields.has('LogAppendTime') ? 'LogAppendTime' : 'CreateTime'
  return {
    ...{ baseOffset: BigInt(text('baseOffset')), lastOffset: BigInt(text('lastOffset')), count: number('count') },
    ...{ baseSequence: number('baseSequence'), lastSequence: number('lastSequence') },
    ...{ producerId: BigInt(text('producerId')), producerEpoch: number('producerEpoch') },
    partitionLeaderEpoch: number('partitionLeaderEpoch'),
    ...{ isTransactional: text('isTransactional') === 'true', isControl: text('isControl') === 'true' },
    ...{ position: number('position'), timestampType, timestamp: number(timestampType) },
    ...{ sizeBytes: number('size'), magic: number('magic'), compression: text('compresscodec') },
    ...{ crc: number('crc'), isValid: text('isvalid') === 'true' },
  }
}
