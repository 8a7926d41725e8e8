/**
 * Partitioners are synchronous: they see a key and the shape of a topic, and give a partition number. What they remember
 * (the sticky partition, the rotation) is one small object per topic.
 */

/** A topic as a partitioner sees it. */
export interface TopicShape {
  readonly topic: string
  readonly partitionCount: number
  /**
   * Partitions that have a leader now, ascending; all of them if none has. Never empty. Another array as soon as metadata
   * say something else: whoever remembers a place in it compares the array, not its contents.
   */
  readonly available: readonly number[]
}

/** What waits for the partitions of one topic, at this moment. */
export interface PartitionLoads {
  /** Batches that are queued for a partition: not sent, or to be sent again. */
  queued(partition: number): number
  /**
   * Whether the partition has an open batch that takes one more record of at most `recordBytes` (an upper bound, with all
   * overhead).
   */
  hasOpenBatch(partition: number, recordBytes: number): boolean
}

/** Nothing waits anywhere. */
export const noLoads: PartitionLoads = { queued: () => 0, hasOpenBatch: () => false }

export interface Partitioner {
  /**
   * The partition for one record.
   *
   * @param key the record's key as bytes, `null` if it has none.
   * @param recordBytes an upper bound of what the record takes in a batch.
   */
  choose(key: Uint8Array | null, topic: TopicShape, recordBytes: number): number
  /** Tells that the record just chosen for is in a batch, and what it took there, bytes. */
  placed(key: Uint8Array | null, partition: number, bytes: number): void
}

/** Where records without a key go. */
export interface KeylessChoice {
  choose(topic: TopicShape, recordBytes: number): number
  placed(partition: number, bytes: number): void
}

/** A number in [0, 1), as `clock.random` gives it. */
export type Random = () => number

/** An element of a list that is not empty. */
export function pick(list: readonly number[], random: Random): number {
  return list[Math.floor(random() * list.length)] ?? 0
}

/** Where `partition` is in an ascending list, or where it would be: the first place whose partition is not smaller. */
export function placeOf(partition: number, available: readonly number[]): number {
  let [low, high] = [0, available.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((available[middle] ?? 0) < partition) low = middle + 1
    else high = middle
  }
  return low
}
