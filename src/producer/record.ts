import { OptionError } from '../errors.ts'
import { show } from '../options.ts'
import { upperBoundOfRecordBatch, type Bytes, type RecordHeaders } from '../protocol/record.ts'

export type { Bytes }
export type HeaderValue = Bytes | null

/** One record as the program gives it. It belongs to the producer, with its buffers, until it has settled. */
export interface ProducerRecord {
  topic: string
  /** `null` is a tombstone; leaving it out is an error. */
  value: Bytes | null
  key?: Bytes | null | undefined
  /** An object, or pairs where the order or doubles matter. */
  headers?:
    | Record<string, HeaderValue | readonly HeaderValue[] | undefined>
    | Iterable<readonly [string, HeaderValue]>
    | undefined
  partition?: number | undefined
  /** Milliseconds since the Unix epoch; default: now. */
  timestamp?: number | Date | undefined
}

/** What of a record is written into a batch. */
export interface RecordParts {
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Bytes | null
  readonly headers: RecordHeaders
}

/** A record that was looked at: everything is there and of the right kind. */
export interface CheckedRecord extends RecordParts {
  readonly topic: string
  readonly partition: number | null
  /** No batch with this record alone is larger. */
  readonly upperBoundBytes: number
  /** As it was given, for a partitioner of the user's own. */
  readonly original: ProducerRecord
}

/** Kafka's own limit. Which characters are allowed, the broker says (INVALID_TOPIC_EXCEPTION). */
const MAX_TOPIC_LENGTH = 249
/** Half a character: it would arrive as another name, whose metadata is never ours. */
const LONE_SURROGATE = /\p{Surrogate}/u

const NO_HEADERS: RecordHeaders = []
const MAX_INT32 = 2 ** 31 - 1

/** @throws {OptionError} `INVALID_RECORD`, naming the topic and the field. */
export function checkRecord(record: ProducerRecord, nowMs: number): CheckedRecord {
  // The types say otherwise; plain JavaScript does not read them.
  const given: unknown = record
  if (typeof given !== 'object' || given === null) throw invalid(`expected a record, got ${show(given)}`)
  const { topic } = record
  checkTopic(topic)
  const key = record.key ?? null
  const value = checkBytes(record.value, topic, 'value')
  const headers = record.headers === undefined ? NO_HEADERS : checkHeaders(record.headers, topic)
  const keyBytes = typeof key === 'string' ? Buffer.from(key) : (checkBytes(key, topic, 'key') as Uint8Array | null)
  return {
    topic,
    partition: checkPartition(record.partition, topic),
    timestamp: record.timestamp === undefined ? nowMs : checkTimestamp(record.timestamp, topic),
    key: keyBytes,
    value,
    headers,
    upperBoundBytes: upperBoundOfRecordBatch(keyBytes, value, headers),
    original: record,
  }
}

/** Records mostly go where the one before went; looking through its name costs more than all other checks. */
let lastTopic: string | null = null

function checkTopic(topic: unknown): asserts topic is string {
  if (topic === lastTopic && topic !== null) return
  if (typeof topic !== 'string' || topic === '' || topic.length > MAX_TOPIC_LENGTH || LONE_SURROGATE.test(topic)) {
    throw invalid(`topic: got ${show(topic)}, expected 1 to ${MAX_TOPIC_LENGTH} characters`)
  }
  lastTopic = topic
}

function checkBytes(value: unknown, topic: string, field: string): Bytes | null {
  if (typeof value === 'string' || value === null || value instanceof Uint8Array) return value
  const where = `topic ${show(topic)}: ${field}`
  if (value === undefined) throw invalid(`${where} is undefined; use null for a tombstone`)
  throw invalid(`${where}: got ${show(value)}, expected a string, a Uint8Array or null; JSON is not made for you`)
}

function checkPartition(partition: unknown, topic: string): number | null {
  if (partition === undefined) return null
  const isFine =
    typeof partition === 'number' && Number.isInteger(partition) && partition >= 0 && partition <= MAX_INT32
  if (isFine) return partition
  throw invalid(`topic ${show(topic)}: partition: got ${show(partition)}, expected an integer from 0`)
}

function checkTimestamp(timestamp: unknown, topic: string): number {
  const ms = timestamp instanceof Date ? timestamp.getTime() : timestamp
  if (typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= 0) return ms
  const expected = 'expected milliseconds since the Unix epoch, an integer from 0, or a valid Date'
  throw invalid(`topic ${show(topic)}: timestamp: got ${show(ms)}, ${expected}`)
}

function checkHeaders(headers: NonNullable<ProducerRecord['headers']>, topic: string): RecordHeaders {
  const given: unknown = headers
  if (typeof given !== 'object' || given === null) {
    throw invalid(`topic ${show(topic)}: headers: got ${show(given)}, expected an object or pairs`)
  }
  const pairs: [string, Bytes | null][] = []
  if (Symbol.iterator in given) {
    for (const pair of given as Iterable<unknown>) {
      if (!Array.isArray(pair) || typeof pair[0] !== 'string') {
        throw invalid(`topic ${show(topic)}: headers: entry ${pairs.length} is not a pair of a name and a value`)
      }
      pairs.push([pair[0], checkHeader(pair[1], topic, pair[0])])
    }
    return pairs
  }
  for (const [name, values] of Object.entries(given)) {
    if (values === undefined) continue
    if (Array.isArray(values)) for (const value of values) pairs.push([name, checkHeader(value, topic, name)])
    else pairs.push([name, checkHeader(values, topic, name)])
  }
  return pairs
}

function checkHeader(value: unknown, topic: string, name: string): Bytes | null {
  if (typeof value === 'string' || value === null || value instanceof Uint8Array) return value
  const expected = 'expected a string, a Uint8Array or null'
  throw invalid(`topic ${show(topic)}: header ${show(name)}: got ${show(value)}, ${expected}`)
}

function invalid(what: string): OptionError {
  return new OptionError('INVALID_RECORD', `send: INVALID_RECORD: ${what}`)
}
