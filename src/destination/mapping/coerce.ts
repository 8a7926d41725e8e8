import type { SendField } from './send-fields.ts'

/** The value in the type that the field has, or what was there instead. */
export type Coerced = { readonly value: unknown } | { readonly wrong: unknown }

/**
 * Turns a value into the type of a field, as AJV does it with `coerceTypes: 'array'` (A.5): a list of one is its item,
 * numbers and booleans become text, texts that are numbers become numbers.
 */
export function coerce(type: SendField['type'], given: unknown): Coerced {
  if (isOfType(type, given)) return { value: given }
  if (type === 'object') return { wrong: given }
  const value: unknown = Array.isArray(given) && given.length === 1 ? given[0] : given
  if (isOfType(type, value)) return { value }
  const coerced = { string: toText, number: toNumber, integer: toInteger, boolean: toBoolean }[type](value)
  return coerced === undefined ? { wrong: value } : { value: coerced }
}

function isOfType(type: SendField['type'], value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'number') return Number.isFinite(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return typeof value === type
}

function toText(value: unknown): string | undefined {
  if (value === null) return ''
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

function toNumber(value: unknown): number | undefined {
  if (value === null) return 0
  if (typeof value === 'boolean') return Number(value)
  if (typeof value !== 'string' || value === '') return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

function toInteger(value: unknown): number | undefined {
  const number = toNumber(value)
  return Number.isInteger(number) ? number : undefined
}

function toBoolean(value: unknown): boolean | undefined {
  if (value === 'true' || value === 1) return true
  return value === 'false' || value === 0 || value === null ? false : undefined
}
