import type { ProducerRecord } from '../index.ts'
import { audienceMembership } from './mapping/audience.ts'
import { MappingError } from './mapping/mapping-error.ts'
import { setOwn } from './mapping/own-value.ts'
import { validateSend, type BatchingHints, type Send } from './mapping/validate-send.ts'
import type { CompiledMapping } from './compile-mappings.ts'
import type { DeliveryFailure } from './delivery-result.ts'
import { jsonText } from './json-text.ts'
import { isAllowedTopic, type TopicAllowList } from './topic-allow-list.ts'

/** An event under a mapping, ready to be sent. Nothing of it holds on to the event: only its JSON is kept. */
export class PreparedEvent {
  readonly record: ProducerRecord
  /** Of value, key and headers. */
  readonly bytes: number
  readonly partition: number | null
  readonly defaultPartition: number | null
  readonly batching: BatchingHints

  constructor(send: Send, json: string, timestamp: number | undefined) {
    const { topic, headers, key, partition, defaultPartition, batching } = send
    // As text: the producer encodes it straight into its batch.
    this.record = { topic, value: json, key, headers, partition: partition ?? defaultPartition ?? undefined, timestamp }
    this.bytes = Buffer.byteLength(json) + sideBytes(send)
    this.partition = partition
    this.defaultPartition = defaultPartition
    this.batching = batching
  }
}

/** What to send, or why not: status 400. */
export type Preparation = PreparedEvent | DeliveryFailure

export interface PrepareOptions {
  readonly isBatch: boolean
  readonly isEventTime: boolean
  readonly topicAllowList: TopicAllowList | null
}

/** Applies a mapping to an event. Never throws, whatever the event is. */
export function prepareEvent(event: unknown, mapping: CompiledMapping, options: PrepareOptions): Preparation {
  try {
    return prepare(event, mapping, options)
  } catch (error) {
    if (error instanceof MappingError) return refused('MAPPING_FAILED', error.problems.join(' '))
    return refused('MAPPING_FAILED', 'The event cannot be read.') // a getter or proxy that throws: programs only
  }
}

function prepare(event: unknown, mapping: CompiledMapping, options: PrepareOptions): Preparation {
  const { send, problems } = validateSend(mapping.resolve(event), options)
  if (send === undefined) return refused('PAYLOAD_VALIDATION_FAILED', problems.join(' '))
  if (!isTopicAllowed(mapping, send.topic, options.topicAllowList)) {
    return refused('TOPIC_NOT_ALLOWED', 'The event chose a topic that is not in topicAllowList.')
  }
  const json = jsonText(withMembership(send.payload, event, mapping.audience))
  if (typeof json !== 'string') return refused('PAYLOAD_VALIDATION_FAILED', `Payload ${json.problem}.`)
  return new PreparedEvent(send, json, options.isEventTime ? timestampOf(event) : undefined)
}

function isTopicAllowed({ isTopicFromEvent }: CompiledMapping, topic: string, list: TopicAllowList | null): boolean {
  return !isTopicFromEvent || list === null || isAllowedTopic(list, topic)
}

/** The payload may be the event itself: it is not changed but copied. */
function withMembership(payload: Send['payload'], event: unknown, name: string | null): Send['payload'] {
  const isMember = name === null ? undefined : audienceMembership(event)
  if (name === null || isMember === undefined) return payload
  const copy = { ...payload }
  setOwn(copy, name, isMember)
  return copy
}

/** Milliseconds since the Unix epoch. A time that cannot be read counts as none: the event is not lost for it. */
function timestampOf(event: unknown): number | undefined {
  const given = (event as { timestamp?: unknown }).timestamp
  if (typeof given !== 'string' && !(given instanceof Date)) return undefined
  const ms = given instanceof Date ? given.getTime() : Date.parse(given)
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined
}

function sideBytes({ key, headers }: Send): number {
  let bytes = key === null ? 0 : Buffer.byteLength(key)
  for (const [name, value] of headers) bytes += Buffer.byteLength(name) + Buffer.byteLength(value ?? '')
  return bytes
}

function refused(code: string, message: string): DeliveryFailure {
  return { code, message }
}
