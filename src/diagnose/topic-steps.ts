import { errorByCode, toBrokerError } from '../protocol/error-codes.ts'
import { LEADER_NOT_AVAILABLE, INVALID_TOPIC_EXCEPTION, UNKNOWN_TOPIC_OR_PARTITION } from '../protocol/error-numbers.ts'
import type { MetadataResponse } from '../protocol/messages/metadata.ts'
import { nearestNames } from '../nearest.ts'
import type { Arrival } from './approach.ts'
import { judgeAuthorization, TOPIC_AUTHORIZATION_FAILED } from './authorization.ts'
import { failed, failedBy, passed, type DiagnosisStep, type Found } from './diagnosis-step.ts'
import { askMetadata, canAskAboutOne, type MetadataAnswer } from './ask-metadata.ts'
import type { Visitor } from './visitor.ts'
import { argument, counted, listed, whatOf } from './words.ts'

type TopicAnswer = MetadataResponse['topics'][number]

const MAX_PARTITIONS_TOLD = 10

/** Is the topic there, and may we write to it? */
export async function* examineTopic(
  visitor: Visitor,
  arrival: Arrival,
  topic: string,
): AsyncGenerator<DiagnosisStep, void> {
  const { clock } = visitor
  const startMs = clock.now()
  const reply = await askMetadata(arrival, { topics: canAskAboutOne(arrival) ? [{ name: topic }] : null })
  const names = isMissing(reply, topic) ? await namesLike(topic, arrival) : []
  const found = { step: 'topic', ms: clock.now() - startMs }
  if ('error' in reply) {
    yield failedBy(found, reply.error, arrival.connection.address, '')
    return
  }
  const answer = topicIn(reply.answer, topic)
  // Who may not see a topic is not told whether it is there.
  if (answer?.errorCode !== TOPIC_AUTHORIZATION_FAILED) {
    const step = judgeTopic(answer, { topic, found, names, isCreated: visitor.options.allowAutoTopicCreation })
    yield step
    if (answer === undefined || answer.errorCode !== 0 || answer.isInternal) return
  }
  yield* judgeAuthorization(visitor, arrival, topic)
}

function topicIn({ topics }: MetadataResponse, topic: string): TopicAnswer | undefined {
  return topics.find(({ name }) => name === topic)
}

function isMissing(reply: MetadataAnswer, topic: string): boolean {
  if ('error' in reply) return false
  return (topicIn(reply.answer, topic)?.errorCode ?? UNKNOWN_TOPIC_OR_PARTITION) === UNKNOWN_TOPIC_OR_PARTITION
}

/** A hint: that it cannot be had is no failure. */
async function namesLike(topic: string, arrival: Arrival): Promise<string[]> {
  const reply = await askMetadata(arrival, { topics: null })
  if ('error' in reply) return []
  return nearestNames(
    topic,
    reply.answer.topics.flatMap(({ name }) => name ?? []),
    3,
  )
}

interface TopicContext {
  readonly topic: string
  readonly found: Found
  readonly names: readonly string[]
  readonly isCreated: boolean
}

function judgeTopic(answer: TopicAnswer | undefined, { topic, found, names, isCreated }: TopicContext): DiagnosisStep {
  const shown = JSON.stringify(topic)
  const errorCode = answer?.errorCode ?? UNKNOWN_TOPIC_OR_PARTITION
  if (answer === undefined || errorCode === UNKNOWN_TOPIC_OR_PARTITION) {
    return failed(found, errorByCode(UNKNOWN_TOPIC_OR_PARTITION).name, missingText(topic, names, isCreated))
  }
  if (errorCode !== 0) {
    const error = toBrokerError(errorCode, 'Metadata')
    return failed(found, error.code, `topic ${shown}: ${whatOf(error)}`)
  }
  if (answer.isInternal) {
    return failed(
      found,
      errorByCode(INVALID_TOPIC_EXCEPTION).name,
      `topic ${shown} is one of Kafka's own, to which no producer may write. Use another one.`,
    )
  }
  return judgePartitions(answer, `topic ${shown}`, found)
}

function missingText(topic: string, names: readonly string[], isCreated: boolean): string {
  const hint = names.length === 0 ? '' : `; did you mean ${names.map((name) => JSON.stringify(name)).join(' or ')}?`
  const what = `the cluster has no topic ${JSON.stringify(topic)}${hint}${hint === '' ? '.' : ''}`
  const creation = isCreated
    ? ' A producer asks for it to be created, which works only where the brokers have auto.create.topics.enable.'
    : ''
  return `${what} Check the spelling, or create it: kafka-topics.sh --create --topic ${argument(topic)} --partitions ...${creation}`
}

function judgePartitions({ partitions }: TopicAnswer, topic: string, found: Found): DiagnosisStep {
  const leaderless = partitions.filter(({ leaderId }) => leaderId < 0).map(({ partitionIndex }) => partitionIndex)
  const count = counted(partitions.length, 'partition')
  if (leaderless.length > 0) {
    const { name } = errorByCode(LEADER_NOT_AVAILABLE)
    const which = listed(
      leaderless.sort((a, b) => a - b),
      MAX_PARTITIONS_TOLD,
    )
    const advice =
      'Their brokers are down, or an election is under way: look which brokers are missing from the cluster.'
    return failed(
      found,
      name,
      `${topic}: ${leaderless.length} of ${count} have no leader now (${which}), and nothing can be written to them. ${advice}`,
    )
  }
  const behind = partitions.filter(({ isrNodes, replicaNodes }) => isrNodes.length < replicaNodes.length).length
  const replicas = behind === 0 ? '' : `; ${behind} of them with replicas that are not in sync`
  return passed(found, `${topic} has ${count}, each with a leader${replicas}`)
}
