import { isObject } from '../config-file.ts'
import type { DestinationDoor } from './door.ts'

const MAPPING_MEMBERS = ['name', 'trigger', 'fields', 'enabled', 'audience', 'action']

/**
 * Names in a file that mean nothing. Segment passes over them; here a `triger` would send every event, and a `partiton`
 * to any partition.
 */
export function unknownNames(settings: unknown, mappings: unknown, door: DestinationDoor): string[] {
  const known = door.settingsFields.map(({ key }) => key)
  const ofSettings = unknownIn(settings, known).map((name) => `settings.${name}: unknown setting; ${thereAre(known)}`)
  const ofMappings = Array.isArray(mappings)
    ? mappings.flatMap((mapping, index) => inMapping(mapping, index, door))
    : []
  return [...ofSettings, ...ofMappings]
}

function inMapping(mapping: unknown, index: number, door: DestinationDoor): string[] {
  if (!isObject(mapping)) return []
  const { name = `mapping ${index + 1}`, fields, enabled } = mapping
  const problems = unknownIn(mapping, MAPPING_MEMBERS).map(
    (member) => `${member}: unknown; ${thereAre(MAPPING_MEMBERS)}`,
  )
  // What a directive makes of the whole is known when there is an event.
  const isMade = !isObject(fields) || Object.keys(fields).some((key) => key.startsWith('@'))
  if (!isMade) {
    const known = door.sendFields.map(({ key }) => key)
    problems.push(...unknownIn(fields, known).map((key) => `fields.${key}: unknown field; ${thereAre(known)}`))
    const required = enabled === false ? [] : door.sendFields.filter((field) => field.required)
    for (const { key } of required) if (!Object.hasOwn(fields, key)) problems.push(`fields.${key}: missing`)
  }
  return problems.map((problem) => `mapping ${JSON.stringify(name)}: ${problem}`)
}

function unknownIn(given: unknown, known: readonly string[]): string[] {
  return isObject(given) ? Object.keys(given).filter((name) => !known.includes(name)) : []
}

function thereAre(names: readonly string[]): string {
  return `there are ${names.join(', ')}`
}
