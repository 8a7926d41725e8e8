import { Producer, type KafkaError, type ProducerOptions } from '../index.ts'
import { CallOrder } from './call-order.ts'
import type { ConnectionStep } from './connection-step.ts'
import { DataErrors } from './data-errors.ts'
import { Delivery } from './delivery.ts'
import { createVault } from './key-vault/vault.ts'
import { VaultTls } from './key-vault/vault-tls.ts'
import { OutputError } from './output-error.ts'
import { OutputEvents } from './output-events.ts'
import type { OutputMessage } from './output-message.ts'
import type { OutputMetrics } from './output-metrics.ts'
import type { KafkaOutputOptions } from './output-options.ts'
import { OutputStart } from './output-start.ts'
import { producerSettings } from './producer-settings.ts'
import { resolveOutputOptions } from './resolve-options.ts'
import type { ResolvedOutputOptions } from './resolved-options.ts'
import { RowEncoder } from './row-encoder.ts'
import { RowFeed } from './row-feed.ts'
import { watchForStall } from './stall-watch.ts'
import { testConnection } from './test-connection.ts'
import { ConversionError } from './types/conversion-error.ts'
import { orAborted, within } from './waiting.ts'
import { checkCloseOptions, checkWriteArguments } from './write-arguments.ts'
import { abortedError, closedError, writeFailure, type Ending } from './write-failure.ts'
import type { OutputRow, WriteOptions, WriteReport } from './write-report.ts'
import { WriteRun } from './write-run.ts'
import { WriteRuns } from './write-runs.ts'

type Rows = Iterable<OutputRow> | AsyncIterable<OutputRow>

const CLOSE_TIMEOUT_MS = 30_000
/** What brokers, or the producer in front of them, call a record that is too large. */
const TOO_LARGE = ['MESSAGE_TOO_LARGE', 'RECORD_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']

/**
 * Writes rows to a Kafka topic as the Kafka output of Azure Stream Analytics does: at least once, in order per partition, as
 * JSON, CSV or Avro. What fails for reasons that pass is tried for ever; what becomes of a row that cannot be converted, the
 * error policy says.
 *
 * Connects at the first write.
 */
export class KafkaOutput {
  readonly #options: ResolvedOutputOptions
  readonly #producerOptions: ProducerOptions
  readonly #vaultTls: VaultTls | null
  readonly #events: OutputEvents
  readonly #dataErrors: DataErrors
  readonly #delivery: Delivery
  readonly #start: OutputStart
  readonly #feed: RowFeed
  readonly #order = new CallOrder()
  readonly #runs = new WriteRuns()
  #messages = 0
  #closing: Promise<void> | null = null

  /**
   * Connects to nothing.
   *
   * @throws {OptionError} `INVALID_OPTIONS`: everything that is wrong, each with property, value and what is allowed;
   * `CODEC_UNAVAILABLE`: a package that compression or Avro needs is not installed.
   */
  constructor(options: KafkaOutputOptions) {
    this.#options = resolveOutputOptions(options)
    const { outputAlias, clock } = this.#options
    this.#events = new OutputEvents(this.#options)
    this.#vaultTls = this.#createVaultTls()
    this.#producerOptions = producerSettings(this.#options, this.#vaultTls)
    this.#dataErrors = new DataErrors(outputAlias, clock, (record) => this.#events.dataError(record))
    this.#delivery = new Delivery({
      createProducer: () => new Producer(this.#producerOptions),
      clock,
      onRetry: (rows, delayMs, error) => this.#events.retry(rows, delayMs, error),
    })
    const parts = { ...this.#options, vaultTls: this.#vaultTls, producerOptions: this.#producerOptions }
    const own = { delivery: this.#delivery, events: this.#events, dataErrors: this.#dataErrors }
    this.#start = new OutputStart({ ...parts, ...own })
    this.#feed = new RowFeed({ ...parts, ...own, encoder: new RowEncoder(this.#options) })
    if (this.#options.securityProtocol === 'SASL_PLAINTEXT') {
      this.#events.warnOf('SASL_PLAINTEXT: nothing is encrypted; with PLAIN the password travels readable')
    }
  }

  /**
   * Writes rows, in order; several writes at a time in the order of their calls. Takes rows no faster than they are
   * delivered, so sources may be endless.
   *
   * @param rows plain objects, or `Row`s of the NDJSON reader. They belong to the output until they have settled.
   * @returns when every row is acknowledged by the brokers or, under Drop, counted as dropped.
   * @throws {OutputError} with `report`: `WRITE_FAILED`, the brokers refused a row for good (`cause`: not authorized, no such
   * topic, larger than the topic allows) and nothing behind it was read; `SOURCE_FAILED`, `ABORTED`, `CLOSED`.
   * @throws {KeyVaultError | ConnectionError | AuthenticationError | ProtocolError | BrokerError} before the first row is
   * read: secrets or brokers will not do, and waiting does not help.
   */
  async write(rows: Iterable<OutputRow> | AsyncIterable<OutputRow>, options: WriteOptions = {}): Promise<WriteReport> {
    checkWriteArguments(rows, options)
    if (this.#closing !== null) throw closedError('write')
    const run = this.#newRun(options)
    const { signal } = options
    const abort = (): void => run.stop(abortedError(signal?.reason))
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await this.#write(rows, run, signal)
    } finally {
      signal?.removeEventListener('abort', abort)
      void this.#runs.forgetWhenSettled(run)
    }
  }

  /**
   * Whether the configuration leads to the topic: secrets, reachability, authentication, topic and permission, each on its
   * own and in words. Writes nothing; settles within half a minute.
   *
   * @returns all steps; one that could not be found out has `ok: null`.
   * @throws {OutputError} `CONNECTION_TEST_FAILED` with all `steps`: the message has those that failed.
   */
  async testConnection(): Promise<readonly ConnectionStep[]> {
    if (this.#closing !== null) throw closedError('testConnection')
    return await testConnection({
      ...this.#options,
      vaultTls: this.#vaultTls,
      producerOptions: this.#producerOptions,
    })
  }

  /** What it has done and what it holds, now. */
  metrics(): OutputMetrics {
    return this.#runs.metrics(this.#options.clock.now(), this.#dataErrors, this.#events)
  }

  /**
   * Takes no more rows, waits for those that are on their way, and lets go of all connections. Writes that are still
   * reading, or blocked by a row, end with `CLOSED`. A second call gives the same promise.
   *
   * @param options `timeoutMs`: how long to wait, default 30 000; 0 does not wait.
   * @throws {OutputError} `CLOSED`: `unsettledRows` rows had not settled; with `maybeWritten` some of them may be written.
   */
  close(options: { timeoutMs?: number | undefined } = {}): Promise<void> {
    if (this.#closing !== null) return this.#closing
    const misuse = checkCloseOptions(options)
    if (misuse !== null) return Promise.reject(misuse)
    this.#closing = this.#close(options.timeoutMs ?? CLOSE_TIMEOUT_MS)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #createVaultTls(): VaultTls | null {
    const { keyVault, fetch, clock } = this.#options
    if (keyVault === null) return null
    const onRefresh = this.#events.secrets.bind(this.#events)
    return new VaultTls(keyVault, createVault(keyVault, { fetch, clock }), { clock, onRefresh })
  }

  #newRun(options: WriteOptions): WriteRun {
    const { topic, clock } = this.#options
    const run = new WriteRun(
      {
        topic,
        now: () => clock.now(),
        nextOrder: () => this.#messages++,
        isDroppable: (error, message) => this.#isDroppable(error, message),
      },
      options,
    )
    this.#runs.add(run)
    return run
  }

  async #write(rows: Rows, run: WriteRun, signal: AbortSignal | undefined): Promise<WriteReport> {
    const tell = this.#events.stalled.bind(this.#events)
    const watch = watchForStall(run, this.#options.clock, tell)
    const cause = (await this.#readAll(rows, run)) ?? (await settledOr(run, signal))
    watch.cancel()
    const failure = writeFailure(cause, run)
    this.#dataErrors.flush()
    this.#events.written(run.report(), failure)
    if (failure !== null) throw failure
    return run.report()
  }

  /** @returns why it ended early; what is on its way has settled then, unless it was called off. */
  async #readAll(rows: Rows, run: WriteRun): Promise<Ending | null> {
    let isStarted = false as boolean
    try {
      await this.#order.run(run.signal, async () => {
        await this.#start.ready(run.signal)
        isStarted = true
        await this.#feed.feed(rows, run)
      })
      return null
    } catch (error) {
      const isCalledOff = isAbort(error, run)
      if (!isCalledOff) await run.allSettled()
      return { error, isStarted: isStarted || run.signal.aborted }
    }
  }

  async #close(timeoutMs: number): Promise<void> {
    const { clock } = this.#options
    const reason = closedError('write')
    this.#start.end()
    this.#runs.stopAll(reason)
    // Readings end, and leave what they have not sent.
    await new Promise<void>((resolve) => clock.soon(resolve))
    if (timeoutMs > 0) await within(clock, timeoutMs, this.#runs.allSettled())
    const givenUp = this.#runs.rowsOnTheWay
    await this.#delivery.end()
    this.#dataErrors.flush()
    if (givenUp === 0) return
    const what = `${givenUp} rows had not settled after ${timeoutMs} ms; some of them may be written`
    throw new OutputError('CLOSED', `close: CLOSED: ${what}`, { unsettledRows: givenUp, maybeWritten: true })
  }

  #isDroppable(error: KafkaError, { record, row, rowCount }: OutputMessage): boolean {
    if (this.#options.errorPolicy !== 'Drop' || !TOO_LARGE.includes(error.code)) return false
    const valueKind = rowCount === 1 ? 'row' : `the last of the ${rowCount} rows of a message`
    const details = { column: null, row, valueKind, reason: `larger than the brokers allow: ${error.message}` }
    const example = { rows: rowCount, messageBytes: record.value?.length ?? 0 }
    const tooLarge = new ConversionError('RECORD_EXCEEDED_SIZE_LIMIT', { ...details, cause: error })
    this.#dataErrors.add(tooLarge, example, rowCount)
    return true
  }
}

/** Whoever called it off does not wait. A source of rows may throw what looks the same. */
function isAbort(error: unknown, { signal }: WriteRun): boolean {
  return error === signal.reason && error instanceof OutputError && error.code === 'ABORTED'
}

/** @returns null: all has settled; else that somebody stopped waiting for it. */
async function settledOr(run: WriteRun, signal: AbortSignal | undefined): Promise<Ending | null> {
  const settled = run.allSettled()
  try {
    await (signal === undefined ? settled : orAborted(settled, signal))
    return null
  } catch {
    // Its reason is that of the run, too.
    return { error: run.signal.reason, isStarted: true }
  }
}
