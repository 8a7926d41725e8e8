import { asBuffer } from '../bytes/as-buffer.ts'
import { ProtocolError } from '../errors.ts'
import { errorByCode } from '../protocol/error-codes.ts'
import { produce } from '../protocol/messages/produce.ts'
import type { Infer, Input } from '../protocol/schema.ts'
import { apiHandler, type HandlerContext } from './api-handler.ts'
import { checkBatch, type BatchRefusal } from './check-batch.ts'
import { checkMessageSet } from './check-message-set.ts'
import type { ClusterState, Partition, Topic } from './cluster-state.ts'
import { LeaderHints } from './leader-hints.ts'
import {
  INVALID_REQUIRED_ACKS,
  NOT_ENOUGH_REPLICAS,
  NOT_LEADER_OR_FOLLOWER,
  UNKNOWN_TOPIC_ID,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../protocol/error-numbers.ts'

type Request = Infer<typeof produce.request>
type PartitionData = Request['topicData'][number]['partitionData'][number]
type Response = Input<typeof produce.response>
type PartitionAnswer = Response['responses'][number]['partitionResponses'][number]

/** Before, there are message sets. */
const FIRST_VERSION_WITH_RECORD_BATCHES = 3
const FIRST_VERSION_WITH_LEADER_HINTS = 10
const FIRST_VERSION_WITH_IDS = 13

const NO_BYTES = Buffer.alloc(0)

/** Where records lie, and the time that the answer gives them; null: that of the producer. */
interface Written {
  readonly baseOffset: bigint
  readonly logAppendTimeMs: bigint | null
}

export const handleProduce = apiHandler(produce, {
  mentions: ({ topicData }, { state, version }) =>
    topicData.flatMap((topic) => {
      const name = find(topic, state, version)?.name ?? topic.name
      return topic.partitionData.map(({ index }) => ({ topic: name, partition: index }))
    }),
  handle(request, context) {
    const { version } = context
    checkRequest(request, version)
    const hints = new LeaderHints(context.state)
    const responses = request.topicData.map((data) => {
      const topic = find(data, context.state, version)
      const write = new TopicWrite(data.name, topic, request.acks, context, hints)
      return {
        ...(version >= FIRST_VERSION_WITH_IDS ? { topicId: data.topicId } : { name: data.name }),
        partitionResponses: data.partitionData.map((partition) => write.partition(partition)),
      }
    })
    if (request.acks === 0) {
      // Nobody waits for an answer, so Kafka says that something went wrong by hanging up.
      return responses.every((topic) => topic.partitionResponses.every(({ errorCode }) => errorCode === 0))
        ? 'none'
        : 'close'
    }
    return { responses, ...(version >= FIRST_VERSION_WITH_LEADER_HINTS ? { nodeEndpoints: hints.endpoints } : {}) }
  },
})

/** @throws {ProtocolError} a topic or partition comes twice: what would the answer be about? */
function checkRequest({ topicData }: Request, version: number): void {
  const seen = new Set<string>()
  for (const { name, topicId, partitionData } of topicData) {
    for (const { index } of partitionData) seen.add(`${version >= FIRST_VERSION_WITH_IDS ? topicId : name} ${index}`)
  }
  const count = topicData.reduce((sum, { partitionData }) => sum + partitionData.length, 0)
  if (seen.size === count) return
  throw new ProtocolError('INVALID_VALUE', `TestCluster: INVALID_VALUE: Produce v${version} names a partition twice`)
}

function find(data: { name: string; topicId: string }, state: ClusterState, version: number): Topic | undefined {
  return version >= FIRST_VERSION_WITH_IDS ? state.topicById(data.topicId) : state.topic(data.name)
}

/** What one request writes to one topic. */
class TopicWrite {
  readonly #name: string
  readonly #topic: Topic | undefined
  readonly #acks: number
  readonly #context: HandlerContext
  readonly #hints: LeaderHints

  constructor(name: string, topic: Topic | undefined, acks: number, context: HandlerContext, hints: LeaderHints) {
    this.#name = topic?.name ?? name
    this.#topic = topic
    this.#acks = acks
    this.#context = context
    this.#hints = hints
  }

  partition({ index, records }: PartitionData): PartitionAnswer {
    const { faults, nodeId, version, violation, state } = this.#context
    const injected = faults.errorCodeFor(this.#name, index)
    if (injected !== 0 && !faults.isWritten(this.#name, index)) return this.#refusal(index, injected)
    if (![-1, 0, 1].includes(this.#acks)) {
      violation(`acks ${this.#acks}`)
      return this.#refusal(index, INVALID_REQUIRED_ACKS)
    }
    const partition = this.#topic?.partitions[index]
    if (this.#topic === undefined || partition === undefined) {
      const isUnknownId = this.#topic === undefined && version >= FIRST_VERSION_WITH_IDS
      return this.#refusal(index, isUnknownId ? UNKNOWN_TOPIC_ID : UNKNOWN_TOPIC_OR_PARTITION)
    }
    if (partition.leader !== nodeId) return this.#refusal(index, NOT_LEADER_OR_FOLLOWER)
    if (this.#acks === -1 && state.inSyncReplicas(partition).length < state.options.minInsyncReplicas) {
      return this.#refusal(index, NOT_ENOUGH_REPLICAS)
    }
    if (!faults.isWritten(this.#name, index))
      return { index, errorCode: 0, baseOffset: BigInt(partition.log.endOffset) }
    const answer = this.#append(this.#topic, partition, records)
    return injected === 0 ? answer : this.#refusal(index, injected)
  }

  #append(topic: Topic, partition: Partition, records: Uint8Array | null): PartitionAnswer {
    const { nowMs, version } = this.#context
    const bytes = records === null ? null : asBuffer(records)
    const timeMs = topic.hasLogAppendTime ? nowMs : null
    const written =
      version < FIRST_VERSION_WITH_RECORD_BATCHES
        ? this.#appendMessageSet(topic, partition, bytes, timeMs)
        : this.#appendBatch(topic, partition, bytes, timeMs)
    if ('errorCode' in written) return this.#refused(partition.index, written)
    const { baseOffset, logAppendTimeMs } = written
    const time = logAppendTimeMs === null ? {} : { logAppendTimeMs }
    const { index, log } = partition
    return { index, errorCode: 0, baseOffset, logStartOffset: BigInt(log.startOffset), ...time }
  }

  #appendBatch(
    topic: Topic,
    partition: Partition,
    batch: Buffer | null,
    timeMs: number | null,
  ): Written | BatchRefusal {
    const { version, violation } = this.#context
    const checked = checkBatch(batch, version, topic.maxMessageBytes)
    if ('refusal' in checked) return checked.refusal
    const { header, maxTimestamp } = checked
    if (maxTimestamp !== header.maxTimestamp) {
      const what = `maxTimestamp ${header.maxTimestamp}, the records have ${maxTimestamp}`
      violation(`${topic.name}-${partition.index}: ${what}`)
    }
    const verdict = partition.log.judge(header)
    if (verdict.kind === 'refuse') return { ...verdict, isViolation: false }
    if (verdict.kind === 'duplicate') {
      const { baseOffset, maxTimestamp: logAppendTimeMs } = verdict.batch
      return { baseOffset: BigInt(baseOffset), logAppendTimeMs }
    }
    const baseOffset = partition.log.append(batch ?? NO_BYTES, header, partition.leaderEpoch, timeMs)
    return { baseOffset, logAppendTimeMs: timeMs === null ? null : BigInt(timeMs) }
  }

  #appendMessageSet(
    topic: Topic,
    { log }: Partition,
    bytes: Buffer | null,
    timeMs: number | null,
  ): Written | BatchRefusal {
    const checked = checkMessageSet(bytes, this.#context.version, topic.maxMessageBytes)
    if ('refusal' in checked) return checked.refusal
    const baseOffset = log.appendMessageSet(bytes ?? NO_BYTES, checked.messages.length, timeMs)
    return { baseOffset, logAppendTimeMs: timeMs === null ? null : BigInt(timeMs) }
  }

  #refused(index: number, { errorCode, message, batchIndex, isViolation }: BatchRefusal): PartitionAnswer {
    if (isViolation) this.#context.violation(`${this.#name}-${index}: ${message}`)
    const recordErrors = batchIndex === undefined ? [] : [{ batchIndex, batchIndexErrorMessage: message }]
    return { ...this.#refusal(index, errorCode), recordErrors, errorMessage: message }
  }

  #refusal(index: number, errorCode: number): PartitionAnswer {
    const { faults, version } = this.#context
    const errorMessage = faults.effectFor('errorMessage', this.#name, index) ?? errorByCode(errorCode).text
    const recordErrors = (faults.effectFor('recordErrors', this.#name, index) ?? []).map(({ batchIndex, message }) => ({
      ...{ batchIndex, batchIndexErrorMessage: message ?? null },
    }))
    const partition = this.#topic?.partitions[index]
    const hasHint =
      errorCode === NOT_LEADER_OR_FOLLOWER && partition !== undefined && version >= FIRST_VERSION_WITH_LEADER_HINTS
    const hint = hasHint ? { currentLeader: this.#hints.add(partition) } : {}
    return { index, errorCode, baseOffset: -1n, errorMessage, recordErrors, ...hint }
  }
}
