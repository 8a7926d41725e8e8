/**
 * Partitioners are pure and synchronous: they see a key and the shape of a topic, and give a partition number. What they
 * remember (the sticky partition, the rotation) is one small object per topic.
 */

/** A topic as a partitioner sees it. */
export interface TopicShape {
  readonly topic: string
  readonly partitionCount: number
  /** Partitions that have a leader now; all of them if none has. Never empty. */
  readonly available: readonly number[]
}

export interface Partitioner {
  /** The partition for one record; `key` is the record's key as bytes, `null` if it has none. */
  choose(key: Uint8Array | null, topic: TopicShape): number
  /** Tells what the record that was just placed took in its batch, bytes. */
  placed(partition: number, bytes: number): void
}

/** A number in [0, 1), as `clock.random` gives it. */
export type Random = () => number

/** An element of a list that is not empty. */
export function pick(list: readonly number[], random: Random): number {
  return list[Math.floor(random() * list.length)] ?? 0
}
