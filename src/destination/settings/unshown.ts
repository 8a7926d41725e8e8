import { inspect } from 'node:util'

const REDACTED = '[redacted]'

const unshownPrototype = Object.freeze({
  [inspect.custom]: (): string => REDACTED,
  toJSON: (): string => REDACTED,
  toString: (): string => REDACTED,
})

/** The same object, but the console, JSON and text have `[redacted]` in its place. Against accidents: a copy has everything. */
export function unshown<T extends object>(value: T): T {
  const copy = Object.create(unshownPrototype) as T
  return Object.assign(copy, value)
}
