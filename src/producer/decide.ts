import { ProtocolError, type BrokerError, type KafkaError } from '../errors.ts'
import { backoffMs } from '../cluster/backoff.ts'
import { errorByCode, toBrokerError, type ErrorCode } from '../protocol/error-codes.ts'

/** Why a batch was not acknowledged. */
export type Failure =
  /** The broker answered, and this is what it said of the batch; `isLeaderKnown`: it named the new leader, too (KIP-951). */
  | {
      readonly kind: 'refused'
      readonly errorCode: number
      readonly errorMessage: string | null
      readonly isLeaderKnown?: boolean
      /** For how long the broker does not read from us, milliseconds. */
      readonly throttleMs?: number | undefined
    }
  /** No usable answer. `wasWritten`: the broker may have acted on the request. */
  | { readonly kind: 'unanswered'; readonly error: KafkaError; readonly wasWritten: boolean }

export interface BatchFacts {
  readonly topic: string
  readonly partition: number
  readonly recordCount: number
  readonly attempts: number
  readonly maybeWritten: boolean
  /** How often it was called corrupt, this time included. */
  readonly corruptCount: number
  /** Where it stands among the sequences of its partition that have no answer yet; `none`: it has no sequence. */
  readonly sequence: 'none' | 'first' | 'behind'
}

export interface RetryPolicy {
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  /** A number in [0, 1). */
  readonly random: number
}

/** `maybeWritten` of every verdict is the batch's from now on. */
export type Verdict =
  /** It is in the log already; nobody knows at which offset. */
  | { readonly do: 'deliver'; readonly maybeWritten: true }
  | {
      readonly do: 'retry'
      readonly delayMs: number
      /** The leader is not where we thought. */
      readonly refresh: boolean
      readonly maybeWritten: boolean
      readonly error: KafkaError
    }
  /** Certainly not written, and never to be under its sequence: again, in a new epoch or under a new producer id. */
  | {
      readonly do: 'renew'
      readonly isIdSpent: boolean
      readonly delayMs: number
      readonly maybeWritten: false
      readonly error: KafkaError
    }
  /** Certainly not written, and too large: again, in two parts. */
  | { readonly do: 'split'; readonly maybeWritten: false; readonly error: KafkaError }
  | { readonly do: 'fail'; readonly maybeWritten: boolean; readonly error: KafkaError }

/** `retry-briefly` rows: called corrupt this often, the same bytes are not going to be liked any better. */
const MAX_CORRUPT_COUNT = 3
const MAX_BROKER_TEXT = 256
/** INVALID_PRODUCER_EPOCH and UNKNOWN_PRODUCER_ID are about the id; OUT_OF_ORDER_SEQUENCE_NUMBER is about one partition. */
const OUT_OF_ORDER = 'OUT_OF_ORDER_SEQUENCE_NUMBER'

/**
 * What to do with a batch that was not acknowledged. Pure: the table in `error-codes.ts` is the policy, this is its only
 * reader. Deadlines are the sender's business: a retry that comes too late expires in the queue.
 */
export function decide(failure: Failure, batch: BatchFacts, policy: RetryPolicy): Verdict {
  return failure.kind === 'refused' ? decideRefused(failure, batch, policy) : decideUnanswered(failure, batch, policy)
}

function decideRefused(failure: Failure & { kind: 'refused' }, batch: BatchFacts, policy: RetryPolicy): Verdict {
  const row = errorByCode(failure.errorCode)
  const maybeWritten = batch.maybeWritten || row.maybeWritten
  if (row.recovery === 'duplicate') return { do: 'deliver', maybeWritten: true }
  const error = refusal(failure, batch, maybeWritten)
  const fail: Verdict = { do: 'fail', maybeWritten, error }
  const retry = (delay: number, refresh = false): Verdict => {
    return { do: 'retry', delayMs: delay, refresh, maybeWritten, error }
  }
  switch (row.recovery) {
    case 'retry':
      return retry(delayMs(batch, policy))
    case 'retry-briefly':
      return batch.corruptCount < MAX_CORRUPT_COUNT ? retry(delayMs(batch, policy)) : fail
    case 'refresh-metadata':
      return retry(failure.isLeaderKnown === true ? 0 : delayMs(batch, policy), true)
    case 'split':
      // What may have been written must stay the batch that the broker would know again.
      return batch.recordCount > 1 && !maybeWritten ? { do: 'split', maybeWritten: false, error } : fail
    case 'reset-producer-id':
      return decideOutOfSequence(row, batch, policy, { fail, retry, error })
    case 'none':
    case 'fail':
      return fail
  }
}

/**
 * The broker did not like the sequence. Of a batch that has others in front of it that is their fault: it waits for them.
 * Of the first it means that broker and we disagree about what is in the log; one that may have been written already is
 * reported, because under another sequence it might be written twice (faults-and-security.md, S6).
 */
function decideOutOfSequence(
  row: ErrorCode,
  batch: BatchFacts,
  policy: RetryPolicy,
  { fail, retry, error }: { fail: Verdict; retry: (delayMs: number) => Verdict; error: KafkaError },
): Verdict {
  if (batch.sequence === 'behind') return retry(0)
  if (batch.sequence === 'none' || batch.maybeWritten) return fail
  const isIdSpent = row.name !== OUT_OF_ORDER
  return { do: 'renew', isIdSpent, delayMs: delayMs(batch, policy), maybeWritten: false, error }
}

function decideUnanswered(failure: Failure & { kind: 'unanswered' }, batch: BatchFacts, policy: RetryPolicy): Verdict {
  const maybeWritten = batch.maybeWritten || failure.wasWritten
  const { error } = failure
  // What we could not even encode, or no common version: the next try would be the same.
  const isHopeless = !failure.wasWritten && error instanceof ProtocolError
  if (isHopeless || !error.retriable) return { do: 'fail', maybeWritten, error }
  return { do: 'retry', delayMs: delayMs(batch, policy), refresh: true, maybeWritten, error }
}

function delayMs(batch: BatchFacts, policy: RetryPolicy): number {
  return backoffMs(Math.max(batch.attempts, 1), policy.retryBackoffMs, policy.retryBackoffMaxMs, policy.random)
}

function refusal(failure: Failure & { kind: 'refused' }, batch: BatchFacts, maybeWritten: boolean): BrokerError {
  const { topic, partition, attempts } = batch
  const where = `send: topic ${JSON.stringify(topic)} partition ${partition}`
  const said = failure.errorMessage === null ? '' : `the broker says: ${printable(failure.errorMessage)}`
  const details = { topic, partition, attempts, maybeWritten, throttleMs: failure.throttleMs }
  return toBrokerError(failure.errorCode, where, details, said)
}

/** A broker's text is a stranger's: no control characters, no novels (faults-and-security.md 3.1). */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, MAX_BROKER_TEXT)
}
