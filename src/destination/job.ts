import type { RecordMetadata } from '../index.ts'
import type { ClassifiedFailure } from './classify-failure.ts'
import type { CompiledMapping } from './compile-mappings.ts'
import type { Claim } from './dedupe.ts'
import type { DeliveryResult } from './delivery-result.ts'
import { isWantedBy } from './mapping/integrations.ts'
import { isObject } from './mapping/json-value.ts'
import { DeliveredResult } from './printable-result.ts'
import { PreparedEvent, prepareEvent, type PrepareOptions } from './prepare-event.ts'
import { matchesTrigger } from './trigger/match-trigger.ts'
import { isWritten, type Outcome } from './write-batch.ts'

/** One event under one mapping, on its way to a result. */
export interface Job {
  readonly event: number
  /** Undefined, too, where nobody is going to look at it: events are larger than what is sent of them. */
  readonly source: unknown
  /** Null: the event is no object. */
  readonly mapping: CompiledMapping | null
  /** Null: it could not be prepared, and has its result. */
  readonly prepared: PreparedEvent | null
  /** Of `dedupe`: others wait for this one. */
  claim: Claim | null
  result: DeliveryResult | null
}

/** A job that is to be sent. */
export interface SendJob extends Job {
  readonly mapping: CompiledMapping
  readonly prepared: PreparedEvent
}

export interface JobOptions extends PrepareOptions {
  readonly mappings: readonly CompiledMapping[]
  readonly keepsSource: boolean
  readonly integrationName: string
}

/** Adds a job for each mapping that the event matches. Never throws, whatever the event is. */
export function addJobs(jobs: Job[], source: unknown, event: number, options: JobOptions): void {
  const kept = options.keepsSource ? source : undefined
  const mappings = matchingMappings(source, options)
  if (mappings === null) {
    const error = { code: 'INVALID_EVENT', message: 'The event must be an object.' }
    const result = { event, mapping: null, status: 400, error, retry: false }
    jobs.push({ event, source: kept, mapping: null, prepared: null, claim: null, result })
    return
  }
  for (const mapping of mappings) {
    const preparation = prepareEvent(source, mapping, options)
    // Written out, in one shape: there is one for every event.
    if (preparation instanceof PreparedEvent) {
      jobs.push({ event, source: kept, mapping, prepared: preparation, claim: null, result: null })
    } else {
      const result = { event, mapping: mapping.name, status: 400, error: preparation, retry: false }
      jobs.push({ event, source: kept, mapping, prepared: null, claim: null, result })
    }
  }
}

export function isSendJob(job: Job): job is SendJob {
  return job.result === null && job.prepared !== null && job.mapping !== null
}

export function headOf({ event, mapping }: Pick<Job, 'event' | 'mapping'>): Pick<DeliveryResult, 'event' | 'mapping'> {
  return { event, mapping: mapping?.name ?? null }
}

export function deliveredResult(job: SendJob, metadata: RecordMetadata): DeliveryResult {
  return new DeliveredResult(job.event, job.mapping.name, metadata)
}

export function resultOf(
  job: SendJob,
  outcome: Outcome,
  classify: (error: unknown) => ClassifiedFailure,
): DeliveryResult {
  if (isWritten(outcome)) return deliveredResult(job, outcome)
  const { topic, partition } = job.prepared.record
  const where = typeof partition === 'number' ? { topic, partition } : { topic }
  return { ...headOf(job), ...where, ...classify(outcome.error) }
}

/** Null: it is no object, or, in a program, one that throws when it is looked at. */
function matchingMappings(source: unknown, options: JobOptions): readonly CompiledMapping[] | null {
  try {
    if (!isObject(source)) return null
    if (!isWantedBy(source, options.integrationName)) return []
    const { mappings } = options
    // Most destinations have one, which most events match: no list is made for that.
    const [only] = mappings
    if (only !== undefined && mappings.length === 1) return matchesTrigger(only.trigger, source) ? mappings : []
    return mappings.filter(({ trigger }) => matchesTrigger(trigger, source))
  } catch {
    return null
  }
}
