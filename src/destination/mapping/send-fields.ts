/** The fields of the one action, `send`, as data: enough to draw a form from. Keys, labels, types and defaults are Segment's. */

export type SendFieldType = 'string' | 'object' | 'integer' | 'number' | 'boolean'

export type SendFieldKey =
  | 'topic'
  | 'payload'
  | 'headers'
  | 'partition'
  | 'default_partition'
  | 'key'
  | 'enable_batching'
  | 'batch_keys'
  | 'batch_bytes'
  | 'batch_size'

export interface SendField {
  readonly key: SendFieldKey
  readonly label: string
  readonly type: SendFieldType
  readonly required: boolean
  readonly description: string
  /** What a form begins with; `@path` is a mapping directive. */
  readonly default?: unknown
  /** The value is a list of this type. */
  readonly isMultiple?: boolean
  readonly minimum?: number
  /** A form offers what the destination answers: `topics()`. */
  readonly hasDynamicChoices?: boolean
  /** A form shows it to experts only. */
  readonly isHidden?: boolean
}

export const defaultTrigger =
  'type = "track" or type = "identify" or type = "page" or type = "screen" or type = "group"'

export const DEFAULT_BATCH_BYTES = 1_000_000
export const DEFAULT_BATCH_SIZE = 1002
export const MIN_BATCH_BYTES = 5000
export const defaultBatchKeys: readonly SendFieldKey[] = Object.freeze([
  'topic',
  'partition',
  'default_partition',
] as const)

const fields: readonly SendField[] = [
  {
    key: 'topic',
    label: 'Topic',
    type: 'string',
    required: true,
    hasDynamicChoices: true,
    description:
      'The topic that the event goes to. The topics of the cluster are offered; any other name may be written.',
  },
  {
    key: 'payload',
    label: 'Payload',
    type: 'object',
    required: true,
    default: Object.freeze({ '@path': '$.' }),
    description: 'What the record holds, written as JSON. Left as it is: the whole event.',
  },
  {
    key: 'headers',
    label: 'Headers',
    type: 'object',
    required: false,
    description:
      'Headers of the record, by name. A list gives a header for each of its items; numbers and true or false are written as text, objects as JSON, null as a header without a value.',
  },
  {
    key: 'partition',
    label: 'Partition',
    type: 'integer',
    required: false,
    description:
      'The number of the partition, counted from 0. It goes before the default partition and the message key.',
  },
  {
    key: 'default_partition',
    label: 'Default Partition',
    type: 'integer',
    required: false,
    description: 'The number of the partition for events that have no Partition. It goes before the message key.',
  },
  {
    key: 'key',
    label: 'Message Key',
    type: 'string',
    required: false,
    description: 'The key of the record. Events with the same key come to the same partition, in their order.',
  },
  {
    key: 'enable_batching',
    label: 'Batch Data to Kafka?',
    type: 'boolean',
    required: false,
    default: true,
    isHidden: true,
    description: 'Whether events that come together are sent together.',
  },
  {
    key: 'batch_keys',
    label: 'Batch Keys',
    type: 'string',
    isMultiple: true,
    required: false,
    default: defaultBatchKeys,
    isHidden: true,
    description: 'The fields whose values must be equal for events to be sent together.',
  },
  {
    key: 'batch_bytes',
    label: 'Batch Bytes',
    type: 'number',
    required: false,
    default: DEFAULT_BATCH_BYTES,
    minimum: MIN_BATCH_BYTES,
    description:
      'How many bytes are sent together at most. Less means more requests. The cluster may have a lower limit.',
  },
  {
    key: 'batch_size',
    label: 'Batch Size',
    type: 'number',
    required: false,
    default: DEFAULT_BATCH_SIZE,
    description: 'How many events are sent together at most.',
  },
]

/** In the order of the form. */
export const sendFields: readonly SendField[] = Object.freeze(fields.map((field) => Object.freeze(field)))
