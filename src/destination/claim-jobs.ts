import type { DeliveredIds } from './dedupe.ts'
import type { DeliveryResult } from './delivery-result.ts'
import { headOf, isSendJob, type Job, type SendJob } from './job.ts'
import { ownValue } from './mapping/own-value.ts'

export interface ClaimedJobs {
  readonly toSend: readonly SendJob[]
  /** The same event is being delivered now, in this call or in another one. */
  readonly waiting: readonly { readonly job: Job; readonly first: Promise<DeliveryResult> }[]
}

/** Sorts out events that were delivered already: those get the result of the first one. */
export function claimJobs(ids: DeliveredIds | null, jobs: readonly Job[]): ClaimedJobs {
  if (ids === null) return { toSend: jobs.filter(isSendJob), waiting: [] }
  const toSend: SendJob[] = []
  const waiting: { job: Job; first: Promise<DeliveryResult> }[] = []
  for (const job of jobs) {
    if (!isSendJob(job)) continue
    const key = keyOf(job)
    const place = key === null ? null : ids.find(key)
    const first = key === null ? null : ids.claimed(key)
    if (place !== null) setResult(job, { ...headOf(job), status: 200, ...place, isDuplicate: true })
    else if (first !== null) waiting.push({ job, first: first.result })
    else {
      job.claim = key === null ? null : ids.claim(key)
      toSend.push(job)
    }
  }
  return { toSend, waiting }
}

/** Settles the claims of jobs that have their results; what is left without one is a mistake of ours, and said so. */
export function settleClaims(jobs: readonly Job[]): void {
  for (const job of jobs) {
    if (job.claim === null) continue
    const error = { code: 'INTERNAL', message: 'The event has no result.' }
    job.claim.settle(job.result ?? { ...headOf(job), status: 500, error, retry: true })
  }
}

function setResult(job: Job, result: DeliveryResult): void {
  job.result = result
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
