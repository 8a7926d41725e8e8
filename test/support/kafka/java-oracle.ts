import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RecordToEncode } from '../../../src/protocol/protocol.ts'
import { cacheDirectory, makeOnce } from './cache.ts'
import { ensureJars } from './jars.ts'
import { findJava, requireCompiler } from './java-installation.ts'
import { LineProcess } from './line-process.ts'
import { runCommand } from './run-command.ts'
import { NEWEST_VERSION } from './versions.ts'

const SOURCES = fileURLToPath(new URL('java/oracle/', import.meta.url))

/** The last Kafka that we ask about what 4.x has dropped. */
export const VERSION_BEFORE_DROPS = '2.8.2'

/** Messages of one name and version. */
export interface MessagesToWrite {
  /** Such as `ProduceRequest`. */
  readonly name: string
  /** The version that `values` are legal in. */
  readonly jsonVersion: number
  readonly version: number
  /** Kafka's JSON as text, see `toKafkaJson`. */
  readonly values: readonly string[]
  /** What we make of each value, for Kafka to read; null: do not. */
  readonly ours: readonly (Uint8Array | null)[]
}

export interface WrittenMessage {
  /** Or why Kafka does not write it. */
  readonly bytes: Buffer | { readonly error: string }
  /** Why Kafka does not read the value out of our bytes; null: it does, or was not asked. */
  readonly misreading: string | null
}

type WireMessage = [string | { error: string }, { error: string } | null]

export interface BatchToWrite {
  readonly records: readonly RecordToEncode[]
  readonly baseOffset: bigint
  readonly partitionLeaderEpoch: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly logAppendTimeMs?: number | undefined
}

/** A batch as Kafka's classes see it: int64 as text, bytes as base64. */
export interface SeenBatch {
  readonly isValid: boolean
  readonly magic: number
  readonly compression: string
  readonly baseOffset: string
  readonly lastOffset: string
  readonly partitionLeaderEpoch: number
  readonly timestampType: string
  readonly maxTimestamp: string
  readonly producerId: string
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly records: readonly SeenRecord[]
}

export interface SeenRecord {
  readonly offset: string
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [string, string | null])[]
}

/**
 * Starts one JVM with Kafka's own encoders and decoders. It answers in order, thousands of messages a second, and ends
 * with this process. Record batches and hashes are the newest version's only.
 *
 * @throws {BrokersUnavailable} no Java, no `javac`, or the jars cannot be downloaded.
 */
export async function startOracle(version: string = NEWEST_VERSION): Promise<Oracle> {
  const [installation, jars] = await Promise.all([findJava(), ensureJars(version)])
  const javac = requireCompiler(installation)
  const operations = version === NEWEST_VERSION ? ['MessageOracle', 'RecordOracle'] : ['MessageOracle']
  const files = ['Oracle', ...operations].map((name) => path.join(SOURCES, `${name}.java`))
  const hash = createHash('sha256').update(`oracle ${version} ${installation.fingerprint}`)
  for (const file of files) hash.update(await readFile(file))
  const classes = path.join(cacheDirectory(), 'classes', hash.digest('hex').slice(0, 20))
  await makeOnce(classes, async (folder) => {
    await runCommand(javac, ['-nowarn', '-proc:none', '-cp', jars.classPath, '-d', folder, ...files])
  })
  const flags = ['-Xmx512m', '-XX:+UseSerialGC', '-Xshare:auto', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  const classPath = [jars.classPath, classes].join(path.delimiter)
  return new Oracle(new LineProcess(installation.java, [...flags, '-cp', classPath, 'Oracle', ...operations]))
}

export class Oracle {
  readonly #process: LineProcess

  constructor(process: LineProcess) {
    this.#process = process
  }

  /** Kafka's own definition of a message, as it lies in the jar; null: this version has none. */
  async definition(name: string): Promise<unknown> {
    return this.#ask('definition', { name })
  }

  async writeMessages({ name, jsonVersion, version, values, ours }: MessagesToWrite): Promise<WrittenMessage[]> {
    const encoded = ours.map((bytes) => (bytes === null ? null : base64(bytes)))
    const request = { name, jsonVersion, version, values, ours: encoded }
    const written = (await this.#ask('messages', request)) as WireMessage[]
    return written.map(([bytes, misreading]) => ({
      bytes: typeof bytes === 'string' ? Buffer.from(bytes, 'base64') : bytes,
      misreading: misreading?.error ?? null,
    }))
  }

  /** By MemoryRecordsBuilder. */
  async writeBatches(batches: readonly BatchToWrite[]): Promise<Buffer[]> {
    const encoded = batches.map(({ records, baseOffset, producerId, ...rest }) => ({
      ...rest,
      ...{ baseOffset: String(baseOffset), producerId: String(producerId) },
      records: records.map(toWire),
    }))
    const written = (await this.#ask('writeBatches', { batches: encoded })) as string[]
    return written.map((bytes) => Buffer.from(bytes, 'base64'))
  }

  /** By DefaultRecordBatch. */
  async readBatches(batches: readonly Uint8Array[]): Promise<SeenBatch[]> {
    return (await this.#ask('readBatches', { batches: batches.map(base64) })) as SeenBatch[]
  }

  async murmur2(keys: readonly Uint8Array[]): Promise<number[]> {
    return (await this.#ask('murmur2', { keys: keys.map(base64) })) as number[]
  }

  async close(): Promise<void> {
    await this.#process.close()
  }

  async #ask(op: string, request: object): Promise<unknown> {
    return (await this.#process.ask(op, request)).result
  }
}

function toWire({ timestamp, key, value, headers = [] }: RecordToEncode): object {
  const wire = (bytes: string | Uint8Array | null) => (bytes === null ? null : base64(bytes))
  return {
    ...{ timestamp, key: wire(key), value: wire(value) },
    headers: headers.map(([name, bytes]) => [name, wire(bytes)]),
  }
}

function base64(bytes: string | Uint8Array): string {
  return Buffer.from(bytes as Uint8Array).toString('base64')
}
