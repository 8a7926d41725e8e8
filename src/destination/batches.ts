import type { ProducerRecord } from '../index.ts'
import { defaultBatchKeys } from './mapping/send-fields.ts'
import { defaultBatching } from './mapping/validate-send.ts'
import type { PreparedEvent } from './prepare-event.ts'

/** What is put into batches: knows the mapping that it came from. */
export interface Batchable {
  readonly mapping: { readonly index: number }
  readonly prepared: PreparedEvent
}

/** What is sent together. */
export interface Batch<Job> {
  readonly jobs: Job[]
  /** Of the jobs, in their order. */
  readonly records: ProducerRecord[]
  bytes: number
}

interface OpenBatch<Job> extends Batch<Job> {
  readonly key: string
  maxBytes: number
  maxSize: number
}

/**
 * Puts events into batches as the fields `batch_keys`, `batch_bytes`, `batch_size` and `enable_batching` say: events of one
 * mapping and topic with equal batch keys, in their order. An event that is larger than `batch_bytes` goes alone; where
 * events differ in a limit, the lowest counts.
 */
export class Batches<Job extends Batchable> {
  readonly #topics = new Map<string, Batch<Job>[]>()
  readonly #open = new Map<string, OpenBatch<Job>>()
  #latest: OpenBatch<Job> | null = null

  /** The batches of each topic, in the order of their first events. */
  get byTopic(): readonly (readonly Batch<Job>[])[] {
    return [...this.#topics.values()]
  }

  add(job: Job): void {
    // Mostly, an event goes where the one before it went: that is seen without a key.
    const latest = this.#latest
    const isLikeLatest = latest !== null && haveSameKey(latest.jobs[0], job)
    const key = isLikeLatest ? latest.key : batchKey(job)
    const open = isLikeLatest ? latest : this.#open.get(key)
    const batch = open !== undefined && takes(open, job) ? open : this.#openBatch(key, job)
    add(batch, job)
    this.#latest = batch
  }

  #openBatch(key: string, { prepared }: Job): OpenBatch<Job> {
    const batch = { key, jobs: [], records: [], bytes: 0, maxBytes: Infinity, maxSize: Infinity }
    if (key !== '') this.#open.set(key, batch)
    const { topic } = prepared.record
    const batches = this.#topics.get(topic)
    if (batches === undefined) this.#topics.set(topic, [batch])
    else batches.push(batch)
    return batch
  }
}

/** They certainly have: others may, too. */
function haveSameKey(first: Batchable | undefined, { mapping, prepared }: Batchable): boolean {
  if (first?.mapping !== mapping) return false
  const { batching, record, partition, defaultPartition } = first.prepared
  if (batching !== defaultBatching || prepared.batching !== defaultBatching) return false
  const isOfTopic = record.topic === prepared.record.topic
  return isOfTopic && partition === prepared.partition && defaultPartition === prepared.defaultPartition
}

function takes<Job extends Batchable>(batch: OpenBatch<Job>, { prepared }: Job): boolean {
  const { bytes, size } = prepared.batching
  const fitsBytes = batch.bytes + prepared.bytes <= Math.min(batch.maxBytes, bytes)
  return fitsBytes && batch.jobs.length < Math.min(batch.maxSize, size)
}

function add<Job extends Batchable>(batch: OpenBatch<Job>, job: Job): void {
  const { bytes, batching, record } = job.prepared
  batch.jobs.push(job)
  batch.records.push(record)
  batch.bytes += bytes
  batch.maxBytes = Math.min(batch.maxBytes, batching.bytes)
  batch.maxSize = Math.min(batch.maxSize, batching.size)
}

/** '': nothing shares a batch with it. */
function batchKey({ mapping, prepared }: Batchable): string {
  const { batching, record, partition, defaultPartition } = prepared
  if (!batching.isEnabled) return ''
  // The usual ones, without JSON for every event: no name of a topic begins with a bracket and a number.
  if (batching.keys === defaultBatchKeys)
    return `${mapping.index} ${partition ?? ''} ${defaultPartition ?? ''} ${record.topic}`
  return JSON.stringify([mapping.index, record.topic, ...batching.keys.map((name) => keyPart(name, prepared))])
}

/** What is not the name of a field is the same for all. */
function keyPart(name: string, { record, partition, defaultPartition, batching }: PreparedEvent): unknown {
  switch (name) {
    case 'partition':
      return partition
    case 'default_partition':
      return defaultPartition
    case 'key':
      return record.key
    case 'headers':
      return record.headers
    case 'payload':
      return String(record.value)
    case 'batch_bytes':
      return batching.bytes
    case 'batch_size':
      return batching.size
    default:
      return null
  }
}
