import type { ResolvedDestinationOptions } from './destination-options.ts'
import { DestinationError, type DestinationErrorCode } from './destination-error.ts'
import { MappingError } from './mapping/mapping-error.ts'
import { compileSendFields, type FieldsResolver } from './mapping/resolve-fields.ts'
import { defaultTrigger } from './mapping/send-fields.ts'
import { isObject, type Members } from './mapping/json-value.ts'
import { topicFreedom, type TopicFreedom } from './topic-freedom.ts'
import { parseTrigger } from './trigger/parse-trigger.ts'
import type { Trigger } from './trigger/trigger.ts'

/** A mapping, read once. */
export interface CompiledMapping {
  /** Place in the list, from 0. */
  readonly index: number
  readonly name: string
  readonly trigger: Trigger
  readonly resolve: FieldsResolver
  /** Null: not wanted. */
  readonly audience: string | null
  /** Events have a say in the topic: the allow-list counts. */
  readonly isTopicFromEvent: boolean
}

/** As in Segment. */
const MAX_MAPPINGS = 50
const ROOT_DIRECTIVE = '__segment_internal_directive'

/**
 * Reads the mappings that are switched on; those that are not are read, too, so that their mistakes show.
 *
 * @throws {DestinationError} for the first one that is wrong, naming it.
 */
export function compileMappings(mappings: unknown, options: ResolvedDestinationOptions): CompiledMapping[] {
  if (!Array.isArray(mappings)) throw refused('INVALID_OPTIONS', 'mappings: expected a list')
  if (mappings.length > MAX_MAPPINGS) {
    const what = `a destination has at most ${MAX_MAPPINGS} mappings, these are ${mappings.length}`
    throw refused('TOO_MANY_MAPPINGS', what)
  }
  return mappings
    .map((mapping: unknown, index) => compileMapping(mapping, index, options))
    .filter((mapping) => mapping !== null)
}

/** @returns null: it is switched off. */
function compileMapping(given: unknown, index: number, options: ResolvedDestinationOptions): CompiledMapping | null {
  if (!isObject(given)) throw refused('INVALID_OPTIONS', `mapping ${index + 1}: expected an object`)
  const { trigger, fields, audience, enabled = true } = given
  const name = typeof given['name'] === 'string' && given['name'] !== '' ? given['name'] : `mapping ${index + 1}`
  const where = `mapping ${JSON.stringify(name)}`
  const problems = problemsOf(given)
  if (problems.length > 0) throw refused('INVALID_OPTIONS', `${where}: ${problems.join('; ')}`, name)
  const freedom = mappingFreedom(fields)
  if (freedom === 'any' && options.topicAllowList === null) {
    const what = `${where}: events could write to any topic; say in topicAllowList which ones they may choose ('any' for all), or begin the topic with a fixed text`
    throw refused('TOPIC_NOT_CONFINED', what, name)
  }
  const compiled = {
    ...{ index, name, isTopicFromEvent: freedom !== 'fixed' },
    trigger: readTrigger(trigger ?? defaultTrigger, where, name, options),
    resolve: readFields(fields, where, name),
    audience: isText(audience) ? audience : null,
  }
  return enabled === true ? compiled : null
}

/** What is wrong with everything but trigger and fields. */
function problemsOf({ name, action, enabled, audience }: Members): string[] {
  return [
    ...(name === undefined || isText(name) ? [] : ['name: expected a text that is not empty']),
    ...(action === undefined || action === 'send' ? [] : ["action: expected 'send', there is no other"]),
    ...(enabled === undefined || typeof enabled === 'boolean' ? [] : ['enabled: expected true or false']),
    ...(audience === undefined || isText(audience) ? [] : ['audience: expected the name of a member of the payload']),
  ]
}

/** Who chooses the topic, by the `fields` of a mapping. A directive over the whole mapping may make any topic. */
export function mappingFreedom(fields: unknown): TopicFreedom {
  if (!isObject(fields)) return 'fixed'
  if (Object.hasOwn(fields, ROOT_DIRECTIVE)) return 'any'
  return topicFreedom(Object.hasOwn(fields, 'topic') ? fields['topic'] : undefined)
}

function readTrigger(
  text: unknown,
  where: string,
  name: string,
  { triggerPrecedence }: ResolvedDestinationOptions,
): Trigger {
  try {
    return parseTrigger(text as string, { precedence: triggerPrecedence })
  } catch (cause) {
    throw refused('INVALID_TRIGGER', `${where}: ${messageOf(cause)}`, name, cause)
  }
}

function readFields(fields: unknown, where: string, name: string): FieldsResolver {
  try {
    return compileSendFields(fields)
  } catch (cause) {
    const code = cause instanceof MappingError && cause.code !== 'MAPPING_FAILED' ? cause.code : 'INVALID_MAPPING'
    throw refused(code, `${where}: ${messageOf(cause)}`, name, cause)
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function refused(code: DestinationErrorCode, what: string, mapping?: string, cause?: unknown): DestinationError {
  const details = { cause, ...(mapping === undefined ? {} : { mapping }) }
  return new DestinationError(code, `KafkaDestination: ${code}: ${what}`, details)
}
