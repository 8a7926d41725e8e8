import type { Clock } from '../clock.ts'
import { formatAddress, type BrokerAddress } from '../connection/broker-address.ts'
import type { Connection } from '../connection/connection.ts'
import { asKafkaError } from '../connection/failure.ts'
import { isGuess } from '../connection/guess.ts'
import { diagnosticChannel } from '../diagnostics.ts'
import { ConnectionError, ProtocolError, type KafkaError } from '../errors.ts'
import { errorByName, toBrokerError } from '../protocol/error-codes.ts'
import { MetadataReading, type LeanMetadata } from '../protocol/metadata-decode.ts'
import { metadata as metadataApi } from '../protocol/messages/metadata.ts'
import type { VersionLimits } from '../protocol/negotiate.ts'
import type { Api, RequestInput, ResponseOf } from '../protocol/schema.ts'
import { brokerText } from '../sasl/broker-text.ts'
import { Bootstrap } from './bootstrap.ts'
import { candidates } from './candidates.ts'
import { Inquiry, InquiryFailed, type Reply } from './inquiry.ts'
import type { Link } from './link.ts'
import type { Links } from './links.ts'

export interface AskerOptions {
  readonly brokers: () => Promise<readonly BrokerAddress[]>
  readonly clock: Clock
  readonly connectTimeoutMs: number
  /** Asks, on a connection of its own, whether a listener that hung up on us wants SASL. Default: nobody asks. */
  readonly wantsSasl?: ((link: Link) => Promise<boolean>) | undefined
}

export interface AskerListener {
  /** A request had a place among those in flight; who waits for one must hear that it is free. */
  onReply(): void
  /** A broker says that what we know of the cluster is of no use. */
  onRebootstrap(reason: string): void
}

type MetadataQuestion = RequestInput<typeof metadataApi>

/** The last one without tagged fields: librdkafka's mock cluster (2.16) writes one byte of them too many. */
const LAST_OLD_METADATA = 8

/** So many equal guesses in a row, a third of a second in all, are taken for right; at a login less else can be the matter. */
const BELIEVED = 3
const BELIEVED_AT_LOGIN = 2

const REBOOTSTRAP_REQUIRED = errorByName('REBOOTSTRAP_REQUIRED')?.code

const mismatchChannel = diagnosticChannel('headrace:cluster:mismatch')

/** Asks questions that any broker can answer, and knows which answers are not to be believed. */
export class Asker {
  readonly #options: AskerOptions
  readonly #links: Links
  readonly #listener: AskerListener
  readonly #bootstrap: Bootstrap
  readonly #inquiries = new Set<{ giveUp(error: KafkaError): void }>()
  /** Failures that every further try would meet again. */
  readonly #hopeless = new WeakSet<KafkaError>()
  #hasUnderstood = false
  /** What was inferred of an address at the last try, and how often in a row. */
  readonly #guessed = new Map<string, { readonly code: string; readonly times: number }>()
  /** The cluster that answered first is ours for good: records must not go to another one. */
  #clusterId: string | null = null
  /** Addresses that are known to lead to it. */
  readonly #judged = new Set<string>()
  /** Not the newest Metadata for a cluster that has it wrong. */
  #metadataVersions: VersionLimits = {}
  /** What cannot be understood now will not be understood later either. */
  #isGarbageFinal = false
  #closedBy: KafkaError | null = null

  constructor(options: AskerOptions, links: Links, listener: AskerListener) {
    this.#options = options
    this.#links = links
    this.#listener = listener
    this.#bootstrap = new Bootstrap(options)
  }

  /** Every further try would end like this. */
  isHopeless(failure: KafkaError): boolean {
    return this.#hopeless.has(failure)
  }

  /** @throws {KafkaError} what each broker that was tried said. */
  ask<A extends Api>(api: A, body: RequestInput<A>): Promise<ResponseOf<A>> {
    const isMetadata = api.key === metadataApi.key
    return this.#inquire(isMetadata, async (link) => {
      const connection = await link.connect()
      const outcome = await connection.request(api, body, isMetadata ? this.#metadataVersions : {})
      if ('error' in outcome) return outcome
      if (!isMetadata) return { answer: outcome.response }
      const { clusterId } = outcome.response as ResponseOf<typeof metadataApi>
      const error = this.#judgeCluster(connection, clusterId)
      return error === null ? { answer: outcome.response } : { error }
    })
  }

  /**
   * One round of asking for metadata.
   *
   * @param isFirst nobody of this cluster has been understood yet. One garbled answer is an accident, or a broker that
   *   has the newest version wrong; two in a row are how it speaks.
   */
  async askMetadata(question: MetadataQuestion, isFirst: boolean): Promise<Reply<LeanMetadata>> {
    const reply = await this.#tryMetadata(question)
    if (!isFirst || 'answer' in reply) return reply
    const { error } = reply
    const isGarbled = error instanceof ProtocolError || error.cause instanceof ProtocolError
    if (!isGarbled || this.#hopeless.has(error)) return reply
    this.#metadataVersions = { maxVersion: LAST_OLD_METADATA }
    this.#isGarbageFinal = true
    const second = await this.#tryMetadata(question)
    this.#isGarbageFinal = false
    if ('error' in second) this.#metadataVersions = {}
    return second
  }

  /** Bootstrap addresses of which nobody knows where they lead. */
  get unknownAddresses(): BrokerAddress[] {
    const brokers = new Set(this.#links.known.map(({ address }) => address))
    return this.#bootstrap.latest.filter((target) => {
      const address = formatAddress(target)
      return !brokers.has(address) && !this.#judged.has(address)
    })
  }

  /**
   * Looks at those: one that leads to another cluster is a mistake that would show on the day on which ours is down.
   * What is found is told as any other loss of a connection.
   */
  async checkBootstrap(): Promise<void> {
    for (const target of this.unknownAddresses) {
      if (this.#closedBy !== null) return
      const link = this.#links.seed(target)
      await this.#askOne(link, () => this.#askForMetadata(link, { topics: [], allowAutoTopicCreation: false }))
      link.ready?.close()
    }
  }

  close(error: KafkaError): void {
    this.#closedBy = error
    this.#bootstrap.close(error)
    for (const inquiry of this.#inquiries) inquiry.giveUp(error)
  }

  async #tryMetadata(question: MetadataQuestion): Promise<Reply<LeanMetadata>> {
    try {
      return { answer: await this.#inquire(true, (link) => this.#askForMetadata(link, question)) }
    } catch (error) {
      return { error: error as KafkaError }
    }
  }

  async #askForMetadata(link: Link, question: MetadataQuestion): Promise<Reply<LeanMetadata>> {
    const connection = await link.connect()
    const outcome = await connection.requestAs(metadataApi, question, beginReading, this.#metadataVersions)
    if ('error' in outcome) return outcome
    const { answer, reading } = outcome.response
    const reply = answer === null ? await this.#readOn(connection, reading) : { answer }
    if ('error' in reply) return reply
    const error = this.#judgeCluster(connection, reply.answer.clusterId) ?? this.#judgeAnswer(link, reply.answer)
    return error === null ? reply : { error }
  }

  /** A large answer is read in several turns. One that makes no sense ends the connection, as any other would. */
  async #readOn(connection: Connection, reading: MetadataReading): Promise<Reply<LeanMetadata>> {
    try {
      for (;;) {
        await new Promise<void>((resolve) => this.#options.clock.soon(resolve))
        const answer = reading.next()
        if (answer !== null) return { answer }
      }
    } catch (error) {
      const failure = asKafkaError(connection.address, error)
      connection.close(failure)
      return { error: failure }
    }
  }

  async #inquire<Answer>(isMetadata: boolean, ask: (link: Link) => Promise<Reply<Answer>>): Promise<Answer> {
    if (this.#closedBy !== null) throw this.#closedBy
    const { clock } = this.#options
    const whereToBegin = isMetadata ? (): Promise<readonly BrokerAddress[]> => this.#bootstrap.addresses() : null
    const inquiry = new Inquiry<Answer>({
      clock,
      candidates: candidates(this.#links, clock, whereToBegin),
      ask: (link) => this.#askOne(link, ask),
      isStaggered: isMetadata,
    })
    this.#inquiries.add(inquiry)
    try {
      return await inquiry.answer
    } catch (error) {
      throw error instanceof InquiryFailed ? this.#nobodyAnswered(error.failures) : error
    } finally {
      this.#inquiries.delete(inquiry)
    }
  }

  async #askOne<Answer>(link: Link, ask: (link: Link) => Promise<Reply<Answer>>): Promise<Reply<Answer>> {
    try {
      const reply = await ask(link)
      if ('answer' in reply) this.#onUnderstood(link)
      else await this.#judgeFailure(link, reply.error, this.#isGarbageFinal && reply.error instanceof ProtocolError)
      if (this.#closedBy === null) this.#listener.onReply()
      return reply
    } catch (error) {
      const failure = error as KafkaError
      // A peer that garbles the very first answer is no Kafka; one that does it later had an accident.
      await this.#judgeFailure(link, failure, failure instanceof ProtocolError || !failure.retriable)
      return { error: failure }
    }
  }

  #onUnderstood({ address }: Link): void {
    this.#hasUnderstood = true
    this.#guessed.delete(address)
  }

  /** Whether every further try would end like this. Only who has never been understood gives up so early. */
  async #judgeFailure(link: Link, failure: KafkaError, isFinal: boolean): Promise<void> {
    if (isFinal) this.#hopeless.add(failure)
    if (!isGuess(failure) || this.#hasUnderstood) return void this.#guessed.delete(link.address)
    if (failure.code !== 'CONNECTION_CLOSED') {
      const times = this.#timesGuessed(link.address, failure.code)
      const isAtLogin = failure.code === 'SASL_AUTHENTICATION_FAILED'
      if (times >= (isAtLogin ? BELIEVED_AT_LOGIN : BELIEVED)) this.#hopeless.add(failure)
    } else if ((await this.#options.wantsSasl?.(link)) === true) this.#hopeless.add(failure)
  }

  #timesGuessed(address: string, code: string): number {
    const before = this.#guessed.get(address)
    const times = before?.code === code ? before.times + 1 : 1
    this.#guessed.set(address, { code, times })
    return times
  }

  /** @returns why nothing may be sent to this one; null: it belongs to our cluster, or is too old to say. */
  #judgeCluster(connection: Connection, clusterId: string | null): KafkaError | null {
    if (clusterId === null) return null
    this.#clusterId ??= clusterId
    const { address } = connection
    if (clusterId === this.#clusterId) {
      this.#judged.add(address)
      return null
    }
    if (mismatchChannel.hasSubscribers) {
      mismatchChannel.publish({ address, clusterId, expectedClusterId: this.#clusterId })
    }
    const what = `it belongs to the cluster ${brokerText(clusterId)}, and this producer to ${brokerText(this.#clusterId)}: are there two clusters among the brokers?`
    const error = new ConnectionError('CLUSTER_MISMATCH', `${address}: CLUSTER_MISMATCH: ${what}`, { retriable: true })
    connection.close(error)
    return error
  }

  /** @returns why an answer that could be read is none. */
  #judgeAnswer({ address }: Link, { errorCode, brokers }: LeanMetadata): KafkaError | null {
    if (errorCode !== 0) {
      const error = toBrokerError(errorCode, `${address}: Metadata`, { retriable: true })
      if (errorCode === REBOOTSTRAP_REQUIRED) this.#listener.onRebootstrap(`${address} asks for it`)
      return error
    }
    if (brokers.length > 0) return null
    const what = 'Metadata without any broker'
    return new ProtocolError('INVALID_VALUE', `${address}: INVALID_VALUE: ${what}`, { retriable: true })
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
}

/** The first step, which is all of nearly every answer, while the connection is there to be told that it is garbled. */
function beginReading(
  version: number,
  frame: Buffer,
): { reading: MetadataReading; answer: LeanMetadata | null; throttleTimeMs: number } {
  const reading = new MetadataReading(version, frame)
  return { reading, answer: reading.next(), throttleTimeMs: reading.throttleTimeMs }
}
