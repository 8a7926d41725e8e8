import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach } from 'vitest'
import {
  KafkaOutput,
  OutputError,
  type DataErrorRecord,
  type KafkaOutputOptions,
  type OutputDiagnosticEvents,
} from '../../src/output/output.ts'
import { TestCluster, type TestClusterOptions } from '../../src/testing/test-cluster.ts'

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** With a topic `t` of three partitions; closed after the test. */
export async function startCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await TestCluster.start({ topics: { t: 3 }, ...options })
  open.push(() => cluster.close())
  return cluster
}

/** Waits between attempts are short: what is tested is not how long they are. */
export const SOON = { retryBackoffMs: 1, retryBackoffMaxMs: 5, reconnectBackoffMs: 1, reconnectBackoffMaxMs: 5 }

export const plain = {
  outputAlias: 'telemetry',
  topic: 't',
  securityProtocol: 'None',
  serialization: 'Json',
} as const

/** Closed after the test. */
export function newOutput(
  cluster: Pick<TestCluster, 'bootstrap'>,
  options: Partial<KafkaOutputOptions> = {},
): KafkaOutput {
  const producer = { ...SOON, ...options.producer }
  const output = new KafkaOutput({ ...plain, bootstrapServers: cluster.bootstrap, ...options, producer })
  open.push(() => output.close({ timeoutMs: 0 }).catch(() => 'a test may leave rows unsettled'))
  return output
}

/** What was written, by partition, then offset. */
export function values(cluster: TestCluster, topic = 't'): string[] {
  return cluster.records(topic).map(({ value }) => String(value))
}

/** How many records each partition has. */
export function counts(cluster: TestCluster, partitions = 3, topic = 't'): number[] {
  const found = Array.from({ length: partitions }, () => 0)
  for (const { partition } of cluster.records(topic)) found[partition] = (found[partition] ?? 0) + 1
  return found
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => new Error('did not reject'),
    (error: unknown) => error,
  )
}

/** What a promise rejects with, which must be an `OutputError`. */
export async function outputError(promise: Promise<unknown>): Promise<OutputError> {
  const error = await rejection(promise)
  if (error instanceof OutputError) return error
  throw new Error('no OutputError', { cause: error })
}

/** Everything that a channel says during the test. */
export function heard<Name extends keyof OutputDiagnosticEvents>(name: Name): OutputDiagnosticEvents[Name][] {
  const events: OutputDiagnosticEvents[Name][] = []
  const listen = (event: unknown): void => void events.push(event as OutputDiagnosticEvents[Name])
  subscribe(name, listen)
  open.push(() => unsubscribe(name, listen))
  return events
}

/** What a logger is told. */
export class Lines {
  readonly all: { level: string; message: string; fields: object }[] = []
  readonly logger = {
    debug: this.#at('debug'),
    info: this.#at('info'),
    warn: this.#at('warn'),
    error: this.#at('error'),
  }

  of(level: string): string[] {
    return this.all.filter((line) => line.level === level).map(({ message }) => message)
  }

  #at(level: string) {
    return (fields: object, message: string): void => void this.all.push({ level, message, fields })
  }
}

/** A sink of data errors. */
export function dataErrorSink(): { records: DataErrorRecord[]; onDataError: (record: DataErrorRecord) => void } {
  const records: DataErrorRecord[] = []
  return { records, onDataError: (record) => void records.push(record) }
}

export function numbered(count: number, from = 0): { n: number }[] {
  return Array.from({ length: count }, (_, i) => ({ n: from + i }))
}
