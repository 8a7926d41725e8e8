import { Producer, type Logger, type ProducerOptions, type TopicInfo } from '../index.ts'
import { Batches } from './batches.ts'
import { classifyFailure } from './classify-failure.ts'
import { clusterTopics } from './cluster-topics.ts'
import { mappingFreedom, type CompiledMapping } from './compile-mappings.ts'
import { systemClock, type DestinationClock } from './destination-clock.ts'
import type { DeliveryResult } from './delivery-result.ts'
import { addJobs, isSendJob, type Job, type JobOptions, type SendJob } from './job.ts'
import { isObject, type Members } from './mapping/json-value.ts'
import { Metrics } from './metrics.ts'
import { sharedProducers, type CacheUser } from './producer-cache.ts'
import { producerSettings } from './producer-settings.ts'
import type { SegmentCall, SegmentPayload } from './segment-types.ts'
import type { TopicAllowList } from './topic-allow-list.ts'
import { writeJobs } from './write-jobs.ts'

export interface SegmentDeliveryOptions {
  readonly producer?: Partial<ProducerOptions> | undefined
  readonly compression?: ProducerOptions['compression']
  readonly topicAllowList?: TopicAllowList | undefined
  readonly idleMs?: number | undefined
  readonly logger?: Logger | undefined
  readonly clock?: DestinationClock | undefined
}

const IDLE_MS = 30_000
/** Settings whose producer this definition may be using; the cache closes producers by itself. */
const MAX_USERS = 1000

/** What is left of a mapping that the framework has applied: its members are taken as they are. */
const applied: Omit<CompiledMapping, 'isTopicFromEvent'> = {
  ...{ index: 0, name: 'send', audience: null },
  trigger: { kind: 'and', children: [] },
  resolve: (payload) => payload as Members,
}

interface SegmentUser extends CacheUser {
  /** Of the latest call: connections are shared by calls, and their numbers go to whoever came last. */
  metrics: Metrics
}

/** Delivers what the framework has mapped, from there on as `KafkaDestination` does, and with the same producers. */
export class SegmentDelivery {
  readonly #options: SegmentDeliveryOptions
  readonly #users = new Map<string, SegmentUser>()

  constructor(options: SegmentDeliveryOptions) {
    this.#options = options
  }

  /**
   * @returns a result for each payload, in their order.
   * @throws {SettingsError} the settings are wrong.
   * @throws {OptionError} `producer` or `compression` are.
   */
  async deliver(payloads: readonly SegmentPayload[], call: SegmentCall, isBatch: boolean): Promise<DeliveryResult[]> {
    const user = this.#userFor(call)
    const { metrics } = user
    // A host that does not say what the mapping is gets no benefit of the doubt.
    const isTopicFromEvent = !isObject(call.rawMapping) || mappingFreedom(call.rawMapping) !== 'fixed'
    const options: JobOptions = {
      ...{ isBatch, isEventTime: false, integrationName: 'Kafka', keepsSource: false },
      mappings: [{ ...applied, isTopicFromEvent }],
      topicAllowList: this.#options.topicAllowList ?? null,
    }
    const jobs: Job[] = []
    for (const [index, payload] of payloads.entries()) addJobs(jobs, payload, index, options)
    const batches = new Batches<SendJob>()
    for (const job of jobs) if (isSendJob(job)) batches.add(job)
    const isEventHubs = [call.settings.brokers].flat().join().includes('.servicebus.windows.net')
    const writer = {
      classify: (error: unknown) => classifyFailure(error, isEventHubs),
      ...{ metrics, onBroken: (producer: Producer) => sharedProducers.evict(user, producer) },
    }
    const topics = batches.byTopic
    if (topics.length > 0) await sharedProducers.use(user, (producer) => writeJobs(producer, topics, writer))
    return jobs.flatMap(({ result }) => result ?? [])
  }

  /** @throws {KafkaError} the cluster could not be asked. */
  async topics(call: SegmentCall): Promise<TopicInfo[]> {
    return await sharedProducers.use(this.#userFor(call), clusterTopics)
  }

  async close(): Promise<void> {
    const users = [...this.#users.values()]
    this.#users.clear()
    await Promise.all(users.map((user) => sharedProducers.release(user)))
  }

  #userFor({ settings, statsContext }: SegmentCall): SegmentUser {
    const { producer, compression, logger, idleMs = IDLE_MS, clock = systemClock } = this.#options
    const { options, key } = producerSettings({ settings, producer, compression, logger })
    const metrics = new Metrics(statsContext?.statsClient, statsContext?.tags)
    const known = this.#users.get(key)
    if (known !== undefined) {
      known.metrics = metrics
      return known
    }
    const user: SegmentUser = {
      ...{ key, idleMs, clock, metrics },
      create: () => new Producer(options),
      onEvent: (event) => user.metrics.connection(event),
    }
    const [oldest] = this.#users.keys()
    if (this.#users.size >= MAX_USERS && oldest !== undefined) this.#users.delete(oldest)
    this.#users.set(key, user)
    return user
  }
}
