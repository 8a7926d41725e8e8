import type { LeanTopic } from '../protocol/metadata-decode.ts'
import { ZERO_UUID } from '../protocol/schema.ts'

/** Kafka's "no topic id" (brokers before 2.8 have none). */
export const NO_TOPIC_ID = ZERO_UUID

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

const NONE_HINTED: ReadonlyMap<number, number> = new Map()

/** One topic of a picture; does not change. */
export class KnownTopic implements TopicMetadata {
  readonly topic: string
  readonly topicId: string
  readonly leaders: Int32Array
  readonly leaderEpochs: Int32Array
  readonly revision: number
  /** The id that the topic had before it was made anew: an answer that still has it is old. */
  readonly formerTopicId: string
  /** Partitions whose leader only a hint has named, and the leader epoch that Metadata told before. */
  readonly #toldEpochs: ReadonlyMap<number, number>
  #available: readonly number[] | null = null

  constructor(parts: Omit<TopicMetadata, 'available'> & { formerTopicId?: string }, toldEpochs = NONE_HINTED) {
    this.topic = parts.topic
    this.topicId = parts.topicId
    this.leaders = parts.leaders
    this.leaderEpochs = parts.leaderEpochs
    this.revision = parts.revision
    this.formerTopicId = parts.formerTopicId ?? NO_TOPIC_ID
    this.#toldEpochs = toldEpochs
  }

  /** Made when somebody asks: most topics of a large cluster are never written to. */
  get available(): readonly number[] {
    return (this.#available ??= availableOf(this.leaders))
  }

  /** With another leader of one partition, which no Metadata has told of. */
  withHintedLeader(partition: number, leader: number, leaderEpoch: number): KnownTopic {
    const leaders = this.leaders.slice()
    const leaderEpochs = this.leaderEpochs.slice()
    const toldEpoch = this.#toldEpochs.get(partition) ?? leaderEpochs[partition] ?? -1
    leaders[partition] = leader
    leaderEpochs[partition] = leaderEpoch
    const toldEpochs = new Map(this.#toldEpochs).set(partition, toldEpoch)
    return new KnownTopic({ ...partsOf(this), leaders, leaderEpochs }, toldEpochs)
  }

  /**
   * With the epochs that Metadata told, where a hint named a leader that cannot be reached: an epoch that some broker made
   * up would stand against every answer for ever.
   */
  withoutHintsOf(isUnreachable: (leader: number) => boolean): KnownTopic {
    if (this.#toldEpochs.size === 0) return this
    const toldEpochs = new Map(this.#toldEpochs)
    const leaderEpochs = this.leaderEpochs.slice()
    for (const [partition, toldEpoch] of this.#toldEpochs) {
      if (!isUnreachable(this.leaders[partition] ?? -1)) continue
      leaderEpochs[partition] = toldEpoch
      toldEpochs.delete(partition)
    }
    return new KnownTopic({ ...partsOf(this), leaderEpochs }, toldEpochs)
  }

  /** With what an answer to Metadata made of it. @param told the answer's own epochs: hints that are older are confirmed. */
  afterTold(parts: Omit<PartsOfTopic, 'topic' | 'formerTopicId'>, told: Int32Array): KnownTopic {
    let toldEpochs = this.#toldEpochs
    if (toldEpochs.size > 0) {
      const isOpen = (partition: number): boolean => (told[partition] ?? -1) < (this.leaderEpochs[partition] ?? -1)
      toldEpochs = new Map([...toldEpochs].filter(([partition]) => isOpen(partition)))
    }
    return new KnownTopic({ ...partsOf(this), ...parts }, toldEpochs)
  }
}

/** What an answer makes of a topic. */
export interface TopicNews {
  readonly topic: KnownTopic
  /** It is another topic of the same name. */
  readonly isRecreated: boolean
  /** Leaders that were kept because the answer has older ones: their addresses must be kept as well. */
  readonly keptLeaders: ReadonlySet<number>
}

/**
 * A topic as it is after an answer. Brokers may lag behind one another: a leader that is older than the one we know of
 * is not believed, and neither is a smaller number of partitions, which the same topic can never have.
 *
 * @param wasGone the latest answer said that there is no such topic: without ids, one that is back is another one.
 * @returns null if the answer is about the topic that was there before this one.
 */
export function afterAnswer(
  name: string,
  answer: LeanTopic,
  known: KnownTopic | undefined,
  wasGone: boolean,
  revision: number,
): TopicNews | null {
  const { topicId } = answer
  if (known === undefined) return newTopic({ topic: name, ...arraysOf(answer), topicId, revision }, false)
  if (topicId !== NO_TOPIC_ID && topicId === known.formerTopicId) return null
  const areIdsKnown = topicId !== NO_TOPIC_ID && known.topicId !== NO_TOPIC_ID
  if (areIdsKnown ? topicId !== known.topicId : wasGone && topicId === NO_TOPIC_ID) {
    return newTopic({ topic: name, ...arraysOf(answer), topicId, revision, formerTopicId: known.topicId }, true)
  }
  return sameTopic(answer, known, areIdsKnown, revision)
}

function newTopic(parts: ConstructorParameters<typeof KnownTopic>[0], isRecreated: boolean): TopicNews {
  return { topic: new KnownTopic(parts), isRecreated, keptLeaders: NONE }
}

const NONE: ReadonlySet<number> = new Set()

function sameTopic(answer: LeanTopic, known: KnownTopic, areIdsKnown: boolean, revision: number): TopicNews {
  const keptLeaders = new Set<number>()
  let { leaders, leaderEpochs } = answer
  const isShorter = leaders.length < known.leaders.length
  const mayShrink = !areIdsKnown && !hasOlderEpoch(answer, known)
  if (isShorter && !mayShrink) {
    leaders = known.leaders.slice()
    leaders.set(answer.leaders)
    leaderEpochs = known.leaderEpochs.slice()
    leaderEpochs.set(answer.leaderEpochs)
    for (const leader of known.leaders.subarray(answer.leaders.length)) keptLeaders.add(leader)
  }
  const count = Math.min(answer.leaders.length, known.leaders.length)
  for (let i = 0; i < count; i++) {
    const epoch = leaderEpochs[i] ?? -1
    const knownEpoch = known.leaderEpochs[i] ?? -1
    if (epoch >= knownEpoch) continue
    // The answer's arrays are its own; they are changed in a copy.
    if (leaders === answer.leaders) [leaders, leaderEpochs] = [leaders.slice(), leaderEpochs.slice()]
    leaderEpochs[i] = knownEpoch
    if (epoch < 0) continue // a broker that knows nothing of epochs is believed
    const leader = known.leaders[i] ?? -1
    leaders[i] = leader
    keptLeaders.add(leader)
  }
  const topicId = answer.topicId === NO_TOPIC_ID ? known.topicId : answer.topicId
  const topic = known.afterTold({ topicId, leaders, leaderEpochs, revision }, answer.leaderEpochs)
  return { topic, isRecreated: false, keptLeaders }
}

function hasOlderEpoch(answer: LeanTopic, known: KnownTopic): boolean {
  return answer.leaderEpochs.some((epoch, i) => epoch >= 0 && epoch < (known.leaderEpochs[i] ?? -1))
}

function arraysOf({ leaders, leaderEpochs }: LeanTopic): Pick<LeanTopic, 'leaders' | 'leaderEpochs'> {
  return { leaders, leaderEpochs }
}

function partsOf({ topic, topicId, leaders, leaderEpochs, revision, formerTopicId }: KnownTopic): PartsOfTopic {
  return { topic, topicId, leaders, leaderEpochs, revision, formerTopicId }
}

type PartsOfTopic = ConstructorParameters<typeof KnownTopic>[0]

function availableOf(leaders: Int32Array): readonly number[] {
  const withLeader: number[] = []
  leaders.forEach((leader, partition) => {
    if (leader >= 0) withLeader.push(partition)
  })
  return withLeader.length > 0 ? withLeader : Array.from(leaders.keys())
}
