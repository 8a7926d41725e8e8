import { DeliveryError, type DeliveryReport, type Producer } from '../index.ts'
import type { Batch } from './batches.ts'
import type { ClassifiedFailure } from './classify-failure.ts'
import { deliveredResult, resultOf, type SendJob } from './job.ts'
import type { Metrics } from './metrics.ts'
import { isBroken } from './producer-cache.ts'
import { isList, isTroubleOfTopic, isWritten, writeBatch, type Outcome, type Written } from './write-batch.ts'

type JobBatch = Batch<SendJob>

export interface JobWriter {
  readonly classify: (error: unknown) => ClassifiedFailure
  readonly metrics: Metrics
  /** The producer is not to be used again. */
  readonly onBroken: (producer: Producer) => void
}

/**
 * Writes events in their batches and gives each its result. The batches of a topic follow one another, those of several
 * topics do not wait: a topic that is in trouble holds up nothing but itself. Never rejects.
 */
export async function writeJobs(
  producer: Producer,
  topics: readonly (readonly JobBatch[])[],
  writer: JobWriter,
): Promise<void> {
  if (writer.metrics.isHeard) {
    const jobs = topics.flat().flatMap((batch) => batch.jobs)
    writer.metrics.uniqueKeys(new Set(jobs.map(uniqueKey)).size)
  }
  await Promise.all(topics.map((batches) => writeTopic(producer, batches, writer)))
}

async function writeTopic(producer: Producer, batches: readonly JobBatch[], writer: JobWriter): Promise<void> {
  for (const [index, batch] of batches.entries()) {
    const outcomes = await writeOne(producer, batch, writer)
    if (!isList(outcomes) || outcomes.every(isWritten)) continue
    const trouble = troubleOf(outcomes)
    if (trouble === null && !outcomes.some(isTimeout)) continue
    const rest = together(batches.slice(index + 1))
    if (rest.jobs.length === 0) return
    if (trouble !== null) {
      // The others would wait for as long and then be told the same.
      const same = rest.jobs.map(() => trouble)
      settle(rest.jobs, same, producer, writer)
      return
    }
    // One batch after the other, a partition without a leader would hold up the call for each of them. Together, and in
    // their order, it does so once.
    await writeOne(producer, rest, writer)
    return
  }
}

/** Null: it is not that of the topic, or something got through: others may, too. */
function troubleOf(outcomes: readonly Outcome[]): Outcome | null {
  if (outcomes.some(isWritten)) return null
  return outcomes.find(isTroubleOfTopic) ?? null
}

function together(batches: readonly JobBatch[]): JobBatch {
  return {
    jobs: batches.flatMap(({ jobs }) => jobs),
    records: batches.flatMap(({ records }) => records),
    bytes: batches.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

async function writeOne(producer: Producer, { jobs, records, bytes }: JobBatch, writer: JobWriter): Promise<Written> {
  writer.metrics.batchBytes(bytes)
  const written = await writeBatch(producer, records)
  if (isList(written)) settle(jobs, written, producer, writer)
  else settleDelivered(jobs, written)
  return written
}

function settleDelivered(jobs: readonly SendJob[], report: DeliveryReport): void {
  let index = 0
  for (const job of jobs) job.result = deliveredResult(job, report.metadata(index++))
}

function settle(jobs: readonly SendJob[], outcomes: readonly Outcome[], producer: Producer, writer: JobWriter): void {
  for (const [index, job] of jobs.entries()) {
    const outcome = outcomes[index] ?? { error: new Error('no outcome') }
    if ('error' in outcome && isBroken(outcome.error)) writer.onBroken(producer)
    job.result = resultOf(job, outcome, writer.classify)
  }
}

function isTimeout(outcome: Outcome): boolean {
  return 'error' in outcome && outcome.error instanceof DeliveryError && outcome.error.code === 'DELIVERY_TIMEOUT'
}

function uniqueKey({ prepared: { record, partition, defaultPartition } }: SendJob): string {
  return `${record.topic}-${partition ?? ''}-${defaultPartition ?? ''}`
}
