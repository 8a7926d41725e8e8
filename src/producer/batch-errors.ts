/** What records are told when their batch ends without an acknowledgement. */
import { ConnectionError, DeliveryError, ProtocolError, type KafkaError } from '../errors.ts'
import { errorByName, toBrokerError } from '../protocol/error-codes.ts'
import type { Batch } from './batch.ts'
import { printable } from './decide.ts'
import type { PartitionAnswer } from './produce-exchange.ts'

/** @param why the last failure, and for how long the broker goes on to throttle us, if it does. */
export function deliveryTimeout(
  batch: Batch,
  deliveryTimeoutMs: number,
  { last, throttleMs }: { readonly last: KafkaError | null; readonly throttleMs?: number | undefined },
): DeliveryError {
  const { topic, partition, attempts, maybeWritten } = batch
  const tried = attempts === 0 ? 'never sent' : `sent ${attempts} time${attempts === 1 ? '' : 's'}`
  const throttled = throttleMs === undefined ? '' : `; the broker throttles us for another ${throttleMs} ms`
  const what = `not acknowledged within deliveryTimeoutMs (${deliveryTimeoutMs} ms), ${tried}${throttled}`
  return new DeliveryError(
    'DELIVERY_TIMEOUT',
    `send: DELIVERY_TIMEOUT: ${whereOf(batch)}: ${what}${last === null ? '' : `; last: ${last.message}`}`,
    { retriable: true, maybeWritten, topic, partition, attempts, throttleMs, cause: last ?? undefined },
  )
}

/**
 * The broker named the records that it does not like (KIP-467): each gets its own reason; the others were refused with
 * them and are told that, so that they can be sent again.
 *
 * @returns the error of a record by its place in the batch; null: the answer names none.
 */
export function recordErrors(
  batch: Batch,
  answer: PartitionAnswer,
  error: KafkaError,
): ((index: number) => KafkaError) | null {
  const { recordErrors: named, errorMessage } = answer
  if (named.length === 0) return null
  const { topic, partition, attempts, maybeWritten, recordCount } = batch
  const details = { topic, partition, attempts, maybeWritten, throttleMs: error.throttleMs }
  const texts = new Map<number, string | null>()
  for (const { batchIndex, batchIndexErrorMessage } of named) {
    // A stranger's numbers: what is no record of the batch is passed over.
    if (batchIndex >= 0 && batchIndex < recordCount) texts.set(batchIndex, batchIndexErrorMessage ?? errorMessage)
  }
  if (texts.size === 0) return null
  // The only one has the error of the answer, with its own text; of several the answer's is no single one's.
  const code = texts.size === 1 ? answer.errorCode : (errorByName('INVALID_RECORD')?.code ?? -1)
  const ownError = (text: string | null): KafkaError => {
    const said = text === null ? '' : `the broker says: ${printable(text)}`
    return toBrokerError(code, `send: ${whereOf(batch)}`, details, said)
  }
  const count = `${texts.size} of the ${recordCount} records of its batch`
  const what = `${whereOf(batch)}: the broker refused ${count}, and so the batch; this record may be sent again (${error.message})`
  const rest = new DeliveryError('BATCH_REJECTED', `send: BATCH_REJECTED: ${what}`, {
    ...details,
    retriable: true,
    cause: error,
  })
  return (index) => {
    const text = texts.get(index)
    return text === undefined ? rest : ownError(text)
  }
}

/** It may be in the log under a sequence that must not be used any more, and so it cannot be sent again. */
export function deliveryUncertain(batch: Batch): DeliveryError {
  const { topic, partition, attempts, lastError } = batch
  const what = 'no answer told whether it was written, and it can be sent no more without the danger of a second copy'
  const last = lastError === null ? '' : `; last: ${lastError.message}`
  return new DeliveryError('DELIVERY_UNCERTAIN', `send: DELIVERY_UNCERTAIN: ${whereOf(batch)}: ${what}${last}`, {
    maybeWritten: true,
    topic,
    partition,
    attempts,
    cause: lastError ?? undefined,
  })
}

/** The error as the records of a batch are told: with what is known of the batch. */
export function errorFor(batch: Batch, error: KafkaError): KafkaError {
  const { topic, partition, attempts, maybeWritten } = batch
  if (error.maybeWritten === maybeWritten) return error
  const details = { topic, partition, attempts, maybeWritten, retriable: error.retriable, cause: error.cause }
  if (error instanceof ConnectionError) return new ConnectionError(error.code, error.message, details)
  if (error instanceof ProtocolError) return new ProtocolError(error.code, error.message, details)
  return error
}

/** Too large for the broker, and not to be cut up either. */
export function notSplit(refusal: KafkaError, cause: unknown): KafkaError {
  const why = cause instanceof Error ? cause.message : String(cause)
  const { topic, partition, attempts } = refusal
  const details = { topic, partition, attempts, cause: refusal }
  const what = `${refusal.message}; it could not be cut in two, because what the codec made of it cannot be read again: ${why}`
  return new DeliveryError('COMPRESSION_FAILED', `send: COMPRESSION_FAILED: ${what}`, details)
}

/** A broker acknowledged new records at a place where older ones were (faults-and-security.md, O7). */
export function sequenceDesync(batch: Batch, baseOffset: bigint): DeliveryError {
  const { topic, partition, attempts, stamp } = batch
  const sequence =
    stamp === null
      ? ''
      : ` (producer id ${stamp.producerId}, epoch ${stamp.producerEpoch}, sequence ${stamp.firstSequence})`
  const what = `offset ${baseOffset} was acknowledged for ${batch.recordCount} new records${sequence}, and lies before what was acknowledged earlier: the broker took them for old ones`
  return new DeliveryError(
    'SEQUENCE_DESYNC',
    `send: SEQUENCE_DESYNC: ${whereOf(batch)}: ${what}; make a new producer`,
    {
      maybeWritten: true,
      fatal: true,
      topic,
      partition,
      attempts,
    },
  )
}

function whereOf({ topic, partition }: Batch): string {
  return `topic ${JSON.stringify(topic)} partition ${partition}`
}
