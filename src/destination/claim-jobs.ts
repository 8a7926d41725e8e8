import type { DeliveredIds } from './dedupe.ts'
import type { DeliveryResult } from './delivery-result.ts'
import { headOf, type Job, type SendJob } from './job.ts'
import { ownValue } from './mapping/own-value.ts'

/** The same event is being delivered now, in this call or in another one. */
export interface WaitingJob {
  readonly job: Job
  readonly first: Promise<DeliveryResult>
}

/**
 * Whether the event is to be sent: it was not delivered already, nor is it on its way. One that was gets the result of the
 * first one; one that is goes to those that wait.
 */
export function claim(ids: DeliveredIds, job: SendJob, waiting: WaitingJob[]): boolean {
  const key = keyOf(job)
  if (key === null) return true
  const place = ids.find(key)
  const first = ids.claimed(key)
  if (place !== null) job.result = { ...headOf(job), status: 200, ...place, isDuplicate: true }
  else if (first !== null) waiting.push({ job, first: first.result })
  else job.claim = ids.claim(key)
  return job.claim !== null
}

/** Settles the claims of jobs that have their results; what is left without one is a mistake of ours, and said so. */
export function settleClaims(jobs: readonly Job[]): void {
  for (const job of jobs) {
    if (job.claim === null) continue
    const error = { code: 'INTERNAL', message: 'The event has no result.' }
    job.claim.settle(job.result ?? { ...headOf(job), status: 500, error, retry: true })
  }
}

/** Each mapping delivers for itself. Null: the event has no messageId, or, in a program, a getter that throws. */
function keyOf({ source, mapping }: SendJob): string | null {
  try {
    const id = ownValue(source, ['messageId'])
    return typeof id === 'string' && id !== '' ? `${mapping.index} ${id}` : null
  } catch {
    return null
  }
}
