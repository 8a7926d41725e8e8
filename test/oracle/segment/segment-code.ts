/** Segment's own code: its framework, its trigger language and its Kafka destination, in the versions of the lock file. */
import type {
  SegmentDestinationDefinition,
  SegmentMultiStatus,
  SegmentStatsContext,
} from '../../../src/destination/segment-types.ts'
import { installPackages } from '../../support/npm-packages.ts'

/** What of `@segment/actions-core` is used here. Its types are not installed where `tsc` looks. */
export interface Framework {
  readonly Destination: new (definition: object) => TestableDestination
  readonly createTestIntegration: (definition: object) => TestIntegration
  readonly MultiStatusResponse: new () => SegmentMultiStatus
  readonly IntegrationError: new (message: string, code: string, status: number) => Error
}

export interface TestableDestination {
  testAuthentication(settings: object): Promise<void>
  /** Mapping, checks and `perform`, without trigger and settings. */
  executeAction(action: 'send', input: ExecuteInput & { readonly event: object }): Promise<readonly FrameworkResult[]>
  executeBatch(
    action: 'send',
    input: ExecuteInput & { readonly events: readonly object[] },
  ): Promise<readonly EventResult[]>
  onEvent(event: object, settings: object, options?: FrameworkOptions): Promise<readonly FrameworkResult[]>
  onBatch(events: readonly object[], settings: object, options?: FrameworkOptions): Promise<readonly FrameworkResult[]>
}

export interface ExecuteInput extends FrameworkOptions {
  readonly mapping: object
  readonly settings: object
  readonly features?: object
}

export interface FrameworkOptions {
  readonly logger?: object
  readonly statsContext?: SegmentStatsContext
}

export interface FrameworkResult {
  readonly output?: string
  readonly data?: unknown
  readonly multistatus?: readonly EventResult[]
}

export interface EventResult {
  readonly status: number
  readonly sent?: Readonly<Record<string, unknown>>
  readonly body?: unknown
  readonly errortype?: string
  readonly errormessage?: string
  readonly errorreporter?: string
}

export interface ActionInput {
  readonly mapping?: object
  readonly settings?: object
  readonly useDefaultMappings?: boolean
  readonly logger?: object
  readonly statsContext?: SegmentStatsContext
  readonly features?: object
}

export interface TestIntegration extends TestableDestination {
  readonly results: readonly FrameworkResult[]
  testAction(action: 'send', input: ActionInput & { readonly event: object }): Promise<unknown>
  testBatchAction(action: 'send', input: ActionInput & { readonly events: readonly object[] }): Promise<unknown>
  testDynamicField(action: 'send', field: string, data: object): Promise<unknown>
}

/** `@segment/action-destinations`, its folder for Kafka. */
export interface KafkaCode {
  readonly definition: SegmentDestinationDefinition
  readonly validate: (settings: object) => void
  readonly isValidHostPort: (text: unknown) => boolean
  readonly serializeKafkaConfig: (settings: object) => string
}

/** `@segment/destination-subscriptions`. */
export interface Subscriptions {
  readonly parseFql: (text: string) => { readonly error?: Error }
  readonly generateFql: (tree: object) => string
  readonly validate: (tree: object, event: unknown) => boolean
}

const { availability, home, load } = await installPackages({
  name: 'segment',
  folder: new URL('.', import.meta.url),
  bare: {
    ...{ name: '@segment/action-destinations', version: '3.497.0' },
    integrity: 'sha512-b9DztTrR1XrfBu/0UyUgTXNfv7s5gpjBPO/w7C8aW6IHsSMSMte7wNdVHzGsujJ4P43g7cKsWb5zuV2BdVn/UA==',
    paths: ['dist/destinations/kafka'],
  },
})

/** Whether it can run here. */
export const segmentAvailable = availability

/** The folder that has Segment's packages in its node_modules. */
export function segmentHome(): string {
  if (home === null) throw new Error('not available')
  return home
}

// kafkajs warns, on every start, of a default that Segment has set.
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1'
process.env['KAFKAJS_LOG_LEVEL'] ??= 'nothing'

export function framework(): Framework {
  return loaded('@segment/actions-core') as Framework
}

export function kafkaCode(): KafkaCode {
  const { default: definition } = loaded('@segment/action-destinations/dist/destinations/kafka') as {
    default: SegmentDestinationDefinition
  }
  const utils = loaded('@segment/action-destinations/dist/destinations/kafka/utils') as Omit<KafkaCode, 'definition'>
  const { validate, isValidHostPort, serializeKafkaConfig } = utils
  // The framework keeps schemas by name, for the whole process: under ours, one of the two would be checked with the other's.
  return { definition: { ...definition, name: 'SegmentsKafka' }, validate, isValidHostPort, serializeKafkaConfig }
}

/** Its producers stay connected otherwise. */
export async function disconnectTheirs(): Promise<void> {
  if (load === null) return
  const { producersByConfig } = loaded('@segment/action-destinations/dist/destinations/kafka/utils') as {
    producersByConfig: Record<string, { readonly producer: { disconnect(): Promise<void> } }>
  }
  await Promise.all(Object.values(producersByConfig).map(({ producer }) => producer.disconnect()))
}

export function subscriptions(): Subscriptions {
  return loaded('@segment/destination-subscriptions') as Subscriptions
}

function loaded(name: string): unknown {
  if (load === null) throw new Error('not available')
  return load(name)
}
