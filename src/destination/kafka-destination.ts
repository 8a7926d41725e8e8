import { Producer, type TopicInfo } from '../index.ts'
import { Batches } from './batches.ts'
import { claim, settleClaims, type WaitingJob } from './claim-jobs.ts'
import { classifyFailure, type ClassifiedFailure } from './classify-failure.ts'
import { clusterTopics } from './cluster-topics.ts'
import { compileMappings, type CompiledMapping } from './compile-mappings.ts'
import { isDeadLetter, writeDeadLetters } from './dead-letters.ts'
import { DeliveredIds } from './dedupe.ts'
import type { DeliveryResult } from './delivery-result.ts'
import { DestinationError } from './destination-error.ts'
import {
  resolveDestinationOptions,
  type KafkaDestinationOptions,
  type ResolvedDestinationOptions,
} from './destination-options.ts'
import { addJobs, headOf, isSendJob, type Job, type SendJob } from './job.ts'
import { logFailures } from './log-failures.ts'
import { isObject } from './mapping/json-value.ts'
import { Metrics } from './metrics.ts'
import { printableResult } from './printable-result.ts'
import { sharedProducers, type CacheUser } from './producer-cache.ts'
import { producerSettings } from './producer-settings.ts'
import { testAuthentication } from './test-authentication.ts'
import { writeJobs } from './write-jobs.ts'

/** The events of one call. */
interface TakenEvents {
  readonly jobs: Job[]
  readonly waiting: WaitingJob[]
  readonly batches: Batches<SendJob>
  count: number
}

export interface DeliverOptions {
  readonly isBatch?: boolean | undefined
}

/**
 * Sends events to Kafka as mappings say: every event that matches a trigger reaches its topic, partition and key, or comes
 * back with a result that says why not.
 *
 * Destinations of a process with the same settings share one producer; it connects at the first delivery and is closed when
 * unused for `idleMs`.
 */
export class KafkaDestination {
  readonly #given: KafkaDestinationOptions
  readonly #options: ResolvedDestinationOptions
  readonly #mappings: readonly CompiledMapping[]
  readonly #metrics: Metrics
  readonly #ids: DeliveredIds | null
  readonly #user: CacheUser
  readonly #classify: (error: unknown) => ClassifiedFailure
  readonly #running = new Set<Promise<unknown>>()
  #closing: Promise<void> | null = null

  /**
   * Connects to nothing.
   *
   * @throws {SettingsError} everything that is wrong with the settings.
   * @throws {DestinationError} options or a mapping that are wrong; the message names the mapping.
   * @throws {OptionError} `producer` or `compression` are wrong.
   */
  constructor(options: KafkaDestinationOptions) {
    if (!isObject(options)) {
      throw new DestinationError('INVALID_OPTIONS', 'KafkaDestination: INVALID_OPTIONS: expected an object')
    }
    this.#given = options
    this.#options = resolveDestinationOptions(this.#given)
    const { options: producerOptions, key } = producerSettings(this.#given)
    // A producer that is never used connects to nothing; what is wrong with its options shows here.
    void new Producer(producerOptions).close({ timeoutMs: 0 })
    this.#mappings = compileMappings(this.#given.mappings, this.#options)
    this.#metrics = new Metrics(this.#given.stats, this.#given.statsTags)
    const { dedupe, clock, idleMs } = this.#options
    this.#ids = dedupe === null ? null : new DeliveredIds(dedupe, clock)
    const isEventHubs = String(producerOptions.brokers).includes('.servicebus.windows.net')
    this.#classify = (error) => classifyFailure(error, isEventHubs)
    this.#user = {
      ...{ key, idleMs, clock },
      create: () => new Producer(producerOptions),
      onEvent: (event) => this.#metrics.connection(event),
    }
  }

  /**
   * Sends events. Events of one mapping and topic with equal batch keys are written in their order.
   *
   * @param options `isBatch`: an empty Message Key is a key, as in Segment's batches; default: more than one event.
   * @returns for each event, in its order, a result for each mapping that it matches, in theirs. An event that matches none,
   * or whose `integrations` keep it away, has none; one that is no object has one with status 400.
   * @throws {DestinationError} `INVALID_ARGUMENT`: not a list; `CLOSED`. Nothing that an event is or causes. What the list
   * itself throws when it is read: nothing was sent then.
   */
  async deliver(events: Iterable<unknown>, options: DeliverOptions = {}): Promise<DeliveryResult[]> {
    this.#assertOpen('deliver')
    if (!isList(events)) {
      throw new DestinationError('INVALID_ARGUMENT', 'deliver: INVALID_ARGUMENT: expected a list of events')
    }
    // A list is taken event by event: one that is read as it goes never has all its events in memory.
    if (options.isBatch !== undefined) return await this.#track(this.#deliver(events, options.isBatch))
    const list = [...events]
    return await this.#track(this.#deliver(list, list.length > 1))
  }

  /**
   * The topics of the cluster, Kafka's own marked: choices for the field Topic.
   *
   * @throws {KafkaError} the cluster could not be asked, within ten seconds.
   */
  async topics(): Promise<TopicInfo[]> {
    this.#assertOpen('topics')
    return await this.#track(sharedProducers.use(this.#user, clusterTopics))
  }

  /**
   * Whether the settings lead into the cluster, within fifteen seconds. Resolves if so.
   *
   * @throws {DestinationError} `CREDENTIALS_INVALID`, with the reason in words.
   */
  async testAuthentication(): Promise<void> {
    this.#assertOpen('testAuthentication')
    await this.#track(testAuthentication(this.#given))
  }

  /** Takes no more events, waits for those that are on their way, and lets go of the producer. */
  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#running).then(() => sharedProducers.release(this.#user))
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #deliver(events: Iterable<unknown>, isBatch: boolean): Promise<DeliveryResult[]> {
    const taken: TakenEvents = { jobs: [], waiting: [], batches: new Batches(), count: 0 }
    const { jobs, waiting } = taken
    try {
      this.#take(taken, events, isBatch)
      await this.#write(jobs, taken.batches)
    } finally {
      if (this.#ids !== null) settleClaims(jobs)
    }
    for (const { job, first } of waiting) job.result = { ...(await first), ...headOf(job), isDuplicate: true }
    const { results, failures } = resultsOf(jobs)
    this.#metrics.delivered(taken.count, results)
    if (failures.length > 0) logFailures(this.#given.logger, failures)
    return results
  }

  /** All that happens to an event before it is sent, in one go: looked at again later, it would have to be fetched again. */
  #take(taken: TakenEvents, events: Iterable<unknown>, isBatch: boolean): void {
    const ids = this.#ids
    const keepsSource = ids !== null || this.#options.deadLetterTopic !== null
    const options = { ...this.#options, mappings: this.#mappings, isBatch, keepsSource }
    const { jobs, waiting, batches } = taken
    for (const event of events) {
      let place = jobs.length
      addJobs(jobs, event, taken.count++, options)
      for (let job = jobs[place]; job !== undefined; job = jobs[++place]) {
        if (isSendJob(job) && (ids === null || claim(ids, job, waiting))) batches.add(job)
      }
    }
  }

  async #write(jobs: readonly Job[], batches: Batches<SendJob>): Promise<void> {
    const { deadLetterTopic } = this.#options
    const hasLetters = deadLetterTopic !== null && jobs.some(({ result }) => result !== null && isDeadLetter(result))
    const topics = batches.byTopic
    if (topics.length === 0 && !hasLetters) return
    const writer = {
      ...{ classify: this.#classify, metrics: this.#metrics },
      onBroken: (producer: Producer) => sharedProducers.evict(this.#user, producer),
    }
    await sharedProducers.use(this.#user, async (producer) => {
      await writeJobs(producer, topics, writer)
      if (deadLetterTopic === null) return
      const letters = jobs.filter(({ result }) => result !== null && isDeadLetter(result))
      if (letters.length === 0) return
      await writeDeadLetters(producer, { topic: deadLetterTopic, jobs: letters }, writer.onBroken)
    })
  }

  #assertOpen(where: string): void {
    if (this.#closing !== null) throw new DestinationError('CLOSED', `${where}: CLOSED: the destination was closed`)
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work)
    try {
      return await work
    } finally {
      this.#running.delete(work)
    }
  }
}

function resultsOf(jobs: readonly Job[]): { results: DeliveryResult[]; failures: DeliveryResult[] } {
  const results: DeliveryResult[] = []
  const failures: DeliveryResult[] = []
  for (const { result } of jobs) {
    if (result === null) continue
    const printable = printableResult(result)
    results.push(printable)
    if (printable.error !== undefined) failures.push(printable)
  }
  return { results, failures }
}

function isList(events: unknown): boolean {
  const isObjectOrNone = typeof events === 'object' && events !== null
  return isObjectOrNone && typeof (events as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function'
}
