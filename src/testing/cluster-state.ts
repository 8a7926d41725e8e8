import { randomBytes } from 'node:crypto'
import { OptionError } from '../errors.ts'
import type { ResolvedTestClusterOptions, TopicOptions } from './options.ts'
import { PartitionLog } from './partition-log.ts'

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
}

export interface Topic {
  readonly name: string
  /** Another one for each life of a topic, in Kafka's text form. */
  readonly id: string
  readonly partitions: readonly Partition[]
  readonly maxMessageBytes: number
  readonly hasLogAppendTime: boolean
}

/** What the brokers of a test cluster agree on: who is up, which topics there are, who leads what. */
export class ClusterState {
  readonly clusterId = randomBytes(16).toString('base64url')
  readonly options: ResolvedTestClusterOptions
  readonly #brokers = new Map<number, BrokerNode>()
  readonly #topics = new Map<string, Topic>()
  readonly #topicsById = new Map<string, Topic>()

  constructor(options: ResolvedTestClusterOptions) {
    this.options = options
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

  createTopic(name: string, topicOptions: TopicOptions): Topic {
    if (this.#topics.has(name)) throw misuse(`createTopic: topic ${JSON.stringify(name)} exists already`)
    const { partitions, replicationFactor = 1, timestampType, maxMessageBytes } = topicOptions
    const { options } = this
    const topic: Topic = {
      name,
      id: randomBytes(16).toString('base64url'),
      partitions: Array.from({ length: partitions }, (_, index) => this.#newPartition(index, replicationFactor)),
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

  moveLeader(topicName: string, index: number, nodeId: number): void {
    const partition = this.#topics.get(topicName)?.partitions[index]
    if (partition === undefined) throw misuse(`moveLeader: there is no partition ${index} of ${topicName}`)
    if (this.liveBroker(nodeId) === undefined) throw misuse(`moveLeader: broker ${nodeId} is not up`)
    if (!partition.replicas.includes(nodeId)) partition.replicas.push(nodeId)
    lead(partition, nodeId)
  }

  /** A broker goes or comes; partitions that are left without a leader, or had none, get the first replica that is up. */
  setUp(nodeId: number, isUp: boolean): void {
    const broker = this.#brokers.get(nodeId)
    if (broker === undefined) throw misuse(`there is no broker ${nodeId}`)
    broker.isUp = isUp
    for (const { partitions } of this.#topics.values()) {
      for (const partition of partitions) {
        if (this.liveBroker(partition.leader) === undefined) lead(partition, this.#firstLive(partition.replicas))
      }
    }
  }

  #newPartition(index: number, replicationFactor: number): Partition {
    const ids = [...this.#brokers.keys()]
    const count = Math.min(replicationFactor, ids.length)
    const replicas = Array.from({ length: count }, (_, i) => ids[(index + i) % ids.length] ?? -1)
    const log = new PartitionLog(this.options.keepRecords)
    return { index, log, replicas, leader: this.#firstLive(replicas), leaderEpoch: 0 }
  }

  #firstLive(replicas: readonly number[]): number {
    return replicas.find((nodeId) => this.liveBroker(nodeId) !== undefined) ?? -1
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
