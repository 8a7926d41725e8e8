import { isObject } from './json-value.ts'

/**
 * Whether an event may go to the integration named, by its own `integrations`: `{ Kafka: false }` keeps it away, and so
 * does `{ All: false }` unless `Kafka` is true or has options. Names are compared as written, as Segment does.
 */
export function isWantedBy(event: unknown, name: string): boolean {
  const integrations = memberOf(event, 'integrations')
  const own = memberOf(integrations, name)
  if (own === false) return false
  return memberOf(integrations, 'All') !== false || own === true || isObject(own)
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}
