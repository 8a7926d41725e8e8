import { coerce } from './coerce.ts'
import { isObject, withArticle, type Members } from './json-value.ts'
import { recordHeaders, type RecordHeader } from './record-headers.ts'
import {
  DEFAULT_BATCH_BYTES,
  DEFAULT_BATCH_SIZE,
  defaultBatchKeys,
  sendFields,
  type SendField,
  type SendFieldKey,
} from './send-fields.ts'

/** How a host may group events. Hints: nothing here is promised. */
export interface BatchingHints {
  readonly isEnabled: boolean
  readonly keys: readonly string[]
  readonly bytes: number
  /** In events, 1 or more. */
  readonly size: number
}

/** One event, ready to become a record. */
export interface Send {
  readonly topic: string
  readonly payload: Members
  readonly headers: readonly RecordHeader[]
  readonly partition: number | null
  readonly defaultPartition: number | null
  /** null: none. '' is a key, of no bytes. */
  readonly key: string | null
  readonly batching: BatchingHints
}

/** Either what to send, or why not: Segment's texts for status 400, all of them. */
export type CheckedSend =
  | { readonly send: Send; readonly problems?: undefined }
  | { readonly send?: undefined; readonly problems: readonly string[] }

export interface ValidateSendOptions {
  /** The event came with others: Segment then keeps a Message Key that is '', and drops it otherwise. */
  readonly isBatch?: boolean
}

const MAX_PARTITION = 2 ** 31 - 1

/** What the fields of an event hold, in their types. */
type SendValues = Partial<Record<SendFieldKey, unknown>>

const noHeaders: readonly RecordHeader[] = Object.freeze([])

/** Shared: most mappings say nothing of it. */
export const defaultBatching: BatchingHints = Object.freeze({
  ...{ isEnabled: true, keys: defaultBatchKeys, bytes: DEFAULT_BATCH_BYTES, size: DEFAULT_BATCH_SIZE },
})

/**
 * Looks at the resolved fields of one event (A.5): drops what is null or empty, turns values into the types of the
 * fields, drops members that are no fields. What `payload` and `headers` hold is left as it is.
 */
export function validateSend(payload: unknown, options: ValidateSendOptions = {}): CheckedSend {
  if (!isObject(payload)) return { problems: [wrongType('The root value', 'object', payload)] }
  const plain = plainSend(payload)
  if (plain !== null) return { send: plain }
  const isBatch = options.isBatch ?? false
  const missing: string[] = []
  const wrong: string[] = []
  const values: SendValues = {}
  for (const field of sendFields) {
    const given = givenValue(field, payload, isBatch)
    if (given !== undefined) {
      values[field.key] = field.isMultiple ? readList(field, given, wrong) : read(field, given, wrong)
    } else if (field.required) missing.push(`The root value is missing the required field '${field.key}'.`)
  }
  const problems = [...missing, ...wrong]
  const headers = values.headers === undefined ? [] : recordHeaders(values.headers as Members)
  if (!Array.isArray(headers))
    problems.push(`Headers has a value that cannot be written as JSON: ${headers.unwritable}.`)
  checkUsedPartition(values, problems)
  // A list of null is the text '' to AJV, and no topic to anybody.
  if (problems.length === 0 && values.topic === '')
    problems.push("The root value is missing the required field 'topic'.")
  return problems.length > 0 || !Array.isArray(headers) ? { problems } : { send: sendOf(values, headers) }
}

/**
 * Most mappings give a topic, a payload and perhaps a key, each of its type: the same as below, without looking at every
 * field. Null: this one has to be looked at.
 */
function plainSend(fields: Members): Send | null {
  let topic: unknown
  let payload: unknown
  let key: unknown
  for (const name of Object.keys(fields)) {
    if (name === 'topic') topic = fields['topic']
    else if (name === 'payload') payload = fields['payload']
    else if (name === 'key') key = fields['key']
    else return null
  }
  const isText = typeof topic === 'string' && topic !== ''
  const isKey = key === null || key === undefined || (typeof key === 'string' && key !== '')
  if (!isText || !isKey || typeof payload !== 'object' || payload === null || Array.isArray(payload)) return null
  return {
    topic: topic as string,
    payload: payload as Members,
    headers: noHeaders,
    partition: null,
    defaultPartition: null,
    key: (key ?? null) as string | null,
    batching: defaultBatching,
  }
}

/** Undefined for null, too, for '' where the field is no text, and for any '' in single events. */
function givenValue({ key, type, isMultiple }: SendField, payload: Members, isBatch: boolean): unknown {
  const value = payload[key]
  if (value === null || value === undefined || !Object.hasOwn(payload, key)) return undefined
  const keepsEmpty = isBatch && type === 'string' && !isMultiple && key !== 'topic'
  return value === '' && !keepsEmpty ? undefined : value
}

function read(field: SendField, given: unknown, problems: string[]): unknown {
  const coerced = coerce(field.type, given)
  if ('wrong' in coerced) {
    problems.push(wrongType(field.label, field.type, coerced.wrong))
    return undefined
  }
  if (field.minimum !== undefined && (coerced.value as number) < field.minimum) {
    problems.push(`${field.label} must be equal to or greater than ${field.minimum}.`)
  }
  return coerced.value
}

function readList(field: SendField, given: unknown, problems: string[]): unknown[] {
  const items = Array.isArray(given) ? given.filter((item) => item !== null && item !== undefined) : [given]
  return items.map((item: unknown, index) => {
    const coerced = coerce(field.type, item)
    if ('value' in coerced) return coerced.value
    problems.push(wrongType(`The value at /${field.key}/${index}`, field.type, coerced.wrong))
    return undefined
  })
}

/** Segment loses the event in silence. Whether the topic has the partition, the cluster says. */
function checkUsedPartition(values: SendValues, problems: string[]): void {
  const isDefault = typeof values.partition !== 'number'
  const used = isDefault ? values.default_partition : values.partition
  if (typeof used !== 'number') return
  const label = isDefault ? 'Default Partition' : 'Partition'
  if (used < 0) problems.push(`${label} must be equal to or greater than 0.`)
  if (used > MAX_PARTITION) problems.push(`${label} must be equal to or less than ${MAX_PARTITION}.`)
}

function sendOf(values: SendValues, headers: readonly RecordHeader[]): Send {
  return {
    topic: values.topic as string,
    payload: values.payload as Members,
    headers,
    partition: (values.partition ?? null) as number | null,
    defaultPartition: (values.default_partition ?? null) as number | null,
    key: (values.key ?? null) as string | null,
    batching: batchingOf(values),
  }
}

function batchingOf({ enable_batching, batch_keys, batch_bytes, batch_size }: SendValues): BatchingHints {
  if ((enable_batching ?? batch_keys ?? batch_bytes ?? batch_size) === undefined) return defaultBatching
  return {
    isEnabled: (enable_batching ?? true) as boolean,
    keys: (batch_keys ?? defaultBatchKeys) as readonly string[],
    bytes: (batch_bytes ?? DEFAULT_BATCH_BYTES) as number,
    size: Math.max(1, Math.floor((batch_size ?? DEFAULT_BATCH_SIZE) as number)),
  }
}

function wrongType(label: string, expected: string, got: unknown): string {
  return `${label} must be ${withArticle(expected)} but it was ${describe(got)}.`
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  return withArticle(Array.isArray(value) ? 'array' : typeof value)
}
