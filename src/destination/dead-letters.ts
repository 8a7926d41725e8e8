import type { Producer, ProducerRecord } from '../index.ts'
import { classifyFailure } from './classify-failure.ts'
import type { DeliveryResult } from './delivery-result.ts'
import type { Job } from './job.ts'
import { jsonText } from './json-text.ts'
import { isBroken } from './producer-cache.ts'
import { listOf, writeBatch, type Outcome } from './write-batch.ts'

/** Statuses of events that will never get through as they are. What an operator can mend (401, 403, 404) is not here. */
const FOR_GOOD = [400, 413]

export function isDeadLetter({ status, retry }: DeliveryResult): boolean {
  return FOR_GOOD.includes(status) && retry === false
}

/**
 * Writes events that were refused for good to a topic: the event as JSON, why in headers `headrace-error-*`. Their results
 * then say where it is, or why it is not there. Never rejects.
 */
export async function writeDeadLetters(
  producer: Producer,
  { topic, jobs }: { readonly topic: string; readonly jobs: readonly Job[] },
  onBroken: (producer: Producer) => void,
): Promise<void> {
  const letters = jobs.map((job) => ({ job, record: deadLetter(topic, job) }))
  const records = letters.flatMap(({ record }) => (record === null ? [] : [record]))
  const written = listOf(await writeBatch(producer, records))
  if (written.some((outcome) => 'error' in outcome && isBroken(outcome.error))) onBroken(producer)
  const outcomes = written.values()
  for (const { job, record } of letters) {
    const outcome: Outcome | undefined = record === null ? undefined : outcomes.next().value
    if (job.result !== null) job.result = { ...job.result, deadLetter: placeOf(outcome) }
  }
}

function deadLetter(topic: string, { source, result, prepared }: Job): ProducerRecord | null {
  const json = jsonText(source)
  if (typeof json !== 'string' || result === null) return null
  const headers: [string, string][] = [
    ['headrace-error-status', String(result.status)],
    ['headrace-error-code', result.error?.code ?? ''],
    ['headrace-error-message', result.error?.message ?? ''],
    ['headrace-mapping', result.mapping ?? ''],
    ...(result.topic === undefined ? [] : [['headrace-topic', result.topic] as [string, string]]),
  ]
  return { topic, value: json, key: prepared?.record.key, headers }
}

function placeOf(outcome: Outcome | undefined): NonNullable<DeliveryResult['deadLetter']> {
  if (outcome === undefined) return { error: 'The event cannot be written as JSON.' }
  if ('error' in outcome) return { error: classifyFailure(outcome.error).error.message }
  const { topic, partition, offset } = outcome
  return { topic, partition, offset }
}
