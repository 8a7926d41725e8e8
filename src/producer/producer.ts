import { systemClock, type Clock, type Timer } from '../clock.ts'
import { backoffMs } from '../cluster/backoff.ts'
import { Cluster } from '../cluster/cluster.ts'
import type { MetadataResponse, TopicMetadata } from '../cluster/metadata.ts'
import { loadCodec } from '../compression/load-codec.ts'
import { DeliveryError, KafkaError } from '../errors.ts'
import { metadata as metadataApi } from '../protocol/messages/metadata.ts'
import type { Accepted } from './accepted.ts'
import { asKafkaError, checkIterable, checkTimeout, misuseOf, withTopic, type RecordForTopic } from './arguments.ts'
import { closedError, finish, givenUpBelow, metadataTimeout } from './endings.ts'
import { Countdown } from './countdown.ts'
import { Accumulator } from './accumulator.ts'
import { Admission } from './admission.ts'
import { BatchDeliveryError, ReportReceipt, type DeliveryReport } from './delivery-report.ts'
import { resolveProducerOptions, type ProducerOptions, type ResolvedProducerOptions } from './options.ts'
import { Placement } from './placement.ts'
import { PromiseReceipt, type Receipt } from './receipt.ts'
import type { RecordMetadata } from './record-metadata.ts'
import { checkRecord, type CheckedRecord, type ProducerRecord } from './record.ts'
import { Sender } from './sender.ts'
import { aborted, checkCallOptions, Signals } from './signals.ts'
import { readRecords, ReadStop } from './read-records.ts'
import { listPartitions, listTopics, type AskMetadata, type PartitionInfo, type TopicInfo } from './topic-info.ts'

export interface SendOptions {
  signal?: AbortSignal | undefined
}

export interface SendAllOptions extends SendOptions {
  /** Topic of the records that name none. */
  topic?: string | undefined
}

type ProducerState = 'running' | 'flushing' | 'closing' | 'closed'

/**
 * `sendAll` reads on only while less than this waits to be acknowledged: an endless input must not become an endless
 * buffer. (`bufferBytes`, the limit for `send`, arrives with the engine work.)
 */
const SEND_ALL_WINDOW_BYTES = 32 * 1024 * 1024

/** So many records `sendAll` takes from a plain iterable before it lets the event loop turn: sockets want to be read. */
const SEND_ALL_TURN_RECORDS = 1024

/**
 * Sends records to a Kafka cluster.
 *
 * Connects by itself at the first send. Records for one partition are written in the order of their `send`. Retries may
 * write a second copy until idempotence arrives; nothing is ever reported as delivered that no broker acknowledged.
 */
export class Producer {
  readonly #options: ResolvedProducerOptions
  readonly #clock: Clock
  readonly #cluster: Cluster
  readonly #accumulator: Accumulator
  readonly #admission: Admission
  readonly #placement: Placement
  readonly #sender: Sender
  readonly #signals = new Signals(() => this.#admission.dropWithdrawn())
  /** `sendAll`s that are reading. */
  readonly #readings = new Set<ReadStop>()
  readonly #askMetadata: AskMetadata
  #state: ProducerState = 'running'
  #closing: Promise<void> | null = null
  #onDrained: (() => void)[] = []
  /** Without answers (`acks: 0`) a lost connection is the only sign of a leader that moved. */
  #isMetadataDoubtful = false

  /** @throws {OptionError} every problem of the options at once. */
  constructor(options: ProducerOptions)
  /** @internal Tests own the time. */
  constructor(options: ProducerOptions, clock: Clock)
  constructor(options: ProducerOptions, clock: Clock = systemClock) {
    this.#options = resolveProducerOptions(options)
    this.#clock = clock
    // A batch that no request can carry would have to go alone, and over the limit.
    const batchBytes = Math.min(this.#options.batchBytes, this.#options.maxRequestBytes)
    const { compression } = this.#options
    const codec = compression === null ? null : loadCodec(compression)
    const parts = { ...this.#options, batchBytes, codec, clock: this.#clock }
    this.#cluster = new Cluster(parts, {
      onChange: (error) => this.#onClusterChange(error),
      onRefreshFailed: (error, isHopeless) => this.#onRefreshFailed(error, isHopeless),
    })
    this.#accumulator = new Accumulator(parts)
    this.#placement = new Placement(parts)
    this.#sender = new Sender(parts, this.#cluster, this.#accumulator, () => this.#resumeReaders())
    this.#admission = new Admission(parts, this.#cluster, {
      admit: (accepted, topic) => this.#admit(accepted, topic),
      onSettled: () => this.#resumeReaders(),
      topicNames: async () => (await this.topics()).map(({ name }) => name),
    })
    this.#askMetadata = (question) => this.#askUntil(question)
  }

  /**
   * Optional: finds out at start-up, instead of at the first send, whether the brokers can be reached. Tries every
   * bootstrap address once.
   *
   * @throws {ConnectionError | ProtocolError} why each address failed.
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
   * A topic that is not known yet is looked up first, at most `maxBlockMs`; `deliveryTimeoutMs` starts at the call. The
   * record and its buffers belong to the producer until it settles.
   *
   * @returns where the record went; `offset` is `-1n` with `acks: 0`, because nobody told us.
   * @throws {OptionError} `INVALID_RECORD`: no topic, no value, a field of the wrong kind. Nothing was sent.
   * @throws {DeliveryError} `RECORD_TOO_LARGE`, `UNKNOWN_PARTITION`, `PARTITIONER_FAILED`, `METADATA_TIMEOUT`, `CLOSED`:
   * nothing was sent. `DELIVERY_TIMEOUT`, `ABORTED`: see `maybeWritten`.
   * @throws {BrokerError} a broker refused for good; `code` is its reason.
   * @throws {ConnectionError | ProtocolError} no bootstrap address is a Kafka broker that we can talk to.
   * @see Kafka `max.block.ms`, `delivery.timeout.ms`, `max.request.size`
   */
  send(record: ProducerRecord, options?: SendOptions): Promise<RecordMetadata> {
    return new Promise((resolve, reject) => {
      const receipt = new PromiseReceipt(resolve, reject)
      checkCallOptions('send', options)
      this.#accept(record, options?.signal === undefined ? receipt : this.#signals.guard(options.signal, receipt), 0)
    })
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
    const failure = await this.#readAll(records, options, (record) => this.#accept(record, receipt, report.next()))
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
    ticket.remaining = this.#admission.addTicket(ticket) + this.#accumulator.addTicket(ticket)
    if (ticket.remaining === 0) return
    this.#sender.pump()
    const settled = this.#within(options.timeoutMs, ticket.settled)
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

  /** Takes one record after the other, no faster than they settle. */
  async #readAll(
    records: Iterable<RecordForTopic> | AsyncIterable<RecordForTopic>,
    { topic, signal }: SendAllOptions,
    accept: (record: ProducerRecord) => void,
  ): Promise<{ cause: unknown } | null> {
    let taken = 0
    const take = (record: RecordForTopic): Promise<void> | null => {
      accept(withTopic(record, topic))
      taken++
      if (this.#unsettledBytes > SEND_ALL_WINDOW_BYTES) return this.#drained()
      return taken % SEND_ALL_TURN_RECORDS === 0 ? new Promise((resolve) => this.#clock.soon(resolve)) : null
    }
    const stop = new ReadStop()
    const unlisten = signal && this.#signals.onAbort(signal, () => stop.stop(aborted('sendAll', signal, false)))
    this.#readings.add(stop)
    try {
      return await readRecords(records, take, stop)
    } finally {
      this.#readings.delete(stop)
      unlisten?.()
    }
  }

  /** Takes a record in, or fails it through its receipt: this never throws. */
  #accept(record: ProducerRecord, receipt: Receipt, token: number): void {
    try {
      receipt.begin?.(token)
      this.#assertOpen('send')
      const checked = checkRecord(record, this.#clock.wallNow())
      this.#checkSize(checked)
      if (receipt.isWithdrawn?.(token) === true) return
      const accepted = { record: checked, receipt, token, sentMs: this.#clock.now(), tickets: [] }
      const topic = this.#admission.ready(checked)
      if (topic === null) this.#admission.wait(accepted)
      else this.#admit(accepted, topic)
    } catch (error) {
      receipt.settleFailed(token, asKafkaError(error))
    }
  }

  /** Into a batch, now that its topic is known. */
  #admit(accepted: Accepted, topic: TopicMetadata): void {
    const { record, receipt, token, tickets } = accepted
    try {
      const partition = this.#placement.choose(record, topic)
      // A partitioner is the user's code: it may have closed the producer, or called the record off.
      if (this.#state === 'closed') throw closedError('the producer was closed first', { topic: record.topic })
      if (receipt.isWithdrawn?.(token) === true) return finish(tickets)
      const bytes = this.#accumulator.append(accepted, partition)
      this.#placement.placed(record, partition, bytes)
      if (this.#isMetadataDoubtful) {
        this.#isMetadataDoubtful = false
        this.#cluster.refreshSoon()
      }
      this.#sender.pumpSoon()
    } catch (error) {
      receipt.settleFailed(token, asKafkaError(error))
      finish(tickets)
    }
  }

  #checkSize({ upperBoundBytes, topic }: CheckedRecord): void {
    const { maxRequestBytes } = this.#options
    if (upperBoundBytes <= maxRequestBytes) return
    const what = `a record of ${upperBoundBytes} bytes for topic ${JSON.stringify(topic)} is over maxRequestBytes (${maxRequestBytes})`
    throw new DeliveryError('RECORD_TOO_LARGE', `send: RECORD_TOO_LARGE: ${what}`, { topic })
  }

  #onClusterChange(error: KafkaError | null): void {
    if (error !== null) {
      this.#warn(error, error.message)
      this.#isMetadataDoubtful = this.#options.acks === 0
      if (!this.#admission.isEmpty || !this.#accumulator.isEmpty) this.#cluster.refreshSoon()
    }
    this.#admission.review()
    this.#sender.pump()
  }

  #onRefreshFailed(error: KafkaError, isHopeless: boolean): void {
    this.#warn(error, `metadata could not be refreshed: ${error.message}`)
    if (isHopeless) this.#admission.failAll(() => error)
    this.#admission.review()
    this.#sender.pump()
  }

  #warn(error: KafkaError, message: string): void {
    try {
      this.#options.logger?.warn({ err: error }, message)
    } catch {
      // A logger that throws has nobody to tell; it must not take the records with it.
    }
  }

  get #unsettledBytes(): number {
    return this.#accumulator.unsettledBytes + this.#admission.waitingBytes
  }

  /** Half of the window is free again: whoever reads records for `sendAll` goes on. */
  #resumeReaders(): void {
    if (this.#onDrained.length === 0 || this.#unsettledBytes > SEND_ALL_WINDOW_BYTES / 2) return
    for (const resume of this.#onDrained.splice(0)) resume()
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => this.#onDrained.push(resolve))
  }

  async #close({ timeoutMs }: { timeoutMs?: number | undefined }): Promise<void> {
    this.#state = 'closing'
    for (const reading of this.#readings) reading.stop(closedError('the producer was closed', {}))
    const waitMs = timeoutMs ?? this.#options.deliveryTimeoutMs
    if (waitMs > 0) await this.flush(waitMs === Infinity ? {} : { timeoutMs: waitMs }).catch(givenUpBelow)
    let givenUp = 0
    this.#admission.failAll(({ topic }) => {
      givenUp++
      return closedError(`topic ${JSON.stringify(topic)}: the producer was closed first`, { topic })
    })
    this.#sender.failAll(({ topic, partition, maybeWritten, state, recordCount, attempts }) => {
      givenUp += recordCount
      const where = `topic ${JSON.stringify(topic)} partition ${partition}`
      const isMaybeWritten = maybeWritten || state === 'inFlight'
      return closedError(`${where}: the producer was closed first`, {
        topic,
        partition,
        attempts,
        maybeWritten: isMaybeWritten,
      })
    })
    this.#cluster.close()
    this.#state = 'closed'
    if (givenUp > 0) throw closedError(`${givenUp} records had not settled and were given up`, { maybeWritten: true })
  }

  /** Asks until a broker answers, as long as that may help, at most `maxBlockMs`. */
  async #askUntil(question: Parameters<AskMetadata>[0]): Promise<MetadataResponse> {
    const { maxBlockMs, retryBackoffMs, retryBackoffMaxMs } = this.#options
    const deadlineMs = this.#clock.now() + maxBlockMs
    for (let failures = 1; ; failures++) {
      const asked = this.#cluster.ask(metadataApi, question).catch((error: unknown) => asKafkaError(error))
      const answer = await this.#within(deadlineMs - this.#clock.now(), asked)
      if (answer === 'late') throw metadataTimeout(maxBlockMs)
      if (!(answer instanceof KafkaError)) return answer
      const waitMs = backoffMs(failures, retryBackoffMs, retryBackoffMaxMs, this.#clock.random())
      const isFinal = !answer.retriable || this.#state === 'closed'
      if (isFinal || this.#clock.now() + waitMs > deadlineMs) throw answer
      await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve))
    }
  }

  #within<T>(timeoutMs: number | undefined, work: Promise<T>): Promise<T | 'late'> {
    if (timeoutMs === undefined) return work
    return new Promise((resolve) => {
      const timer: Timer = this.#clock.after(timeoutMs, () => resolve('late'))
      void work.then((value) => {
        timer.cancel()
        resolve(value)
      })
    })
  }

  #assertOpen(where: string): void {
    if (this.#state !== 'running') throw new DeliveryError('CLOSED', `${where}: CLOSED: the producer is ${this.#state}`)
  }
}
