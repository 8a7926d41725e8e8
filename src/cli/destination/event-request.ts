/** Segment's HTTP tracking API: what a request holds, and what the server adds to each event. */
import { randomUUID } from 'node:crypto'
import { isObject } from '../config-file.ts'
import { Refusal } from './refusal.ts'

const TYPES = ['track', 'identify', 'page', 'screen', 'group', 'alias'] as const
export type EventType = (typeof TYPES)[number]

/** By the last part of the path. The short ones are those of the mobile and browser clients. */
const KINDS: ReadonlyMap<string, EventType | 'batch'> = new Map<string, EventType | 'batch'>([
  ...TYPES.map((type): [string, EventType] => [type, type]),
  ...['batch', 'import', 'b'].map((name): [string, 'batch'] => [name, 'batch']),
  ...[['t', 'track'] as const, ['i', 'identify'] as const, ['p', 'page'] as const, ['s', 'screen'] as const],
  ...[['g', 'group'] as const, ['a', 'alias'] as const],
])

const MAX_EVENTS = 2500
const MAX_EVENT_BYTES = 32 * 1024
const MAX_MESSAGE_ID_CHARACTERS = 100

type Members = Record<string, unknown>

/** An event that is not taken. */
export interface ItemFault {
  /** Its place in the request, from 0. */
  readonly index: number
  readonly messageId?: string
  readonly code: string
  readonly message: string
}

export interface EventRequest {
  readonly events: readonly Members[]
  /** Where each was in the request, from 0. */
  readonly indexes: readonly number[]
  readonly faults: readonly ItemFault[]
}

/** What a path takes; undefined: there is no such path. */
export function kindOf(name: string): EventType | 'batch' | undefined {
  return KINDS.get(name)
}

/** The key that stands in the body, for clients that do not use Basic authentication. */
export function bodyWriteKey(body: unknown): string | null {
  const key = isObject(body) ? body['writeKey'] : undefined
  return typeof key === 'string' ? key : null
}

/**
 * The events of a request. Those that are wrong are left out, and do not take the others along.
 *
 * @param bytes of the body. @param receivedAt ISO 8601.
 * @throws {Refusal} 400: it holds no events, or too many.
 */
export function readEvents(body: unknown, kind: EventType | 'batch', bytes: number, receivedAt: string): EventRequest {
  if (!isObject(body)) throw new Refusal(400, 'INVALID_BODY', 'The body must be a JSON object.')
  const { batch, context, integrations, sentAt } = body
  const items = kind === 'batch' ? batch : [body]
  if (!Array.isArray(items)) throw new Refusal(400, 'INVALID_BODY', 'The body must have a list named batch.')
  if (items.length > MAX_EVENTS) {
    throw new Refusal(400, 'TOO_MANY_EVENTS', `The batch has ${items.length} events, more than ${MAX_EVENTS}.`)
  }
  const shared = kind === 'batch' ? { context, integrations, sentAt, receivedAt } : { receivedAt }
  const request = { events: [] as Members[], indexes: [] as number[], faults: [] as ItemFault[] }
  for (const [index, item] of (items as unknown[]).entries()) {
    const problem = problemOf(item, kind, bytes)
    if (problem === null && isObject(item)) {
      request.events.push(completed(item, kind, shared))
      request.indexes.push(index)
    } else {
      const [code, message] = problem ?? ['INVALID_EVENT', '']
      request.faults.push({ index, ...idOf(item), code, message })
    }
  }
  return request
}

function problemOf(item: unknown, kind: EventType | 'batch', bytes: number): [code: string, message: string] | null {
  if (!isObject(item)) return ['INVALID_EVENT', 'The event must be an object.']
  const { event, messageId } = item
  const type = kind === 'batch' ? item['type'] : kind
  if (!(TYPES as readonly unknown[]).includes(type)) return ['INVALID_TYPE', `type: expected ${TYPES.join(', ')}.`]
  if (!isId(item['userId']) && !isId(item['anonymousId'])) {
    return ['ID_MISSING', 'userId or anonymousId must be there.']
  }
  if (type === 'track' && (typeof event !== 'string' || event === '')) {
    return ['EVENT_MISSING', 'event: a track event must have a name.']
  }
  if (messageId !== undefined && messageId !== null && !isMessageId(messageId)) {
    return ['INVALID_MESSAGE_ID', `messageId: expected a text of at most ${MAX_MESSAGE_ID_CHARACTERS} characters.`]
  }
  // A request that is small as a whole holds no large event.
  return bytes > MAX_EVENT_BYTES ? sizeProblem(item) : null
}

function sizeProblem(item: Members): [code: string, message: string] | null {
  try {
    const isLarge = Buffer.byteLength(JSON.stringify(item)) > MAX_EVENT_BYTES
    return isLarge ? ['EVENT_TOO_LARGE', `The event is larger than ${MAX_EVENT_BYTES} bytes.`] : null
  } catch {
    // JSON.parse is not recursive, but JSON.stringify is. An error of ours would make the client send it for ever.
    return ['EVENT_TOO_DEEP', 'The event is nested too deeply.']
  }
}

function isId(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || typeof value === 'number'
}

function isMessageId(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_MESSAGE_ID_CHARACTERS
}

/** The event as the server hands it on. The write key is a secret, and stays here. */
function completed({ writeKey: _, ...item }: Members, kind: EventType | 'batch', shared: Members): Members {
  const { receivedAt, sentAt } = shared
  const { messageId, timestamp } = item
  const event: Members = { ...item }
  if (kind !== 'batch') event['type'] = kind
  for (const name of ['context', 'integrations'] as const) {
    const merged = mergedMembers(shared[name], item[name])
    if (merged !== undefined) event[name] = merged
  }
  event['messageId'] = messageId === undefined || messageId === null || messageId === '' ? newId() : messageId
  event['timestamp'] = timestamp ?? receivedAt
  if (sentAt !== undefined && sentAt !== null) event['sentAt'] = sentAt
  event['receivedAt'] = receivedAt
  return event
}

/** What the event says itself goes before what the batch says for all. */
function mergedMembers(ofBatch: unknown, ofItem: unknown): unknown {
  if (!isObject(ofBatch)) return ofItem
  return isObject(ofItem) ? { ...ofBatch, ...ofItem } : (ofItem ?? { ...ofBatch })
}

function newId(): string {
  return `headrace-${randomUUID()}`
}

function idOf(item: unknown): { readonly messageId?: string } {
  const id = isObject(item) ? item['messageId'] : undefined
  return typeof id === 'string' && isMessageId(id) && id !== '' ? { messageId: id } : {}
}
