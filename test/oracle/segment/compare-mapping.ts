/** One mapping and one event through Segment's mapping kit and checks, and through ours, in one shape. */
import { MappingError } from '../../../src/destination/mapping/mapping-error.ts'
import { compileFields } from '../../../src/destination/mapping/resolve-fields.ts'
import { validateSend } from '../../../src/destination/mapping/validate-send.ts'
import { framework, kafkaCode, type TestableDestination } from './segment-code.ts'

/**
 * `sent`: the record that it becomes. `refused`: the fields do not fit, in words. `failed`: the mapping does not fit this
 * event. `invalid`: the mapping is wrong whatever the event.
 */
export type Outcome =
  | { readonly kind: 'sent'; readonly message: Message }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'failed' | 'invalid'; readonly problems: readonly string[] }

export interface Message {
  readonly topic: string
  readonly value: string
  readonly key: string | null
  readonly partition: number | null
  readonly headers: readonly (readonly [string, unknown])[]
}

interface KafkaPayload {
  readonly topic: string
  readonly payload: object
  readonly key?: string
  readonly partition?: number | null
  readonly default_partition?: number | null
  readonly headers?: Readonly<Record<string, unknown>> | null
}

/** Segment's fields with an action that keeps what it is given. */
export class MappingProbe {
  readonly #destination: TestableDestination
  readonly #payloads: KafkaPayload[] = []

  constructor() {
    const { send } = kafkaCode().definition.actions
    const perform = (_request: unknown, { payload }: { payload: KafkaPayload }): unknown => this.#payloads.push(payload)
    const performBatch = (_request: unknown, { payload }: { payload: KafkaPayload[] }): void => {
      this.#payloads.push(...payload)
    }
    const actions = { send: { ...send, perform, performBatch } }
    const { Destination } = framework()
    this.#destination = new Destination({ name: 'Probe', mode: 'cloud', actions })
  }

  /** The event alone, or, with `isBatch`, as a batch of one. Both are copied: Segment changes mappings. */
  async outcome(mapping: object, event: object, isBatch = false): Promise<Outcome> {
    this.#payloads.length = 0
    const input = { mapping: structuredClone(mapping), settings: {} }
    try {
      if (isBatch) {
        const [result] = await this.#destination.executeBatch('send', { ...input, events: [structuredClone(event)] })
        if (result?.status === 400) return { kind: 'refused', text: result.errormessage ?? '' }
      } else await this.#destination.executeAction('send', { ...input, event: structuredClone(event) })
    } catch (error) {
      return outcomeOf(error as Error)
    }
    const [payload] = this.#payloads
    return payload === undefined ? { kind: 'refused', text: 'nothing' } : sent(payload)
  }
}

function sent({ topic, payload, key, partition, default_partition, headers }: KafkaPayload): Outcome {
  const list = Object.entries(headers ?? {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((each: unknown) => [name, each] as const),
  )
  const where = partition ?? default_partition ?? null
  const message = { topic, value: JSON.stringify(payload), key: key ?? null, partition: where, headers: list }
  return { kind: 'sent', message }
}

function outcomeOf(error: Error): Outcome {
  if (error.name === 'AggregateAjvError') return { kind: 'refused', text: error.message }
  if (error.name === 'ValidationError') return { kind: 'invalid', problems: [error.message] }
  if (error.name === 'AggregateError') {
    return { kind: 'invalid', problems: [...(error as Error & Iterable<Error>)].map(({ message }) => message) }
  }
  return { kind: 'failed', problems: [error.message] }
}

export function ourOutcome(mapping: object, event: object, isBatch = false): Outcome {
  try {
    const { send, problems } = validateSend(compileFields(mapping)(event), { isBatch })
    if (problems !== undefined) return { kind: 'refused', text: problems.join(' ') }
    const { topic, payload, key, partition, defaultPartition, headers } = send
    const message = { topic, value: JSON.stringify(payload), key, partition: partition ?? defaultPartition, headers }
    return { kind: 'sent', message }
  } catch (error) {
    if (!(error instanceof MappingError)) throw error
    return { kind: error.code === 'MAPPING_FAILED' ? 'failed' : 'invalid', problems: error.problems }
  }
}
