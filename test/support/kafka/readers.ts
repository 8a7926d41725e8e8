import {
  startJavaHelper,
  type AtTopic,
  type JavaHelper,
  type NewTopic,
  type PartitionState,
  type ReadOptions,
  type ReadRecord,
} from './java-helper.ts'

/**
 * What somebody else's software says about a cluster: Kafka's consumer, AdminClient and log dump tool.
 *
 * The functions here share one Java helper per process, started at the first call; it ends with the process.
 */
export { startJavaHelper } from './java-helper.ts'
export type * from './java-helper.ts'
export { dumpBatches, dumpLog, type LogAt, type StoredBatch } from './dump-log.ts'

let shared: Promise<JavaHelper> | undefined

/** The helper behind the functions of this file. */
export function sharedJavaHelper(): Promise<JavaHelper> {
  shared ??= startJavaHelper().catch((error: unknown) => {
    shared = undefined
    throw error
  })
  return shared
}

export async function readTopic(options: ReadOptions): Promise<ReadRecord[]> {
  return (await sharedJavaHelper()).readTopic(options)
}

export async function createTopic(topic: NewTopic): Promise<void> {
  await (await sharedJavaHelper()).createTopic(topic)
}

export async function deleteTopic(at: AtTopic): Promise<void> {
  await (await sharedJavaHelper()).deleteTopic(at)
}

export async function describeTopic(at: AtTopic): Promise<PartitionState[]> {
  return (await sharedJavaHelper()).describeTopic(at)
}
