/** Readers for the options of directives, with Segment's sentences where they are wrong. */

import type { Compiler } from './compiler.ts'
import { isObject, typeName, withArticle, type Members } from './json-value.ts'
import type { MappingPath } from './mapping-error.ts'

/** 'directive' for an object with an @-name in it, otherwise the name of the type. */
export function typeOrDirective(value: unknown): string {
  const type = typeName(value)
  return type === 'object' && Object.keys(value as object).some((name) => name.startsWith('@')) ? 'directive' : type
}

export function isNot(value: unknown): string {
  return `but it is ${withArticle(typeOrDirective(value))}`
}

/** The options that a directive has, as an object of its own members; null, with a problem, for anything else. */
export function optionsOf(compiler: Compiler, value: unknown, path: MappingPath): Members | null {
  if (typeOrDirective(value) !== 'object' || !isObject(value)) {
    compiler.problem(path, `should be an object ${isNot(value)}`)
    return null
  }
  return Object.assign(Object.create(null) as Members, value)
}

/** Whether an option is there; a problem, if not. */
export function has(compiler: Compiler, options: Members, name: string, path: MappingPath): boolean {
  if (options[name] !== undefined) return true
  compiler.problem(path, `should have field ${JSON.stringify(name)} but it doesn't`)
  return false
}

export function stringOption(
  compiler: Compiler,
  value: unknown,
  path: MappingPath,
  lengths = { min: 0, max: Number.MAX_SAFE_INTEGER },
): string {
  if (typeof value !== 'string') compiler.problem(path, `should be a string ${isNot(value)}`)
  else if (value.length < lengths.min) compiler.problem(path, `should be a string of length ${lengths.min} or greater`)
  else if (value.length > lengths.max) compiler.problem(path, `should be a string of length ${lengths.max} or less`)
  else return value
  return ''
}

export function booleanOption(compiler: Compiler, value: unknown, path: MappingPath, byDefault: boolean): boolean {
  if (value === undefined) return byDefault
  if (typeof value === 'boolean') return value
  compiler.problem(path, `should be a boolean ${isNot(value)}`)
  return byDefault
}

/** Compared as written: Segment lets other capitals pass and then does something else. */
export function choiceOption(
  compiler: Compiler,
  value: unknown,
  path: MappingPath,
  choices: readonly string[],
): string {
  if (typeof value !== 'string') compiler.problem(path, `should be a string ${isNot(value)}`)
  else if (choices.includes(value)) return value
  else compiler.problem(path, `should be one of ${choices.join(', ')} but it is ${JSON.stringify(value)}`)
  return ''
}
