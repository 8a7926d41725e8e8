import { OptionError } from '../index.ts'
import { showOption, type CheckedOption } from './types/column-type.ts'

/** It may quote what was given, all of it. Characters. */
const MAX_SAID = 1000

/** One thing that is wrong with the options. */
export interface OutputProblem {
  /** Where: `topic`, `keyVault.vaultName`. */
  readonly property: string
  /** Names the property, the value and what is allowed. No secrets. */
  readonly message: string
}

/** Collects what is wrong; every check gives a value to go on with, so that all problems are found at once. */
export class Problems {
  /** Each begins with the property and a colon. */
  readonly messages: string[] = []

  get list(): OutputProblem[] {
    return this.messages.map((message) => ({ property: /^[^:]*/.exec(message)?.[0] ?? '', message }))
  }

  add(property: string, what: string): void {
    this.messages.push(`${property}: ${what}`)
  }

  refuse(property: string, value: unknown, expected: string): void {
    if (isBlank(value)) this.add(property, `required: ${expected}`)
    else this.add(property, `got ${showOption(value)}, expected ${expected}`)
  }

  /** @returns the value of a check; null: it had problems, which are kept. */
  take<T>(checked: CheckedOption<T>): T | null {
    if ('value' in checked) return checked.value
    this.messages.push(...checked.problems)
    return null
  }

  /** A value of a list, without regard to case. @param fallback null: the property is required. */
  oneOf<T extends string>(property: string, value: unknown, { allowed, fallback, aliases = {} }: OneOf<T>): T | null {
    if (isBlank(value) && fallback !== null) return fallback
    const folded = typeof value === 'string' ? value.toLowerCase() : ''
    const known = allowed.find((one) => one.toLowerCase() === folded)
    if (known !== undefined) return known
    if (Object.hasOwn(aliases, folded)) return aliases[folded] ?? null
    this.refuse(property, value, `one of ${allowed.join(', ')}`)
    return fallback
  }

  int(
    property: string,
    value: unknown,
    { min, max, fallback }: { min: number; max: number; fallback: number },
  ): number {
    if (value === undefined || value === null) return fallback
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    this.refuse(property, value, `an integer, ${min} to ${max}`)
    return fallback
  }

  /** Text, or null if it is blank. */
  text(property: string, value: unknown): string | null {
    if (isBlank(value)) return null
    if (typeof value === 'string') return value
    this.refuse(property, value, 'a string')
    return null
  }

  bool(property: string, value: unknown, fallback: boolean): boolean {
    if (value === undefined || value === null) return fallback
    if (typeof value !== 'boolean') this.refuse(property, value, 'true or false')
    return value === true
  }

  hook(property: string, value: unknown): void {
    if (value !== undefined && typeof value !== 'function') this.refuse(property, value, 'a function')
  }

  /** What the library below says to options that were made from `property`. */
  probe(property: string, create: () => void): void {
    try {
      create()
    } catch (error) {
      if (!(error instanceof OptionError)) throw error
      const what = error.message.replace(/^\w+: [A-Z_]+: /, '').replace(`${property}: `, '')
      this.add(property, what.length > MAX_SAID ? `${what.slice(0, MAX_SAID)}...` : what)
    }
  }
}

interface OneOf<T extends string> {
  readonly allowed: readonly T[]
  readonly fallback: T | null
  /** Other spellings, in lower case. */
  readonly aliases?: Readonly<Record<string, T>>
}

/** Forms send empty texts, REST sends null: neither is a value. */
export function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}
