import { ProtocolError } from '../errors.ts'
import { metadata } from '../protocol/messages/metadata.ts'
import { ZERO_UUID, type Infer, type Input } from '../protocol/schema.ts'
import { apiHandler, type HandlerContext } from './api-handler.ts'
import type { ClusterState, Partition, Topic } from './cluster-state.ts'
import type { Mention } from './faults.ts'
import { isTopicName } from './options.ts'
import {
  INVALID_TOPIC_EXCEPTION,
  LEADER_NOT_AVAILABLE,
  UNKNOWN_TOPIC_ID,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../protocol/error-numbers.ts'

type Request = Infer<typeof metadata.request>
type TopicAnswer = Input<typeof metadata.response>['topics'][number]

const FIRST_VERSION_WITH_IDS = 12

export const handleMetadata = apiHandler(metadata, {
  mentions: ({ topics }, { state, version }): readonly Mention[] => {
    const asked = isForAll(topics, version) ? state.topics : (topics ?? []).map((topic) => nameOf(topic, state))
    return asked.map((topic) => ({ topic: topic.name ?? '', partition: null }))
  },
  handle(request, context) {
    const { state, version, faults, nodeId } = context
    const isAll = isForAll(request.topics, version)
    const topics = isAll
      ? state.topics.map((topic) => describe(topic, context))
      : (request.topics ?? []).map((topic) => answerFor(topic, request.allowAutoTopicCreation, context))
    return {
      brokers: state.liveBrokers.map(({ nodeId: id, host, port }) => ({ nodeId: id, host, port })),
      clusterId: state.options.clusterId,
      controllerId: state.liveBrokers[0]?.nodeId ?? nodeId,
      topics,
      errorCode: faults.errorCode,
    }
  },
})

/** v0 has no null and says so with an empty list. */
function isForAll(topics: Request['topics'], version: number): boolean {
  return topics === null || (version === 0 && topics.length === 0)
}

function nameOf(
  { name, topicId }: { name: string | null; topicId: string },
  state: ClusterState,
): { name: string | null } {
  return { name: name ?? state.topicById(topicId)?.name ?? null }
}

function answerFor(
  { name, topicId }: { name: string | null; topicId: string },
  isCreationAllowed: boolean,
  context: HandlerContext,
): TopicAnswer {
  const { state, version } = context
  if (name === null) {
    if (version < FIRST_VERSION_WITH_IDS) throw notTheProtocol(`Metadata v${version} asks for a topic without a name`)
    const topic = state.topicById(topicId)
    return topic === undefined ? missing(null, topicId, UNKNOWN_TOPIC_ID) : describe(topic, context)
  }
  if (!isTopicName(name)) return missing(name, ZERO_UUID, INVALID_TOPIC_EXCEPTION)
  const { autoCreateTopics, defaultPartitions } = state.options
  const isCreated = isCreationAllowed && autoCreateTopics && context.faults.errorCodeFor(name, null) === 0
  const topic =
    state.topic(name) ?? (isCreated ? state.createTopic(name, { partitions: defaultPartitions }) : undefined)
  if (topic !== undefined) return describe(topic, context)
  return missing(name, ZERO_UUID, context.faults.errorCodeFor(name, null) || UNKNOWN_TOPIC_OR_PARTITION)
}

function describe(topic: Topic, { state, faults }: HandlerContext): TopicAnswer {
  const errorCode = faults.errorCodeFor(topic.name, null)
  if (errorCode !== 0) return missing(topic.name, topic.id, errorCode)
  const partitions = topic.partitions.map((partition) => describePartition(partition, state))
  return { errorCode: 0, name: topic.name, topicId: topic.id, partitions }
}

function describePartition(partition: Partition, state: ClusterState): TopicAnswer['partitions'][number] {
  const { index, leader, leaderEpoch, replicas } = partition
  const isr = state.inSyncReplicas(partition)
  return {
    errorCode: leader < 0 ? LEADER_NOT_AVAILABLE : 0,
    partitionIndex: index,
    leaderId: leader,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: isr,
    offlineReplicas: replicas.filter((id) => !isr.includes(id)),
  }
}

function missing(name: string | null, topicId: string, errorCode: number): TopicAnswer {
  return { errorCode, name, topicId, partitions: [] }
}

function notTheProtocol(what: string): ProtocolError {
  return new ProtocolError('INVALID_VALUE', `TestCluster: INVALID_VALUE: ${what}`)
}
