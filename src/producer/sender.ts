import type { Clock, Timer } from '../clock.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Codec } from '../compression/codec.ts'
import type { Connection } from '../connection/connection.ts'
import type { Outcome } from '../connection/answers.ts'
import { diagnosticChannel } from '../diagnostics.ts'
import { DeliveryError, ProtocolError, type KafkaError } from '../errors.ts'
import { produce } from '../protocol/messages/produce.ts'
import type { Accumulator, PartitionQueue } from './accumulator.ts'
import type { Batch } from './batch.ts'
import { decide, type Failure } from './decide.ts'
import { formatFor } from './payload.ts'
import { ProduceExchange, type PartitionAnswer, type ProduceResponse } from './produce-exchange.ts'

export interface SenderOptions {
  readonly clock: Clock
  readonly acks: -1 | 0 | 1
  readonly codec: Codec | null
  readonly lingerMs: number
  readonly maxRequestBytes: number
  readonly maxInFlightRequests: number
  readonly deliveryTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
}

const deliveredChannel = diagnosticChannel('headrace:batch:delivered')
const retryChannel = diagnosticChannel('headrace:batch:retry')
const failedChannel = diagnosticChannel('headrace:batch:failed')

/**
 * The broker waits for its replicas a little shorter than we wait for the broker, so that its own REQUEST_TIMED_OUT
 * arrives before we give up the connection with everything else that is in flight on it.
 */
const BROKER_SHARE_OF_TIMEOUT = 0.9

/**
 * The one place that decides what is sent next. Appending, answers, timers, metadata and `flush` change state and call
 * `pump()`; "why was this batch not sent?" is answered by `#whyNot`.
 */
export class Sender {
  readonly #options: SenderOptions
  readonly #cluster: Cluster
  readonly #accumulator: Accumulator
  readonly #onBatchSettled: () => void
  #timer: Timer | null = null
  #timerAtMs = Infinity
  #isPumpSoon = false
  #isMoreToSend = false

  constructor(options: SenderOptions, cluster: Cluster, accumulator: Accumulator, onBatchSettled: () => void) {
    this.#options = options
    this.#cluster = cluster
    this.#accumulator = accumulator
    this.#onBatchSettled = onBatchSettled
  }

  /** Pumps when the current turn of the event loop is done, so that everything sent in it shares batches. */
  pumpSoon(): void {
    if (this.#isPumpSoon) return
    this.#isPumpSoon = true
    this.#options.clock.soon(() => {
      this.#isPumpSoon = false
      this.pump()
    })
  }

  /** Sends whatever can be sent now. Synchronous, and harmless when there is nothing. */
  pump(): void {
    const nowMs = this.#options.clock.now()
    let wakeAtMs = Infinity
    const exchanges = new Map<Connection, ProduceExchange>()
    for (const queue of [...this.#accumulator.active]) {
      const { head, inFlight } = queue
      // An expired batch whose answer is still out has no deadline any more.
      const inFlightMs = inFlight === null || inFlight.state === 'settled' ? Infinity : inFlight.deadlineMs
      wakeAtMs = Math.min(wakeAtMs, inFlightMs, head?.deadlineMs ?? Infinity)
      if (head === undefined) continue
      const next = this.#whyNot(queue, head, nowMs, exchanges)
      if (typeof next === 'number') wakeAtMs = Math.min(wakeAtMs, next)
      else this.#load(queue, next, exchanges)
    }
    for (const [connection, exchange] of exchanges) this.#send(connection, exchange)
    this.#wakeAt(wakeAtMs)
    if (this.#takeMoreToSend()) this.pumpSoon()
  }

  #takeMoreToSend(): boolean {
    const isMoreToSend = this.#isMoreToSend
    this.#isMoreToSend = false
    return isMoreToSend
  }

  /** Fails everything that has not settled. */
  failAll(error: (batch: Batch) => KafkaError): void {
    for (const queue of [...this.#accumulator.active]) {
      const { inFlight } = queue
      if (inFlight !== null && inFlight.state !== 'settled') this.#fail(inFlight, error(inFlight))
      for (let head = queue.head; head !== undefined; head = queue.head) {
        queue.dropHead()
        this.#fail(head, error(head))
      }
      this.#accumulator.requeue(queue)
    }
    this.#wakeAt(Infinity)
  }

  /**
   * The ladder: the connection to send the head of a queue on, or when to look again (`Infinity`: something else will
   * call `pump`, an answer, a connection or metadata).
   */
  #whyNot(
    queue: PartitionQueue,
    head: Batch,
    nowMs: number,
    loaded: ReadonlyMap<Connection, ProduceExchange>,
  ): number | Connection {
    if (queue.inFlight !== null) {
      this.#sealAhead(queue, head)
      return Infinity
    }
    if (head.notBeforeMs > nowMs) return head.notBeforeMs
    const isDue = head.state !== 'open' || head.isUrgent || queue.waiting.length > 1
    const lingerEndsMs = head.createdMs + this.#options.lingerMs
    if (!isDue && lingerEndsMs > nowMs) return lingerEndsMs
    const leader = this.#cluster.metadata.leader(queue.topic, queue.partition)
    if (leader < 0) {
      this.#cluster.refreshSoon()
      return Infinity
    }
    const connection = this.#cluster.connectionTo(leader)
    if (connection === null) return this.#cluster.retryAtMs(leader) > nowMs ? this.#cluster.retryAtMs(leader) : Infinity
    if (connection.inFlightCount >= this.#options.maxInFlightRequests) return Infinity
    this.#seal(queue, head, connection)
    if (head.state !== 'sealed') return Infinity
    const loadedBytes = loaded.get(connection)?.sizeBytes ?? 0
    if (loadedBytes === 0 || loadedBytes + head.sizeBytes <= this.#options.maxRequestBytes) return connection
    this.#isMoreToSend = true // the next request takes it; a batch that is larger than any request goes alone
    return Infinity
  }

  /** A full batch that must wait for the one before it is compressed meanwhile. */
  #sealAhead(queue: PartitionQueue, head: Batch): void {
    if (this.#options.codec === null || head.state !== 'open' || queue.waiting.length < 2) return
    const connection = this.#cluster.connectionTo(this.#cluster.metadata.leader(queue.topic, queue.partition))
    if (connection !== null) this.#seal(queue, head, connection)
  }

  /** Makes the batch's bytes in the format that the broker reads. */
  #seal(queue: PartitionQueue, batch: Batch, connection: Connection): void {
    if (batch.state !== 'open') return
    try {
      const format = formatFor(connection.newestVersion(produce), this.#options.codec, connection.address)
      batch.seal(format, (error) => this.#onSealed(queue, batch, error))
    } catch (error) {
      this.#onSealed(queue, batch, error as KafkaError)
    }
  }

  #onSealed(queue: PartitionQueue, batch: Batch, error: KafkaError | null): void {
    if (error !== null && batch.state !== 'settled') {
      queue.drop(batch)
      this.#fail(batch, error)
      this.#accumulator.requeue(queue)
    }
    this.pumpSoon()
  }

  #load(queue: PartitionQueue, connection: Connection, exchanges: Map<Connection, ProduceExchange>): void {
    const exchange = exchanges.get(connection) ?? new ProduceExchange()
    exchanges.set(connection, exchange)
    const batch = queue.takeHead()
    exchange.add(batch, queue, this.#cluster.metadata)
    this.#accumulator.requeue(queue)
  }

  #send(connection: Connection, exchange: ProduceExchange): void {
    const { acks, requestTimeoutMs } = this.#options
    const body = exchange.request(acks, Math.ceil(requestTimeoutMs * BROKER_SHARE_OF_TIMEOUT))
    const options = exchange.versions
    if (acks === 0) {
      void connection
        .requestWithoutAnswer(produce, body, options)
        .then((outcome) => this.#onHandedOver(exchange, outcome))
    } else {
      void connection.request(produce, body, options).then((outcome) => this.#onAnswer(connection, exchange, outcome))
    }
  }

  /** `acks: 0`: the operating system has the bytes, which is all that can be known. */
  #onHandedOver(exchange: ProduceExchange, outcome: Outcome<undefined>): void {
    for (const [batch, queue] of exchange.queues) {
      if ('error' in outcome) this.#onFailure(queue, batch, { kind: 'unanswered', ...outcome })
      else this.#deliver(queue, batch, -1n, -1)
    }
    this.pumpSoon()
  }

  #onAnswer(connection: Connection, exchange: ProduceExchange, outcome: Outcome<ProduceResponse>): void {
    if ('error' in outcome) {
      for (const [batch, queue] of exchange.queues) this.#onFailure(queue, batch, { kind: 'unanswered', ...outcome })
    } else {
      const answers = exchange.match(outcome.response, outcome.version)
      for (const [batch, queue] of exchange.queues) {
        const answer = answers.get(batch) ?? null
        if (answer === null) this.#onSilence(connection, queue, batch)
        else this.#judge(queue, batch, answer, outcome.response)
      }
    }
    this.pump()
  }

  #judge(queue: PartitionQueue, batch: Batch, answer: PartitionAnswer, response: ProduceResponse): void {
    if (answer.errorCode === 0) {
      this.#deliver(queue, batch, answer.baseOffset, Number(answer.logAppendTimeMs))
      return
    }
    const { errorCode, errorMessage } = answer
    const isLeaderKnown = this.#learnLeader(batch, answer, response)
    this.#onFailure(queue, batch, { kind: 'refused', errorCode, errorMessage, isLeaderKnown })
  }

  #learnLeader({ topic, partition }: Batch, answer: PartitionAnswer, response: ProduceResponse): boolean {
    const { leaderId, leaderEpoch } = answer.currentLeader
    if (leaderId < 0) return false
    const endpoint = response.nodeEndpoints.find(({ nodeId }) => nodeId === leaderId) ?? null
    return this.#cluster.hintLeader({ topic, partition, leader: leaderId, leaderEpoch, endpoint })
  }

  /** A broker that answers a request but leaves a partition out is not to be understood; the batch may be written. */
  #onSilence(connection: Connection, queue: PartitionQueue, batch: Batch): void {
    const what = `the answer to Produce says nothing of topic ${JSON.stringify(batch.topic)} partition ${batch.partition}`
    const message = `${connection.address}: INVALID_VALUE: ${what}`
    const error = new ProtocolError('INVALID_VALUE', message, { retriable: true })
    connection.close(error)
    this.#onFailure(queue, batch, { kind: 'unanswered', error, wasWritten: true })
  }

  #onFailure(queue: PartitionQueue, batch: Batch, failure: Failure): void {
    if (batch.state === 'settled') return this.#land(queue)
    const { clock } = this.#options
    if (failure.kind === 'refused') batch.countRefusal(failure.errorCode)
    const verdict = decide(failure, batch, { ...this.#options, random: clock.random() })
    batch.maybeWritten = verdict.maybeWritten
    if (verdict.do === 'deliver') return this.#deliver(queue, batch, -1n, -1)
    if (verdict.do === 'fail') {
      this.#fail(batch, verdict.error)
      return this.#land(queue)
    }
    if (retryChannel.hasSubscribers) retryChannel.publish({ ...summary(batch), error: verdict.error })
    batch.retryAt(clock.now() + verdict.delayMs, verdict.error)
    queue.putBack(batch)
    this.#accumulator.requeue(queue)
    if (verdict.refresh) this.#cluster.refreshSoon()
  }

  #deliver(queue: PartitionQueue, batch: Batch, baseOffset: bigint, logAppendTimeMs: number): void {
    if (batch.state !== 'settled') {
      if (deliveredChannel.hasSubscribers) deliveredChannel.publish(summary(batch))
      this.#accumulator.released(batch)
      batch.deliver(baseOffset, logAppendTimeMs)
      this.#onBatchSettled()
    }
    this.#land(queue)
  }

  #fail(batch: Batch, error: KafkaError): void {
    if (failedChannel.hasSubscribers) failedChannel.publish({ ...summary(batch), error })
    this.#accumulator.released(batch)
    batch.fail(error)
    this.#onBatchSettled()
  }

  #land(queue: PartitionQueue): void {
    queue.landed()
    this.#accumulator.requeue(queue)
  }

  /** Batches whose deadline has passed fail, sent or not; one that is out keeps its partition until the answer comes. */
  #expire(nowMs: number): void {
    for (const queue of [...this.#accumulator.active]) {
      const { inFlight } = queue
      if (inFlight !== null && inFlight.state !== 'settled' && inFlight.deadlineMs <= nowMs) {
        inFlight.maybeWritten = true
        this.#fail(inFlight, this.#expired(inFlight))
      }
      for (let head = queue.head; head !== undefined && head.deadlineMs <= nowMs; head = queue.head) {
        queue.dropHead()
        this.#fail(head, this.#expired(head))
      }
      if (queue.isEmpty) this.#accumulator.requeue(queue)
    }
  }

  #expired(batch: Batch): DeliveryError {
    const { topic, partition, attempts, maybeWritten, lastError } = batch
    const tried = attempts === 0 ? 'never sent' : `sent ${attempts} time${attempts === 1 ? '' : 's'}`
    const last = lastError ?? this.#cluster.trouble(topic, partition)
    const what = `not acknowledged within deliveryTimeoutMs (${this.#options.deliveryTimeoutMs} ms), ${tried}`
    return new DeliveryError(
      'DELIVERY_TIMEOUT',
      `send: DELIVERY_TIMEOUT: topic ${JSON.stringify(topic)} partition ${partition}: ${what}${last === null ? '' : `; last: ${last.message}`}`,
      { retriable: true, maybeWritten, topic, partition, attempts, cause: last ?? undefined },
    )
  }

  /** One timer, for the earliest thing that only time will bring. */
  #wakeAt(atMs: number): void {
    if (atMs === this.#timerAtMs) return
    this.#timer?.cancel()
    this.#timer = null
    this.#timerAtMs = atMs
    if (atMs === Infinity) return
    const { clock } = this.#options
    this.#timer = clock.after(atMs - clock.now(), () => {
      this.#timer = null
      this.#timerAtMs = Infinity
      // Deadlines are judged here only, after the poll phase: in a process that was frozen the answers lie in the
      // sockets, and the first one that is read must not condemn the others.
      clock.soon(() => {
        this.#expire(clock.now())
        this.pump()
      })
    })
  }
}

function summary(batch: Batch): { topic: string; partition: number; records: number; bytes: number; attempts: number } {
  const { topic, partition, recordCount, sizeBytes, attempts } = batch
  return { topic, partition, records: recordCount, bytes: sizeBytes, attempts }
}
