import {
  resolveFields,
  toSegmentDestination,
  validateSend,
  type SegmentDestinationDefinition,
} from '../../src/destination/destination.ts'
import type { SegmentCall, SegmentDynamicFields, SegmentPayload } from '../../src/destination/segment-types.ts'
import type { HostInput, HostResult, SegmentHost } from './segment-cases.ts'

/** The framework's class, as far as it is looked at. */
export class IntegrationError extends Error {
  readonly code: string
  readonly status: number
  constructor(message: string, code: string, status: number) {
    super(message)
    this.code = code
    this.status = status
  }
}

export class MultiStatusResponse {
  readonly results: HostResult[] = []
  setSuccessResponseAtIndex(index: number, response: HostResult): void {
    this.results[index] = response
  }
  setErrorResponseAtIndex(index: number, response: HostResult): void {
    this.results[index] = response
  }
}

/** Stands in for Segment's framework: mappings and checks are ours. Definitions are kept by their options. */
export function standIn(): SegmentHost {
  const definitions = new Map<unknown, SegmentDestinationDefinition>()
  const definitionFor = ({ options }: HostInput): SegmentDestinationDefinition => {
    const known = definitions.get(options)
    const definition = known ?? toSegmentDestination({ MultiStatusResponse, IntegrationError, ...options })
    definitions.set(options, definition)
    return definition
  }
  const callOf = ({ settings, mapping, statsContext, logger }: HostInput): SegmentCall =>
    ({ settings, rawMapping: mapping, statsContext, logger }) as unknown as SegmentCall
  return {
    action: (input) => {
      const payload = resolveFields(input.mapping, input.event) as SegmentPayload
      return definitionFor(input).actions.send.perform(null, { ...callOf(input), payload })
    },
    batch: async (input) => {
      const mapped = input.events.map((event) => resolveFields(input.mapping, event) as SegmentPayload)
      const problems = mapped.map((payload) => validateSend(payload, { isBatch: true }).problems)
      const payload = mapped.filter((_, index) => problems[index] === undefined)
      const response = await definitionFor(input).actions.send.performBatch(null, { ...callOf(input), payload })
      const { results } = response as unknown as { readonly results: readonly HostResult[] }
      const rest = results.values()
      return problems.map((refused): HostResult => {
        if (refused === undefined) return rest.next().value ?? { status: 500 }
        return { status: 400, errortype: 'PAYLOAD_VALIDATION_FAILED', errormessage: refused.join(' ') }
      })
    },
    topics: (input) => {
      const fields = definitionFor(input).actions.send.dynamicFields as object as SegmentDynamicFields
      return fields.topic(null, callOf(input))
    },
    testAuthentication: (input) => definitionFor(input).authentication.testAuthentication(null, callOf(input)),
    close: async () => {
      for (const definition of definitions.values()) await definition.close()
    },
  }
}
