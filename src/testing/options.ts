import { randomBytes } from 'node:crypto'
import type { TlsOptions } from 'node:tls'
import { systemClock, type Clock } from '../clock.ts'
import { bool, custom, int, resolve, text, type Checked, type Resolved } from '../options.ts'
import { checkApiVersions, NEWEST_PLAYED_KAFKA, PLAYED_KAFKAS } from './served-apis.ts'
import type { ApiVersionsOption, PlayedKafka } from './served-apis.ts'
import { checkSaslOption, type ResolvedSasl, type TestSaslOptions } from './sasl/sasl-options.ts'
import { checkTls } from './tls-door.ts'
import { tcpTransport, type Transport } from './transport.ts'

export interface TopicOptions {
  readonly partitions: number
  /** Brokers that can lead a partition; when its leader stops, the next one takes over. Default 1. */
  readonly replicationFactor?: number | undefined
  /** Who says when a record happened: the producer, or the broker as it appends. Default `'CreateTime'`. */
  readonly timestampType?: 'CreateTime' | 'LogAppendTime' | undefined
  /** Overrides the cluster's `maxMessageBytes`. */
  readonly maxMessageBytes?: number | undefined
}

export interface TestClusterOptions {
  /** How many brokers; their node ids count from 1. Default 1. */
  readonly brokers?: number | undefined
  /** Topics to begin with: a number is the number of partitions. Leaders rotate, partition 0 is led by broker 1. */
  readonly topics?: Readonly<Record<string, number | TopicOptions>> | undefined
  /** Topics that are asked for are made, as with Kafka's `auto.create.topics.enable`. Default true. */
  readonly autoCreateTopics?: boolean | undefined
  /** Partitions of such topics. Default 1. */
  readonly defaultPartitions?: number | undefined
  /** Where to listen; also the name that the brokers give of themselves. Default `'127.0.0.1'`. */
  readonly host?: string | undefined
  /** Port of the first broker, the others take those after it. Default: any free ones. */
  readonly port?: number | undefined
  /** A port for each broker, instead of `port`. */
  readonly ports?: readonly number[] | undefined
  /** Longest record batch, bytes; Kafka's `message.max.bytes`. Default 1048588. */
  readonly maxMessageBytes?: number | undefined
  /** Plays an older Kafka: its API versions, and what it says of a producer that it does not know. Default `'4.3'`. */
  readonly kafkaVersion?: PlayedKafka | undefined
  /** Versions of single APIs, `{ Produce: [3, 8] }`; `false`: the brokers do not have it, and hang up on it. */
  readonly apiVersions?: ApiVersionsOption | undefined
  /** Replicas that must be up for a write with `acks: -1`; Kafka's `min.insync.replicas`. Default 1. */
  readonly minInsyncReplicas?: number | undefined
  /** Brokers close a connection on which nobody asks anything for so long. Default Infinity: never. */
  readonly connectionsMaxIdleMs?: number | undefined
  /** What the cluster says it is; a second TestCluster with the same id is the same one elsewhere. Default: a new one. */
  readonly clusterId?: string | undefined
  /** `false`: records are checked and counted, but not kept. For load without end. Default true. */
  readonly keepRecords?: boolean | undefined
  /**
   * The brokers speak TLS: `cert`, `key` and whatever else `tls.createServer` of node:tls takes. Without `cert`, or with
   * `true`, they make one themselves, which is `ca` of the cluster. With `requestCert` and `ca` clients need a certificate
   * of their own (mutual TLS).
   */
  readonly tls?: boolean | TlsOptions | undefined
  /** Clients have to log in. */
  readonly sasl?: TestSaslOptions | undefined
  /** @internal Tests own the time. */
  readonly clock?: Clock | undefined
  /** @internal Tests own the network. */
  readonly transport?: Transport | undefined
}

const MAX_BROKERS = 100
const MAX_PARTITIONS = 100_000
const MAX_INT32 = 2 ** 31 - 1

/** Every option, with its default as it is written in docs/test-cluster.md. */
export const TEST_CLUSTER_OPTIONS = Object.freeze({
  brokers: int({ doc: 'How many brokers.', min: 1, max: MAX_BROKERS, default: 1 }),
  topics: custom<ReadonlyMap<string, TopicOptions>>({
    type: 'object of topic names to partition counts or topic options',
    doc: 'Topics to begin with.',
    defaultText: '{}',
    check: checkTopics,
  }),
  autoCreateTopics: bool({ doc: 'Makes topics that are asked for.', default: true }),
  defaultPartitions: int({ doc: 'Partitions of topics made so.', min: 1, max: MAX_PARTITIONS, default: 1 }),
  host: text({ doc: 'Where to listen.', default: '127.0.0.1' }),
  port: int({ doc: 'Port of the first broker; 0: any.', min: 0, max: 65_535, default: 0 }),
  ports: custom<readonly number[]>({
    type: 'list of ports',
    doc: 'A port for each broker.',
    defaultText: '-',
    check(value) {
      if (value === undefined) return { value: [] }
      const isFine = Array.isArray(value) && value.every((port) => isInteger(port, 0, 65_535))
      return isFine ? { value: value } : { expected: 'a list of ports' }
    },
  }),
  maxMessageBytes: int({ doc: 'Longest record batch.', min: 1, max: MAX_INT32, default: 1_048_588 }),
  kafkaVersion: custom<PlayedKafka>({
    type: PLAYED_KAFKAS.map((version) => `'${version}'`).join(', '),
    doc: 'Plays an older Kafka.',
    defaultText: `'${NEWEST_PLAYED_KAFKA}'`,
    check(value = NEWEST_PLAYED_KAFKA) {
      const version = PLAYED_KAFKAS.find((candidate) => candidate === value)
      return version === undefined ? { expected: `one of ${PLAYED_KAFKAS.join(', ')}` } : { value: version }
    },
  }),
  apiVersions: custom<ApiVersionsOption>({
    type: 'object of API names to [min, max] or false',
    doc: 'Versions of single APIs.',
    defaultText: '{}',
    check: checkApiVersions,
  }),
  minInsyncReplicas: int({ doc: 'Replicas that a write needs.', min: 1, max: MAX_BROKERS, default: 1 }),
  connectionsMaxIdleMs: int({
    ...{ doc: 'Closes idle connections.', min: 1, max: MAX_INT32, default: Infinity, allowInfinity: true },
  }),
  clusterId: custom<string>({
    type: 'string',
    doc: 'What the cluster says it is.',
    defaultText: 'random',
    check(value = randomBytes(16).toString('base64url')) {
      return typeof value === 'string' && value !== '' ? { value } : { expected: 'a string that is not empty' }
    },
  }),
  keepRecords: bool({ doc: 'Keeps the records.', default: true }),
  tls: custom<TlsOptions | null>({
    ...{ type: 'options of node:tls', doc: 'The brokers speak TLS.', defaultText: '-', check: checkTls },
  }),
  sasl: custom<ResolvedSasl | null>({
    ...{ type: 'object', doc: 'Clients have to log in.', defaultText: '-', check: checkSaslOption },
  }),
  clock: custom<Clock>({
    type: 'Clock',
    doc: 'Time.',
    defaultText: '-',
    check: (value) => ({ value: (value as Clock | undefined) ?? systemClock }),
  }),
  transport: custom<Transport>({
    type: 'Transport',
    doc: 'The network.',
    defaultText: '-',
    check: (value) => ({ value: (value as Transport | undefined) ?? tcpTransport }),
  }),
})

export type ResolvedTestClusterOptions = Resolved<typeof TEST_CLUSTER_OPTIONS>

/** @throws {OptionError} every problem at once. */
export function resolveTestClusterOptions(input: TestClusterOptions): ResolvedTestClusterOptions {
  return resolve(input, {
    where: 'TestCluster',
    table: TEST_CLUSTER_OPTIONS,
    rules: [
      [
        ({ ports, brokers }) => ports.length === 0 || ports.length === brokers,
        ({ ports, brokers }) => `ports: ${ports.length} for ${brokers} brokers`,
      ],
      [
        ({ port, brokers }) => port === 0 || port + brokers - 1 <= 65_535,
        ({ port, brokers }) => `port: ${port} leaves no room for ${brokers} brokers`,
      ],
    ],
  })
}

/** Topic options out of what a caller gave, or what is wrong with it. */
export function checkTopic(name: string, given: unknown): Checked<TopicOptions> {
  if (!isTopicName(name)) return { problem: `topic ${JSON.stringify(name.slice(0, 60))}: not a legal topic name` }
  const topic: Partial<TopicOptions> = typeof given === 'number' ? { partitions: given } : (given ?? {})
  const { partitions, replicationFactor = 1, timestampType, maxMessageBytes } = topic
  if (!isInteger(partitions, 1, MAX_PARTITIONS)) return { problem: `topic ${name}: partitions must be 1 or more` }
  if (!isInteger(replicationFactor, 1, MAX_BROKERS)) {
    return { problem: `topic ${name}: replicationFactor must be 1 or more` }
  }
  return { value: { partitions, replicationFactor, timestampType, maxMessageBytes } }
}

/** Kafka's rule for topic names. */
export function isTopicName(name: string): boolean {
  return /^[\w.-]{1,249}$/.test(name) && name !== '.' && name !== '..'
}

function checkTopics(value: unknown): Checked<ReadonlyMap<string, TopicOptions>> {
  if (value === undefined) return { value: new Map() }
  if (typeof value !== 'object' || value === null) return { expected: 'an object' }
  const topics = new Map<string, TopicOptions>()
  for (const [name, given] of Object.entries(value)) {
    const checked = checkTopic(name, given)
    if (!('value' in checked)) return checked
    topics.set(name, checked.value)
  }
  return { value: topics }
}

function isInteger(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
}
