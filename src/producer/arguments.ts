import { KafkaError, OptionError } from '../errors.ts'
import { show } from '../options.ts'
import type { ProducerRecord } from './record.ts'

/** A record whose topic may be left to `sendAll`'s own `topic`. */
export type RecordForTopic = Omit<ProducerRecord, 'topic'> & { topic?: string | undefined }

/** What an iterable is, at run time. */
export function isAsyncIterable<T>(records: Iterable<T> | AsyncIterable<T>): records is AsyncIterable<T> {
  return Symbol.asyncIterator in records
}

/** A record as `sendAll` takes it. What is not a record stays what it is: the check that follows names it. */
export function withTopic(record: RecordForTopic, topic: string | undefined): ProducerRecord {
  const given: unknown = record
  const isIncomplete = typeof given === 'object' && given !== null && record.topic === undefined && topic !== undefined
  if (!isIncomplete) return record as ProducerRecord
  // By name, not by spread: a record may be of a class, with getters.
  const { value, key, headers, partition, timestamp } = record
  return { topic, value, key, headers, partition, timestamp }
}

/** @throws {OptionError} `INVALID_ARGUMENT`. */
export function checkIterable(records: unknown): void {
  const isIterable =
    typeof records === 'object' && records !== null && (Symbol.iterator in records || Symbol.asyncIterator in records)
  if (isIterable) return
  const what = `records: got ${show(records)}, expected an array or another iterable of records`
  throw new OptionError('INVALID_ARGUMENT', `sendAll: INVALID_ARGUMENT: ${what}`)
}

/** @throws {OptionError} `INVALID_ARGUMENT`. */
export function checkTimeout(where: string, timeoutMs: unknown): void {
  if (timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs >= 0)) return
  const what = `timeoutMs: got ${show(timeoutMs)}, expected milliseconds from 0`
  throw new OptionError('INVALID_ARGUMENT', `${where}: INVALID_ARGUMENT: ${what}`)
}

/** What a check throws; null: nothing. */
export function misuseOf(check: () => void): KafkaError | null {
  try {
    check()
    return null
  } catch (error) {
    return asKafkaError(error)
  }
}

/** Anything can be thrown, also what cannot be made a text. */
function textOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error)
  } catch {
    return 'something was thrown that cannot be shown'
  }
}

/** What a getter or an iterator of the user's threw is the record's error. */
export function asKafkaError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error
  const what = textOf(error)
  return new OptionError('INVALID_RECORD', `send: INVALID_RECORD: the record could not be read: ${what}`, {
    cause: error,
  })
}
