import {
  BatchDeliveryError,
  Producer,
  type DeliveryReport,
  type KafkaError,
  type ProducerOptions,
  type ProducerRecord,
  type RecordMetadata,
  type SendAllOptions,
  type SendOptions,
} from '../../src/index.ts'
import type { Clock } from '../../src/clock.ts'
import type { RecordForTopic } from '../../src/producer/arguments.ts'
import type { OfferCallback } from '../../src/producer/receipt.ts'
import type { ObservedRecord, ObservedRecords } from './observed-records.ts'

/** A Producer whose every record is noted, with what its sender is told. `writable` is `offer`, `sendAll` is `sendAllSettled`. */
export class ObservedProducer extends Producer {
  readonly options: ProducerOptions
  readonly #records: ObservedRecords

  constructor(options: ProducerOptions, records: ObservedRecords, clock: Clock, firstSequence?: number) {
    super(options, clock, firstSequence)
    this.options = options
    this.#records = records
  }

  override send(record: ProducerRecord, options?: SendOptions): Promise<RecordMetadata> {
    const observed = this.#note(record)
    const sent = super.send(record, options)
    this.#records.accepted(observed)
    // The promise that is handed out must be one that nobody else has looked at: left alone it rejects unhandled.
    return sent.then(
      (at) => {
        this.#records.delivered(observed, at)
        return at
      },
      (error: unknown) => {
        this.#records.failed(observed, error as KafkaError)
        throw error
      },
    )
  }

  override offer<C = undefined>(record: ProducerRecord, done?: OfferCallback<C>, context?: C): boolean {
    const observed = this.#note(record)
    const isWatched = typeof done === 'function'
    const watched: OfferCallback<C> = (error, at, given) => {
      if (error === null) this.#records.delivered(observed, at!)
      else this.#records.failed(observed, error)
      done?.(error, at, given)
    }
    let isTaken = false
    try {
      isTaken = super.offer(record, isWatched ? watched : done, context)
    } catch (error) {
      this.#records.failed(observed, error as KafkaError)
      throw error
    }
    if (!isTaken) observed.ending = 'refused'
    else if (!isWatched) this.#records.unwatched(observed)
    this.#records.accepted(observed)
    return isTaken
  }

  override async sendAllSettled(
    records: Iterable<RecordForTopic> | AsyncIterable<RecordForTopic>,
    options?: SendAllOptions,
  ): Promise<DeliveryReport> {
    const noted: ObservedRecord[] = []
    const topic = (options as SendAllOptions | null | undefined)?.topic
    const note = (record: RecordForTopic): void => {
      const observed = this.#note(record, topic)
      noted.push(observed)
      this.#records.accepted(observed)
    }
    try {
      const report = await super.sendAllSettled(watchIterable(records, note), options)
      this.#settleAll(noted, report)
      return report
    } catch (error) {
      this.#settleAll(noted, error instanceof BatchDeliveryError ? error.report : null)
      throw error
    }
  }

  #note(record: RecordForTopic, topic?: string): ObservedRecord {
    return this.#records.note(this, record, { topic, acks: this.options.acks })
  }

  /** Those that were read and not taken in any more have no place in the report. */
  #settleAll(noted: readonly ObservedRecord[], report: DeliveryReport | null): void {
    const errors = new Map(report?.failed.map(({ index, error }) => [index, error]))
    for (const [index, observed] of noted.entries()) {
      const error = errors.get(index)
      if (error !== undefined) this.#records.failed(observed, error)
      else if (index < (report?.count ?? 0)) this.#records.delivered(observed, report!.metadata(index))
      else observed.ending = 'refused'
    }
  }
}

/** The same iterable, each record noted when it is read. What is none stays as it is. */
function watchIterable<I>(records: I, note: (record: RecordForTopic) => void): I {
  const given = records as Partial<Iterable<RecordForTopic> & AsyncIterable<RecordForTopic>> | null
  if (typeof given !== 'object' || given === null) return records
  const watch = <R extends IteratorResult<RecordForTopic>>(step: R): R => {
    if (typeof step === 'object' && step.done !== true) note(step.value)
    return step
  }
  const sync = given[Symbol.iterator]?.bind(given)
  const async = given[Symbol.asyncIterator]?.bind(given)
  if (async !== undefined) {
    const open = (): AsyncIterator<RecordForTopic> => {
      const iterator = async()
      return { ...endOf(iterator), next: async () => watch(await iterator.next()) }
    }
    return { [Symbol.asyncIterator]: open } as I
  }
  if (sync === undefined) return records
  const open = (): Iterator<RecordForTopic> => {
    const iterator = sync()
    return { ...endOf(iterator), next: () => watch(iterator.next()) }
  }
  return { [Symbol.iterator]: open } as I
}

/** How an iterator is left early, if it can be. */
function endOf<R>(iterator: { return?: (value?: never) => R }): { return?: () => R } {
  return iterator.return === undefined ? {} : { return: () => iterator.return!() }
}
