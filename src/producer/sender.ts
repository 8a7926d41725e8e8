import { Alarm } from '../alarm.ts'
import type { Clock } from '../clock.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Codec } from '../compression/codec.ts'
import type { Connection } from '../connection/connection.ts'
import type { Outcome } from '../connection/answers.ts'
import { diagnosticChannel } from '../diagnostics.ts'
import { AuthenticationError, type KafkaError } from '../errors.ts'
import { produce } from '../protocol/messages/produce.ts'
import type { Accumulator } from './accumulator.ts'
import type { Batch } from './batch.ts'
import { deliveryTimeout } from './batch-errors.ts'
import type { ProducerCounters } from './counters.ts'
import { Epochs } from './epochs.ts'
import { refusedError } from './endings.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { formatFor } from './payload.ts'
import { ProduceExchange, type ProduceResponse } from './produce-exchange.ts'
import type { ProducerId } from './producer-id.ts'
import type { Settlement } from './settlement.ts'

export interface SenderOptions {
  readonly clock: Clock
  readonly acks: -1 | 0 | 1
  readonly codec: Codec | null
  readonly lingerMs: number
  readonly maxRequestBytes: number
  readonly maxInFlightRequests: number
  readonly deliveryTimeoutMs: number
  readonly requestTimeoutMs: number
}

export interface SenderParts {
  readonly cluster: Cluster
  readonly accumulator: Accumulator
  readonly producerId: ProducerId
  readonly settlement: Settlement
  readonly counters: ProducerCounters
  /** Records wait for memory: nothing lingers. */
  readonly isMemoryTight: () => boolean
}

const sentChannel = diagnosticChannel('headrace:request:sent')

/**
 * The broker waits for its replicas a little shorter than we wait for the broker, so that its own REQUEST_TIMED_OUT
 * arrives before we give up the connection with everything else that is in flight on it.
 */
const BROKER_SHARE_OF_TIMEOUT = 0.9

/** A broker remembers so many batches per partition and producer to know doubles by; more must not be out (producer-semantics.md 3.0). */
const MAX_BATCHES_OUT = 5

/** While a batch of its partition is out, one that is not full waits at least so long; Java's default `linger.ms`. */
const BUSY_LINGER_MS = 5

/** Brokers forget producers that rest, a day by default (`producer.id.expiration.ms`). */
const MAX_REST_MS = 60_000

/** Something else will call `pump`: an answer, a connection, metadata, a producer id. */
const LATER = Infinity

/**
 * The one place that decides what is sent next. Appending, answers, timers, metadata and `flush` change state and call
 * `pump()`; "why was this batch not sent?" is answered by `#whyNot`.
 */
export class Sender {
  readonly #options: SenderOptions
  readonly #parts: SenderParts
  readonly #epochs: Epochs
  /** For the earliest thing that only time will bring. */
  readonly #alarm: Alarm
  #isPumpSoon = false
  /** Made once: `pumpSoon` is called for every record, and a function in it would be paid for even where it is not made. */
  readonly #onSoon = (): void => {
    this.#isPumpSoon = false
    this.pump()
  }
  /** A step is under way; user code that it runs (subscribers of channels) may come back and must not start another. */
  #isBusy = false
  #isMoreToSend = false
  /** All has failed: time brings nothing. */
  #hasEnded = false

  constructor(options: SenderOptions, parts: SenderParts) {
    this.#options = options
    this.#parts = parts
    this.#epochs = new Epochs(parts)
    this.#alarm = new Alarm(options.clock, () => this.#onDue())
  }

  /** Something was sent in this turn of the event loop. */
  get isPumpSoon(): boolean {
    return this.#isPumpSoon
  }

  /** Pumps when the current turn of the event loop is done, so that everything sent in it shares batches. */
  pumpSoon(): void {
    if (this.#isPumpSoon) return
    this.#isPumpSoon = true
    this.#options.clock.soon(this.#onSoon)
  }

  /** Sends whatever can be sent now. Synchronous, and harmless when there is nothing. */
  pump(): void {
    if (this.#isBusy) this.pumpSoon()
    else this.#step(() => this.#pump())
  }

  #step(work: () => void): void {
    const wasBusy = this.#isBusy
    this.#isBusy = true
    try {
      work()
    } finally {
      this.#isBusy = wasBusy
    }
  }

  #pump(): void {
    const nowMs = this.#options.clock.now()
    let wakeAtMs = Infinity
    const exchanges = new Map<Connection, ProduceExchange>()
    for (const queue of [...this.#parts.accumulator.active]) {
      wakeAtMs = Math.min(wakeAtMs, nextDeadlineMs(queue))
      const { head } = queue
      if (head === undefined) continue
      const next = this.#whyNot(queue, head, nowMs, exchanges)
      if (typeof next === 'number') wakeAtMs = Math.min(wakeAtMs, next)
      else if (next instanceof AuthenticationError) this.#failRefused(queue, next)
      else this.#load(queue, next, exchanges)
    }
    for (const [connection, exchange] of exchanges) this.#send(connection, exchange)
    if (this.#hasEnded) this.#alarm.cancel()
    else this.#alarm.set(wakeAtMs)
    if (this.#takeMoreToSend()) this.pumpSoon()
  }

  /** Fails everything that has not settled: nothing is sent any more. */
  failAll(errorOf: (batch: Batch) => KafkaError): void {
    this.#hasEnded = true
    this.#step(() => {
      for (const queue of [...this.#parts.accumulator.active]) this.#failQueue(queue, errorOf)
    })
    this.#alarm.cancel()
  }

  /** Fails what was never sent: the one thing that it needs cannot be had. */
  failUnsent(error: KafkaError): void {
    for (const queue of [...this.#parts.accumulator.active]) {
      for (const batch of [...queue.waiting]) {
        if (batch.stamp === null && !batch.maybeWritten) this.#failWaiting(queue, batch, error)
      }
    }
  }

  /**
   * The ladder: the connection to send the head of a queue on, or when to look again, or why that is of no use.
   *
   * Order matters: what is cheap and common comes first, what changes something (sealing, an epoch) last.
   */
  #whyNot(
    queue: PartitionQueue,
    head: Batch,
    nowMs: number,
    loaded: ReadonlyMap<Connection, ProduceExchange>,
  ): number | Connection | AuthenticationError {
    const { cluster, producerId } = this.#parts
    if (head.notBeforeMs > nowMs) return head.notBeforeMs
    if (queue.inFlight.length > 0 && !this.#mayFollow(queue, head)) return this.#sealAhead(queue, head)

    const leader = cluster.metadata.leader(queue.topic, queue.partition)
    if (leader < 0) return this.#findLeader()
    const connection = cluster.connectionTo(leader)
    if (connection === null) {
      const retryAtMs = cluster.retryAtMs(leader)
      return cluster.refusal(leader) ?? (retryAtMs > nowMs ? retryAtMs : LATER)
    }
    if (queue.inFlight.length > 0 && queue.openOn !== connection) return LATER // the gate
    const lingerEndsMs = this.#lingerEndsMs(queue, head, connection)
    if (lingerEndsMs > nowMs) return lingerEndsMs
    if (connection.throttledUntilMs > nowMs) return connection.throttledUntilMs
    if (connection.inFlightCount >= this.#maxInFlightRequests) return LATER

    if (this.#epochs.needsIdentity(queue, head)) {
      producerId.want(connection)
      return producerId.retryAtMs > nowMs ? producerId.retryAtMs : LATER
    }
    this.#seal(queue, head, connection)
    if (head.state !== 'sealed') return LATER
    const inSequence = this.#epochs.isInSequence(queue, head)
    if (inSequence !== 'yes') return inSequence === 'later' ? LATER : this.#lookAgainSoon()
    const exchange = loaded.get(connection)
    if (exchange === undefined || exchange.hasRoomFor(head, this.#options.maxRequestBytes)) return connection
    return this.#lookAgainSoon() // the next request takes it; a batch that is larger than any request goes alone
  }

  /**
   * Whether a second batch of a partition may be out. Only with sequences, by which the broker refuses what overtakes;
   * only if nothing has gone wrong with those before it; and no more than the broker remembers.
   */
  #mayFollow({ inFlight, openOn, sequences }: PartitionQueue, head: Batch): boolean {
    if (!this.#parts.producerId.isOn || openOn === null || sequences.isBroken) return false
    if (inFlight.length >= MAX_BATCHES_OUT || head.stamp !== null) return false
    return inFlight.every(({ state }) => state === 'inFlight')
  }

  /**
   * Until when the batch waits for more records: not at all if it takes no more, is wanted, or its broker has nothing to
   * do. `lingerMs` is an upper bound for the others (producer-semantics.md 3.21).
   */
  #lingerEndsMs({ inFlight, waiting }: PartitionQueue, head: Batch, connection: Connection): number {
    const isDue = head.state !== 'open' || head.isUrgent || head.isClosed || waiting.length > 1
    if (isDue || connection.inFlightCount === 0 || this.#parts.isMemoryTight()) return -Infinity
    const { lingerMs } = this.#options
    return head.createdMs + (inFlight.length === 0 ? lingerMs : Math.max(lingerMs, BUSY_LINGER_MS))
  }

  #findLeader(): number {
    this.#parts.cluster.refreshSoon()
    return LATER
  }

  get #maxInFlightRequests(): number {
    return this.#parts.producerId.isFallback ? 1 : this.#options.maxInFlightRequests
  }

  #lookAgainSoon(): number {
    this.#isMoreToSend = true
    return LATER
  }

  #takeMoreToSend(): boolean {
    const isMoreToSend = this.#isMoreToSend
    this.#isMoreToSend = false
    return isMoreToSend
  }

  /** A full batch that must wait for the one before it is compressed meanwhile. */
  #sealAhead(queue: PartitionQueue, head: Batch): number {
    if (this.#options.codec === null || head.state !== 'open' || queue.waiting.length < 2) return LATER
    const { cluster } = this.#parts
    const connection = cluster.connectionTo(cluster.metadata.leader(queue.topic, queue.partition))
    if (connection !== null) this.#seal(queue, head, connection)
    return LATER
  }

  /** Makes the batch's bytes in the format that the broker reads. */
  #seal(queue: PartitionQueue, batch: Batch, connection: Connection): void {
    if (batch.state !== 'open') return
    try {
      const version = connection.newestVersion(produce)
      const format = formatFor(version, this.#options.codec, connection.address)
      if (format.magic !== 2 && version >= 0) this.#parts.producerId.refuseOldBroker(connection)
      batch.seal(format, (error) => this.#onSealed(queue, batch, error))
    } catch (error) {
      this.#onSealed(queue, batch, error as KafkaError)
    }
  }

  #onSealed(queue: PartitionQueue, batch: Batch, error: KafkaError | null): void {
    if (error !== null && batch.state !== 'settled') this.#failWaiting(queue, batch, error)
    this.pumpSoon()
  }

  #load(queue: PartitionQueue, connection: Connection, exchanges: Map<Connection, ProduceExchange>): void {
    const { accumulator, cluster, producerId } = this.#parts
    const exchange = exchanges.get(connection) ?? new ProduceExchange()
    exchanges.set(connection, exchange)
    this.#closeRestingGate(queue)
    const batch = queue.takeHead()
    cluster.use(queue.topic)
    if (producerId.isOn && batch.stamp === null) batch.stampWith(queue.sequences.take(batch.recordCount))
    exchange.add(batch, queue, cluster.metadata)
    accumulator.requeue(queue)
    if (queue.waiting.length > 0 && queue.openOn === connection) this.#isMoreToSend = true
  }

  /** After a rest nobody knows whether the broker still remembers us; if it does not, it takes any first sequence. */
  #closeRestingGate(queue: PartitionQueue): void {
    const restMs = this.#options.clock.now() - queue.acknowledgedMs
    if (queue.inFlight.length === 0 && restMs > MAX_REST_MS) queue.openOn = null
  }

  #send(connection: Connection, exchange: ProduceExchange): void {
    for (const { batch, queue } of exchange.takeSettled()) this.#parts.settlement.onNeverSent(queue, batch)
    if (exchange.sent.length === 0) return
    const { acks, requestTimeoutMs } = this.#options
    const { counters } = this.#parts
    const body = exchange.request(acks, Math.ceil(requestTimeoutMs * BROKER_SHARE_OF_TIMEOUT))
    counters.requests++
    counters.sentBatches += exchange.sent.length
    counters.sentBytes += exchange.sizeBytes
    if (sentChannel.hasSubscribers) {
      const { sent, sizeBytes } = exchange
      sentChannel.publish({ broker: connection.address, batches: sent.length, bytes: sizeBytes })
    }
    if (acks === 0) {
      const handedOver = connection.requestWithoutAnswer(produce, body, exchange.versions)
      void handedOver.then((outcome) => this.#onHandedOver(exchange, outcome))
    } else {
      const answered = connection.request(produce, body, exchange.versions)
      void answered.then((outcome) => this.#onAnswer(connection, exchange, outcome))
    }
  }

  #onHandedOver(exchange: ProduceExchange, outcome: Outcome<undefined>): void {
    const { settlement } = this.#parts
    for (const { batch, queue } of exchange.sent) {
      if ('error' in outcome) settlement.onFailure(queue, batch, { kind: 'unanswered', ...outcome })
      else settlement.onHandedOver(queue, batch)
    }
    this.pumpSoon()
  }

  #onAnswer(connection: Connection, exchange: ProduceExchange, outcome: Outcome<ProduceResponse>): void {
    const { settlement } = this.#parts
    if ('error' in outcome) {
      for (const { batch, queue } of exchange.sent)
        settlement.onFailure(queue, batch, { kind: 'unanswered', ...outcome })
    } else {
      const { response, version, isHandedOver } = outcome
      exchange.match(response, version)
      for (const { batch, queue, answer } of exchange.sent) {
        const topicId = exchange.topicIdIn(version, batch.topic)
        this.#step(() => settlement.onAnswer(queue, batch, answer, { response, connection, topicId, isHandedOver }))
      }
    }
    this.pump()
  }

  #failQueue(queue: PartitionQueue, errorOf: (batch: Batch) => KafkaError): void {
    const { settlement } = this.#parts
    for (const batch of [...queue.inFlight]) {
      if (batch.state !== 'settled') settlement.fail(queue, batch, errorOf(batch))
    }
    for (const batch of [...queue.waiting]) this.#failWaiting(queue, batch, errorOf(batch))
  }

  /** What is out may still be answered, on another connection. */
  #failRefused(queue: PartitionQueue, refusal: AuthenticationError): void {
    for (const batch of [...queue.waiting]) this.#failWaiting(queue, batch, refusedError(batch, refusal))
  }

  #failWaiting(queue: PartitionQueue, batch: Batch, error: KafkaError): void {
    if (batch.state === 'settled') return
    queue.drop(batch)
    this.#parts.settlement.fail(queue, batch, error)
  }

  /** Batches whose deadline has passed fail, sent or not; one that is out keeps its partition until the answer comes. */
  #expire(nowMs: number): void {
    const { settlement, accumulator } = this.#parts
    for (const queue of [...accumulator.active]) {
      // What waits behind a batch that is refused again and again expires for the same reason.
      const front = queue.inFlight[0] ?? queue.head
      const reason = front?.lastError ?? null
      for (const batch of [...queue.inFlight]) {
        if (batch.state === 'settled' || batch.deadlineMs > nowMs) continue
        batch.maybeWritten = true
        settlement.fail(queue, batch, this.#expired(batch, reason))
      }
      for (const batch of [...queue.waiting]) {
        if (batch.deadlineMs <= nowMs) this.#failWaiting(queue, batch, this.#expired(batch, reason))
      }
    }
  }

  #expired(batch: Batch, reason: KafkaError | null): KafkaError {
    const { cluster, producerId } = this.#parts
    const last = batch.lastError ?? reason ?? cluster.trouble(batch.topic, batch.partition) ?? producerId.lastError
    const throttleMs = cluster.throttledForMs(batch.topic, batch.partition)
    return deliveryTimeout(batch, this.#options.deliveryTimeoutMs, { last, throttleMs })
  }

  #onDue(): void {
    const { clock } = this.#options
    // Deadlines are judged here only, after the poll phase: in a process that was frozen the answers lie in the
    // sockets, and the first one that is read must not condemn the others.
    clock.soon(() => {
      this.#step(() => this.#expire(clock.now()))
      this.pump()
    })
  }
}

/** The earliest deadline of a queue's batches: the oldest first, in flight before waiting. */
function nextDeadlineMs({ inFlight, head }: PartitionQueue): number {
  // An expired batch whose answer is still out has no deadline any more.
  const out = inFlight.find(({ state }) => state === 'inFlight')
  return Math.min(out?.deadlineMs ?? Infinity, head?.deadlineMs ?? Infinity)
}
