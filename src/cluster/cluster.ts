import type { Clock, Timer } from '../clock.ts'
import { formatAddress, type BrokerAddress } from '../connection/broker-address.ts'
import type { Outcome } from '../connection/answers.ts'
import type { Connection, ConnectionOptions } from '../connection/connection.ts'
import { openConnection } from '../connection/handshake.ts'
import type { SocketHooks } from '../connection/open-socket.ts'
import { diagnosticChannel } from '../diagnostics.ts'
import { ConnectionError, KafkaError, ProtocolError } from '../errors.ts'
import { metadata as metadataApi } from '../protocol/messages/metadata.ts'
import type { VersionLimits } from '../protocol/negotiate.ts'
import type { Api, RequestInput, ResponseOf } from '../protocol/schema.ts'
import { VERSION } from '../version.ts'
import { backoffMs } from './backoff.ts'
import { Link } from './link.ts'
import { Metadata, NO_TOPIC_ID, type LeaderHint, type MetadataResponse } from './metadata.ts'

export interface ClusterOptions extends SocketHooks {
  /** Where to begin; asked again whenever no known broker answers. */
  readonly brokers: () => Promise<readonly BrokerAddress[]>
  readonly clientId: string
  readonly clock: Clock
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly connectionsMaxIdleMs: number
  readonly reconnectBackoffMs: number
  readonly reconnectBackoffMaxMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly metadataMaxAgeMs: number
  readonly allowAutoTopicCreation: boolean
}

/** Who is told when something changed; the producer's pump. */
export interface ClusterListener {
  /** New metadata, or a connection that became usable; with `error`: one that could not be made, or was lost. */
  onChange(error: KafkaError | null): void
  /** A round of asking for metadata failed at every broker. `isHopeless`: trying again cannot help. */
  onRefreshFailed(error: KafkaError, isHopeless: boolean): void
}

/** Rounds that are answered, and follow one another closely all the same, are this far apart at last: two a second (faults-and-security.md, C4). */
const MAX_ROUND_PAUSE_MS = 500

/** The last one without tagged fields: librdkafka's mock cluster (2.16) writes one byte of them too many. */
const LAST_OLD_METADATA = 8

/** Enough to know a loop by; a bound for whoever makes up names. */
const MAX_FORGOTTEN = 1000

const refreshedChannel = diagnosticChannel('headrace:metadata:refreshed')
const failedChannel = diagnosticChannel('headrace:metadata:failed')

/**
 * What we know of a cluster and how we reach it: bootstrap, metadata, one link per broker.
 *
 * Metadata is asked for in rounds. A round asks brokers one after another until one answers; at most one round runs, and
 * everything that wants news while it runs is served by the next one.
 */
export class Cluster {
  readonly #options: ClusterOptions
  readonly #listener: ClusterListener
  readonly #links = new Map<number, Link>()
  readonly #seeds = new Map<string, Link>()
  /** Topics that records were sent to: the ones we ask about. */
  readonly #topics = new Set<string>()
  readonly #waiting = new Set<Waiting>()
  /** Topics that were given up lately. */
  readonly #forgotten = new Set<string>()
  /** Failures that every further try would meet again. */
  readonly #hopeless = new WeakSet<KafkaError>()
  #metadata = new Metadata()
  #round: Promise<KafkaError | null> | null = null
  #isAnotherRoundWanted = false
  /** Not the newest Metadata for a cluster that has it wrong. */
  #metadataVersions: VersionLimits = {}
  /** What cannot be understood now will not be understood later either. */
  #isGarbageFinal = false
  #roundTimer: Timer | null = null
  #ageTimer: Timer | null = null
  #earliestRoundMs = -Infinity
  /** Rounds in a row, none of them long after the one before: asking has not helped so far. */
  #roundsInARow = 0
  /** Of the latest round, if it failed. */
  #lastFailure: KafkaError | null = null
  #isClosed = false

  constructor(options: ClusterOptions, listener: ClusterListener) {
    this.#options = options
    this.#listener = listener
  }

  get metadata(): Metadata {
    return this.#metadata
  }

  /** Asks about this topic from now on: at once, if it is new, otherwise as soon as the backoff allows. */
  watch(topic: string): void {
    if (this.#topics.has(topic)) return this.refreshUnlessAsking()
    this.#topics.add(topic)
    if (!this.#forgotten.has(topic)) this.#earliestRoundMs = -Infinity
    this.refreshSoon()
  }

  /** Asks no longer: the topic is not there, and asking could make it. */
  forget(topic: string): void {
    this.#topics.delete(topic)
    this.#metadata = this.#metadata.without(topic)
    // Whoever sends to it again and again must not make a storm of it.
    if (this.#forgotten.size >= MAX_FORGOTTEN) this.#forgotten.clear()
    this.#forgotten.add(topic)
  }

  /** Wants metadata, and an answer that is on its way will do. */
  refreshUnlessAsking(): void {
    if (this.#round === null) this.refreshSoon()
  }

  /** Wants newer metadata, as soon as the backoff allows. */
  refreshSoon(): void {
    if (this.#isClosed) return
    if (this.#round !== null) {
      this.#isAnotherRoundWanted = true
      return
    }
    const waitMs = this.#earliestRoundMs - this.#options.clock.now()
    this.#roundTimer?.cancel()
    this.#roundTimer = null
    if (waitMs > 0) this.#roundTimer = this.#options.clock.after(waitMs, () => void this.refreshNow())
    else void this.refreshNow()
  }

  /** One round now, or the one that is running; resolves with the error if no broker answered. */
  refreshNow(): Promise<KafkaError | null> {
    this.#round ??= this.#runRound()
    return this.#round
  }

  /** A connection to a broker that is ready now, or null: then one is being made, if it is time, and `onChange` tells. */
  connectionTo(nodeId: number): Connection | null {
    const link = this.#link(nodeId)
    if (link === null) this.refreshSoon() // a leader that is not among the brokers: ask until it is, or another leads
    link?.want()
    return link?.ready ?? null
  }

  /** When the broker may be dialled again, by the clock. */
  retryAtMs(nodeId: number): number {
    return this.#links.get(nodeId)?.retryAtMs ?? -Infinity
  }

  /** Why records for a partition do not get through, as far as we can see; null if we see nothing wrong. */
  trouble(topic: string, partition: number): KafkaError | null {
    const leader = this.#metadata.leader(topic, partition)
    return this.#links.get(leader)?.lastError ?? this.#lastFailure
  }

  /** A broker named a partition's leader in its refusal (KIP-951). @returns whether that was news. */
  hintLeader(hint: LeaderHint): boolean {
    const before = this.#metadata
    this.#metadata = before.withLeader(hint)
    return this.#metadata !== before
  }

  /** Asks whichever broker answers first. @throws {KafkaError} what each broker that was tried said. */
  async ask<A extends Api>(api: A, body: RequestInput<A>): Promise<ResponseOf<A>> {
    const failures = new Map<string, KafkaError>()
    for await (const link of this.#candidates()) {
      if (this.#isClosed) throw closedError()
      if (failures.has(link.address)) continue
      const outcome = await this.#askOne(link, api, body)
      if ('response' in outcome) return outcome.response
      failures.set(link.address, outcome.error)
    }
    throw this.#nobodyAnswered([...failures.values()])
  }

  async #askOne<A extends Api>(link: Link, api: A, body: RequestInput<A>): Promise<Outcome<ResponseOf<A>>> {
    try {
      const connection = await link.connect()
      const outcome = await connection.request(api, body, api.key === metadataApi.key ? this.#metadataVersions : {})
      if (this.#isGarbageFinal && 'error' in outcome && outcome.error instanceof ProtocolError) {
        this.#hopeless.add(outcome.error)
      }
      // The request had a place among those in flight; who waits for one must hear that it is free.
      if (!this.#isClosed) this.#listener.onChange(null)
      return outcome
    } catch (error) {
      const failure = error as KafkaError
      // A peer that garbles the very first answer is no Kafka; one that does it later had an accident.
      if (failure instanceof ProtocolError || !failure.retriable) this.#hopeless.add(failure)
      return { error: failure, wasWritten: false }
    }
  }

  close(): void {
    this.#isClosed = true
    for (const waiting of this.#waiting) waiting.giveUp(closedError())
    this.#roundTimer?.cancel()
    this.#ageTimer?.cancel()
    for (const link of this.#links.values()) link.close()
    for (const link of this.#seeds.values()) link.close()
  }

  async #runRound(): Promise<KafkaError | null> {
    this.#isAnotherRoundWanted = false
    let failure = await this.#tryRound(false)
    // One garbled answer is an accident, or a broker that has the newest version wrong; two in a row are how it speaks.
    const isGarbled = failure instanceof ProtocolError || failure?.cause instanceof ProtocolError
    const isOpen = failure !== null && !this.#hopeless.has(failure)
    if (isGarbled && isOpen && this.#metadata.brokers.size === 0) {
      this.#metadataVersions = { maxVersion: LAST_OLD_METADATA }
      failure = await this.#tryRound(true)
      if (failure !== null) this.#metadataVersions = {}
    }
    this.#pause(failure === null ? MAX_ROUND_PAUSE_MS : Infinity)
    this.#round = null
    this.#lastFailure = failure
    if (this.#isClosed) return closedError()
    if (failure !== null && failedChannel.hasSubscribers) failedChannel.publish({ error: failure })
    if (failure === null) this.#listener.onChange(null)
    else this.#listener.onRefreshFailed(failure, this.#metadata.brokers.size === 0 && this.#hopeless.has(failure))
    this.#goOn()
    return failure
  }

  async #tryRound(isGarbageFinal: boolean): Promise<KafkaError | null> {
    this.#isGarbageFinal = isGarbageFinal
    try {
      this.#apply(await this.ask(metadataApi, this.#question()))
      return null
    } catch (error) {
      return error as KafkaError
    }
  }

  /** The next round begins no sooner than this: later and later while one follows the other. */
  #pause(maxPauseMs: number): void {
    const { clock, retryBackoffMs, retryBackoffMaxMs } = this.#options
    const nowMs = clock.now()
    const isSoonAfter = nowMs - this.#earliestRoundMs < 2 * MAX_ROUND_PAUSE_MS
    this.#roundsInARow = isSoonAfter ? this.#roundsInARow + 1 : 1
    const maxMs = Math.min(retryBackoffMaxMs, Math.max(maxPauseMs, retryBackoffMs))
    this.#earliestRoundMs = nowMs + backoffMs(this.#roundsInARow, retryBackoffMs, maxMs, clock.random())
  }

  /** Whoever wanted news while the round ran may have come too late for it. */
  #goOn(): void {
    if (this.#isAnotherRoundWanted) this.refreshSoon()
  }

  #question(): RequestInput<typeof metadataApi> {
    return {
      topics: [...this.#topics].map((name) => ({ name, topicId: NO_TOPIC_ID })),
      allowAutoTopicCreation: this.#options.allowAutoTopicCreation,
    }
  }

  #apply(response: MetadataResponse): void {
    const { clock, metadataMaxAgeMs } = this.#options
    this.#metadata = this.#metadata.merge(response, clock.now(), (topic) => this.#topics.has(topic))
    this.#adoptSeeds()
    this.#ageTimer?.cancel()
    if (this.#isClosed) return
    this.#ageTimer = clock.after(metadataMaxAgeMs, () => this.refreshSoon(), false)
    if (refreshedChannel.hasSubscribers) {
      const { brokers, topicCount, clusterId } = this.#metadata
      refreshedChannel.publish({ brokers: brokers.size, topics: topicCount, clusterId })
    }
  }

  /** A bootstrap connection whose address is that of a broker is the connection to that broker. */
  #adoptSeeds(): void {
    for (const [nodeId, target] of this.#metadata.brokers) {
      const seed = this.#seeds.get(formatAddress(target))
      const known = this.#links.get(nodeId)?.ready ?? null
      if (seed === undefined || known !== null) continue
      const connection = seed.release()
      if (connection !== null) this.#link(nodeId)?.adopt(connection)
    }
  }

  #link(nodeId: number): Link | null {
    const target = this.#metadata.brokers.get(nodeId)
    const known = this.#links.get(nodeId)
    if (target === undefined) return known ?? null
    if (known !== undefined && known.address === formatAddress(target)) return known
    known?.close() // the broker moved
    const link = this.#newLink(nodeId, target)
    this.#links.set(nodeId, link)
    return link
  }

  #newLink(nodeId: number | null, target: BrokerAddress): Link {
    return new Link({
      ...this.#options,
      nodeId,
      target,
      open: (id, to, opened) =>
        openConnection(this.#connectionOptions(id, to), { name: 'headrace', version: VERSION }, opened),
      onChange: (_link, error) => this.#onLinkChange(error),
    })
  }

  #connectionOptions(nodeId: number | null, target: BrokerAddress): ConnectionOptions {
    const { connectionsMaxIdleMs, ...options } = this.#options
    return { ...options, ...target, nodeId, maxIdleMs: connectionsMaxIdleMs }
  }

  #onLinkChange(error: KafkaError | null): void {
    if (!this.#isClosed) this.#listener.onChange(error)
  }

  #nobodyAnswered(failures: readonly KafkaError[]): KafkaError {
    const [first] = failures
    if (first !== undefined && failures.length === 1) return first
    const isHopeless = failures.every((failure) => this.#hopeless.has(failure))
    const reasons = failures.map(({ message }) => message).join('; ')
    const what = `connect: BOOTSTRAP_FAILED: no broker could be used: ${reasons}`
    const error = new ConnectionError('BOOTSTRAP_FAILED', what, { retriable: !isHopeless, cause: first })
    if (isHopeless) this.#hopeless.add(error)
    return error
  }

  /** Brokers in the order in which they are worth asking: connected ones, known ones, and where we began. */
  async *#candidates(): AsyncGenerator<Link> {
    const links = [...this.#metadata.brokers.keys()].map((nodeId) => this.#link(nodeId)).filter((link) => link !== null)
    const ready = links.filter((link) => link.ready !== null)
    ready.sort((a, b) => (a.ready?.inFlightCount ?? 0) - (b.ready?.inFlightCount ?? 0))
    yield* ready
    yield* shuffled(
      links.filter((link) => link.ready === null),
      this.#options.clock,
    )
    for (const address of shuffled(await this.#whereToBegin(), this.#options.clock)) {
      const name = formatAddress(address)
      const seed = this.#seeds.get(name) ?? this.#newLink(null, address)
      this.#seeds.set(name, seed)
      yield seed
    }
  }

  /** Work of the user's, which may never end, and must not outlive us. */
  #inTime<T>(work: Promise<T>): Promise<T> {
    const { clock, connectTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const waiting = { giveUp: reject }
      const timer = clock.after(connectTimeoutMs, () => {
        reject(new Error(`no answer within connectTimeoutMs (${connectTimeoutMs} ms)`))
      })
      this.#waiting.add(waiting)
      void work.then(resolve, reject).finally(() => {
        timer.cancel()
        this.#waiting.delete(waiting)
      })
    })
  }

  /** A function of the user's may know; what it throws may pass, and must not reach a caller as it is. */
  async #whereToBegin(): Promise<readonly BrokerAddress[]> {
    try {
      return await this.#inTime(this.#options.brokers())
    } catch (error) {
      if (error instanceof KafkaError) throw error
      const what = `the brokers function failed: ${error instanceof Error ? error.message : String(error)}`
      const details = { retriable: true, cause: error }
      throw new ConnectionError('BOOTSTRAP_FAILED', `connect: BOOTSTRAP_FAILED: ${what}`, details)
    }
  }
}

/** What a signal-less promise of the user's is raced with. */
interface Waiting {
  giveUp(error: KafkaError): void
}

function closedError(): ConnectionError {
  return new ConnectionError('CLOSED_BY_CLIENT', 'connect: CLOSED_BY_CLIENT: the producer was closed')
}

/** Fisher-Yates, on a copy: clients that start together should not all begin at the same broker. */
function shuffled<T>(list: readonly T[], clock: Clock): T[] {
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(clock.random() * (i + 1))
    const swap = copy[i] as T
    copy[i] = copy[j] as T
    copy[j] = swap
  }
  return copy
}
