import { byHash, keyHashes, KeyPartitioner } from './keyed.ts'
import { pick, type KeylessChoice, type Partitioner, type PartitionLoads, type Random } from './partitioner.ts'
import { RoundRobinChoice } from './round-robin.ts'
import { StickyChoice } from './sticky.ts'

/** How a partitioner deals with keys, and with records that have none. */
interface Rule {
  /** `any`: a key is no reason to go anywhere; each record with one goes to a partition of its own, at random. */
  readonly key: keyof typeof keyHashes | 'any'
  /** `hash`: as if the key were empty, so that all of these records share one partition. */
  readonly noKey: 'sticky' | 'round-robin' | 'hash'
  /** An empty key counts as none. Everywhere else it is a key like others. */
  readonly emptyIsNone?: boolean
}

/**
 * Partitioners by name: ours, and librdkafka's seven by its names and with its rules.
 *
 * Where librdkafka goes to a random partition for want of a key, it stays there for `sticky.partitioning.linger.ms` (10);
 * here it stays for a batch, as Java does, which fills batches at any speed and evens out bytes.
 *
 * Source: rd_kafka_msg_partitioner and rd_kafka_msg_partitioner_* of librdkafka (rdkafka_msg.c).
 */
const rules = Object.freeze({
  default: { key: 'murmur2', noKey: 'sticky' },
  'round-robin': { key: 'murmur2', noKey: 'round-robin' },
  random: { key: 'any', noKey: 'sticky' },
  consistent: { key: 'crc32', noKey: 'hash' },
  consistent_random: { key: 'crc32', noKey: 'sticky', emptyIsNone: true },
  murmur2: { key: 'murmur2', noKey: 'hash' },
  murmur2_random: { key: 'murmur2', noKey: 'sticky' },
  fnv1a: { key: 'fnv1a', noKey: 'hash' },
  fnv1a_random: { key: 'fnv1a', noKey: 'sticky' },
} as const satisfies Record<string, Rule>)

export type PartitionerName = keyof typeof rules

export const partitionerNames = Object.freeze(Object.keys(rules)) as readonly PartitionerName[]

export function isPartitionerName(value: unknown): value is PartitionerName {
  return typeof value === 'string' && Object.hasOwn(rules, value)
}

export interface PartitionerParts {
  /** How much goes to a sticky partition before the next is chosen, bytes: the size of a batch. */
  readonly stickyBytes: number
  readonly random: Random
  readonly loads: PartitionLoads
}

/** A partitioner for one topic. */
export function namedPartitioner(name: PartitionerName, parts: PartitionerParts): Partitioner {
  const { key, noKey, emptyIsNone = false }: Rule = rules[name]
  return new KeyPartitioner({
    keyed: key === 'any' ? (_, { available }) => pick(available, parts.random) : byHash(keyHashes[key]),
    keyless: keylessChoice(noKey, parts),
    emptyIsNone,
  })
}

function keylessChoice(noKey: Rule['noKey'], { stickyBytes, random, loads }: PartitionerParts): KeylessChoice | null {
  switch (noKey) {
    case 'sticky':
      return new StickyChoice(stickyBytes, random, loads)
    case 'round-robin':
      return new RoundRobinChoice(random)
    case 'hash':
      return null
  }
}
