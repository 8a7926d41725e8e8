import type { BrokerAddress } from '../connection/broker-address.ts'
import type { LeanMetadata } from '../protocol/metadata-decode.ts'
import type { metadata } from '../protocol/messages/metadata.ts'
import type { ResponseOf } from '../protocol/schema.ts'
import { SharedMap } from './shared-map.ts'
import { afterAnswer, NO_TOPIC_ID, type KnownTopic, type TopicMetadata } from './topic-metadata.ts'
import { UNKNOWN_TOPIC_OR_PARTITION } from '../protocol/error-numbers.ts'

export { NO_TOPIC_ID, type TopicMetadata } from './topic-metadata.ts'

/** A Metadata answer with everything that is in it; the picture is made of less (`LeanMetadata`). */
export type MetadataResponse = ResponseOf<typeof metadata>

/** What one Metadata answer said about one topic that we asked for. */
export interface TopicProblem {
  readonly errorCode: number
}

export interface LeaderHint {
  readonly topic: string
  readonly partition: number
  readonly leader: number
  readonly leaderEpoch: number
  readonly endpoint: BrokerAddress | null
}

/** A topic that was deleted and made anew by the same name. */
export interface RecreatedTopic {
  readonly topic: string
  readonly topicId: string
  readonly formerTopicId: string
}

interface Parts {
  readonly clusterId: string | null
  readonly brokers: ReadonlyMap<number, BrokerAddress>
  readonly topics: SharedMap<KnownTopic>
  readonly problems: SharedMap<TopicProblem>
  /** How many answers went into this picture. */
  readonly revision: number
}

const NOTHING: Parts = {
  clusterId: null,
  brokers: new Map(),
  topics: SharedMap.empty(),
  problems: SharedMap.empty(),
  revision: 0,
}

/** An immutable picture of the cluster. Every change gives a new one. */
export class Metadata {
  readonly #parts: Parts

  constructor(parts: Parts = NOTHING) {
    this.#parts = parts
  }

  get clusterId(): string | null {
    return this.#parts.clusterId
  }

  get brokers(): ReadonlyMap<number, BrokerAddress> {
    return this.#parts.brokers
  }

  topic(name: string): TopicMetadata | undefined {
    return this.#parts.topics.get(name)
  }

  /** `NO_TOPIC_ID`, if the topic is not known, or the brokers are too old for ids. */
  topicId(name: string): string {
    return this.#parts.topics.get(name)?.topicId ?? NO_TOPIC_ID
  }

  /** The error that the latest answer gave for a topic, if it gave one. */
  problem(name: string): TopicProblem | undefined {
    return this.#parts.problems.get(name)
  }

  get topicCount(): number {
    return this.#parts.topics.size
  }

  /** The leader of a partition: its node id, or -1. */
  leader(topic: string, partition: number): number {
    return this.#parts.topics.get(topic)?.leaders[partition] ?? -1
  }

  /**
   * The picture after an answer. Topics that the answer does not speak of stay; a topic that it calls unknown stays, too,
   * with its problem noted: topics vanish from metadata for a moment and come back (faults-and-security.md, S3).
   * What an answer says that is older than the picture is not believed (`afterAnswer`).
   *
   * @param isWanted topics that nobody asks about any more are passed over: nobody would keep them up to date.
   * @param onRecreated hears of topics that are not the ones that they were.
   * @param isUnreachable brokers that are, and that only a hint made leaders, lead no longer if the answer says so.
   */
  merge(
    answer: LeanMetadata,
    isWanted: (topic: string) => boolean,
    onRecreated?: (topic: RecreatedTopic) => void,
    isUnreachable: (nodeId: number) => boolean = () => false,
  ): Metadata {
    const topics = new Map<string, KnownTopic>()
    const problems = new Map<string, TopicProblem | null>()
    const keptLeaders = new Set<number>()
    const revision = this.#parts.revision + 1
    for (const told of answer.topics) {
      const { name, errorCode } = told
      if (name === null || !isWanted(name)) continue
      const known = this.#parts.topics.get(name)?.withoutHintsOf(isUnreachable)
      if (told.leaders.length > 0) {
        const wasGone = this.problem(name)?.errorCode === UNKNOWN_TOPIC_OR_PARTITION
        const news = afterAnswer(name, told, known, wasGone, revision)
        if (news === null) continue
        topics.set(name, news.topic)
        for (const leader of news.keptLeaders) keptLeaders.add(leader)
        if (news.isRecreated) {
          onRecreated?.({ topic: name, topicId: told.topicId, formerTopicId: known?.topicId ?? NO_TOPIC_ID })
        }
      }
      if (errorCode !== 0) problems.set(name, { errorCode })
      else if (this.problem(name) !== undefined) problems.set(name, null)
    }
    const brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    this.#keep(keptLeaders, brokers)
    return new Metadata({
      clusterId: answer.clusterId ?? this.clusterId,
      brokers,
      topics: this.#parts.topics.with(topics),
      problems: this.#parts.problems.with(problems),
      revision,
    })
  }

  /** The picture without what was said of topics that are no longer asked about. */
  without(topics: readonly string[]): Metadata {
    const removed = new Map(topics.map((topic) => [topic, null]))
    return this.#but({ topics: this.#parts.topics.with(removed), problems: this.#parts.problems.with(removed) })
  }

  /** The picture without the brokers: where they are must be asked anew. What is known of topics stays. */
  withoutBrokers(): Metadata {
    return this.#but({ brokers: new Map() })
  }

  /**
   * The picture after a broker refused a record and named the leader itself (KIP-951). Only a newer leader epoch is
   * believed, and only if the broker can be where it is said to be.
   */
  withLeader(hint: LeaderHint): Metadata {
    const { topic, partition, leader, leaderEpoch, endpoint } = hint
    const known = this.#parts.topics.get(topic)
    const knownEpoch = known?.leaderEpochs[partition]
    if (known === undefined || knownEpoch === undefined || leaderEpoch <= knownEpoch) return this
    if (endpoint !== null && !isPossible(endpoint)) return this
    let { brokers } = this
    if (endpoint !== null) brokers = new Map(brokers).set(leader, { host: endpoint.host, port: endpoint.port })
    if (!brokers.has(leader)) return this
    const changed = new Map([[topic, known.withHintedLeader(partition, leader, leaderEpoch)]])
    return this.#but({ brokers, topics: this.#parts.topics.with(changed) })
  }

  /** A leader that stays known in spite of an older answer keeps the address that this answer does not have. */
  #keep(leaders: ReadonlySet<number>, brokers: Map<number, BrokerAddress>): void {
    for (const leader of leaders) {
      const address = this.brokers.get(leader)
      if (address !== undefined && !brokers.has(leader)) brokers.set(leader, address)
    }
  }

  #but(change: Partial<Parts>): Metadata {
    return new Metadata({ ...this.#parts, ...change })
  }
}

function isPossible({ host, port }: BrokerAddress): boolean {
  return host !== '' && port >= 1 && port <= 65_535
}
