import { DeliveryError, type DeliveryReport, type Producer } from '../index.ts'
import { batchesByTopic } from './batches.ts'
import type { ClassifiedFailure } from './classify-failure.ts'
import { deliveredResult, resultOf, type SendJob } from './job.ts'
import type { Metrics } from './metrics.ts'
import { isBroken } from './producer-cache.ts'
import { isList, isTroubleOfTopic, isWritten, writeBatch, type Outcome, type Written } from './write-batch.ts'

type Batch = readonly SendJob[]

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
export async function writeJobs(producer: Producer, jobs: readonly SendJob[], writer: JobWriter): Promise<void> {
  const topics = [...batchesByTopic(jobs).values()]
  if (writer.metrics.isHeard) writer.metrics.uniqueKeys(new Set(jobs.map(uniqueKey)).size)
  await Promise.all(topics.map((batches) => writeTopic(producer, batches, writer)))
}

async function writeTopic(producer: Producer, batches: readonly Batch[], writer: JobWriter): Promise<void> {
  for (const [index, jobs] of batches.entries()) {
    const outcomes = await writeOne(producer, jobs, writer)
    if (!isList(outcomes) || outcomes.every(isWritten)) continue
    const trouble = troubleOf(outcomes)
    if (trouble === null && !outcomes.some(isTimeout)) continue
    const rest = batches.slice(index + 1).flat()
    if (rest.length === 0) return
    if (trouble !== null) {
      // The others would wait for as long and then be told the same.
      const same = rest.map(() => trouble)
      settle(rest, same, producer, writer)
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

async function writeOne(producer: Producer, jobs: Batch, writer: JobWriter): Promise<Written> {
  if (writer.metrics.isHeard) writer.metrics.batchBytes(jobs.reduce((sum, { prepared }) => sum + prepared.bytes, 0))
  const records = jobs.map(({ prepared }) => prepared.record)
  const written = await writeBatch(producer, records)
  if (isList(written)) settle(jobs, written, producer, writer)
  else settleDelivered(jobs, written)
  return written
}

function settleDelivered(jobs: Batch, report: DeliveryReport): void {
  let index = 0
  for (const job of jobs) job.result = deliveredResult(job, report.metadata(index++))
}

function settle(jobs: Batch, outcomes: readonly Outcome[], producer: Producer, writer: JobWriter): void {
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
