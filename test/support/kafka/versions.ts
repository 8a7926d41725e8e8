/**
 * The Apache Kafka versions this harness can run, as data.
 *
 * A new row is all that a new KRaft version needs. ZooKeeper versions (3.9 and older) get `mode: 'zookeeper'` rows
 * with their extra jars and flags; `launchCluster` in `cluster.ts` refuses that mode until it starts ZooKeeper first.
 */
export interface KafkaVersion {
  readonly version: string
  readonly mode: 'kraft' | 'zookeeper'
  /** Maven coordinates `group:artifact:version`, the broker first. */
  readonly artifacts: readonly string[]
  readonly jvmFlags: readonly string[]
}

// Kafka has no logging binding of its own on the class path; without one, start-up errors are invisible.
const SLF4J_BINDING = 'org.slf4j:slf4j-simple:1.7.36'

export const NEWEST_VERSION = '4.3.1'

export const KAFKA_VERSIONS: readonly KafkaVersion[] = [
  { version: '4.3.1', mode: 'kraft', artifacts: ['org.apache.kafka:kafka_2.13:4.3.1', SLF4J_BINDING], jvmFlags: [] },
  { version: '3.9.1', mode: 'kraft', artifacts: ['org.apache.kafka:kafka_2.13:3.9.1', SLF4J_BINDING], jvmFlags: [] },
]

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
