import type { KafkaError, ProducerRecord, RecordMetadata } from '../../src/index.ts'
import type { RecordForTopic } from '../../src/producer/arguments.ts'

/**
 * What is known of a record's end. `refused`: not taken in, or failed and not `maybeWritten`; `unwatched`: taken in by an
 * `offer` that was to be told nothing.
 */
export type Ending = 'pending' | 'delivered' | 'refused' | 'maybeWritten' | 'unwatched'

/** One record as it was handed over, whatever it holds, and what its sender was told. */
export interface ObservedRecord {
  /** Whose it is: order is judged per producer. */
  readonly producer: object
  readonly topic: string
  readonly partition: number | undefined
  /** Each byte a character; null: none. `undefined`: nothing that could be written. */
  readonly key: string | null | undefined
  readonly value: string | null | undefined
  /** null: not known, a one-shot iterable belongs to the producer. */
  readonly headers: string | null
  /** Milliseconds since the Unix epoch, where it was given. */
  readonly timestamp: number | undefined
  /** `acks: 0`: nobody knows where it is, or whether. */
  readonly isUnacknowledged: boolean
  /** Its place in the order of acceptance. */
  rank: number
  ending: Ending
  at: RecordMetadata | null
  error: KafkaError | null
}

type Headers = readonly (readonly [string, Uint8Array | string | null])[]

/** Bytes as a string of one character each; strings are UTF-8. */
export function bytesOf(bytes: unknown): string | null | undefined {
  if (bytes === null) return null
  if (typeof bytes === 'string') return Buffer.from(bytes).toString('latin1')
  return bytes instanceof Uint8Array
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
    : undefined
}

/** Equal records have equal contents. */
export function contentsOf({ topic, key, value }: Pick<ObservedRecord, 'topic' | 'key' | 'value'>): string {
  return [topic, key?.length ?? '-', value?.length ?? '-', key ?? '', value ?? ''].join(' ')
}

/** @returns null where looking would use them up. */
export function headersOf(headers: ProducerRecord['headers'] | Headers): string | null {
  if (headers === undefined) return ''
  if (typeof headers !== 'object' || (Symbol.iterator in headers && !Array.isArray(headers))) return null
  const pairs = Array.isArray(headers)
    ? (headers as Headers)
    : Object.entries(headers as Record<string, unknown>).flatMap(([name, values]) =>
        values === undefined ? [] : (Array.isArray(values) ? values : [values]).map((value: unknown) => [name, value]),
      )
  return pairs.map(([name, value]) => `${bytesOf(name) ?? '?'}=${bytesOf(value) ?? '?'}`).join('\0')
}

/** Everything that the producers of one test were given, in order. */
export class ObservedRecords {
  readonly all: ObservedRecord[] = []
  /** What settled more than once. */
  readonly doubles: string[] = []
  #accepted = 0

  /** A record is about to be handed over. Its fields are read once more than by the producer. */
  note(producer: object, given: RecordForTopic, { topic, acks }: { topic?: unknown; acks?: unknown }): ObservedRecord {
    const record = ((typeof given === 'object' ? given : null) ?? {}) as Partial<RecordForTopic>
    const { timestamp } = record
    const name = String(record.topic ?? topic)
    const observed: ObservedRecord = {
      producer,
      topic: name,
      partition: record.partition,
      key: bytesOf(record.key ?? null),
      value: bytesOf(record.value),
      headers: headersOf(record.headers),
      timestamp: timestamp instanceof Date ? timestamp.getTime() : timestamp,
      isUnacknowledged: acks === 0,
      rank: -1,
      ending: 'pending',
      at: null,
      error: null,
    }
    this.all.push(observed)
    return observed
  }

  /** From now on those that are accepted come behind it. */
  accepted(record: ObservedRecord): void {
    record.rank = this.#accepted++
  }

  delivered(record: ObservedRecord, at: RecordMetadata): void {
    if (!this.#settle(record, 'delivered')) return
    record.at = at
  }

  failed(record: ObservedRecord, error: KafkaError): void {
    // What is no error of ours was thrown before anything was taken in.
    if (!this.#settle(record, (error.maybeWritten as boolean | undefined) === true ? 'maybeWritten' : 'refused')) return
    record.error = error
  }

  unwatched(record: ObservedRecord): void {
    this.#settle(record, 'unwatched')
  }

  #settle(record: ObservedRecord, ending: Ending): boolean {
    if (record.ending === 'pending') record.ending = ending
    else this.doubles.push(`O1 ${nameOf(record)}: ${ending}, and ${record.ending} before`)
    return record.ending === ending
  }
}

/** For people: without all of a long value. */
export function nameOf({ topic, partition, value, rank }: ObservedRecord): string {
  const shown = JSON.stringify(value?.slice(0, 24) ?? null)
  return `record ${rank} (${topic}-${partition ?? 'any'}, value ${shown})`
}
