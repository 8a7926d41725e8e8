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

/** One Produce request: which batches it carries, and how its answer is matched back to them. */
export class ProduceExchange {
  /** Topic name, or id from v13 on: both lead to the partitions that were sent, whatever metadata says by now. */
  readonly #batches = new Map<string, Map<number, Batch>>()
  readonly #topicIds = new Map<string, string>()
  /** The batches, each with the queue it came from. */
  readonly queues = new Map<Batch, PartitionQueue>()
  #sizeBytes = 0

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** One request has one version, and so batches of one format; and it is no larger than it may be. */
  hasRoomFor(batch: Batch, maxBytes: number): boolean {
    const [first] = this.queues.keys()
    return first?.format?.magic === batch.format?.magic && this.#sizeBytes + batch.sizeBytes <= maxBytes
  }

  /** Batches that came to their end after they were loaded (a subscriber of a channel closed the producer). */
  takeSettled(): [Batch, PartitionQueue][] {
    const settled = [...this.queues].filter(([batch]) => batch.state === 'settled')
    for (const [batch] of settled) {
      this.queues.delete(batch)
      this.#batches.get(batch.topic)?.delete(batch.partition)
    }
    return settled
  }

  add(batch: Batch, queue: PartitionQueue, metadata: Metadata): void {
    const { topic, partition } = batch
    const partitions = this.#batches.get(topic) ?? new Map<number, Batch>()
    partitions.set(partition, batch)
    this.#batches.set(topic, partitions)
    this.#topicIds.set(topic, metadata.topic(topic)?.topicId ?? NO_TOPIC_ID)
    this.queues.set(batch, queue)
    this.#sizeBytes += batch.sizeBytes
  }

  /** The id under which the broker took the topic; null: in this version topics have names. */
  topicIdIn(version: number, topic: string): string | null {
    return version > LAST_VERSION_WITH_NAMES ? (this.#topicIds.get(topic) ?? null) : null
  }

  /** The versions that can carry it: batches are written in one format, and ids of topics may be missing. */
  get versions(): VersionLimits {
    let minVersion = 0
    let maxVersion = [...this.#topicIds.values()].includes(NO_TOPIC_ID) ? LAST_VERSION_WITH_NAMES : Infinity
    for (const { format } of this.queues.keys()) {
      if (format === null) continue
      const limits = versionsFor(format)
      minVersion = Math.max(minVersion, limits.minVersion)
      maxVersion = Math.min(maxVersion, limits.maxVersion ?? Infinity)
    }
    return maxVersion === Infinity ? { minVersion } : { minVersion, maxVersion }
  }

  /** The request; marks every batch as in flight. */
  request(acks: -1 | 0 | 1, timeoutMs: number): RequestInput<typeof produce> {
    const topicData = [...this.#batches].map(([name, partitions]) => ({
      name,
      topicId: this.#topicIds.get(name) ?? NO_TOPIC_ID,
      partitionData: [...partitions].map(([index, batch]) => ({ index, records: batch.send() })),
    }))
    return { transactionalId: null, acks, timeoutMs, topicData }
  }

  /**
   * Pairs every batch with what the broker said of it; `null` where it said nothing. Partitions that were not sent, and
   * second answers for the same one, are ignored.
   */
  match(response: ProduceResponse, version: number): Map<Batch, PartitionAnswer | null> {
    const answers = new Map<Batch, PartitionAnswer | null>([...this.queues.keys()].map((batch) => [batch, null]))
    const names = new Map([...this.#topicIds].map(([name, id]) => [id, name]))
    for (const topic of response.responses) {
      const name = version > LAST_VERSION_WITH_NAMES ? names.get(topic.topicId) : topic.name
      const partitions = name === undefined ? undefined : this.#batches.get(name)
      for (const answer of topic.partitionResponses) {
        const batch = partitions?.get(answer.index)
        if (batch !== undefined && answers.get(batch) === null) answers.set(batch, answer)
      }
    }
    return answers
  }
}
