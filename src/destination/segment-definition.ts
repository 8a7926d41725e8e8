import { DestinationError } from './destination-error.ts'
import type { DeliveryResult } from './delivery-result.ts'
import { defaultTrigger } from './mapping/send-fields.ts'
import { SegmentDelivery, type SegmentDeliveryOptions } from './segment-delivery.ts'
import { failureOf, logCritical, logRefusal } from './segment-failures.ts'
import { segmentActionFields, segmentSettingsFields } from './segment-fields.ts'
import type {
  SegmentCall,
  SegmentChoices,
  SegmentDestinationDefinition,
  SegmentDynamicFields,
  SegmentMultiStatus,
  SegmentPayload,
  SegmentPlace,
} from './segment-types.ts'
import { testAuthentication } from './test-authentication.ts'

export interface SegmentDestinationOptions extends SegmentDeliveryOptions {
  /** The framework's own classes: it recognises nothing else. */
  readonly MultiStatusResponse: new () => SegmentMultiStatus
  readonly IntegrationError: new (message: string, code: string, status: number) => Error
}

/**
 * The destination as a definition for Segment's framework: `new Destination(toSegmentDestination({ MultiStatusResponse,
 * IntegrationError }))`, with both classes from `@segment/actions-core`. Name, slug, settings and fields are those of
 * Segment's own Kafka destination, so that existing settings and mappings go on working.
 *
 * The framework evaluates triggers and mappings, with its own rules; from there on everything is as with
 * `KafkaDestination`: definitions and destinations with the same settings share a producer, which is closed when unused
 * for `idleMs`. Metrics go to the `statsContext` of each call, failures of Kafka to `logger.crit`.
 *
 * @param options further ones: `producer`, `compression`, `idleMs` and `logger` as in `KafkaDestinationOptions`;
 * `topicAllowList`, too, but without it events may choose any topic: here it is the host that checks mappings.
 * @throws {DestinationError} `INVALID_OPTIONS`: the classes are missing.
 */
export function toSegmentDestination(options: SegmentDestinationOptions): SegmentDestinationDefinition {
  return new SegmentAdapter(options).definition()
}

class SegmentAdapter {
  readonly #options: SegmentDestinationOptions
  readonly #delivery: SegmentDelivery

  constructor(options: SegmentDestinationOptions) {
    for (const name of ['MultiStatusResponse', 'IntegrationError'] as const) {
      if (typeof (options as Partial<SegmentDestinationOptions> | undefined)?.[name] === 'function') continue
      const what = `${name}: expected the class of that name from @segment/actions-core`
      throw new DestinationError('INVALID_OPTIONS', `toSegmentDestination: INVALID_OPTIONS: ${what}`)
    }
    this.#options = options
    this.#delivery = new SegmentDelivery(options)
  }

  definition(): SegmentDestinationDefinition {
    const description = 'Send data to a Kafka topic'
    const dynamicFields: SegmentDynamicFields = { topic: (_request, call) => this.#topics(call) }
    return {
      ...{ name: 'Kafka', slug: 'actions-kafka', mode: 'cloud', description, presets: [] },
      authentication: {
        ...{ scheme: 'custom', fields: segmentSettingsFields() },
        testAuthentication: (_request, { settings }) => this.#testAuthentication(settings),
      },
      actions: {
        send: {
          ...{ title: 'Send', description, defaultSubscription: defaultTrigger, fields: segmentActionFields() },
          dynamicFields: dynamicFields as object as Record<string, never>,
          perform: (_request, call) => this.#perform(call.payload, call),
          performBatch: (_request, call) => this.#performBatch(call.payload, call),
        },
      },
      close: () => this.#delivery.close(),
    }
  }

  async #testAuthentication(settings: SegmentCall['settings']): Promise<void> {
    try {
      await testAuthentication({ ...this.#options, settings })
    } catch (error) {
      const { message, code, status } = failureOf(error)
      throw new this.#options.IntegrationError(message, code, status)
    }
  }

  /** What goes wrong is told beside the field. */
  async #topics(call: SegmentCall): Promise<SegmentChoices> {
    try {
      const topics = await this.#delivery.topics(call)
      const label = (name: string, isInternal: boolean): string => (isInternal ? `${name} (internal)` : name)
      return { choices: topics.map(({ name, isInternal }) => ({ label: label(name, isInternal), value: name })) }
    } catch (error) {
      const { message, status } = failureOf(error)
      return { choices: [], error: { message, code: String(status) } }
    }
  }

  async #perform(payload: SegmentPayload, call: SegmentCall): Promise<SegmentPlace> {
    const [result] = await this.#deliver([payload], call, false)
    const place = result === undefined ? null : placeOf(result)
    if (place !== null) return place
    const { status = 500, error } = result ?? {}
    throw new this.#options.IntegrationError(error?.message ?? 'no result', error?.code ?? 'INTERNAL', status)
  }

  async #performBatch(payloads: readonly SegmentPayload[], call: SegmentCall): Promise<SegmentMultiStatus> {
    const response = new this.#options.MultiStatusResponse()
    const results = await this.#deliver(payloads, call, true)
    for (const [index, sent] of payloads.entries()) {
      const result = results[index]
      const place = result === undefined ? null : placeOf(result)
      if (place !== null) response.setSuccessResponseAtIndex(index, { status: 200, sent, body: place })
      else {
        const { status = 500, error } = result ?? {}
        const isInvalid = error?.code === 'PAYLOAD_VALIDATION_FAILED'
        response.setErrorResponseAtIndex(index, {
          ...{ status, errormessage: error?.message ?? 'no result', sent },
          // Otherwise the framework names it after the status; Kafka's own name begins the message.
          ...(isInvalid ? { errortype: 'PAYLOAD_VALIDATION_FAILED' } : {}),
        })
      }
    }
    return response
  }

  async #deliver(payloads: readonly SegmentPayload[], call: SegmentCall, isBatch: boolean): Promise<DeliveryResult[]> {
    try {
      const results = await this.#delivery.deliver(payloads, call, isBatch)
      logCritical(call.logger, results)
      return results
    } catch (error) {
      const failure = failureOf(error)
      logRefusal(call.logger, failure)
      throw new this.#options.IntegrationError(failure.message, failure.code, failure.status)
    }
  }
}

/** Null: it went nowhere. */
function placeOf({ status, topic, partition, offset }: DeliveryResult): SegmentPlace | null {
  if (status !== 200 || topic === undefined || partition === undefined || offset === undefined) return null
  return { topic, partition, offset: String(offset) }
}
