import {
  AuthenticationError,
  BatchDeliveryError,
  ConnectionError,
  DeliveryError,
  KafkaError,
  type DeliveryReport,
  type Producer,
  type ProducerRecord,
  type RecordMetadata,
} from '../index.ts'

/** Where a record is, or why it is not. */
export type Outcome = RecordMetadata | { readonly error: unknown }

/** The report of a batch of which everything was written; otherwise what became of each record. */
export type Written = DeliveryReport | readonly Outcome[]

/** Refusals of a batch for a single record in it; brokers before 2.4 do not say for which. */
const ONE_OF_THEM = ['INVALID_RECORD', 'INVALID_TIMESTAMP', 'CORRUPT_MESSAGE']
const TOPIC_TROUBLE = ['METADATA_TIMEOUT', 'UNKNOWN_TOPIC_OR_PARTITION', 'TOPIC_AUTHORIZATION_FAILED', 'CLOSED']
/** How often records that were refused along with others are sent again. A broker names all that it dislikes at once. */
const MAX_ROUNDS = 3
/**
 * How many requests the search for records that an old broker dislikes may cost. Of a thousand, a few are found in it; where
 * all are bad it would take two thousand, each with its retries.
 */
const MAX_SEARCHES = 60

/**
 * Sends records together and waits for all. A record that a broker refuses does not take others along: those are sent
 * again without it. Never rejects.
 *
 * @returns what became of each, in their order.
 */
export async function writeBatch(producer: Producer, records: readonly ProducerRecord[]): Promise<Written> {
  return await search(producer, records, { left: MAX_SEARCHES })
}

async function search(
  producer: Producer,
  records: readonly ProducerRecord[],
  budget: { left: number },
): Promise<Written> {
  budget.left--
  const report = await sendTogether(producer, records)
  if (!isList(report)) return report
  let outcomes = report
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const others = indexesWhere(outcomes, (error) => codeOf(error) === 'BATCH_REJECTED' && !isMaybeWritten(error))
    if (others.length === 0) break
    outcomes = replace(outcomes, others, listOf(await sendTogether(producer, pick(records, others))))
  }
  for (const shared of sharedRefusals(outcomes)) {
    outcomes = replace(outcomes, shared, await searchHalves(producer, pick(records, shared), budget))
  }
  return outcomes
}

export function isWritten(outcome: Outcome): outcome is RecordMetadata {
  return !('error' in outcome)
}

/** Every record that comes later for the same topic will meet the same: nothing was sent, and no record is to blame. */
export function isTroubleOfTopic(outcome: Outcome): boolean {
  if (!('error' in outcome) || isMaybeWritten(outcome.error)) return false
  return isWayInClosed(outcome.error) || TOPIC_TROUBLE.includes(codeOf(outcome.error))
}

/** To the whole cluster. An error that names a partition is that of one broker; others may let us in. */
export function isWayInClosed(error: unknown): boolean {
  const isWayIn = error instanceof ConnectionError || error instanceof AuthenticationError
  return isWayIn && error.partition === undefined
}

async function searchHalves(
  producer: Producer,
  records: readonly ProducerRecord[],
  budget: { left: number },
): Promise<Outcome[]> {
  if (budget.left <= 0) return records.map(() => ({ error: notSearched() }))
  const middle = Math.ceil(records.length / 2)
  const first = listOf(await search(producer, records.slice(0, middle), budget))
  return [...first, ...listOf(await search(producer, records.slice(middle), budget))]
}

/** Refused with others, and not found out which of them are to blame: the next delivery goes on with fewer. */
function notSearched(): DeliveryError {
  const what = 'the broker refused a batch for some of its records without saying which; this one was not tried alone'
  return new DeliveryError('BATCH_REJECTED', `deliver: BATCH_REJECTED: ${what}`, { retriable: true })
}

async function sendTogether(producer: Producer, records: readonly ProducerRecord[]): Promise<Written> {
  try {
    const report = await producer.sendAllSettled(records)
    return report.failed.length === 0 ? report : outcomesOf(report, records.length)
  } catch (error) {
    if (error instanceof BatchDeliveryError) return outcomesOf(error.report, records.length)
    return records.map(() => ({ error }))
  }
}

/** What became of each record, in their order. */
export function listOf(written: Written): readonly Outcome[] {
  return isList(written) ? written : outcomesOf(written, written.count)
}

export function isList(written: Written): written is readonly Outcome[] {
  return Array.isArray(written)
}

function outcomesOf(report: DeliveryReport, count: number): Outcome[] {
  const errors = new Map<number, unknown>(report.failed.map(({ index, error }) => [index, error]))
  const outcomes: Outcome[] = []
  for (let index = 0; index < count; index++) {
    outcomes.push(errors.has(index) ? { error: errors.get(index) } : report.metadata(index))
  }
  return outcomes
}

/** Groups of records that one answer refused without saying which of them it is about. */
function sharedRefusals(outcomes: readonly Outcome[]): number[][] {
  const groups = new Map<unknown, number[]>()
  for (const [index, outcome] of outcomes.entries()) {
    if (!('error' in outcome) || isMaybeWritten(outcome.error)) continue
    if (!ONE_OF_THEM.includes(codeOf(outcome.error))) continue
    const group = groups.get(outcome.error)
    if (group === undefined) groups.set(outcome.error, [index])
    else group.push(index)
  }
  return [...groups.values()].filter((group) => group.length > 1)
}

function indexesWhere(outcomes: readonly Outcome[], test: (error: unknown) => boolean): number[] {
  return outcomes.flatMap((outcome, index) => ('error' in outcome && test(outcome.error) ? [index] : []))
}

function pick(records: readonly ProducerRecord[], indexes: readonly number[]): ProducerRecord[] {
  return indexes.flatMap((index) => records[index] ?? [])
}

function replace(outcomes: readonly Outcome[], indexes: readonly number[], newer: readonly Outcome[]): Outcome[] {
  const replaced = [...outcomes]
  for (const [place, index] of indexes.entries()) replaced[index] = newer[place] ?? { error: new Error('no outcome') }
  return replaced
}

function codeOf(error: unknown): string {
  return error instanceof KafkaError ? error.code : ''
}

function isMaybeWritten(error: unknown): boolean {
  return error instanceof KafkaError && error.maybeWritten
}
