import { isObject } from './json-value.ts'
import { ownValue } from './own-value.ts'

/**
 * Whether an Engage event says that its user is in the audience (or journey step) it is about (A.13): the boolean at
 * `traits[computation_key]` of an identify event or `properties[computation_key]` of a track event. Where that key names
 * nothing, `properties.audience_key` does, or the one trait that the event has.
 *
 * @returns undefined for every other event.
 */
export function audienceMembership(event: unknown): boolean | undefined {
  const computationClass = ownValue(event, ['context', 'personas', 'computation_class'])
  if (computationClass !== 'audience' && computationClass !== 'journey_step') return undefined
  const type = ownValue(event, ['type'])
  if (type !== 'identify' && type !== 'track') return undefined
  const members = ownValue(event, [type === 'identify' ? 'traits' : 'properties'])
  if (!isObject(members)) return undefined
  const names = [ownValue(event, ['context', 'personas', 'computation_key']), otherName(type, members)]
  const name = names.find((each): each is string => typeof each === 'string' && Object.hasOwn(members, each))
  const isMember = name === undefined ? undefined : members[name]
  return typeof isMember === 'boolean' ? isMember : undefined
}

function otherName(type: 'identify' | 'track', members: Readonly<Record<string, unknown>>): unknown {
  if (type === 'track') return ownValue(members, ['audience_key'])
  const names = Object.keys(members)
  return names.length === 1 ? names[0] : undefined
}
