import { defaultBatchKeys } from './mapping/send-fields.ts'
import type { PreparedEvent } from './prepare-event.ts'

/** What is put into batches: knows the mapping that it came from. */
export interface Batchable {
  readonly mapping: { readonly index: number }
  readonly prepared: PreparedEvent
}

interface OpenBatch<Job> {
  readonly jobs: Job[]
  bytes: number
  maxBytes: number
  maxSize: number
}

/**
 * Puts events into batches as the fields `batch_keys`, `batch_bytes`, `batch_size` and `enable_batching` say: events of one
 * mapping and topic with equal batch keys, in their order. An event that is larger than `batch_bytes` goes alone; where
 * events differ in a limit, the lowest counts.
 *
 * @returns the batches of each topic, in the order of their first events.
 */
export function batchesByTopic<Job extends Batchable>(jobs: readonly Job[]): Map<string, Job[][]> {
  const topics = new Map<string, Job[][]>()
  const open = new Map<string, OpenBatch<Job>>()
  for (const job of jobs) {
    const { send } = job.prepared
    const key = send.batching.isEnabled ? batchKey(job) : ''
    const batch = open.get(key)
    if (key !== '' && batch !== undefined && takes(batch, job)) add(batch, job)
    else {
      const batches = topics.get(send.topic) ?? []
      topics.set(send.topic, batches)
      const opened = { jobs: [], bytes: 0, maxBytes: Infinity, maxSize: Infinity }
      add(opened, job)
      batches.push(opened.jobs)
      if (key !== '') open.set(key, opened)
    }
  }
  return topics
}

function takes<Job extends Batchable>(batch: OpenBatch<Job>, { prepared }: Job): boolean {
  const { bytes, size } = prepared.send.batching
  const fitsBytes = batch.bytes + prepared.bytes <= Math.min(batch.maxBytes, bytes)
  return fitsBytes && batch.jobs.length < Math.min(batch.maxSize, size)
}

function add<Job extends Batchable>(batch: OpenBatch<Job>, job: Job): void {
  const { bytes, send } = job.prepared
  batch.jobs.push(job)
  batch.bytes += bytes
  batch.maxBytes = Math.min(batch.maxBytes, send.batching.bytes)
  batch.maxSize = Math.min(batch.maxSize, send.batching.size)
}

function batchKey({ mapping, prepared }: Batchable): string {
  const { send } = prepared
  // The usual ones, without JSON for every event: no name of a topic begins with a bracket and a number.
  if (send.batching.keys === defaultBatchKeys) {
    return `${mapping.index} ${send.partition ?? ''} ${send.defaultPartition ?? ''} ${send.topic}`
  }
  return JSON.stringify([mapping.index, send.topic, ...send.batching.keys.map((name) => keyPart(name, prepared))])
}

/** What is not the name of a field is the same for all. */
function keyPart(name: string, { send, record }: PreparedEvent): unknown {
  switch (name) {
    case 'partition':
      return send.partition
    case 'default_partition':
      return send.defaultPartition
    case 'key':
      return send.key
    case 'headers':
      return send.headers
    case 'payload':
      return String(record.value)
    case 'batch_bytes':
      return send.batching.bytes
    case 'batch_size':
      return send.batching.size
    default:
      return null
  }
}
