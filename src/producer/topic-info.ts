import { NO_TOPIC_ID, type MetadataResponse } from '../cluster/metadata.ts'
import { OptionError, ProtocolError } from '../errors.ts'
import { show } from '../options.ts'
import { toBrokerError } from '../protocol/error-codes.ts'
import type { metadata } from '../protocol/messages/metadata.ts'
import type { RequestInput } from '../protocol/schema.ts'
import { UNKNOWN_TOPIC_OR_PARTITION } from '../protocol/error-numbers.ts'

export interface TopicInfo {
  readonly name: string
  readonly partitions: number
  /** One of Kafka's own, such as `__consumer_offsets`. */
  readonly isInternal: boolean
}

export interface PartitionInfo {
  readonly partition: number
  /** Node id, -1: none now. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export type AskMetadata = (question: RequestInput<typeof metadata>) => Promise<MetadataResponse>

export async function listTopics(ask: AskMetadata): Promise<TopicInfo[]> {
  const { topics } = await ask({ topics: null, allowAutoTopicCreation: true }) // of all topics none is created, and old brokers know no other value
  return topics
    .filter(({ name, errorCode }) => name !== null && errorCode === 0)
    .map(({ name, partitions, isInternal }) => ({ name: name ?? '', partitions: partitions.length, isInternal }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

export async function listPartitions(ask: AskMetadata, topic: string): Promise<PartitionInfo[]> {
  const given: unknown = topic
  if (typeof given !== 'string' || given === '') {
    const what = `topic: got ${show(given)}, expected a string that is not empty`
    throw new OptionError('INVALID_ARGUMENT', `partitionsFor: INVALID_ARGUMENT: ${what}`)
  }
  const { topics } = await askWithoutCreating(ask, topic)
  const answer = topics.find(({ name }) => name === topic)
  const errorCode = answer?.errorCode ?? UNKNOWN_TOPIC_OR_PARTITION
  if (errorCode !== 0) throw toBrokerError(errorCode, `partitionsFor: topic ${JSON.stringify(topic)}`, { topic })
  return (answer?.partitions ?? [])
    .map(({ partitionIndex, leaderId, replicaNodes, isrNodes, offlineReplicas }) => ({
      partition: partitionIndex,
      leader: leaderId,
      replicas: replicaNodes,
      inSyncReplicas: isrNodes,
      offlineReplicas,
    }))
    .sort((a, b) => a.partition - b.partition)
}

/** Brokers before 0.11 create every topic they are asked about by name: those are asked about all. */
async function askWithoutCreating(ask: AskMetadata, topic: string): Promise<MetadataResponse> {
  try {
    return await ask({ topics: [{ name: topic, topicId: NO_TOPIC_ID }], allowAutoTopicCreation: false })
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== 'NOT_REPRESENTABLE') throw error
    return await ask({ topics: null, allowAutoTopicCreation: true })
  }
}
