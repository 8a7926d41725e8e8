import type { Writable } from 'node:stream'
import { systemClock, type Clock } from '../clock.ts'
import { Cluster } from '../cluster/cluster.ts'
import { loadCodec } from '../compression/load-codec.ts'
import { DeliveryError, type KafkaError } from '../errors.ts'
import { Accumulator } from './accumulator.ts'
import { askUntil, within } from './ask-until.ts'
import { asKafkaError, checkIterable, checkTimeout, misuseOf, type RecordForTopic } from './arguments.ts'
import { Callbacks } from './callbacks.ts'
import { Countdown } from './countdown.ts'
import { newCounters } from './counters.ts'
import { createMechanism } from '../sasl/mechanism.ts'
import { TlsWarnings } from '../tls/warnings.ts'
import { BatchDeliveryError, ReportReceipt, type DeliveryReport } from './delivery-report.ts'
import { allTold, closedError, fatalError, givenUpBelow } from './endings.ts'
import { failAllFor, giveUpAll } from './give-up.ts'
import { Intake } from './intake.ts'
import { Log } from './log.ts'
import { idempotenceOf, resolveProducerOptions, type ResolvedProducerOptions } from './options.ts'
import type { ProducerOptions } from './producer-options.ts'
import { Placement } from './placement.ts'
import { ProducerId } from './producer-id.ts'
import {
  CallbackReceipt,
  newSend,
  resolveOfNewSend,
  settleFailed,
  UnwatchedReceipt,
  type OfferCallback,
} from './receipt.ts'
import type { RecordMetadata } from './record-metadata.ts'
import type { ProducerRecord } from './record.ts'
import { Readings } from './readings.ts'
import { Sender } from './sender.ts'
import { Settlement } from './settlement.ts'
import { checkCallOptions, Signals } from './signals.ts'
import { countsOf, type ProducerStats } from './stats.ts'
import { listPartitions, listTopics, type AskMetadata, type PartitionInfo, type TopicInfo } from './topic-info.ts'
import { checkWritableOptions, RecordWritable, type WritableOptions, type WritableParts } from './writable.ts'

export interface SendOptions {
  signal?: AbortSignal | undefined
}

export interface SendAllOptions extends SendOptions {
  /** Topic of the records that name none. */
  topic?: string | undefined
}

/**
 * Sends records to a Kafka cluster.
 *
 * Connects by itself at the first send. Records for one partition are written in the order of their `send`, and, unless
 * idempotence is off, each of them once, whatever is retried. Nothing is ever reported as delivered that no broker
 * acknowledged.
 */
export class Producer {
  readonly #options: ResolvedProducerOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #counters = newCounters()
  readonly #cluster: Cluster
  readonly #accumulator: Accumulator
  readonly #producerId: ProducerId
  readonly #intake: Intake
  readonly #sender: Sender
  readonly #signals = new Signals(() => this.#intake.dropWithdrawn())
  readonly #callbacks: Callbacks
  readonly #unwatched: UnwatchedReceipt
  readonly #readings: Readings
  readonly #askMetadata: AskMetadata
  #state: ProducerStats['state'] = 'running'
  #closing: Promise<void> | null = null
  /** Nothing can be promised any more. */
  #fatal: KafkaError | null = null
  /** Without answers (`acks: 0`) a lost connection is the only sign of a leader that moved. */
  #isMetadataDoubtful = false

  /** @throws {OptionError} every problem of the options at once. */
  constructor(options: ProducerOptions)
  /** @internal Tests own the time, and where sequences begin. */
  constructor(options: ProducerOptions, clock: Clock, firstSequence?: number)
  constructor(options: ProducerOptions, clock: Clock = systemClock, firstSequence = 0) {
    this.#options = resolveProducerOptions(options)
    this.#clock = clock
    this.#log = new Log(this.#options.logger)
    // A batch that no request can carry would have to go alone, and over the limit.
    const batchBytes = Math.min(this.#options.batchBytes, this.#options.maxRequestBytes)
    const { compression, onUndelivered, sasl } = this.#options
    const codec = compression === null ? null : loadCodec(compression)
    const given = {
      ...this.#options,
      batchBytes,
      codec,
      clock,
      firstSequence,
      idempotence: idempotenceOf(this.#options),
      mechanism: sasl === undefined ? null : createMechanism(sasl, { clock }),
      tlsWarnings: new TlsWarnings(({ code, message }) => this.#log.warn(message, { code })),
    }
    this.#readings = new Readings(clock, this.#signals)
    this.#callbacks = new Callbacks(this.#log)
    this.#unwatched = new UnwatchedReceipt(onUndelivered, this.#callbacks)
    this.#cluster = new Cluster(given, {
      onChange: (error) => this.#onClusterChange(error),
      onRefreshFailed: (error, isHopeless) => this.#onRefreshFailed(error, isHopeless),
      onStillRefused: (error) => this.#intake.failWaitingForTopics(error),
      isInUse: (topic) => this.#accumulator.isInUse(topic) || this.#intake.isWaitedFor(topic),
      onNotice: (fields, message) => this.#log.warn(message, fields),
    })
    this.#accumulator = new Accumulator(given)
    this.#producerId = new ProducerId(given, {
      onChange: () => this.#sender.pumpSoon(),
      onRefused: (error) => this.#sender.failUnsent(error),
      onFallback: (error) => this.#log.warn(`going on without idempotence: ${error.message}`, { err: error }),
    })
    const common = { cluster: this.#cluster, accumulator: this.#accumulator, counters: this.#counters }
    const settlement = new Settlement(given, this.#cluster, this.#accumulator, this.#counters, {
      onReleased: (queue, bytes) => this.#intake.memory.giveBack(queue, bytes),
      onDesync: (error) => this.#endFor(error),
      onSuspicion: (message, fields) => this.#log.warn(message, fields),
    })
    this.#sender = new Sender(given, {
      ...common,
      producerId: this.#producerId,
      settlement,
      isMemoryTight: () => this.#intake.memory.waiterCount > 0,
    })
    this.#intake = new Intake(given, {
      ...common,
      placement: new Placement({ ...given, loads: (topic) => this.#accumulator.loads(topic) }),
      refusal: (where) => this.#refusal(where),
      ended: () => this.#ended(),
      isSameTurn: () => this.#sender.isPumpSoon,
      onAppended: () => this.#onAppended(),
      topicNames: async () => (await this.topics()).map(({ name }) => name),
    })
    const isClosed = (): boolean => this.#state === 'closed'
    this.#askMetadata = (question) => askUntil(this.#cluster, question, { ...this.#options, clock, isClosed })
  }

  /**
   * Optional: finds out at start-up, instead of at the first send, whether the brokers can be reached. Tries every
   * bootstrap address once.
   *
   * @throws {ConnectionError | AuthenticationError | ProtocolError} why each address failed.
   */
  async connect(options: SendOptions = {}): Promise<void> {
    this.#assertOpen('connect')
    checkCallOptions('connect', options)
    const failure = await this.#signals.race(options.signal, 'connect', this.#cluster.refreshNow())
    if (failure !== null) throw failure
  }

  /**
   * Queues one record; resolves when the brokers have acknowledged the batch that carries it.
   *
   * A topic that is not known yet is looked up first, and while `bufferBytes` is exhausted the record waits, in all at
   * most `maxBlockMs`; `deliveryTimeoutMs` starts at the call. The record and its buffers belong to the producer until it
   * settles.
   *
   * @returns where the record went; `offset` is `-1n` with `acks: 0`, because nobody told us.
   * @throws {OptionError} `INVALID_RECORD`: no topic, no value, a field of the wrong kind. Nothing was sent.
   * @throws {DeliveryError} `RECORD_TOO_LARGE`, `BUFFER_FULL`, `UNKNOWN_PARTITION`, `PARTITIONER_FAILED`,
   * `METADATA_TIMEOUT`, `BATCH_REJECTED`: it is not written. `DELIVERY_TIMEOUT`, `DELIVERY_UNCERTAIN`, `ABORTED`, `CLOSED`:
   * see `maybeWritten`.
   * @throws {BrokerError} a broker refused for good; `code` is its reason.
   * @throws {ConnectionError | AuthenticationError | ProtocolError} no bootstrap address is a Kafka broker that we can talk to
   * and that lets us in.
   * @see Kafka `max.block.ms`, `buffer.memory`, `delivery.timeout.ms`, `max.request.size`
   */
  send(record: ProducerRecord, options?: SendOptions): Promise<RecordMetadata> {
    const promise = newSend()
    const resolve = resolveOfNewSend()
    try {
      const awaiter = options === undefined ? resolve : this.#signals.guardSend(options, resolve)
      this.#intake.accept(record, awaiter, 0)
    } catch (error) {
      settleFailed(resolve, 0, asKafkaError(error))
    }
    return promise
  }

  /**
   * Takes one record in without a promise, the cheapest way to send. `false`: it was not taken in, because `bufferBytes`
   * is full or a `send` waits for room; `ready()` tells when to come back.
   *
   * @param done runs once if, and only if, this returned true, and never before it returned. Without it failures are told
   * to `onUndelivered`.
   * @throws {OptionError} `INVALID_RECORD`, {DeliveryError} `RECORD_TOO_LARGE`, `PARTITIONER_FAILED`, `CLOSED`: it can never
   * be taken in.
   */
  offer<C = undefined>(record: ProducerRecord, done?: OfferCallback<C>, context?: C): boolean {
    const receipt = done === undefined ? this.#unwatched : new CallbackReceipt<C>(done, context as C, this.#callbacks)
    return this.#intake.offer(record, receipt)
  }

  /**
   * Resolves when `offer` would take records in again.
   *
   * @throws {DeliveryError} `CLOSED`, `ABORTED`.
   */
  async ready(options: SendOptions = {}): Promise<void> {
    this.#assertOpen('ready')
    checkCallOptions('ready', options)
    await this.#signals.race(options.signal, 'ready', this.#intake.memory.ready())
    this.#assertOpen('ready')
  }

  /**
   * A stream of records, for input without end: `offer` behind it, back-pressure in front. `finish` comes when all have
   * settled. The first record that is not delivered destroys it, unless there is an `onError`.
   *
   * @throws {OptionError} `INVALID_ARGUMENT`, {DeliveryError} `CLOSED`.
   */
  writable(options: WritableOptions = {}): Writable {
    checkWritableOptions(options)
    this.#assertOpen('writable')
    const parts: WritableParts = {
      offer: (record, done, context) => this.offer(record, done, context),
      ready: (wait) => this.ready(wait),
      flush: () => this.flush(),
      soon: (fn) => this.#clock.soon(fn),
      onUndelivered: (error) => this.#unwatched.settleFailed(0, error),
    }
    return new RecordWritable(parts, options)
  }

  /**
   * Sends all records and waits until each has settled.
   *
   * @throws {BatchDeliveryError} some were not delivered; `report` says which and why.
   */
  async sendAll(
    records: Iterable<RecordForTopic> | AsyncIterable<RecordForTopic>,
    options: SendAllOptions = {},
  ): Promise<DeliveryReport> {
    const report = await this.sendAllSettled(records, options)
    if (report.failed.length > 0) throw new BatchDeliveryError(report)
    return report
  }

  /**
   * Like `sendAll`, but a record that was not delivered is a line in the report, not an exception.
   *
   * @throws {BatchDeliveryError} the iterable itself threw; what was read before has settled, `cause` is its error.
   */
  async sendAllSettled(
    records: Iterable<RecordForTopic> | AsyncIterable<RecordForTopic>,
    options: SendAllOptions = {},
  ): Promise<DeliveryReport> {
    this.#assertOpen('sendAll')
    checkIterable(records)
    checkCallOptions('sendAll', options)
    const report = new ReportReceipt()
    const receipt = options.signal === undefined ? report : this.#signals.guard(options.signal, report)
    const failure = await this.#readings.readAll(records, options, this.#intake.memory, (record) =>
      this.#intake.accept(record, receipt, report.next()),
    )
    await report.allSettled()
    if (failure !== null) throw new BatchDeliveryError(report, { cause: failure.cause })
    return report
  }

  /**
   * Resolves when everything that was accepted before has settled, delivered or not; batches do not linger meanwhile.
   *
   * @throws {DeliveryError} `FLUSH_TIMEOUT`, `ABORTED`: the records go on.
   */
  async flush(options: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined } = {}): Promise<void> {
    checkCallOptions('flush', options)
    checkTimeout('flush', options.timeoutMs)
    const ticket = new Countdown()
    this.#intake.addTicket(ticket)
    this.#accumulator.addTicket(ticket)
    if (ticket.remaining === 0) return allTold()
    this.#sender.pump()
    const settled = within(this.#clock, options.timeoutMs, ticket.settled)
    const outcome = await this.#signals.race(options.signal, 'flush', settled)
    if (outcome === 'late') {
      const what = `${ticket.remaining} batches or waiting records had not settled after ${options.timeoutMs ?? ''} ms`
      throw new DeliveryError('FLUSH_TIMEOUT', `flush: FLUSH_TIMEOUT: ${what}; they go on`, { maybeWritten: true })
    }
  }

  /**
   * Takes no more records, waits for the rest, closes all connections. After `timeoutMs` (default `deliveryTimeoutMs`)
   * the records that are left fail with `CLOSED`; `0` does not wait. A second call gives the same promise.
   *
   * @throws {DeliveryError} `CLOSED`: some records were given up.
   */
  close(options: { timeoutMs?: number | undefined } = {}): Promise<void> {
    if (this.#closing !== null) return this.#closing
    const misuse = misuseOf(() => {
      checkCallOptions('close', options)
      checkTimeout('close', options.timeoutMs)
    })
    // Misuse closes nothing, and must not be what a later, correct call is answered with.
    if (misuse !== null) return Promise.reject(misuse)
    this.#closing = this.#close(options)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** All topics of the cluster that we may see, by name. */
  async topics(): Promise<TopicInfo[]> {
    this.#assertOpen('topics')
    return await listTopics(this.#askMetadata)
  }

  /**
   * The partitions of one topic, by number, as the cluster sees them now.
   *
   * @throws {BrokerError} `UNKNOWN_TOPIC_OR_PARTITION` and the like.
   */
  async partitionsFor(topic: string): Promise<PartitionInfo[]> {
    this.#assertOpen('partitionsFor')
    return await listPartitions(this.#askMetadata, topic)
  }

  /** What it has done and what it holds, now. */
  stats(): ProducerStats {
    const { bufferBytes } = this.#options
    return {
      ...{ state: this.#state, bufferBytes },
      ...countsOf(this.#counters),
      ...this.#producerId.stats(),
      ...this.#intake.stats(),
      ...this.#accumulator.stats(),
    }
  }

  #onAppended(): void {
    if (this.#isMetadataDoubtful) {
      this.#isMetadataDoubtful = false
      this.#cluster.refreshSoon()
    }
    this.#sender.pumpSoon()
  }

  #onClusterChange(error: KafkaError | null): void {
    if (error !== null) {
      this.#log.warn(error.message, { err: error })
      this.#isMetadataDoubtful = this.#options.acks === 0
      if (!this.#intake.isEmpty || !this.#accumulator.isEmpty) this.#cluster.refreshSoon()
    }
    this.#intake.review()
    this.#sender.pump()
  }

  #onRefreshFailed(error: KafkaError, isHopeless: boolean): void {
    this.#log.warn(`metadata could not be refreshed: ${error.message}`, { err: error })
    if (isHopeless) this.#intake.failWaitingForTopics(error)
    this.#intake.review()
    this.#sender.pump()
  }

  /** A broker and we disagree about what is in the log: going on would lose records or double them. */
  #endFor(error: KafkaError): void {
    if (this.#fatal !== null) return
    this.#fatal = error
    this.#log.error(error.message, { err: error })
    this.#readings.stopAll(error)
    failAllFor(error, this.#intake, this.#sender)
    this.#intake.memory.wakeAll()
  }

  async #close({ timeoutMs }: { timeoutMs?: number | undefined }): Promise<void> {
    this.#state = 'closing'
    this.#intake.memory.wakeAll()
    this.#readings.stopAll(closedError('the producer was closed', {}))
    const waitMs = timeoutMs ?? this.#options.deliveryTimeoutMs
    if (waitMs > 0) await this.flush(waitMs === Infinity ? {} : { timeoutMs: waitMs }).catch(givenUpBelow)
    const givenUp = giveUpAll(this.#intake, this.#sender)
    this.#intake.memory.wakeAll()
    this.#cluster.close()
    this.#state = 'closed'
    await allTold()
    if (givenUp > 0) throw closedError(`${givenUp} records had not settled and were given up`, { maybeWritten: true })
  }

  #assertOpen(where: string): void {
    const refusal = this.#refusal(where)
    if (refusal !== null) throw refusal
  }

  #refusal(where: string): KafkaError | null {
    if (this.#fatal !== null) return fatalError(this.#fatal, {})
    if (this.#state === 'running') return null
    return new DeliveryError('CLOSED', `${where}: CLOSED: the producer is ${this.#state}`)
  }

  #ended(): KafkaError | null {
    if (this.#fatal !== null) return fatalError(this.#fatal, {})
    return this.#state === 'closed' ? closedError('the producer was closed first', {}) : null
  }
}
