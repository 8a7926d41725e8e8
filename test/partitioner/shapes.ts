import type { PartitionLoads, Random, TopicShape } from '../../src/partitioner/partitioner.ts'

/** A topic whose `available` partitions have a leader. */
export function shape(available: readonly number[], partitionCount = available.length): TopicShape {
  return { topic: 't', partitionCount, available }
}

/** A topic whose partitions all have a leader. */
export function all(count: number): TopicShape {
  return shape(Array.from({ length: count }, (_, i) => i))
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Queues by partition, with no open batch anywhere. */
export function queues(lengths: readonly number[]): PartitionLoads {
  return { queued: (partition) => lengths[partition] ?? 0, hasOpenBatch: () => false }
}

/** Pearson's statistic for counts that should be equal. */
export function chiSquare(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
  return counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0)
}

/** Chance stays below this in 999 cases of 1000 with six partitions (five degrees of freedom). */
export const CHI_SQUARE_OF_6 = 20.52
