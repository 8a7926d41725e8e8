import { fileURLToPath } from 'node:url'

/**
 * The Apache Kafka versions this harness can run, as data: a new row is all that a new version needs.
 *
 * Beside what it takes to run a broker a row says what its clients need: Kafka's own clients read every version, but
 * not the newest client every version, and what an old broker cannot be asked goes through its ZooKeeper.
 */
export interface KafkaVersion {
  readonly version: string
  readonly mode: 'kraft' | 'zookeeper'
  /** Maven coordinates `group:artifact:version`, the broker first. */
  readonly artifacts: readonly string[]
  /** For the broker, its tools and its ZooKeeper. */
  readonly jvmFlags: readonly string[]
  /**
   * How a broker with `security` is given its key: PEM (KIP-651, since 2.7; at first only encrypted, until 3.0), or
   * PKCS12 as everybody before. 'none': it has neither SCRAM nor listeners with names (both since 0.10.2).
   */
  readonly keyStore: 'none' | 'pkcs12' | 'encryptedPem' | 'pem'
  /** The version whose clients read and write it in tests: its own or a newer one. */
  readonly readerVersion: string
  /** What those clients have to be told about a broker of this version. */
  readonly clientProperties: Readonly<Record<string, string>>
  /** TLS settings per listener (KIP-103), since 0.11: without them there is no `mtls` beside `ssl`. */
  readonly hasMutualTls: boolean
  /** What it does with wrong credentials: before SaslAuthenticate (1.0) there was no way to say so. */
  readonly refusal: 'says' | 'hangUp'
  /** What the broker has no API for: done by this version's own command line tools on its ZooKeeper. */
  readonly throughZooKeeper: readonly TopicOperation[]
}

export type TopicOperation = 'createTopic' | 'deleteTopic' | 'createPartitions' | 'electLeaders' | 'alterUsers'

// Kafka has no logging binding of its own on the class path; without one, start-up errors are invisible.
const SLF4J_BINDING = 'org.slf4j:slf4j-simple:1.7.36'
// Java has had no javax.xml.bind since 11; brokers of 0.10.1 to 1.1 make their cluster id with it.
const JAXB = 'javax.xml.bind:jaxb-api:2.3.1'
const LOG4J_BINDING = 'org.slf4j:slf4j-reload4j:1.7.36'
const LOG4J_FLAG = `-Dlog4j.configuration=file:${fileURLToPath(new URL('log4j.properties', import.meta.url))}`
// ZooKeeper 3.4 reaches into log4j 1.2 for this, and dies where reload4j is in its place.
const NO_LOG4J_BEANS = '-Dzookeeper.jmx.log4j.disable=true'

export const NEWEST_VERSION = '4.3.1'
// Clients of 4.x refuse brokers before 2.1; these are the last that do not.
const LAST_READER_OF_OLD_VERSIONS = '3.9.1'

// Before 0.11 a client cannot ask for metadata without creating the topic, and has no producer ids.
const BEFORE_0_11 = { 'allow.auto.create.topics': 'true', 'enable.idempotence': 'false' }

export const KAFKA_VERSIONS: readonly KafkaVersion[] = [
  kraft('4.3.1'),
  kraft('4.2.0'),
  kraft('4.1.1'),
  kraft('3.9.1'),
  {
    ...zookeeper('2.8.2', 'org.apache.kafka:kafka_2.13:2.8.2', SLF4J_BINDING),
    ...{ keyStore: 'encryptedPem', readerVersion: NEWEST_VERSION },
  },
  {
    ...zookeeper('1.1.1', 'org.apache.kafka:kafka_2.12:1.1.1', JAXB, LOG4J_BINDING),
    ...{ jvmFlags: [LOG4J_FLAG, NO_LOG4J_BEANS], throughZooKeeper: ['electLeaders', 'alterUsers'] },
  },
  {
    ...zookeeper('0.11.0.3', 'org.apache.kafka:kafka_2.11:0.11.0.3', JAXB),
    ...{ jvmFlags: [LOG4J_FLAG], refusal: 'hangUp' },
    throughZooKeeper: ['createPartitions', 'electLeaders', 'alterUsers'],
  },
  {
    ...zookeeper('0.10.2.2', 'org.apache.kafka:kafka_2.11:0.10.2.2', JAXB),
    ...{ jvmFlags: [LOG4J_FLAG], clientProperties: BEFORE_0_11, refusal: 'hangUp', hasMutualTls: false },
    throughZooKeeper: ['createPartitions', 'electLeaders', 'alterUsers'],
  },
  {
    ...zookeeper('0.10.0.1', 'org.apache.kafka:kafka_2.11:0.10.0.1'),
    ...{ jvmFlags: [LOG4J_FLAG], clientProperties: BEFORE_0_11, keyStore: 'none' },
    ...{ refusal: 'hangUp', hasMutualTls: false },
    throughZooKeeper: ['createTopic', 'deleteTopic', 'createPartitions', 'electLeaders'],
  },
]

function kraft(version: string): KafkaVersion {
  return {
    ...{ version, mode: 'kraft', artifacts: [`org.apache.kafka:kafka_2.13:${version}`, SLF4J_BINDING], jvmFlags: [] },
    ...{
      keyStore: 'pem',
      hasMutualTls: true,
      refusal: 'says',
      readerVersion: NEWEST_VERSION,
      clientProperties: {},
      throughZooKeeper: [],
    },
  }
}

function zookeeper(version: string, ...artifacts: readonly string[]): KafkaVersion {
  return {
    ...{ version, mode: 'zookeeper', artifacts, jvmFlags: [] },
    ...{ keyStore: 'pkcs12', hasMutualTls: true, refusal: 'says', readerVersion: LAST_READER_OF_OLD_VERSIONS },
    ...{ clientProperties: {}, throughZooKeeper: [] },
  }
}

/** Kafka's command line tools (DumpLogSegments and others), used against brokers of every version. */
export const KAFKA_TOOLS = {
  version: NEWEST_VERSION,
  artifacts: [
    `org.apache.kafka:kafka_2.13:${NEWEST_VERSION}`,
    `org.apache.kafka:kafka-tools:${NEWEST_VERSION}`,
    SLF4J_BINDING,
  ],
} as const

export function kafkaVersion(version: string): KafkaVersion {
  const row = KAFKA_VERSIONS.find((candidate) => candidate.version === version)
  if (row !== undefined) return row
  const known = KAFKA_VERSIONS.map((candidate) => candidate.version).join(', ')
  throw new RangeError(`kafkaVersion: no row for Kafka ${JSON.stringify(version)}; known: ${known}`)
}
