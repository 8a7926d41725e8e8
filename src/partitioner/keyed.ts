import { murmur2 } from './murmur2.ts'

/**
 * The partition of a key, as Java's default partitioner computes it: over all partitions, leader or not, so that a key
 * stays where it is while a broker is away. An empty key is a key.
 *
 * Source: BuiltInPartitioner.partitionForKey of Apache Kafka.
 */
export function partitionForKey(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount
}
