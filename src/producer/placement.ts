import type { Clock } from '../clock.ts'
import type { TopicMetadata } from '../cluster/metadata.ts'
import { DeliveryError } from '../errors.ts'
import { show } from '../options.ts'
import type { Partitioner, TopicShape } from '../partitioner/partitioner.ts'
import { RoundRobinPartitioner } from '../partitioner/round-robin.ts'
import { StickyPartitioner } from '../partitioner/sticky.ts'
import type { PartitionerFunction } from './options.ts'
import type { CheckedRecord } from './record.ts'

export interface PlacementOptions {
  readonly partitioner: 'default' | 'round-robin' | PartitionerFunction
  readonly batchBytes: number
  readonly clock: Clock
}

/** Where records go: the partition they name, or what the partitioner says. One partitioner a topic. */
export class Placement {
  readonly #options: PlacementOptions
  readonly #partitioners = new Map<string, Partitioner>()

  constructor(options: PlacementOptions) {
    this.#options = options
  }

  /** @throws {DeliveryError} `PARTITIONER_FAILED`: a partitioner of the user's own threw, or gave no partition. */
  choose(record: CheckedRecord, metadata: TopicMetadata): number {
    if (record.partition !== null) return record.partition
    const { topic, available, leaders } = metadata
    const shape = { topic, available, partitionCount: leaders.length }
    const { partitioner } = this.#options
    if (typeof partitioner === 'function') return ask(partitioner, record, shape)
    return this.#partitionerOf(topic).choose(record.key, shape)
  }

  /** Tells the partitioner what the record took. */
  placed(record: CheckedRecord, partition: number, bytes: number): void {
    if (record.partition === null && record.key === null) this.#partitioners.get(record.topic)?.placed(partition, bytes)
  }

  #partitionerOf(topic: string): Partitioner {
    let partitioner = this.#partitioners.get(topic)
    if (partitioner === undefined) this.#partitioners.set(topic, (partitioner = this.#make()))
    return partitioner
  }

  #make(): Partitioner {
    const { batchBytes, clock, partitioner } = this.#options
    const random = (): number => clock.random()
    return partitioner === 'round-robin' ? new RoundRobinPartitioner(random) : new StickyPartitioner(batchBytes, random)
  }
}

function ask(partitioner: PartitionerFunction, record: CheckedRecord, shape: TopicShape): number {
  let partition: unknown
  try {
    partition = partitioner(record.original, shape)
  } catch (error) {
    throw failed(shape, `it threw: ${error instanceof Error ? error.message : String(error)}`, error)
  }
  if (isPartition(partition, shape.partitionCount)) return partition
  throw failed(shape, `it gave ${show(partition)}, expected an integer from 0 to ${shape.partitionCount - 1}`)
}

function isPartition(value: unknown, count: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < count
}

function failed({ topic }: TopicShape, what: string, cause?: unknown): DeliveryError {
  const message = `send: PARTITIONER_FAILED: topic ${JSON.stringify(topic)}: ${what}`
  return new DeliveryError('PARTITIONER_FAILED', message, { topic, cause })
}
