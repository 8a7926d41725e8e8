/**
 * `headrace/testing`: a Kafka cluster inside of your test process, on real sockets.
 *
 * It takes what a producer sends as strictly as Kafka does, keeps it for the test to look at, and fails on request.
 */
import { OptionError } from '../errors.ts'
import type { ClusterContext } from './api-handler.ts'
import { Broker } from './broker.ts'
import type { BlackHole } from './broker-connection.ts'
import { ClusterState } from './cluster-state.ts'
import type { FaultOptions } from './fault-options.ts'
import { FaultList, type FaultRule } from './faults.ts'
import { Journal, type LoggedRequest } from './journal.ts'
import { checkTopic, resolveTestClusterOptions, type TestClusterOptions, type TopicOptions } from './options.ts'
import type { LoggedRecord } from './partition-log.ts'
import { LoginBook, type LoginStats } from './sasl/login-stats.ts'
import { SaslListener } from './sasl/sasl-listener.ts'
import { checkSessionLifetime, userProblem } from './sasl/sasl-options.ts'
import { withCertificate } from './tls-door.ts'

export type { BlackHole } from './broker-connection.ts'
export type { FaultOptions, RecordFault } from './fault-options.ts'
export type { FaultRule } from './faults.ts'
export type { LoggedRequest } from './journal.ts'
export type { TestClusterOptions, TopicOptions } from './options.ts'
export type { LoggedRecord } from './partition-log.ts'
export type { RefusedToken, TakenToken, VerifyToken } from './sasl/oauth-bearer-server.ts'
export type { LoginStats } from './sasl/login-stats.ts'
export type { SaslMechanismName, TestSaslOptions } from './sasl/sasl-options.ts'
export type { ApiVersionsOption, PlayedKafka, ServedApi } from './served-apis.ts'

export class TestCluster {
  readonly #cluster: ClusterContext
  readonly #brokers: ReadonlyMap<number, Broker>
  readonly #ca: string | undefined
  #closing: Promise<void> | null = null

  private constructor(cluster: ClusterContext, brokers: ReadonlyMap<number, Broker>, ca: string | undefined) {
    this.#cluster = cluster
    this.#brokers = brokers
    this.#ca = ca
  }

  /**
   * Starts the brokers; every one listens when this resolves.
   *
   * @throws {OptionError} every problem of the options at once.
   * @throws the system's error, if a port is taken.
   */
  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const resolved = resolveTestClusterOptions(options)
    const { host, clock, brokers: count } = resolved
    const state = new ClusterState(resolved)
    const sasl = resolved.sasl === null ? null : new SaslListener(resolved.sasl, clock)
    const shared = { faults: new FaultList(), journal: new Journal(), logins: new LoginBook() }
    const { tls, ca } = resolved.tls === null ? { tls: null, ca: undefined } : withCertificate(resolved.tls, host)
    const context: ClusterContext = { state, clock, sasl, tls, ...shared }
    const brokers = Array.from({ length: count }, (_, i) => {
      const port = resolved.ports[i] ?? (resolved.port === 0 ? 0 : resolved.port + i)
      return new Broker(i + 1, host, port, context)
    })
    const cluster = new TestCluster(context, new Map(brokers.map((broker) => [broker.nodeId, broker])), ca)
    const outcomes = await Promise.allSettled(brokers.map((broker) => broker.start()))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) {
      await cluster.close()
      throw failed.reason
    }
    for (const { nodeId, port } of brokers) state.addBroker({ nodeId, host, port, isUp: true })
    for (const [name, topic] of resolved.topics) state.createTopic(name, topic)
    return cluster
  }

  /** `host:port,host:port`: what goes into `brokers` of a Producer. Every broker is in it, also one that is stopped. */
  get bootstrap(): string {
    const { host } = this.#cluster.state.options
    const shown = host.includes(':') ? `[${host}]` : host
    return [...this.#brokers.values()].map(({ port }) => `${shown}:${port}`).join(',')
  }

  /** The certificate that the brokers made themselves, PEM: what goes into `tls.ca` of a client. Undefined: they made none. */
  get ca(): string | undefined {
    return this.#ca
  }

  /** Ports of the brokers, in the order of their node ids. */
  get ports(): readonly number[] {
    return [...this.#brokers.values()].map(({ port }) => port)
  }

  /** Names of all topics. */
  get topics(): readonly string[] {
    return this.#cluster.state.topics.map(({ name }) => name)
  }

  /** The requests that arrived, oldest first; of many, the latest 50 000 at least. */
  get requests(): readonly LoggedRequest[] {
    return this.#cluster.journal.requests
  }

  /** What clients did that no client may do, in words. Empty, if all is well. */
  get violations(): readonly string[] {
    return this.#cluster.journal.violations
  }

  /**
   * Everything that was written to a topic, decoded now: by partition, then by offset. Empty for a topic that is not
   * there.
   */
  records(topic: string): LoggedRecord[] {
    const partitions = this.#cluster.state.topic(topic)?.partitions ?? []
    return partitions.flatMap(({ log, index }) => log.records(index))
  }

  /** How many records a topic has, without a look at them. */
  recordCount(topic: string): number {
    const partitions = this.#cluster.state.topic(topic)?.partitions ?? []
    return partitions.reduce((sum, { log }) => sum + log.endOffset - log.startOffset, 0)
  }

  /**
   * Lets requests go wrong, from now on: the next one that fits, or `times` of them.
   *
   * @throws {OptionError} an error that Kafka does not have.
   */
  fail(fault: FaultOptions): FaultRule {
    return this.#cluster.faults.add(fault)
  }

  /**
   * A new user, or a new password. Who is in stays in; the next login counts.
   *
   * @throws {OptionError} the cluster has no `sasl`, or this cannot be a user.
   */
  setUser(name: string, password: string): void {
    const problem = userProblem(name, password)
    if (problem !== null) throw misuse(`setUser: ${problem}`)
    this.#sasl('setUser').users.set(name, password)
  }

  /** Who is in stays in, and cannot log in again. @throws {OptionError} there is no such user, or no `sasl`. */
  removeUser(name: string): void {
    if (!this.#sasl('removeUser').users.remove(name)) {
      throw misuse(`removeUser: there is no user ${JSON.stringify(name)}`)
    }
  }

  /** How long the next logins are good for; 0: for ever. @throws {OptionError} the cluster has no `sasl`. */
  setSessionLifetime(lifetimeMs: number | bigint): void {
    const checked = checkSessionLifetime(lifetimeMs)
    if (!('value' in checked)) throw misuse(`setSessionLifetime: expected milliseconds, 0 to 2^63-1`)
    this.#sasl('setSessionLifetime').sessionLifetimeMs = checked.value
  }

  /**
   * What came of the logins so far.
   *
   * @param broker node id. Default: all brokers together.
   */
  loginStats(broker?: number): LoginStats {
    if (broker !== undefined) this.#broker(broker)
    return this.#cluster.logins.stats(broker)
  }

  /** @throws {OptionError} the topic exists, or cannot be. */
  createTopic(name: string, topic: number | TopicOptions = 1): void {
    const checked = checkTopic(name, topic)
    if (!('value' in checked)) throw misuse('problem' in checked ? checked.problem : checked.expected)
    this.#cluster.state.createTopic(name, checked.value)
  }

  /** With all that is in it. A topic that is created by the same name is another one. */
  deleteTopic(name: string): void {
    this.#cluster.state.deleteTopic(name)
  }

  /**
   * Makes a topic larger, as Kafka's administrators do. Nothing moves.
   *
   * @param partitions how many there are afterwards.
   */
  addPartitions(topic: string, partitions: number): void {
    this.#cluster.state.addPartitions(topic, partitions)
  }

  /** Removes the records of a partition before an offset, as Kafka's DeleteRecords does. */
  deleteRecords(topic: string, partition: number, beforeOffset: number): void {
    this.#cluster.state.partition('deleteRecords', topic, partition).log.deleteBefore(beforeOffset)
  }

  /**
   * Loses the end of a partition, as an unclean leader election does: batches with records from `endOffset` on, and what
   * they said about their producers. The leader epoch grows.
   */
  truncate(topic: string, partition: number, endOffset: number): void {
    this.#cluster.state.truncate(topic, partition, endOffset)
  }

  /**
   * Forgets the sequences of all producers, as Kafka does with those that were silent for `producer.id.expiration.ms`.
   *
   * @param topic only for this topic.
   */
  expireProducers(topic?: string): void {
    for (const { name, partitions } of this.#cluster.state.topics) {
      if (name === (topic ?? name)) for (const { log } of partitions) log.expireProducers()
    }
  }

  /** Node id of a partition's leader; -1: it has none. */
  leader(topic: string, partition: number): number {
    return this.#cluster.state.topic(topic)?.partitions[partition]?.leader ?? -1
  }

  /**
   * From now on the old leader refuses the partition's records, and names the new one. Sequences of producers move with
   * the log; the leader epoch grows.
   *
   * @param broker node id; -1: the partition has no leader, until it is given one by this call.
   */
  moveLeader(topic: string, partition: number, broker: number): void {
    this.#cluster.state.moveLeader(topic, partition, broker)
  }

  /** Like a process that is killed: connections end at once, other replicas take over, if there are any. */
  async stopBroker(broker: number): Promise<void> {
    const stopped = this.#broker(broker)
    this.#cluster.state.setUp(broker, false)
    await stopped.stop()
  }

  /** At the port that it had. Logs survive. */
  async startBroker(broker: number): Promise<void> {
    await this.#broker(broker).start()
    this.#cluster.state.setUp(broker, true)
  }

  /**
   * A broken network: connections to the broker open and stay open, and are silent.
   *
   * @param what `'all'`: nothing arrives; `'answers'`: requests arrive and are done, answers do not; `'none'`: all is
   * well again, and what was stuck gets through.
   */
  blackHole(broker: number, what: BlackHole = 'all'): void {
    this.#broker(broker).setBlackHole(what)
  }

  /** Ends everything at once: connections, ports, timers. A second call gives the same promise. */
  close(): Promise<void> {
    this.#closing ??= Promise.all([...this.#brokers.values()].map((broker) => broker.stop())).then(() => undefined)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #sasl(who: string): SaslListener {
    const { sasl } = this.#cluster
    if (sasl === null) throw misuse(`${who}: the cluster was started without sasl`)
    return sasl
  }

  #broker(nodeId: number): Broker {
    const broker = this.#brokers.get(nodeId)
    if (broker === undefined) throw misuse(`there is no broker ${nodeId}`)
    return broker
  }
}

function misuse(what: string): OptionError {
  return new OptionError('INVALID_ARGUMENT', `TestCluster: INVALID_ARGUMENT: ${what}`)
}
