import { NO_TOPIC_ID, type Metadata } from '../cluster/metadata.ts'
import type { produce } from '../protocol/messages/produce.ts'
import type { VersionLimits } from '../protocol/negotiate.ts'
import type { RequestInput, ResponseOf } from '../protocol/schema.ts'
import type { Batch } from './batch.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { versionsFor } from './payload.ts'

/** v13 names topics by id; a broker that is too old to give ids must be asked in an older version. */
const LAST_VERSION_WITH_NAMES = 12

export type ProduceResponse = ResponseOf<typeof produce>
export type PartitionAnswer = ProduceResponse['responses'][number]['partitionResponses'][number]

/** A batch of the request, the queue it came from, and what the broker said of it; null: nothing, so far. */
export interface SentBatch {
  readonly batch: Batch
  readonly queue: PartitionQueue
  answer: PartitionAnswer | null
}

/** What of the request is for one topic, whatever metadata says by now. */
interface TopicPart {
  readonly name: string
  readonly topicId: string
  readonly sent: SentBatch[]
  /** By partition, once it was needed. */
  index: Map<number, SentBatch> | null
}

/** One Produce request: which batches it carries, and how its answer is matched back to them. */
export class ProduceExchange {
  #sent: SentBatch[] = []
  readonly #parts: TopicPart[] = []
  /** By name; null: there is one topic at most, as in most requests. */
  #byName: Map<string, TopicPart> | null = null
  /** Once it was needed. */
  #byId: Map<string, TopicPart> | null = null
  #sizeBytes = 0

  /** The batches, in the order in which they were added. */
  get sent(): readonly SentBatch[] {
    return this.#sent
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** One request has one version, and so batches of one format; and it is no larger than it may be. */
  hasRoomFor(batch: Batch, maxBytes: number): boolean {
    const [first] = this.#sent
    return first?.batch.format?.magic === batch.format?.magic && this.#sizeBytes + batch.sizeBytes <= maxBytes
  }

  /** Batches that came to their end after they were loaded (a subscriber of a channel closed the producer). */
  takeSettled(): readonly SentBatch[] {
    const isSettled = ({ batch }: SentBatch): boolean => batch.state === 'settled'
    if (!this.#sent.some(isSettled)) return []
    const settled = this.#sent.filter(isSettled)
    this.#sent = this.#sent.filter((sent) => !isSettled(sent))
    for (const { sent } of this.#parts) sent.splice(0, sent.length, ...sent.filter((each) => !isSettled(each)))
    return settled
  }

  add(batch: Batch, queue: PartitionQueue, metadata: Metadata): void {
    const sent = { batch, queue, answer: null }
    this.#sent.push(sent)
    this.#partOf(batch.topic, metadata).sent.push(sent)
    this.#sizeBytes += batch.sizeBytes
  }

  /** The id under which the broker took the topic; null: in this version topics have names. */
  topicIdIn(version: number, topic: string): string | null {
    return version > LAST_VERSION_WITH_NAMES ? (this.#known(topic)?.topicId ?? null) : null
  }

  /** The versions that can carry it: batches are written in one format, and ids of topics may be missing. */
  get versions(): VersionLimits {
    let minVersion = 0
    let maxVersion = this.#parts.some(({ topicId }) => topicId === NO_TOPIC_ID) ? LAST_VERSION_WITH_NAMES : Infinity
    for (const { batch } of this.#sent) {
      if (batch.format === null) continue
      const limits = versionsFor(batch.format)
      minVersion = Math.max(minVersion, limits.minVersion)
      maxVersion = Math.min(maxVersion, limits.maxVersion ?? Infinity)
    }
    return maxVersion === Infinity ? { minVersion } : { minVersion, maxVersion }
  }

  /** The request; marks every batch as in flight. */
  request(acks: -1 | 0 | 1, timeoutMs: number): RequestInput<typeof produce> {
    const topicData = this.#parts.map(({ name, topicId, sent }) => ({
      name,
      topicId,
      partitionData: sent.map(({ batch }) => ({ index: batch.partition, records: batch.send() })),
    }))
    return { transactionalId: null, acks, timeoutMs, topicData }
  }

  /**
   * Pairs every batch with what the broker said of it. Partitions that were not sent, and second answers for the same one,
   * are ignored. Brokers mostly answer in the order of the request, so that nothing has to be looked up.
   */
  match({ responses }: ProduceResponse, version: number): void {
    const hasIds = version > LAST_VERSION_WITH_NAMES
    responses.forEach(({ name, topicId, partitionResponses }, i) => {
      const guess = this.#parts[i]
      const isIt = hasIds ? guess?.topicId === topicId : guess?.name === name
      const part = isIt ? guess : hasIds ? this.#withId(topicId) : this.#known(name)
      if (part !== undefined) matchPart(part, partitionResponses)
    })
  }

  #partOf(topic: string, metadata: Metadata): TopicPart {
    const known = this.#known(topic)
    if (known !== undefined) return known
    const part = { name: topic, topicId: metadata.topic(topic)?.topicId ?? NO_TOPIC_ID, sent: [], index: null }
    this.#parts.push(part)
    if (this.#parts.length > 1) {
      this.#byName ??= new Map(this.#parts.map((each) => [each.name, each]))
      this.#byName.set(topic, part)
    }
    return part
  }

  #withId(topicId: string): TopicPart | undefined {
    this.#byId ??= new Map(this.#parts.map((part) => [part.topicId, part]))
    return this.#byId.get(topicId)
  }

  #known(topic: string): TopicPart | undefined {
    if (this.#byName !== null) return this.#byName.get(topic)
    const [only] = this.#parts
    return only?.name === topic ? only : undefined
  }
}

function matchPart(part: TopicPart, answers: readonly PartitionAnswer[]): void {
  answers.forEach((answer, i) => {
    const guess = part.sent[i]
    const found = guess?.batch.partition === answer.index ? guess : indexOf(part).get(answer.index)
    if (found !== undefined) found.answer ??= answer
  })
}

function indexOf(part: TopicPart): ReadonlyMap<number, SentBatch> {
  return (part.index ??= new Map(part.sent.map((sent) => [sent.batch.partition, sent])))
}
