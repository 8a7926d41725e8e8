import { coerce } from './coerce.ts'
import { isObject, withArticle, type Members } from './json-value.ts'
import { recordHeaders, type RecordHeader } from './record-headers.ts'
import { DEFAULT_BATCH_BYTES, DEFAULT_BATCH_SIZE, defaultBatchKeys, sendFields, type SendField } from './send-fields.ts'

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

/**
 * Looks at the resolved fields of one event (A.5): drops what is null or empty, turns values into the types of the
 * fields, drops members that are no fields. What `payload` and `headers` hold is left as it is.
 */
export function validateSend(payload: unknown, options: ValidateSendOptions = {}): CheckedSend {
  if (!isObject(payload)) return { problems: [wrongType('The root value', 'object', payload)] }
  const present = withoutEmpty(payload, options.isBatch ?? false)
  const problems = sendFields
    .filter(({ key, required }) => required && !Object.hasOwn(present, key))
    .map(({ key }) => `The root value is missing the required field '${key}'.`)
  const values = new Map<string, unknown>()
  for (const field of sendFields) {
    if (!Object.hasOwn(present, field.key)) continue
    values.set(
      field.key,
      field.isMultiple ? readList(field, present[field.key], problems) : read(field, present[field.key], problems),
    )
  }
  const headers = recordHeaders((values.get('headers') ?? {}) as Members)
  if (!Array.isArray(headers))
    problems.push(`Headers has a value that cannot be written as JSON: ${headers.unwritable}.`)
  checkUsedPartition(values, problems)
  // A list of null is the text '' to AJV, and no topic to anybody.
  if (problems.length === 0 && values.get('topic') === '')
    problems.push("The root value is missing the required field 'topic'.")
  return problems.length > 0 || !Array.isArray(headers) ? { problems } : { send: sendOf(values, headers) }
}

/** Members that are null go, '' goes where the field is no text, and in single events '' goes everywhere. */
function withoutEmpty(payload: Members, isBatch: boolean): Members {
  const present: Members = Object.create(null) as Members
  for (const { key, type, isMultiple } of sendFields) {
    const value = Object.hasOwn(payload, key) ? payload[key] : undefined
    if (value === null || value === undefined) continue
    const keepsEmpty = isBatch && type === 'string' && !isMultiple && key !== 'topic'
    if (value === '' && !keepsEmpty) continue
    present[key] = value
  }
  return present
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
function checkUsedPartition(values: ReadonlyMap<string, unknown>, problems: string[]): void {
  const isDefault = typeof values.get('partition') !== 'number'
  const used = isDefault ? values.get('default_partition') : values.get('partition')
  if (typeof used !== 'number') return
  const label = isDefault ? 'Default Partition' : 'Partition'
  if (used < 0) problems.push(`${label} must be equal to or greater than 0.`)
  if (used > MAX_PARTITION) problems.push(`${label} must be equal to or less than ${MAX_PARTITION}.`)
}

function sendOf(values: ReadonlyMap<string, unknown>, headers: readonly RecordHeader[]): Send {
  const size = (values.get('batch_size') ?? DEFAULT_BATCH_SIZE) as number
  return {
    topic: values.get('topic') as string,
    payload: values.get('payload') as Members,
    headers,
    partition: (values.get('partition') ?? null) as number | null,
    defaultPartition: (values.get('default_partition') ?? null) as number | null,
    key: (values.get('key') ?? null) as string | null,
    batching: {
      isEnabled: (values.get('enable_batching') ?? true) as boolean,
      keys: (values.get('batch_keys') ?? defaultBatchKeys) as readonly string[],
      bytes: (values.get('batch_bytes') ?? DEFAULT_BATCH_BYTES) as number,
      size: Math.max(1, Math.floor(size)),
    },
  }
}

function wrongType(label: string, expected: string, got: unknown): string {
  return `${label} must be ${withArticle(expected)} but it was ${describe(got)}.`
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  return withArticle(Array.isArray(value) ? 'array' : typeof value)
}
