import type { Logger, ProducerOptions } from '../index.ts'
import { systemClock, type DestinationClock } from './destination-clock.ts'
import { DestinationError } from './destination-error.ts'
import type { Dedupe } from './dedupe.ts'
import type { StatsClient } from './metrics.ts'
import type { DestinationSettings } from './settings/fields.ts'
import type { TopicAllowList } from './topic-allow-list.ts'

export interface DestinationMapping {
  readonly name: string
  /** Default: Segment's, `type = "track" or type = "identify" or type = "page" or type = "screen" or type = "group"`. */
  readonly trigger?: string | undefined
  readonly action?: 'send' | undefined
  /** By the keys of `sendFields`: values, or mapping directives. */
  readonly fields: Readonly<Record<string, unknown>>
  /** Default true. */
  readonly enabled?: boolean | undefined
  /** Name of a member of the payload that gets `true` or `false`: whether the user is in the audience (Engage). */
  readonly audience?: string | undefined
}

export interface KafkaDestinationOptions {
  readonly settings: DestinationSettings
  /** At most 50. */
  readonly mappings: readonly DestinationMapping[]
  /** Further options of the `Producer`; they go before what the settings say. */
  readonly producer?: Partial<ProducerOptions> | undefined
  readonly logger?: Logger | undefined
  /** Records get the time of the event's `timestamp`, where it has one that can be read. Default: that of the delivery. */
  readonly timestamp?: 'event' | 'delivery' | undefined
  /**
   * Topics that events may choose by `@path`, `@template` and the like. Without it a mapping whose topic has no fixed
   * beginning is refused: an event could write to any topic.
   */
  readonly topicAllowList?: TopicAllowList | undefined
  readonly compression?: ProducerOptions['compression']
  /** Events that are refused for good (400, 413) are written there. Default: nowhere. */
  readonly deadLetterTopic?: string | undefined
  /** Events with a `messageId` that was delivered already are left out. `true`: within an hour. */
  readonly dedupe?: boolean | Dedupe | undefined
  /** How triggers without parentheses are read; `last-wins` is Segment's quirk. Default `and-first`. */
  readonly triggerPrecedence?: 'and-first' | 'last-wins' | undefined
  /** How long an unused connection is kept. Milliseconds, default 30 000. */
  readonly idleMs?: number | undefined
  readonly stats?: StatsClient | undefined
  /** Go with every number that `stats` is told. */
  readonly statsTags?: readonly string[] | undefined
  /** The name of this destination in the `integrations` of events. Default `Kafka`. */
  readonly integrationName?: string | undefined
  /** @internal Tests own the time. */
  readonly clock?: DestinationClock | undefined
}

/** With defaults. */
export interface ResolvedDestinationOptions {
  readonly isEventTime: boolean
  readonly topicAllowList: TopicAllowList | null
  readonly deadLetterTopic: string | null
  readonly dedupe: Required<Dedupe> | null
  readonly triggerPrecedence: 'and-first' | 'last-wins'
  readonly idleMs: number
  readonly integrationName: string
  readonly clock: DestinationClock
}

const KNOWN = [
  ...['settings', 'mappings', 'producer', 'logger', 'timestamp', 'topicAllowList', 'compression', 'deadLetterTopic'],
  ...['dedupe', 'triggerPrecedence', 'idleMs', 'stats', 'statsTags', 'integrationName', 'clock'],
]
const DEFAULT_IDLE_MS = 30_000
const DEFAULT_DEDUPE: Required<Dedupe> = { windowMs: 3_600_000, maxEntries: 100_000 }

/** Everything but `settings`, `mappings` and what the Producer checks. @throws {DestinationError} every problem at once. */
export function resolveDestinationOptions(options: KafkaDestinationOptions): ResolvedDestinationOptions {
  const { timestamp, topicAllowList, deadLetterTopic, triggerPrecedence, idleMs, integrationName, statsTags } = options
  const dedupe = dedupeOf(options.dedupe)
  const problems = [
    ...Object.keys(options)
      .filter((name) => !KNOWN.includes(name))
      .map((name) => `${name}: unknown option`),
    ...unless(isOneOf(timestamp, 'event', 'delivery'), "timestamp: expected 'event' or 'delivery'"),
    ...unless(isAllowList(topicAllowList), "topicAllowList: expected a list of topics, or 'any'"),
    ...unless(isTextOrNone(deadLetterTopic), 'deadLetterTopic: expected the name of a topic'),
    ...unless(
      dedupe === null || Object.values(dedupe).every(isPositive),
      'dedupe: expected true or { windowMs, maxEntries }',
    ),
    ...unless(
      isOneOf(triggerPrecedence, 'and-first', 'last-wins'),
      "triggerPrecedence: expected 'and-first' or 'last-wins'",
    ),
    ...unless(idleMs === undefined || isPositive(idleMs), 'idleMs: expected milliseconds, more than 0'),
    ...unless(
      statsTags === undefined || (Array.isArray(statsTags) && statsTags.every((tag) => typeof tag === 'string')),
      'statsTags: expected a list of texts',
    ),
    ...unless(isTextOrNone(integrationName), 'integrationName: expected a text that is not empty'),
  ]
  if (problems.length > 0) {
    throw new DestinationError('INVALID_OPTIONS', `KafkaDestination: INVALID_OPTIONS: ${problems.join('; ')}`)
  }
  return {
    isEventTime: timestamp === 'event',
    topicAllowList: topicAllowList ?? null,
    deadLetterTopic: deadLetterTopic ?? null,
    dedupe,
    triggerPrecedence: triggerPrecedence ?? 'and-first',
    idleMs: idleMs ?? DEFAULT_IDLE_MS,
    integrationName: integrationName ?? 'Kafka',
    clock: options.clock ?? systemClock,
  }
}

function dedupeOf(given: boolean | Dedupe | undefined): Required<Dedupe> | null {
  if (given === undefined || given === false) return null
  return given === true ? DEFAULT_DEDUPE : { ...DEFAULT_DEDUPE, ...given }
}

function unless(isFine: boolean, problem: string): string[] {
  return isFine ? [] : [problem]
}

function isOneOf(value: unknown, ...allowed: readonly string[]): boolean {
  return value === undefined || allowed.includes(value as string)
}

function isTextOrNone(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && value !== '')
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && value < 2 ** 31
}

function isAllowList(value: unknown): boolean {
  if (value === undefined || value === 'any') return true
  return Array.isArray(value) && value.every((each) => typeof each === 'string' && each !== '')
}
