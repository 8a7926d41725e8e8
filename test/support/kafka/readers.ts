import {
  JavaHelper,
  type AtTopic,
  type NewTopic,
  type PartitionState,
  type ReadOptions,
  type ReadRecord,
  type RecordToProduce,
  type Written,
} from './java-helper.ts'
import { startJavaProcess } from './java-process.ts'
import type { LineProcess } from './line-process.ts'
import { kafkaVersion, NEWEST_VERSION } from './versions.ts'

/**
 * What somebody else's software says about a cluster: Kafka's consumer, AdminClient and log dump tool.
 *
 * The functions here take the brokers' version with the address (`{ ...cluster.at, topic }`) and share one JVM for each
 * version of the clients, started at the first call; it ends with this process.
 */
export { startJavaHelper } from './java-helper.ts'
export type * from './java-helper.ts'
export { dumpBatches, dumpLog, type LogAt, type StoredBatch } from './dump-log.ts'

const processes = new Map<string, Promise<LineProcess>>()

/** The helper behind the functions of this file, for brokers of one version. */
export async function sharedJavaHelper(brokerVersion: string = NEWEST_VERSION): Promise<JavaHelper> {
  const row = kafkaVersion(brokerVersion)
  return new JavaHelper(await sharedProcess(row.readerVersion), row)
}

function sharedProcess(clientsVersion: string): Promise<LineProcess> {
  const running = processes.get(clientsVersion)
  if (running !== undefined) return running
  const starting = startJavaProcess(clientsVersion).catch((error: unknown) => {
    processes.delete(clientsVersion)
    throw error
  })
  processes.set(clientsVersion, starting)
  return starting
}

export async function readTopic(options: ReadOptions): Promise<ReadRecord[]> {
  return (await sharedJavaHelper(options.version)).readTopic(options)
}

export async function createTopic(topic: NewTopic): Promise<void> {
  await (await sharedJavaHelper(topic.version)).createTopic(topic)
}

export async function deleteTopic(at: AtTopic): Promise<void> {
  await (await sharedJavaHelper(at.version)).deleteTopic(at)
}

export async function describeTopic(at: AtTopic): Promise<PartitionState[]> {
  return (await sharedJavaHelper(at.version)).describeTopic(at)
}

/** With Kafka's own producer; resolves when all records are acknowledged. */
export async function produce(at: AtTopic, records: readonly RecordToProduce[]): Promise<Written[]> {
  return (await sharedJavaHelper(at.version)).produce(at, records)
}
