import type { Clock, Timer } from '../clock.ts'
import type { BrokerAddress } from '../connection/broker-address.ts'
import type { Begun, ConnectionOptions } from '../connection/connection-options.ts'
import type { Connection } from '../connection/connection.ts'
import { openConnection } from '../connection/handshake.ts'
import { wantsSasl } from '../connection/sasl-probe.ts'
import type { SocketHooks } from '../connection/socket-hooks.ts'
import type { Security } from '../connection/security.ts'
import { diagnosticChannel } from '../diagnostics.ts'
import { AuthenticationError, ConnectionError, type KafkaError } from '../errors.ts'
import type { LeanMetadata } from '../protocol/metadata-decode.ts'
import { metadata as metadataApi } from '../protocol/messages/metadata.ts'
import type { Api, RequestInput, ResponseOf } from '../protocol/schema.ts'
import { VERSION } from '../version.ts'
import { Asker } from './asker.ts'
import { Link, type Attempt } from './link.ts'
import { Links } from './links.ts'
import { Metadata, NO_TOPIC_ID, type LeaderHint } from './metadata.ts'
import type { ReconnectBackoff } from './reconnect-backoff.ts'
import { Rounds } from './rounds.ts'
import { WatchedTopics } from './watched-topics.ts'

export interface ClusterOptions extends SocketHooks, Security {
  /** Where to begin; asked again whenever no known broker answers. */
  readonly brokers: (() => Promise<readonly BrokerAddress[]>) & { readonly isFixed?: boolean }
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
  /** Somebody waits for a topic in vain: nobody lets us in, and it is too early to try again. */
  onStillRefused?(error: KafkaError): void
  /** Whether anything is queued or in flight for a topic: what is known of it must not go. Default: no. */
  isInUse?(topic: string): boolean
  /** Something out of the ordinary that is no failure, for the log. */
  onNotice?(fields: object, message: string): void
}

/** Kafka's metadata.recovery.rebootstrap.trigger.ms (KIP-1102); its option is not one of ours. */
const REBOOTSTRAP_TRIGGER_MS = 300_000

/** After the first answer; a program that is done by then has no use for it. */
const CHECK_BOOTSTRAP_AFTER_MS = 1000

/** Two to three seconds: a broker that was just started may not know all users yet, and what it asks may be away for a moment. */
const FINAL_REFUSALS = 6

const refreshedChannel = diagnosticChannel('headrace:metadata:refreshed')
const failedChannel = diagnosticChannel('headrace:metadata:failed')
const recreatedChannel = diagnosticChannel('headrace:topic:recreated')
const rebootstrapChannel = diagnosticChannel('headrace:cluster:rebootstrap')

/** What we know of a cluster and how we reach it: bootstrap, metadata, one link per broker. */
export class Cluster {
  readonly #options: ClusterOptions
  readonly #listener: ClusterListener
  readonly #links: Links
  readonly #topics: WatchedTopics
  readonly #asker: Asker
  readonly #rounds: Rounds
  #metadata = new Metadata()
  /** The next round is about all topics, not only about new ones. */
  #isFullWanted = true
  /** Since when metadata is asked for in vain, by the clock. */
  #inVainSinceMs: number | null = null
  /** Of the latest round, if it failed. */
  #lastFailure: KafkaError | null = null
  #hasBegun = false
  /** Questions on connections of their own. */
  readonly #probes = new Set<Begun>()
  #checkTimer: Timer | null = null
  #isClosed = false

  constructor(options: ClusterOptions, listener: ClusterListener) {
    this.#options = options
    this.#listener = listener
    this.#links = new Links(options, (nodeId, target, backoff) => this.#newLink(nodeId, target, backoff))
    this.#topics = new WatchedTopics(options.clock)
    this.#rounds = new Rounds(options, () => this.#runRound())
    this.#asker = new Asker({ ...options, wantsSasl: (link) => this.#wantsSasl(link) }, this.#links, {
      onReply: () => this.#onLinkChange(null),
      onRebootstrap: (reason) => this.#rebootstrap(reason),
    })
  }

  get metadata(): Metadata {
    return this.#metadata
  }

  /** Asks about this topic from now on: at once, if it is new, otherwise as soon as the backoff allows. */
  watch(topic: string): void {
    const refusal = this.#standingRefusal
    if (refusal !== null) return this.#options.clock.soon(() => this.#listener.onStillRefused?.(refusal))
    if (this.#topics.has(topic)) {
      this.#topics.use(topic)
      return this.refreshUnlessAsking()
    }
    if (this.#topics.add(topic)) return this.#rounds.atOnce()
    this.refreshSoon()
  }

  /** A record was sent to it: its metadata is kept up for another five minutes at least. Costs a look into a map. */
  use(topic: string): void {
    this.#topics.use(topic)
  }

  /** Asks no longer: the topic is not there, and asking could make it. */
  forget(topic: string): void {
    this.#topics.forget(topic)
    this.#metadata = this.#metadata.without([topic])
  }

  /** Wants metadata, and an answer that is on its way will do. */
  refreshUnlessAsking(): void {
    if (!this.#rounds.isAsking) this.refreshSoon()
  }

  /** Wants newer metadata, as soon as the backoff allows. */
  refreshSoon(): void {
    this.#isFullWanted = true
    this.#rounds.soon()
  }

  /** One round now, or the one that is running; resolves with the error if no broker answered. */
  refreshNow(): Promise<KafkaError | null> {
    this.#isFullWanted ||= !this.#rounds.isAsking
    return this.#rounds.now()
  }

  /** A connection to a broker that is ready now, or null: then one is being made, if it is time, and `onChange` tells. */
  connectionTo(nodeId: number): Connection | null {
    const link = this.#links.to(nodeId)
    if (link === null) this.refreshSoon() // a leader that is not among the brokers: ask until it is, or another leads
    link?.ready?.closeIfIdleTooLong()
    link?.want()
    return link?.ready ?? null
  }

  /** When the broker may be dialled again, by the clock. */
  retryAtMs(nodeId: number): number {
    return this.#links.peek(nodeId)?.retryAtMs ?? -Infinity
  }

  /**
   * Why a broker will not let us in, whatever we do: it has refused the same credentials again and again, and they cannot
   * change. Null: it lets us in, or may yet, or is being asked at this moment.
   */
  refusal(nodeId: number): AuthenticationError | null {
    const link = this.#links.peek(nodeId)
    if (link === undefined || !link.isUnused || link.refusals < FINAL_REFUSALS) return null
    const error = link.lastError
    return this.#options.mechanism?.isFixed === true && isAboutCredentials(error) ? error : null
  }

  /** Why records for a partition do not get through, as far as we can see; null if we see nothing wrong. */
  trouble(topic: string, partition: number): KafkaError | null {
    const leader = this.#metadata.leader(topic, partition)
    return this.#links.peek(leader)?.lastError ?? this.#lastFailure
  }

  /** For how long the leader of a partition goes on not to read from us, milliseconds; undefined: it reads. */
  throttledForMs(topic: string, partition: number): number | undefined {
    return this.#links.peek(this.#metadata.leader(topic, partition))?.ready?.throttledForMs
  }

  /** A broker named a partition's leader in its refusal (KIP-951). @returns whether that was news. */
  hintLeader(hint: LeaderHint): boolean {
    const before = this.#metadata
    this.#metadata = before.withLeader(hint)
    if (this.#metadata.brokers !== before.brokers) this.#links.update(this.#metadata.brokers)
    return this.#metadata !== before
  }

  /**
   * Asks whichever broker answers first. Only Metadata is asked of addresses that are not known to belong to the cluster.
   *
   * @throws {KafkaError} what each broker that was tried said.
   */
  async ask<A extends Api>(api: A, body: RequestInput<A>): Promise<ResponseOf<A>> {
    if (api.key !== metadataApi.key && this.#metadata.brokers.size === 0) {
      const failure = await this.refreshNow()
      if (failure !== null) throw failure
    }
    return this.#asker.ask(api, body)
  }

  close(): void {
    this.#isClosed = true
    this.#asker.close(closedError())
    this.#rounds.close()
    this.#checkTimer?.cancel()
    this.#links.forget()
    for (const probe of this.#probes) probe.close()
  }

  /** What every further try would hear, for a while; null: one may try. */
  get #standingRefusal(): KafkaError | null {
    // Where one begins may be another place the next time.
    const failure = this.#hasBegun || this.#options.brokers.isFixed !== true ? null : this.#lastFailure
    return failure !== null && this.#asker.isHopeless(failure) && this.#links.isEverySeedRefused ? failure : null
  }

  async #runRound(): Promise<KafkaError | null> {
    const isFull = this.#takeFullWanted()
    if (isFull) this.#dropIdleTopics()
    const topics = isFull ? this.#topics.names : this.#topics.newNames
    this.#topics.asked(topics)
    this.#inVainSinceMs ??= this.#options.clock.now()
    const outcome = await this.#asker.askMetadata(
      {
        topics: topics.map((name) => ({ name, topicId: NO_TOPIC_ID })),
        allowAutoTopicCreation: this.#options.allowAutoTopicCreation,
      },
      !this.#hasBegun,
    )
    const failure = 'error' in outcome ? outcome.error : null
    if ('answer' in outcome) this.#apply(outcome.answer)
    else this.#isFullWanted ||= isFull
    if (isFull && this.#hasBegun) this.#rounds.restartAge(() => this.refreshSoon())
    this.#rounds.ended(failure)
    this.#lastFailure = failure
    if (this.#isClosed) return closedError()
    if (failure !== null) this.#onRoundFailed(failure)
    else this.#listener.onChange(null)
    this.#rounds.goOn()
    return failure
  }

  /** New topics are asked about alone (KIP-526): ten thousand of them, one after the other, must not ask 50 million times. */
  #takeFullWanted(): boolean {
    const isFull = this.#isFullWanted || !this.#topics.hasNew
    this.#isFullWanted = false
    return isFull
  }

  #dropIdleTopics(): void {
    const idle = this.#topics.dropIdle((topic) => this.#listener.isInUse?.(topic) === true)
    if (idle.length > 0) this.#metadata = this.#metadata.without(idle)
  }

  #apply(answer: LeanMetadata): void {
    const isFirst = !this.#hasBegun
    this.#hasBegun = true
    this.#inVainSinceMs = null
    this.#metadata = this.#metadata.merge(
      answer,
      (topic) => this.#topics.has(topic),
      (recreated) => recreatedChannel.hasSubscribers && recreatedChannel.publish(recreated),
      (nodeId) => (this.#links.peek(nodeId)?.lastError ?? null) !== null,
    )
    if (this.#isClosed) return
    this.#links.update(this.#metadata.brokers)
    if (isFirst) this.#checkBootstrapLater()
    if (refreshedChannel.hasSubscribers) {
      const { brokers, topicCount, clusterId } = this.#metadata
      refreshedChannel.publish({ brokers: brokers.size, topics: topicCount, clusterId })
    }
  }

  #checkBootstrapLater(): void {
    if (this.#asker.unknownAddresses.length === 0) return
    const check = (): void => void this.#asker.checkBootstrap()
    this.#checkTimer = this.#options.clock.after(CHECK_BOOTSTRAP_AFTER_MS, check, false)
  }

  #onRoundFailed(failure: KafkaError): void {
    if (failedChannel.hasSubscribers) failedChannel.publish({ error: failure })
    const { clock } = this.#options
    if (clock.now() - (this.#inVainSinceMs ?? Infinity) >= REBOOTSTRAP_TRIGGER_MS) {
      this.#inVainSinceMs = null
      this.#rebootstrap(`no metadata for ${REBOOTSTRAP_TRIGGER_MS / 1000} s`)
    }
    this.#listener.onRefreshFailed(failure, !this.#hasBegun && this.#asker.isHopeless(failure))
  }

  /** Nothing that is known of the brokers counts any more (KIP-1102); the next question goes to where we began. */
  #rebootstrap(reason: string): void {
    if (rebootstrapChannel.hasSubscribers) rebootstrapChannel.publish({ reason })
    this.#listener.onNotice?.({ reason }, `beginning again at the bootstrap addresses: ${reason}`)
    const what = `cluster: CONNECTION_CLOSED: began again at the bootstrap addresses: ${reason}`
    this.#metadata = this.#metadata.withoutBrokers()
    this.#links.forget(new ConnectionError('CONNECTION_CLOSED', what, { retriable: true }))
  }

  #newLink(nodeId: number | null, target: BrokerAddress, backoff: ReconnectBackoff): Link {
    return new Link({
      ...this.#options,
      ...{ nodeId, target, backoff },
      open: (attempt) => this.#open(attempt),
      onChange: (_link, error) => this.#onLinkChange(error),
    })
  }

  #open({ nodeId, target, connectTimeoutMs, hangUps, opened }: Attempt): Promise<Connection> {
    const options = this.#connectionOptions(nodeId, target, connectTimeoutMs)
    return openConnection(options, { name: 'headrace', version: VERSION }, opened, hangUps)
  }

  async #wantsSasl({ nodeId, target }: Link): Promise<boolean> {
    if (this.#options.mechanism || this.#isClosed) return false
    const options = this.#connectionOptions(nodeId, target, this.#options.connectTimeoutMs)
    const begun: Begun[] = []
    const opened = (probe: Begun): void => {
      begun.push(probe)
      this.#probes.add(probe)
    }
    return await wantsSasl(options, opened).finally(() => begun.forEach((probe) => this.#probes.delete(probe)))
  }

  #connectionOptions(nodeId: number | null, target: BrokerAddress, connectTimeoutMs: number): ConnectionOptions {
    const { connectionsMaxIdleMs: maxIdleMs, ...others } = this.#options
    const onExcessiveThrottle = (address: string, askedMs: number, grantedMs: number): void => {
      const what = `${address} throttles us for ${askedMs} ms; it is granted ${grantedMs} ms`
      this.#listener.onNotice?.({ address, askedMs, grantedMs }, what)
    }
    return { ...others, ...target, nodeId, connectTimeoutMs, maxIdleMs, onExcessiveThrottle }
  }

  #onLinkChange(error: KafkaError | null): void {
    if (!this.#isClosed) this.#listener.onChange(error)
  }
}

/** Ours, not the broker's: its certificate may be renewed, or others may lead instead. */
function isAboutCredentials(error: KafkaError | null): error is AuthenticationError {
  return error instanceof AuthenticationError && !error.retriable && !error.code.includes('CERTIFICATE')
}

function closedError(): ConnectionError {
  return new ConnectionError('CLOSED_BY_CLIENT', 'connect: CLOSED_BY_CLIENT: the producer was closed')
}
