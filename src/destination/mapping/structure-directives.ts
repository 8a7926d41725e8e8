/** The directives that choose, build or take apart. */

import type { Compiler, Directive, Resolver } from './compiler.ts'
import {
  aTypeName,
  flatten as flattenValue,
  isObject,
  merge as mergeObjects,
  textOf,
  typeName,
  withoutNulls,
  withoutUndefined,
  type Members,
} from './json-value.ts'
import { mappingFailed, type MappingPath } from './mapping-error.ts'
import { choiceOption, has, isNot, optionsOf, stringOption, typeOrDirective } from './options.ts'
import { ownValue } from './own-value.ts'
import { eventPath } from './text-directives.ts'

const nothing: Resolver = () => undefined

export const literal: Directive = (compiler, value, at) => compiler.any(value, at)

export const choose: Directive = (compiler, value, at) => {
  const options = optionsOf(compiler, value, at)
  if (options === null) return nothing
  const { exists, blank, then, else: otherwise } = options
  const resolveThen = then === undefined ? nothing : compiler.any(then, [...at, 'then'])
  const resolveElse = otherwise === undefined ? nothing : compiler.any(otherwise, [...at, 'else'])
  const resolveExists = compiler.any(exists, [...at, 'exists'])
  const resolveBlank = compiler.any(blank, [...at, 'blank'])
  if (!isTruthy(exists) && !isTruthy(blank)) {
    return compiler.problem(at, '@if requires an "exists" key or a "blank" key')
  }
  const tested = exists === undefined ? resolveBlank : resolveExists
  const isMet = exists === undefined ? isFilled : isThere
  // An `else` that is false, 0, '' or null counts as none.
  const resolveOther = isTruthy(otherwise) ? resolveElse : nothing
  return (event) => (isMet(tested(event), at) ? resolveThen(event) : resolveOther(event))
}

function isTruthy(value: unknown): boolean {
  return Boolean(value)
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** What `blank` asks, in spite of its name: 0, false, '' and a list of nothing are blank. */
function isFilled(value: unknown, at: MappingPath): boolean {
  return isThere(value) && value !== 0 && value !== false && textOf(value, at) !== ''
}

export const arrayPath: Directive = (compiler, value, at) => {
  if (!Array.isArray(value)) return compiler.problem(at, `should be an array but it is ${aTypeName(value)}`)
  const [from, shape] = value as [unknown, unknown]
  const names = typeof from === 'string' ? eventPath(from) : null
  const resolveRoot: Resolver =
    names === null ? compiler.stringOrDirective(from, at) : (event) => ownValue(event, names)
  const resolveItem = shape === undefined ? null : compiler.any(shape, at)
  if (resolveItem === null || !isObject(shape) || Object.keys(shape).length === 0) return resolveRoot
  return (event) => {
    const root = resolveRoot(event)
    if (Array.isArray(root)) return root.map((item) => resolveItem(item))
    return isObject(root) ? [resolveItem(root)] : root
  }
}

export const flatten: Directive = (compiler, value, at) => {
  const options = optionsOf(compiler, value, at)
  if (options === null) return nothing
  const hasValue = has(compiler, options, 'value', at)
  const resolve = hasValue ? compiler.any(options['value'], [...at, 'value']) : nothing
  if (options['separator'] === undefined || options['separator'] === '') {
    return compiler.problem(at, '@flatten requires a "separator" key')
  }
  const separator = stringOption(compiler, options['separator'], [...at, 'separator'])
  const omitsArrays = isTruthy(options['omitArrays'])
  return (event) => flattenValue(resolve(event), separator, omitsArrays, at)
}

export const json: Directive = (compiler, value, at) => {
  const options = optionsOf(compiler, value, at)
  if (options === null) return nothing
  const mode = has(compiler, options, 'mode', at)
    ? choiceOption(compiler, options['mode'], [...at, 'mode'], ['encode', 'decode'])
    : ''
  if (!has(compiler, options, 'value', at)) return nothing
  if (!isTruthy(options['value'])) return compiler.problem(at, '@json requires a "value" key')
  const resolve = compiler.any(options['value'], [...at, 'value'])
  return mode === 'encode' ? (event) => encode(resolve(event), at) : (event) => decode(resolve(event))
}

function encode(value: unknown, at: MappingPath): unknown {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    throw mappingFailed(at, 'meets a value that cannot be written as JSON', cause)
  }
}

function decode(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return value // not JSON, or deeper than the parser goes: it stays the text that it is
  }
}

export const merge: Directive = (compiler, value, at) => {
  const options = optionsOf(compiler, value, at)
  if (options === null) return nothing
  const { direction, objects } = options
  if (!isTruthy(direction)) compiler.problem(at, '@merge requires a "direction" key')
  const isLeft =
    isTruthy(direction) && choiceOption(compiler, direction, [...at, 'direction'], ['left', 'right']) === 'left'
  if (!has(compiler, options, 'objects', at)) return nothing
  if (!Array.isArray(objects))
    return compiler.problem([...at, 'objects'], `should be an array but it is ${aTypeName(objects)}`)
  const resolvers = objects.map((object: unknown, index) => {
    const place = [...at, 'objects', String(index)]
    const type = typeOrDirective(object)
    if (type === 'directive' || type === 'object') return compiler.operand(object, place)
    return compiler.problem(place, `should be a object or a mapping directive ${isNot(object)}`)
  })
  return (event) => {
    const resolved = resolvers.map((resolve) => resolve(event))
    return withoutUndefined(mergeObjects(isLeft ? resolved.reverse() : resolved), at)
  }
}

export const transform: Directive = (compiler, value, at) => {
  const options = optionsOf(compiler, value, at)
  if (options === null) return nothing
  const apply = part(compiler, options, 'apply', at)
  const mapping = part(compiler, options, 'mapping', at)
  return (event) => {
    const data = event === undefined ? {} : event
    if (!isObject(data)) throw mappingFailed(at, `data must be an object, got ${typeName(data)}`)
    return mapping(apply(data))
  }
}

function part(compiler: Compiler, options: Members, name: 'apply' | 'mapping', at: MappingPath): Resolver {
  if (!has(compiler, options, name, at)) return nothing
  const isRoot = name === 'apply' && isObject(options[name])
  return isRoot ? compiler.root(options[name], [...at, name]) : compiler.objectOrDirective(options[name], [...at, name])
}

export const excludeWhenNull: Directive = (compiler, value, at) => {
  const resolve = compiler.any(value, at)
  return (event) => {
    const found = resolve(event)
    return found === null ? undefined : withoutNulls(found, at)
  }
}
