import { randomBytes } from 'node:crypto'
import { OptionError } from '../errors.ts'
import type { ResolvedTestClusterOptions, TopicOptions } from './options.ts'
import { PartitionLog } from './partition-log.ts'
import { PRODUCER_RULES } from './producer-rules.ts'
import { servedVersions, type ServedVersions } from './served-apis.ts'

export interface BrokerNode {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  isUp: boolean
}

export interface Partition {
  readonly index: number
  readonly log: PartitionLog
  /** Node ids; the first is the preferred leader. */
  replicas: number[]
  /** Node id, -1: none of its replicas is up. */
  leader: number
  leaderEpoch: number
  /** A test took the leader away: no election until it gives another. */
  isHeldLeaderless: boolean
}

export interface Topic {
  readonly name: string
  /** Another one for each life of a topic, in Kafka's text form. */
  readonly id: string
  readonly partitions: Partition[]
  readonly replicationFactor: number
  readonly maxMessageBytes: number
  readonly hasLogAppendTime: boolean
}

/** What the brokers of a test cluster agree on: who is up, which topics there are, who leads what. */
export class ClusterState {
  readonly options: ResolvedTestClusterOptions
  readonly served: ServedVersions
  readonly #brokers = new Map<number, BrokerNode>()
  readonly #topics = new Map<string, Topic>()
  readonly #topicsById = new Map<string, Topic>()
  #nextProducerId = 0n

  constructor(options: ResolvedTestClusterOptions) {
    this.options = options
    this.served = servedVersions(options.kafkaVersion, options.apiVersions)
  }

  get topics(): readonly Topic[] {
    return [...this.#topics.values()]
  }

  /** Those that are up. */
  get liveBrokers(): readonly BrokerNode[] {
    return [...this.#brokers.values()].filter(({ isUp }) => isUp)
  }

  addBroker(broker: BrokerNode): void {
    this.#brokers.set(broker.nodeId, broker)
  }

  /** A broker that is up; undefined for one that is not, or does not exist. */
  liveBroker(nodeId: number): BrokerNode | undefined {
    const broker = this.#brokers.get(nodeId)
    return broker?.isUp === true ? broker : undefined
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  topicById(id: string): Topic | undefined {
    return this.#topicsById.get(id)
  }

  /** One that no producer of this cluster ever had. */
  newProducerId(): bigint {
    return this.#nextProducerId++
  }

  createTopic(name: string, topicOptions: TopicOptions): Topic {
    if (this.#topics.has(name)) throw misuse(`createTopic: topic ${JSON.stringify(name)} exists already`)
    const { partitions, replicationFactor = 1, timestampType, maxMessageBytes } = topicOptions
    const { options } = this
    const topic: Topic = {
      name,
      id: randomBytes(16).toString('base64url'),
      partitions: Array.from({ length: partitions }, (_, index) => this.#newPartition(index, replicationFactor)),
      replicationFactor,
      maxMessageBytes: maxMessageBytes ?? options.maxMessageBytes,
      hasLogAppendTime: timestampType === 'LogAppendTime',
    }
    this.#topics.set(name, topic)
    this.#topicsById.set(topic.id, topic)
    return topic
  }

  deleteTopic(name: string): void {
    const topic = this.#topics.get(name)
    if (topic === undefined) throw misuse(`deleteTopic: there is no topic ${JSON.stringify(name)}`)
    this.#topics.delete(name)
    this.#topicsById.delete(topic.id)
  }

  /** @param count of all partitions, afterwards. */
  addPartitions(name: string, count: number): void {
    const topic = this.#topics.get(name)
    if (topic === undefined) throw misuse(`addPartitions: there is no topic ${JSON.stringify(name)}`)
    const { partitions, replicationFactor } = topic
    if (!(count > partitions.length)) throw misuse(`addPartitions: ${name} has ${partitions.length} partitions already`)
    while (partitions.length < count) partitions.push(this.#newPartition(partitions.length, replicationFactor))
  }

  /** @param nodeId -1: nobody leads, until the next call. */
  moveLeader(topicName: string, index: number, nodeId: number): void {
    const partition = this.partition('moveLeader', topicName, index)
    const isHeldLeaderless = nodeId === -1
    if (!isHeldLeaderless) {
      if (this.liveBroker(nodeId) === undefined) throw misuse(`moveLeader: broker ${nodeId} is not up`)
      if (!partition.replicas.includes(nodeId)) partition.replicas.push(nodeId)
    }
    partition.isHeldLeaderless = isHeldLeaderless
    lead(partition, nodeId)
  }

  /** An election that loses what the new leader did not have. */
  truncate(topicName: string, index: number, endOffset: number): void {
    const partition = this.partition('truncate', topicName, index)
    if (!this.options.keepRecords) throw misuse('truncate: needs keepRecords')
    partition.log.truncate(endOffset)
    partition.leaderEpoch++
  }

  /** @throws {OptionError} there is no such partition. */
  partition(who: string, topicName: string, index: number): Partition {
    const partition = this.#topics.get(topicName)?.partitions[index]
    if (partition === undefined) throw misuse(`${who}: there is no partition ${index} of ${topicName}`)
    return partition
  }

  /** Replicas of a partition that are up. */
  inSyncReplicas({ replicas }: Partition): number[] {
    return replicas.filter((nodeId) => this.liveBroker(nodeId) !== undefined)
  }

  /** A broker goes or comes; partitions that are left without a leader, or had none, get the first replica that is up. */
  setUp(nodeId: number, isUp: boolean): void {
    const broker = this.#brokers.get(nodeId)
    if (broker === undefined) throw misuse(`there is no broker ${nodeId}`)
    broker.isUp = isUp
    for (const { partitions } of this.#topics.values()) {
      for (const partition of partitions) {
        if (partition.isHeldLeaderless || this.liveBroker(partition.leader) !== undefined) continue
        lead(partition, this.inSyncReplicas(partition)[0] ?? -1)
      }
    }
  }

  #newPartition(index: number, replicationFactor: number): Partition {
    const ids = [...this.#brokers.keys()]
    const count = Math.min(replicationFactor, ids.length)
    const replicas = Array.from({ length: count }, (_, i) => ids[(index + i) % ids.length] ?? -1)
    const log = new PartitionLog(this.options.keepRecords, PRODUCER_RULES[this.options.kafkaVersion])
    const leader = replicas.find((nodeId) => this.liveBroker(nodeId) !== undefined) ?? -1
    return { index, log, replicas, leader, leaderEpoch: 0, isHeldLeaderless: false }
  }
}

function lead(partition: Partition, nodeId: number): void {
  if (partition.leader === nodeId) return
  partition.leader = nodeId
  partition.leaderEpoch++
}

function misuse(what: string): OptionError {
  return new OptionError('INVALID_ARGUMENT', `TestCluster: INVALID_ARGUMENT: ${what}`)
}
