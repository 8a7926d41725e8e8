import type { Clock } from '../clock.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { NO_TOPIC_ID } from '../cluster/metadata.ts'
import type { Codec } from '../compression/codec.ts'
import type { Connection } from '../connection/connection.ts'
import { diagnosticChannel } from '../diagnostics.ts'
import { ProtocolError, type KafkaError } from '../errors.ts'
import { errorByCode } from '../protocol/error-codes.ts'
import type { Accumulator } from './accumulator.ts'
import type { Batch } from './batch.ts'
import { errorFor, notSplit, recordErrors, sequenceDesync } from './batch-errors.ts'
import { decide, type BatchFacts, type Failure, type Verdict } from './decide.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { PartitionAnswer, ProduceResponse } from './produce-exchange.ts'
import type { ProducerCounters } from './counters.ts'
import { splitBatch, uncompressedBytes } from './split.ts'

export interface SettlementOptions {
  readonly clock: Clock
  readonly codec: Codec | null
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
}

/** Who gave an answer, and about what. */
export interface AnswerOrigin {
  readonly response: ProduceResponse
  readonly connection: Connection
  /** The topic that the broker spoke of; null: it knows it by name. */
  readonly topicId: string | null
  /** Of the request's bytes nobody needs any more. */
  readonly isHandedOver: boolean
}

export interface SettlementListener {
  /** A batch and its partition's queue let go of so much of `bufferBytes`. */
  onReleased(queue: PartitionQueue, bytes: number): void
  /** Broker and producer disagree about what was written: nothing more can be promised. */
  onDesync(error: KafkaError): void
  /** Acknowledged records are gone, or were counted twice: worth a line in a log. */
  onSuspicion(message: string, fields: object): void
}

const deliveredChannel = diagnosticChannel('headrace:batch:delivered')
const retryChannel = diagnosticChannel('headrace:batch:retry')
const failedChannel = diagnosticChannel('headrace:batch:failed')
const splitChannel = diagnosticChannel('headrace:batch:split')
const desyncChannel = diagnosticChannel('headrace:producer:desync')
const truncatedChannel = diagnosticChannel('headrace:partition:truncated')

/** What becomes of a batch that was sent: the only place where batches settle, go back, or are cut up. */
export class Settlement {
  readonly #options: SettlementOptions
  readonly #cluster: Cluster
  readonly #accumulator: Accumulator
  readonly #counters: ProducerCounters
  readonly #listener: SettlementListener

  constructor(
    options: SettlementOptions,
    cluster: Cluster,
    accumulator: Accumulator,
    counters: ProducerCounters,
    listener: SettlementListener,
  ) {
    this.#options = options
    this.#cluster = cluster
    this.#accumulator = accumulator
    this.#counters = counters
    this.#listener = listener
  }

  /** What a broker said of a batch; null: it answered the request, and nothing about this batch. */
  onAnswer(queue: PartitionQueue, batch: Batch, answer: PartitionAnswer | null, origin: AnswerOrigin): void {
    if (answer === null) return this.#onSilence(queue, batch, origin.connection)
    if (answer.errorCode === 0) return this.#onWritten(queue, batch, answer, origin)
    const { errorCode, errorMessage } = answer
    if (errorByCode(errorCode).name.startsWith('UNKNOWN_TOPIC')) queue.sequences.forgetLog()
    const isLeaderKnown = this.#learnLeader(batch, answer, origin.response)
    const throttleMs = origin.connection.throttledForMs
    this.onFailure(queue, batch, { kind: 'refused', errorCode, errorMessage, isLeaderKnown, throttleMs }, answer)
  }

  /** `acks: 0`: the operating system has the bytes, which is all that can be known. */
  onHandedOver(queue: PartitionQueue, batch: Batch): void {
    this.#deliver(queue, batch, -1n, -1)
  }

  /** It settled between being loaded and being sent. */
  onNeverSent(queue: PartitionQueue, batch: Batch): void {
    this.#landFailed(queue, batch)
  }

  onFailure(queue: PartitionQueue, batch: Batch, failure: Failure, answer: PartitionAnswer | null = null): void {
    if (failure.kind === 'refused') batch.countRefusal(failure.errorCode)
    const { clock } = this.#options
    const facts = factsOf(queue, batch)
    const verdict = decide(failure, facts, { ...this.#options, random: clock.random() })
    if (verdict.do === 'deliver') return this.#onDuplicate(queue, batch)
    queue.openOn = null
    if (isSignOfLoss(failure, facts.sequence)) queue.sequences.doubtLog()
    // Its deadline passed while it was out.
    if (batch.state === 'settled') return this.#landFailed(queue, batch)
    batch.maybeWritten = verdict.maybeWritten
    if (verdict.do === 'fail') {
      queue.landed(batch)
      const errorOf = answer === null ? null : recordErrors(batch, answer, verdict.error)
      this.fail(queue, batch, verdict.error, errorOf ?? undefined)
    } else if (verdict.do === 'split') this.#split(queue, batch, verdict.error)
    else this.#retry(queue, batch, verdict)
  }

  /**
   * The batch will not be delivered. If it had a sequence there may be a gap now, or not: nobody knows until a new epoch
   * begins. One that is still out keeps its partition, and its memory, until the answer comes or never will.
   */
  fail(queue: PartitionQueue, batch: Batch, cause: KafkaError, errorOf?: (index: number) => KafkaError): void {
    const error = errorFor(batch, cause)
    this.#counters.failed += batch.recordCount
    const summary = failedChannel.hasSubscribers ? summaryOf(batch) : null
    batch.failEach(errorOf ?? ((): KafkaError => error))
    if (summary !== null) failedChannel.publish({ ...summary, error })
    if (!queue.inFlight.includes(batch)) this.#landFailed(queue, batch)
  }

  #landFailed(queue: PartitionQueue, batch: Batch): void {
    if (batch.stamp !== null) queue.sequences.markBroken()
    this.#land(queue, batch)
  }

  #onWritten(queue: PartitionQueue, batch: Batch, answer: PartitionAnswer, origin: AnswerOrigin): void {
    const { baseOffset } = answer
    if (!this.#isPlausible(queue, batch, baseOffset, origin)) return
    queue.openOn = origin.connection
    queue.acknowledgedMs = this.#options.clock.now()
    const logAppendTimeMs = appendTimeMs(queue, batch, Number(answer.logAppendTimeMs))
    this.#deliver(queue, batch, baseOffset, logAppendTimeMs, origin.isHandedOver)
  }

  /** It is in the log already; but what was sent for the first time cannot be: the broker took it for another batch. */
  #onDuplicate(queue: PartitionQueue, batch: Batch): void {
    const isFirst = batch.attempts === 1 && !batch.maybeWritten && batch.stamp !== null
    if (isFirst) this.#desync(queue, batch, -1n)
    else this.#deliver(queue, batch, -1n, -1)
  }

  /** O7: what is acknowledged lies behind what was acknowledged before, or it is no acknowledgement. */
  #isPlausible(queue: PartitionQueue, batch: Batch, baseOffset: bigint, origin: AnswerOrigin): boolean {
    const { recordCount, stamp, topic, partition } = batch
    if (stamp === null) return true
    const known = this.#cluster.metadata.topic(topic)
    const topicId = origin.topicId ?? known?.topicId ?? NO_TOPIC_ID
    const leaderEpoch = known?.leaderEpochs[partition] ?? -1
    const source = { topicId, connection: origin.connection, leaderEpoch }
    const verdict = queue.sequences.acknowledge(stamp, baseOffset, recordCount, source)
    if (verdict === 'fine') return true
    // Brokers before 2.8 do not say whether a topic is still the same; it may have been deleted and made again.
    if (verdict === 'truncated' || topicId === NO_TOPIC_ID) return this.#suspect(queue, batch, baseOffset)
    const revision = known?.revision ?? 0
    if ((batch.doubtRevision ??= revision) === revision) this.#askAgain(queue, batch)
    else this.#desync(queue, batch, baseOffset)
    return false
  }

  #suspect(queue: PartitionQueue, { topic, partition }: Batch, baseOffset: bigint): true {
    queue.sequences.forgetLog()
    if (truncatedChannel.hasSubscribers) truncatedChannel.publish({ topic, partition, baseOffset })
    const message = `topic ${JSON.stringify(topic)} partition ${partition}: the log is shorter than it was (acknowledged at ${baseOffset}): the cluster lost records that it had acknowledged`
    this.#listener.onSuspicion(message, { topic, partition, baseOffset: String(baseOffset) })
    return true
  }

  /**
   * It may be another topic of the same name, or the leader may have moved away and back: newer metadata tells, and the
   * broker knows the batch again.
   */
  #askAgain(queue: PartitionQueue, batch: Batch): void {
    const { topic, partition } = batch
    const what = `topic ${JSON.stringify(topic)} partition ${partition}: an offset was acknowledged that lies before earlier ones`
    const error = new ProtocolError('INVALID_VALUE', `send: INVALID_VALUE: ${what}`, { retriable: true })
    this.onFailure(queue, batch, { kind: 'unanswered', error, wasWritten: true })
  }

  #desync(queue: PartitionQueue, batch: Batch, baseOffset: bigint): void {
    const { topic, partition } = batch
    const error = sequenceDesync(batch, baseOffset)
    if (desyncChannel.hasSubscribers) desyncChannel.publish({ topic, partition, baseOffset, error })
    queue.openOn = null
    queue.landed(batch)
    batch.maybeWritten = true
    if (batch.state === 'settled') this.#landFailed(queue, batch)
    else this.fail(queue, batch, error)
    this.#listener.onDesync(error)
  }

  #learnLeader({ topic, partition }: Batch, answer: PartitionAnswer, response: ProduceResponse): boolean {
    const { leaderId, leaderEpoch } = answer.currentLeader
    if (leaderId < 0) return false
    const endpoint = response.nodeEndpoints.find(({ nodeId }) => nodeId === leaderId) ?? null
    return this.#cluster.hintLeader({ topic, partition, leader: leaderId, leaderEpoch, endpoint })
  }

  /** A broker that answers a request but leaves a partition out is not to be understood; the batch may be written. */
  #onSilence(queue: PartitionQueue, batch: Batch, connection: Connection): void {
    const what = `the answer to Produce says nothing of topic ${JSON.stringify(batch.topic)} partition ${batch.partition}`
    const message = `${connection.address}: INVALID_VALUE: ${what}`
    const error = new ProtocolError('INVALID_VALUE', message, { retriable: true })
    connection.close(error)
    this.onFailure(queue, batch, { kind: 'unanswered', error, wasWritten: true })
  }

  #retry(queue: PartitionQueue, batch: Batch, verdict: Verdict & { do: 'retry' | 'renew' }): void {
    const { error, delayMs } = verdict
    this.#counters.retries++
    batch.retryAt(this.#options.clock.now() + delayMs, error)
    queue.putBack(batch)
    if (verdict.do === 'renew') queue.sequences.markBroken(verdict.isIdSpent)
    else if (verdict.refresh) this.#cluster.refreshSoon()
    this.#accumulator.requeue(queue)
    const { maybeWritten } = batch
    if (retryChannel.hasSubscribers) retryChannel.publish({ ...summaryOf(batch), maybeWritten, error })
  }

  #split(queue: PartitionQueue, batch: Batch, refusal: KafkaError): void {
    const parts = this.#partsOf(queue, batch, refusal)
    if (parts === null) return
    if (splitChannel.hasSubscribers) {
      splitChannel.publish({ ...summaryOf(batch), parts: parts.map(({ recordCount }) => recordCount) })
    }
    this.#counters.splits++
    queue.maxBatchBytes = Math.min(queue.maxBatchBytes, uncompressedBytes(parts))
    queue.putBack(batch, parts)
    batch.dissolve(parts)
    this.#accumulator.requeue(queue)
  }

  /** Null: it cannot be read again (a codec of the user's own), and fails as the broker said. */
  #partsOf(queue: PartitionQueue, batch: Batch, refusal: KafkaError): readonly [Batch, Batch] | null {
    try {
      return splitBatch(batch, this.#options.codec)
    } catch (cause) {
      queue.landed(batch)
      this.fail(queue, batch, notSplit(refusal, cause))
      return null
    }
  }

  #deliver(
    queue: PartitionQueue,
    batch: Batch,
    baseOffset: bigint,
    logAppendTimeMs: number,
    isHandedOver = false,
  ): void {
    if (batch.state !== 'settled') {
      const summary = deliveredChannel.hasSubscribers ? summaryOf(batch) : null
      this.#counters.delivered += batch.recordCount
      batch.deliver(baseOffset, logAppendTimeMs)
      if (summary !== null) deliveredChannel.publish(summary)
    }
    if (isHandedOver) batch.recycle()
    this.#land(queue, batch)
  }

  #land(queue: PartitionQueue, batch: Batch): void {
    queue.landed(batch)
    this.#accumulator.requeue(queue)
    this.#listener.onReleased(queue, batch.chargedBytes)
  }
}

/**
 * The time that the broker gave the records, -1: they keep their own. Of a batch that it knows already it answers the
 * latest time that is in it, also where it sets no times (UnifiedLog.append of Apache Kafka), and that must not be taken
 * for the time of all.
 */
function appendTimeMs(queue: PartitionQueue, batch: Batch, logAppendTimeMs: number): number {
  if (batch.attempts === 1) queue.hasLogAppendTime = logAppendTimeMs >= 0
  const isOwnTime = batch.attempts > 1 && !queue.hasLogAppendTime && logAppendTimeMs === batch.maxTimestamp
  return isOwnTime ? -1 : logAppendTimeMs
}

/** Another leader, or a broker that misses what it acknowledged: the log may have lost its end. */
function isSignOfLoss(failure: Failure, sequence: BatchFacts['sequence']): boolean {
  if (failure.kind !== 'refused') return false
  const { recovery } = errorByCode(failure.errorCode)
  return recovery === 'refresh-metadata' || (recovery === 'reset-producer-id' && sequence === 'first')
}

function factsOf(queue: PartitionQueue, batch: Batch): BatchFacts {
  const { topic, partition, recordCount, attempts, maybeWritten, corruptCount, stamp } = batch
  const sequence = stamp === null ? 'none' : queue.isFirstInSequence(batch) ? 'first' : 'behind'
  return { topic, partition, recordCount, attempts, maybeWritten, corruptCount, sequence }
}

export interface BatchSummary {
  readonly topic: string
  readonly partition: number
  readonly records: number
  readonly bytes: number
  readonly attempts: number
}

export function summaryOf(batch: Batch): BatchSummary {
  const { topic, partition, recordCount, sizeBytes, attempts } = batch
  return { topic, partition, records: recordCount, bytes: sizeBytes, attempts }
}
