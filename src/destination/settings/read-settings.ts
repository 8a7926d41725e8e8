import { settingsFields, type DestinationSettings, type SettingsField } from './fields.ts'
import { problem, type SettingsProblem } from './problem.ts'

/** The settings with the types they should have; what is missing or could not be read is not there. */
export type ReadSettings = {
  -readonly [Key in keyof DestinationSettings]?: Exclude<DestinationSettings[Key], null | undefined>
}

export interface Reading {
  readonly settings: ReadSettings
  readonly problems: readonly SettingsProblem[]
}

/**
 * Reads settings as Segment's framework does (AJV with `coerceTypes: 'array'`): numbers and booleans become text, `'true'`
 * and 1 become true, a list of one its element, and unknown settings are left out. Unlike there, a switch that is null is not
 * off but as if left out: nobody turns TLS off that way on purpose. And a client id must not be empty.
 */
export function readSettings(given: unknown): Reading {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const message = `The root value must be an object but it was ${kindOf(given)}.`
    return { settings: {}, problems: [problem('INVALID_SETTINGS', undefined, message)] }
  }
  const settings: Record<string, unknown> = {}
  const problems: SettingsProblem[] = []
  for (const field of settingsFields) {
    const value = Object.hasOwn(given, field.key) ? (given as Record<string, unknown>)[field.key] : undefined
    const read = coerce(field, value)
    problems.push(...problemsOf(field, read))
    if (hasType(field, read)) settings[field.key] = read
  }
  return { settings, problems }
}

function coerce({ type }: SettingsField, given: unknown): unknown {
  const value: unknown = Array.isArray(given) && given.length === 1 ? given[0] : given
  if (type === 'boolean') {
    if (value === null) return undefined
    if (value === 'true' || value === 1) return true
    return value === 'false' || value === 0 ? false : value
  }
  if (value === null) return ''
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
}

function problemsOf(field: SettingsField, value: unknown): SettingsProblem[] {
  const { key, label, choices } = field
  const isMissing = value === undefined || (key === 'clientId' && value === '')
  if (isMissing) return field.required ? [invalid(field, `The root value is missing the required field '${key}'.`)] : []
  const problems: SettingsProblem[] = []
  if (!hasType(field, value)) {
    const type = field.type === 'boolean' ? 'boolean' : 'string'
    problems.push(invalid(field, `${label} must be a ${type} but it was ${kindOf(value)}.`))
  }
  if (choices !== undefined && !choices.some((choice) => choice.value === value)) {
    const allowed = choices.map((choice) => JSON.stringify(choice.value))
    const list = `${allowed.slice(0, -1).join(', ')}, or ${allowed.at(-1) ?? ''}`
    problems.push(invalid(field, `${label} must be one of: ${list}.`))
  }
  return problems
}

function hasType({ type }: SettingsField, value: unknown): boolean {
  return typeof value === (type === 'boolean' ? 'boolean' : 'string')
}

function invalid({ key }: SettingsField, message: string): SettingsProblem {
  return problem('INVALID_SETTINGS', key, message)
}

/** As the framework names what it got. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
