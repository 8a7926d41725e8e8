/** The directives that give a text or one value of the event. */

import type { Compiler, Directive, Resolver } from './compiler.ts'
import { typeName, type Members } from './json-value.ts'
import { compileLiquid } from './liquid.ts'
import { mappingFailed, type MappingPath } from './mapping-error.ts'
import { booleanOption, choiceOption, has, optionsOf, stringOption } from './options.ts'
import { ownValue, pathNames } from './own-value.ts'
import { parseTemplate } from './template.ts'

export const MAX_REPLACE_CHARACTERS = 10

const nothing: Resolver = () => undefined

/** The first `$.` is taken out, wherever it stands: that is how Segment reads a path. */
export function eventPath(path: string): string[] {
  return pathNames(path.replace('$.', ''))
}

export const path: Directive = (compiler, value, at) =>
  textDirective(compiler, value, at, '@path', (text) => {
    const names = eventPath(text)
    return (event) => ownValue(event, names)
  })

export const template: Directive = (compiler, value, at) =>
  textDirective(compiler, value, at, '@template', (text) => {
    const render = parseTemplate(text)
    return (event) => render(event, at)
  })

/** A directive on a text, which itself may come from a directive; then it is read anew for each event. */
function textDirective(
  compiler: Compiler,
  value: unknown,
  at: MappingPath,
  name: string,
  read: (text: string) => Resolver,
): Resolver {
  if (typeof value === 'string') return read(value)
  const resolve = compiler.stringOrDirective(value, at)
  return (event) => {
    const text = resolve(event)
    if (typeof text !== 'string') throw mappingFailed(at, `${name}: expected string, got ${typeName(text)}`)
    return read(text)(event)
  }
}

export const liquid: Directive = (compiler, value, at) => {
  const text = stringOption(compiler, value, at)
  return compileLiquid(compiler, text, at)
}

export const changeCase: Directive = (compiler, value, at) => {
  const options = optionsOf(compiler, value, at)
  if (options === null) return nothing
  const resolve = optionalValue(compiler, options['value'], at)
  if (options['operator'] === undefined || options['operator'] === '') {
    return compiler.problem(at, '@case requires a "operator" key')
  }
  const operator = choiceOption(compiler, options['operator'], [...at, 'operator'], ['lower', 'upper'])
  return (event) => {
    const found = resolve(event)
    if (typeof found !== 'string') return found
    return operator === 'lower' ? found.toLowerCase() : found.toUpperCase()
  }
}

function optionalValue(compiler: Compiler, value: unknown, at: MappingPath): Resolver {
  if (value === undefined || value === '') return nothing
  return compiler.stringOrDirective(value, [...at, 'value'])
}

type Replacement = (text: string) => string

export const replace: Directive = (compiler, value, at) => {
  const options = optionsOf(compiler, value, at)
  if (options === null) return nothing
  const isGlobal = booleanOption(compiler, options['global'], [...at, 'global'], true)
  const ignoresCase = booleanOption(compiler, options['ignorecase'], [...at, 'ignorecase'], false)
  const flags = `${isGlobal ? 'g' : ''}${ignoresCase ? 'i' : ''}`
  const one = replacement(compiler, options, ['pattern', 'replacement'], flags, at)
  const hasSecond = options['pattern2'] !== undefined && options['pattern2'] !== ''
  const two = hasSecond ? replacement(compiler, options, ['pattern2', 'replacement2'], flags, at) : null
  if (!has(compiler, options, 'value', at)) return nothing
  const isBlank = options['value'] === ''
  const resolve = compiler.stringOrDirective(options['value'], [...at, 'value'])
  if (isBlank) return nothing
  return (event) => {
    const found = resolve(event)
    if (typeof found !== 'string' && typeof found !== 'number' && typeof found !== 'boolean') return ''
    const once = one(String(found))
    return two === null ? once : two(once)
  }
}

function replacement(
  compiler: Compiler,
  options: Members,
  [patternName, putName]: readonly [string, string],
  flags: string,
  at: MappingPath,
): Replacement {
  const max = MAX_REPLACE_CHARACTERS
  const isThere = has(compiler, options, patternName, at)
  const pattern = isThere ? stringOption(compiler, options[patternName], [...at, patternName], { min: 1, max }) : ''
  const put = options[putName]
  const text = put === undefined ? '' : stringOption(compiler, put, [...at, putName], { min: 0, max })
  const literal = new RegExp(pattern.replaceAll(/[-[\]{}()*+?.,\\^$|#\s/]/g, '\\$&'), flags)
  // A function, because `$&` in the text stands for itself here, not for what was found.
  return (from) => from.replace(literal, () => text)
}
