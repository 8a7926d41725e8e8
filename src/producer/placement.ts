import { isPromise } from 'node:util/types'
import type { Clock } from '../clock.ts'
import type { TopicMetadata } from '../cluster/metadata.ts'
import { DeliveryError } from '../errors.ts'
import { show } from '../options.ts'
import { namedPartitioner, type PartitionerName } from '../partitioner/named.ts'
import { noLoads, type Partitioner, type PartitionLoads, type TopicShape } from '../partitioner/partitioner.ts'
import type { PartitionerFunction } from './producer-options.ts'
import type { CheckedRecord } from './record.ts'

export interface PlacementOptions {
  readonly partitioner: PartitionerName | PartitionerFunction
  readonly batchBytes: number
  readonly clock: Clock
  /** What waits for a topic's partitions; without it nothing ever does. Asked once a topic. */
  readonly loads?: (topic: string) => PartitionLoads
}

/** What is remembered of one topic. */
interface Place {
  /** What `shape` was made from. */
  metadata: TopicMetadata
  shape: TopicShape
  /** `null`: the user's own function, which remembers what it likes. */
  readonly partitioner: Partitioner | null
}

/** Where records go: the partition they name, or what the partitioner says. One partitioner a topic. */
export class Placement {
  readonly #options: PlacementOptions
  readonly #places = new Map<string, Place>()
  /** Of the record before: that of most records. */
  #latest: Place | null = null

  constructor(options: PlacementOptions) {
    this.#options = options
  }

  /** @throws {DeliveryError} `PARTITIONER_FAILED`: a partitioner of the user's own threw, or gave no partition. */
  choose(record: CheckedRecord, metadata: TopicMetadata): number {
    if (record.partition !== null) return record.partition
    const { shape, partitioner } = this.#place(metadata)
    if (partitioner !== null) return partitioner.choose(record.key, shape, record.upperBoundBytes)
    return ask(this.#options.partitioner as PartitionerFunction, record, shape)
  }

  /** Another partition, where the partitioner is free to choose; `partition` counts as full. `null`: it must be that one. */
  chooseOther(record: CheckedRecord, metadata: TopicMetadata, partition: number): number | null {
    const { shape, partitioner } = this.#place(metadata)
    if (!this.isFree(record) || partitioner === null) return null
    partitioner.placed(null, partition, Infinity)
    return partitioner.choose(null, shape, record.upperBoundBytes)
  }

  /** Another partition may do as well: neither the record nor a function of the user's says which. */
  isFree({ partition, key }: CheckedRecord): boolean {
    return partition === null && key === null && typeof this.#options.partitioner !== 'function'
  }

  /** Tells the partitioner what the record took. */
  placed(record: CheckedRecord, partition: number, bytes: number): void {
    if (record.partition !== null) return
    const { topic } = record
    const place = this.#latest?.metadata.topic === topic ? this.#latest : this.#places.get(topic)
    place?.partitioner?.placed(record.key, partition, bytes)
  }

  #place(metadata: TopicMetadata): Place {
    if (this.#latest?.metadata === metadata) return this.#latest
    const place = this.#places.get(metadata.topic) ?? this.#newPlace(metadata)
    if (place.metadata !== metadata) {
      place.metadata = metadata
      place.shape = shapeOf(metadata)
    }
    this.#latest = place
    return place
  }

  #newPlace(metadata: TopicMetadata): Place {
    const { topic } = metadata
    const { partitioner: chosen, batchBytes, clock, loads } = this.#options
    const parts = { stickyBytes: batchBytes, random: () => clock.random(), loads: loads?.(topic) ?? noLoads }
    const partitioner = typeof chosen === 'function' ? null : namedPartitioner(chosen, parts)
    const place = { metadata, shape: shapeOf(metadata), partitioner }
    this.#places.set(topic, place)
    return place
  }
}

/** Frozen, with a list of its own: a function of the user's gets it, and must not sort ours. Made once a picture. */
function shapeOf({ topic, available, leaders }: TopicMetadata): TopicShape {
  return Object.freeze({ topic, partitionCount: leaders.length, available: Object.freeze(available.slice()) })
}

function ask(partitioner: PartitionerFunction, record: CheckedRecord, shape: TopicShape): number {
  let partition: unknown
  try {
    partition = partitioner(record.original, shape)
  } catch (error) {
    throw failed(shape, `it threw: ${error instanceof Error ? error.message : show(error)}`, error)
  }
  // -0 is an integer that is not below 0; the sum makes it 0.
  if (isPartition(partition, shape.partitionCount)) return partition + 0
  let given = show(partition)
  if (isPromise(partition)) {
    given = 'a Promise (partitioners are synchronous)'
    // What it may fail with later has nobody else to hear it.
    partition.catch(() => undefined)
  }
  throw failed(shape, `it gave ${given}, expected an integer from 0 to ${shape.partitionCount - 1}`)
}

function isPartition(value: unknown, count: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < count
}

function failed({ topic }: TopicShape, what: string, cause?: unknown): DeliveryError {
  const message = `send: PARTITIONER_FAILED: topic ${JSON.stringify(topic)}: ${what}`
  return new DeliveryError('PARTITIONER_FAILED', message, { topic, cause })
}
