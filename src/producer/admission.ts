import { Alarm } from '../alarm.ts'
import type { Clock } from '../clock.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Metadata, TopicMetadata } from '../cluster/metadata.ts'
import { DeliveryError, type KafkaError } from '../errors.ts'
import { nearestNames } from '../nearest.ts'
import { errorByCode, toBrokerError } from '../protocol/error-codes.ts'
import { addTicket, type Accepted } from './accepted.ts'
import type { FlushTicket } from './batch.ts'
import { finish } from './endings.ts'
import { isWithdrawn, settleFailed } from './receipt.ts'
import type { CheckedRecord } from './record.ts'
import { UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION } from '../protocol/error-numbers.ts'

/** A record that cannot be put into a batch yet: its topic, or the partition it names, is not known. */
interface Waiting {
  readonly accepted: Accepted
  readonly deadlineMs: number
  /** The answer that its topic was known from when it came: a newer one that still lacks its partition is final. */
  readonly seenRevision: number
}

export interface AdmissionOptions {
  readonly clock: Clock
  readonly maxBlockMs: number
  readonly deliveryTimeoutMs: number
}

export interface AdmissionListener {
  /** The topic is known: the record may go into a batch. */
  admit(accepted: Accepted, topic: TopicMetadata): void
  /** A record waits, and counts against `bufferBytes`. */
  onWaiting(chargedBytes: number): void
  /** It waits no more, whatever became of it. */
  onLeaving(chargedBytes: number): void
  /** It settled without having been in a batch. */
  onFailed(): void
  /** Names of all topics of the cluster, for the hint in an error. */
  topicNames(): Promise<string[]>
}

/**
 * A cluster that makes topics by itself calls them unknown at first, and so does a broker that has not heard of a new
 * topic yet. After this long the topic is not there.
 */
const UNKNOWN_TOPIC_WAIT_MS = 5000

/** How long the error for a missing topic may wait for the names of those that exist. */
const HINT_WAIT_MS = 1000

/**
 * Records wait here, per topic and in the order of their `send`, until the topic is known: that is the only wait before
 * a record is in a batch. A record never overtakes an earlier one of its topic.
 */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #cluster: Cluster
  readonly #listener: AdmissionListener
  /** Each record leaves its set before anybody is told: partitioners are user code, and may come back here. */
  readonly #topics = new Map<string, Set<Waiting>>()
  /** Records of topics that are missing, while a hint is being looked for. */
  readonly #leaving = new Set<ReadonlySet<Accepted>>()
  #names: Promise<string[]> | null = null
  /** The topic that was looked up last, and in what. */
  #latest: TopicMetadata | undefined
  #latestOf: Metadata | null = null
  #latestName = ''
  readonly #alarm: Alarm

  constructor(options: AdmissionOptions, cluster: Cluster, listener: AdmissionListener) {
    this.#options = options
    this.#cluster = cluster
    this.#listener = listener
    const { clock } = options
    this.#alarm = new Alarm(clock, () => clock.soon(() => this.review(clock.now())))
  }

  get isEmpty(): boolean {
    return this.#topics.size === 0 && this.#leaving.size === 0
  }

  has(topic: string): boolean {
    return this.#topics.has(topic)
  }

  /** Records that wait here. */
  get count(): number {
    let count = 0
    for (const queue of this.#topics.values()) count += queue.size
    for (const leaving of this.#leaving) count += leaving.size
    return count
  }

  /** The topic, if the record can go into a batch at once: it is known, and nothing of it waits in front. */
  ready(record: CheckedRecord): TopicMetadata | null {
    const topic = this.#known(record.topic)
    if (topic === undefined || (this.#topics.size > 0 && this.#topics.has(record.topic))) return null
    return record.partition === null || record.partition < topic.leaders.length ? topic : null
  }

  /** A picture of the cluster never changes, there is a new one then; and most records have the topic of the one before. */
  #known(name: string): TopicMetadata | undefined {
    const { metadata } = this.#cluster
    if (metadata !== this.#latestOf || name !== this.#latestName) {
      this.#latest = metadata.topic(name)
      this.#latestOf = metadata
      this.#latestName = name
    }
    return this.#latest
  }

  wait(accepted: Accepted): void {
    const { record, sentMs } = accepted
    const deadlineMs = sentMs + Math.min(this.#options.maxBlockMs, this.#options.deliveryTimeoutMs)
    const seenRevision = this.#cluster.metadata.topic(record.topic)?.revision ?? -1
    const queue = this.#topics.get(record.topic) ?? new Set<Waiting>()
    queue.add({ accepted, deadlineMs, seenRevision })
    this.#listener.onWaiting(accepted.chargedBytes)
    this.#topics.set(record.topic, queue)
    this.#cluster.watch(record.topic)
    this.#watchTime()
  }

  /** Looks again at everything that waits, now that metadata may have moved on. Deadlines are left to the timer. */
  review(nowMs = -Infinity): void {
    for (const [topic, queue] of [...this.#topics]) this.#reviewTopic(topic, queue, nowMs)
    if (this.#topics.size > 0) this.#cluster.refreshUnlessAsking()
    this.#watchTime()
  }

  /** Every record that waits fails. */
  failAll(error: (record: CheckedRecord) => KafkaError): void {
    const all = this.#all()
    for (const queue of this.#topics.values()) queue.clear()
    this.#topics.clear()
    this.#leaving.clear()
    this.#watchTime()
    for (const accepted of all) {
      if (isWithdrawn(accepted.receipt, accepted.token)) this.#leave(accepted)
      else this.#fail(accepted, error(accepted.record))
    }
  }

  /** Every record that waits now tells the ticket when it settles. */
  addTicket(ticket: FlushTicket): void {
    this.dropWithdrawn()
    for (const accepted of this.#all()) addTicket(accepted, ticket)
  }

  /** Records that were called off: nobody waits for them, and nothing must. */
  dropWithdrawn(): void {
    for (const [topic, queue] of [...this.#topics]) {
      for (const waiting of queue) this.#dropIfWithdrawn(queue, waiting)
      this.#forgetIfEmpty(topic, queue)
    }
    this.#watchTime()
  }

  #all(): Accepted[] {
    const waiting = [...this.#topics.values()].flatMap((queue) => [...queue]).map(({ accepted }) => accepted)
    return [...waiting, ...[...this.#leaving].flatMap((leaving) => [...leaving])]
  }

  #reviewTopic(name: string, queue: Set<Waiting>, nowMs: number): void {
    for (const waiting of queue) {
      if (this.#dropIfWithdrawn(queue, waiting)) continue
      const topic = this.#cluster.metadata.topic(name)
      if (topic !== undefined) this.#reviewKnown(topic, queue, waiting, nowMs)
      else if (!this.#isRefused(name, queue)) this.#reviewUnknown(name, queue, waiting, nowMs)
    }
    this.#forgetIfEmpty(name, queue)
  }

  /** The record goes on, or fails, unless the next metadata may bring the partition that it names. */
  #reviewKnown(topic: TopicMetadata, queue: Set<Waiting>, waiting: Waiting, nowMs: number): void {
    const count = topic.leaders.length
    const { accepted, seenRevision, deadlineMs } = waiting
    const { record } = accepted
    if (record.partition === null || record.partition < count) {
      queue.delete(waiting)
      this.#listener.onLeaving(accepted.chargedBytes)
      this.#listener.admit(accepted, topic)
    } else if (topic.revision > seenRevision || deadlineMs <= nowMs) {
      queue.delete(waiting)
      this.#fail(accepted, unknownPartition(record, count))
    }
  }

  #reviewUnknown(name: string, queue: Set<Waiting>, waiting: Waiting, nowMs: number): void {
    if (waiting.deadlineMs > nowMs) return
    queue.delete(waiting)
    this.#fail(waiting.accepted, this.#metadataTimeout(name))
  }

  /** The cluster knows the name and says no, or has not known it for long: all that wait for it leave. */
  #isRefused(name: string, queue: Set<Waiting>): boolean {
    const errorCode = this.#cluster.metadata.problem(name)?.errorCode ?? 0
    const [first] = queue
    const waitedMs = this.#options.clock.now() - (first?.accepted.sentMs ?? Infinity)
    const isMissing = isUnknown(errorCode) && waitedMs >= Math.min(UNKNOWN_TOPIC_WAIT_MS, this.#options.maxBlockMs)
    if (!isRefusal(errorCode) && !isMissing) return false
    const all = [...queue].map(({ accepted }) => accepted)
    queue.clear()
    this.#cluster.forget(name)
    if (isMissing) void this.#failMissing(name, all, errorCode)
    else for (const accepted of all) this.#fail(accepted, topicRefused(name, errorCode))
    return true
  }

  #forgetIfEmpty(topic: string, queue: ReadonlySet<Waiting>): void {
    if (queue.size === 0 && this.#topics.get(topic) === queue) this.#topics.delete(topic)
  }

  /** The topic is not there. What is, is asked for once more, because most missing topics are misspelt ones. */
  async #failMissing(topic: string, all: readonly Accepted[], errorCode: number): Promise<void> {
    const leaving = new Set(all)
    this.#leaving.add(leaving)
    const hint = await this.#nearestNames(topic)
    if (!this.#leaving.delete(leaving)) return // closed meanwhile
    const what = `the cluster has no topic ${JSON.stringify(topic)}, and did not create it${hint}`
    const error = toBrokerError(errorCode, 'send', { topic, maybeWritten: false }, what)
    for (const accepted of leaving) this.#fail(accepted, error)
  }

  /** A hint is worth a moment, not more: the record has waited long enough. One question serves all missing topics. */
  async #nearestNames(topic: string): Promise<string> {
    this.#names ??= this.#listener.topicNames().finally(() => (this.#names = null))
    let endWait = (): void => undefined
    const late = new Promise<null>((resolve) => (endWait = () => resolve(null)))
    const timer = this.#options.clock.after(HINT_WAIT_MS, endWait, false)
    try {
      const nearest = nearestNames(topic, (await Promise.race([this.#names, late])) ?? [], 3)
      return nearest.length === 0 ? '' : `; did you mean ${nearest.map((name) => JSON.stringify(name)).join(' or ')}?`
    } catch (error) {
      return `; the names that exist could not be read: ${error instanceof Error ? error.message : String(error)}`
    } finally {
      timer.cancel()
    }
  }

  #fail(accepted: Accepted, error: KafkaError): void {
    this.#leave(accepted)
    settleFailed(accepted.receipt, accepted.token, error)
  }

  /** Called off while it waited: nobody is to be told any more, but flushes count it. */
  #dropIfWithdrawn(queue: Set<Waiting>, waiting: Waiting): boolean {
    const { accepted } = waiting
    if (!isWithdrawn(accepted.receipt, accepted.token)) return false
    if (queue.delete(waiting)) this.#leave(accepted)
    return true
  }

  #leave({ chargedBytes, tickets }: Accepted): void {
    finish(tickets)
    this.#listener.onFailed()
    this.#listener.onLeaving(chargedBytes)
  }

  #metadataTimeout(topic: string): DeliveryError {
    const trouble = this.#cluster.trouble(topic, 0)
    const problem = this.#cluster.metadata.problem(topic)
    const last = trouble?.message ?? (problem === undefined ? null : errorByCode(problem.errorCode).name)
    const what = `the partitions of topic ${JSON.stringify(topic)} were not known within maxBlockMs (${this.#options.maxBlockMs} ms)`
    return new DeliveryError(
      'METADATA_TIMEOUT',
      `send: METADATA_TIMEOUT: ${what}${last === null ? '' : `; last: ${last}`}`,
      { retriable: true, topic, cause: trouble ?? undefined },
    )
  }

  #watchTime(): void {
    if (this.#topics.size === 0) return this.#alarm.cancel()
    const nowMs = this.#options.clock.now()
    let atMs = Infinity
    for (const [first] of this.#topics.values()) {
      if (first === undefined) continue
      const missingAtMs = first.accepted.sentMs + UNKNOWN_TOPIC_WAIT_MS
      atMs = Math.min(atMs, first.deadlineMs, missingAtMs > nowMs ? missingAtMs : Infinity)
    }
    this.#alarm.set(atMs)
  }
}

/** The cluster has heard the topic's name and says no: waiting does not help. */
function isRefusal(errorCode: number): boolean {
  return errorCode !== 0 && errorByCode(errorCode).recovery === 'fail'
}

function isUnknown(errorCode: number): boolean {
  return errorCode === UNKNOWN_TOPIC_OR_PARTITION || errorCode === UNKNOWN_TOPIC_ID
}

function topicRefused(topic: string, errorCode: number): KafkaError {
  return toBrokerError(errorCode, `send: topic ${JSON.stringify(topic)}`, { topic, maybeWritten: false })
}

function unknownPartition({ topic, partition }: CheckedRecord, count: number): DeliveryError {
  const has = `topic ${JSON.stringify(topic)} has ${count} partition${count === 1 ? '' : 's'} (0 to ${count - 1})`
  return new DeliveryError('UNKNOWN_PARTITION', `send: UNKNOWN_PARTITION: ${has}, not partition ${partition ?? ''}`, {
    topic,
    partition: partition ?? undefined,
  })
}
