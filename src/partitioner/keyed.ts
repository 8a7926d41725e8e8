import { crc32 } from '../bytes/crc32.ts'
import { fnv1a } from './fnv1a.ts'
import { murmur2, toPositive } from './murmur2.ts'
import type { KeylessChoice, Partitioner, TopicShape } from './partitioner.ts'

/** A hash of a key that is not negative; the partition is its remainder by the number of partitions. */
export type KeyHash = (key: Uint8Array) => number

/**
 * Source: BuiltInPartitioner.partitionForKey of Apache Kafka (murmur2); rd_kafka_msg_partitioner_consistent and _fnv1a of
 * librdkafka.
 */
export const keyHashes = Object.freeze({
  murmur2: (key) => toPositive(murmur2(key)),
  crc32: (key) => crc32(key),
  fnv1a,
} as const satisfies Record<string, KeyHash>)

const EMPTY = new Uint8Array(0)

export interface KeyRule {
  /** Where a record with a key goes; with an empty one for a record without, if there is no `keyless`. */
  readonly keyed: (key: Uint8Array, topic: TopicShape) => number
  readonly keyless: KeylessChoice | null
  /** Whether a record with an empty key counts as one without. */
  readonly emptyIsNone: boolean
}

/** Records with a key by the key, others by another rule. */
export class KeyPartitioner implements Partitioner {
  readonly #rule: KeyRule

  constructor(rule: KeyRule) {
    this.#rule = rule
  }

  choose(key: Uint8Array | null, topic: TopicShape, recordBytes: number): number {
    const { keyed, keyless } = this.#rule
    if (keyless !== null && this.#isNone(key)) return keyless.choose(topic, recordBytes)
    return keyed(key ?? EMPTY, topic)
  }

  placed(key: Uint8Array | null, partition: number, bytes: number): void {
    if (this.#isNone(key)) this.#rule.keyless?.placed(partition, bytes)
  }

  #isNone(key: Uint8Array | null): boolean {
    return key === null || (key.length === 0 && this.#rule.emptyIsNone)
  }
}

/** By a hash, over all partitions, leader or not, so that a key stays where it is while a broker is away. */
export function byHash(hash: KeyHash): KeyRule['keyed'] {
  return (key, { partitionCount }) => hash(key) % partitionCount
}
