import type { BrokerAddress } from '../connection/broker-address.ts'
import type { metadata } from '../protocol/messages/metadata.ts'
import type { ResponseOf } from '../protocol/schema.ts'

export type MetadataResponse = ResponseOf<typeof metadata>

/** Kafka's "no topic id" (brokers before 2.8 have none). */
export const NO_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** Partitions in index order as two flat arrays: a cluster of 100 000 partitions is 800 kB, not 45 MB of objects. */
export interface TopicMetadata {
  readonly topic: string
  readonly topicId: string
  /** Node id of each partition's leader, -1 where there is none. */
  readonly leaders: Int32Array
  /** -1 where the broker is too old to say. */
  readonly leaderEpochs: Int32Array
  /** Partitions that have a leader; all of them if none has. */
  readonly available: readonly number[]
  /** Which answer this is from; a later one has a higher number. */
  readonly revision: number
}

/** What one Metadata answer said about one topic that we asked for. */
export interface TopicProblem {
  readonly errorCode: number
  /** When we were told, by our clock. */
  readonly atMs: number
}

/** An immutable picture of the cluster. Every change gives a new one. */
export class Metadata {
  readonly clusterId: string | null
  readonly brokers: ReadonlyMap<number, BrokerAddress>
  readonly #topics: ReadonlyMap<string, TopicMetadata>
  readonly #problems: ReadonlyMap<string, TopicProblem>
  /** How many answers went into this picture. */
  readonly #revision: number

  constructor(parts?: {
    clusterId: string | null
    brokers: ReadonlyMap<number, BrokerAddress>
    topics: ReadonlyMap<string, TopicMetadata>
    problems: ReadonlyMap<string, TopicProblem>
    revision: number
  }) {
    this.clusterId = parts?.clusterId ?? null
    this.brokers = parts?.brokers ?? new Map()
    this.#topics = parts?.topics ?? new Map()
    this.#problems = parts?.problems ?? new Map()
    this.#revision = parts?.revision ?? 0
  }

  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }

  /** The error that the latest answer gave for a topic, if it gave one. */
  problem(name: string): TopicProblem | undefined {
    return this.#problems.get(name)
  }

  get topicCount(): number {
    return this.#topics.size
  }

  /** The leader of a partition: its node id, or -1. */
  leader(topic: string, partition: number): number {
    return this.#topics.get(topic)?.leaders[partition] ?? -1
  }

  /**
   * The picture after an answer. Topics that the answer does not speak of stay; a topic that it calls unknown stays, too,
   * with its problem noted: topics vanish from metadata for a moment and come back (faults-and-security.md, S3).
   * A leader that is older than the one we know of is not believed.
   *
   * @param isWanted topics that nobody asks about any more are passed over: nobody would keep them up to date.
   */
  merge(response: MetadataResponse, nowMs: number, isWanted: (topic: string) => boolean): Metadata {
    const topics = new Map(this.#topics)
    const problems = new Map(this.#problems)
    const revision = this.#revision + 1
    for (const answer of response.topics) {
      const { name } = answer
      if (name === null || !isWanted(name)) continue
      // Without topic ids, a topic that was gone and is back is another one: what we knew of its leaders is void.
      const wasGone = answer.topicId === NO_TOPIC_ID && isGone(problems.get(name))
      const known = wasGone ? undefined : topics.get(name)
      if (answer.partitions.length > 0) topics.set(name, topicMetadata(name, answer, known, revision))
      if (answer.errorCode === 0) problems.delete(name)
      else problems.set(name, { errorCode: answer.errorCode, atMs: nowMs })
    }
    const brokers = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    return new Metadata({ clusterId: response.clusterId, brokers, topics, problems, revision })
  }

  /** The picture without what was said of a topic that is no longer asked about. */
  without(topic: string): Metadata {
    const { clusterId, brokers } = this
    const topics = new Map(this.#topics)
    const problems = new Map(this.#problems)
    topics.delete(topic)
    problems.delete(topic)
    return new Metadata({ clusterId, brokers, topics, problems, revision: this.#revision })
  }

  /**
   * The picture after a broker refused a record and named the leader itself (KIP-951). Only a newer leader epoch is
   * believed.
   */
  withLeader(hint: LeaderHint): Metadata {
    const known = this.#topics.get(hint.topic)
    const knownEpoch = known?.leaderEpochs[hint.partition]
    if (known === undefined || knownEpoch === undefined || hint.leaderEpoch <= knownEpoch) return this
    const brokers = new Map(this.brokers)
    if (hint.endpoint !== null) brokers.set(hint.leader, hint.endpoint)
    if (!brokers.has(hint.leader)) return this
    const leaders = known.leaders.slice()
    const leaderEpochs = known.leaderEpochs.slice()
    leaders[hint.partition] = hint.leader
    leaderEpochs[hint.partition] = hint.leaderEpoch
    const topics = new Map(this.#topics)
    topics.set(hint.topic, { ...known, leaders, leaderEpochs, available: availableOf(leaders) })
    const { clusterId } = this
    return new Metadata({ clusterId, brokers, topics, problems: this.#problems, revision: this.#revision })
  }
}

export interface LeaderHint {
  readonly topic: string
  readonly partition: number
  readonly leader: number
  readonly leaderEpoch: number
  readonly endpoint: BrokerAddress | null
}

type TopicAnswer = MetadataResponse['topics'][number]

/** UNKNOWN_TOPIC_OR_PARTITION */
function isGone(problem: TopicProblem | undefined): boolean {
  return problem?.errorCode === 3
}

function topicMetadata(
  topic: string,
  answer: TopicAnswer,
  known: TopicMetadata | undefined,
  revision: number,
): TopicMetadata {
  const count = answer.partitions.length
  const leaders = new Int32Array(count).fill(-1)
  const leaderEpochs = new Int32Array(count).fill(-1)
  const isSameTopic = known?.topicId === answer.topicId
  for (const { partitionIndex, leaderId, leaderEpoch } of answer.partitions) {
    if (partitionIndex < 0 || partitionIndex >= count) continue // a gap: the partition counts as leaderless
    const knownEpoch = isSameTopic ? (known.leaderEpochs[partitionIndex] ?? -1) : -1
    const isOlder = leaderEpoch >= 0 && leaderEpoch < knownEpoch
    leaders[partitionIndex] = isOlder ? (known?.leaders[partitionIndex] ?? -1) : leaderId
    leaderEpochs[partitionIndex] = isOlder ? knownEpoch : leaderEpoch
  }
  return { topic, topicId: answer.topicId, leaders, leaderEpochs, available: availableOf(leaders), revision }
}

function availableOf(leaders: Int32Array): readonly number[] {
  const withLeader: number[] = []
  leaders.forEach((leader, partition) => {
    if (leader >= 0) withLeader.push(partition)
  })
  return withLeader.length > 0 ? withLeader : Array.from(leaders.keys())
}
