import type { ProducerCounters } from './counters.ts'

/** What a producer has done, and what it holds now. Counts are of records, unless it says otherwise. */
export interface ProducerStats extends Readonly<ProducerCounters> {
  readonly state: 'running' | 'closing' | 'closed'
  /** Batches carry sequences, so that retries write no second copy. False: switched off, or not to be had. */
  readonly idempotent: boolean
  /** Null until a broker gave one. */
  readonly producerId: bigint | null
  readonly producerEpoch: number | null
  /** Accepted, neither delivered nor failed. */
  readonly unsettled: number
  /** Of those: waiting for their topic, or for room. */
  readonly waiting: number
  readonly bufferBytes: number
  readonly bufferUsedBytes: number
  /** Batches of records that wait to be sent. */
  readonly batchesWaiting: number
  readonly batchesInFlight: number
}

export function countsOf(counters: ProducerCounters): ProducerCounters & Pick<ProducerStats, 'unsettled'> {
  return { ...counters, unsettled: counters.accepted - counters.delivered - counters.failed }
}
