import type { Compiler, Directive, Resolver } from './compiler.ts'
import { aTypeName, isObject, typeName, type Members } from './json-value.ts'
import type { RequirePackage } from './liquid-package.ts'
import { MappingError, mappingFailed, problemAt, type MappingPath } from './mapping-error.ts'
import { isNot, typeOrDirective } from './options.ts'
import { setOwn } from './own-value.ts'
import * as structure from './structure-directives.ts'
import * as text from './text-directives.ts'

const directives: ReadonlyMap<string, Directive> = new Map([
  ['@path', text.path],
  ['@template', text.template],
  ['@literal', structure.literal],
  ['@if', structure.choose],
  ['@case', text.changeCase],
  ['@replace', text.replace],
  ['@arrayPath', structure.arrayPath],
  ['@flatten', structure.flatten],
  ['@json', structure.json],
  ['@merge', structure.merge],
  ['@transform', structure.transform],
  ['@excludeWhenNull', structure.excludeWhenNull],
  ['@liquid', text.liquid],
])

/** A member of this name has a directive that is applied to all the others together. */
const ROOT_DIRECTIVE = '__segment_internal_directive'
/** What Segment keeps beside the fields. */
const HIDDEN_FIELDS: readonly string[] = ['__segment_internal_sync_mode', '__segment_internal_matching_key']
const MAX_NESTING = 100
const MAX_VALUES = 10_000

const nothing: Resolver = () => undefined

/** Applies the mapping to an event. Values of the event are passed on as they are, not copied. */
export type FieldsResolver = (event: unknown) => Members

/**
 * Applies the directives of a mapping to one event; members without a value are left out.
 *
 * @throws {MappingError} `INVALID_MAPPING`: the mapping is wrong; `problems` has everything that is.
 * @throws {MappingError} `MAPPING_FAILED`: it does not fit this event.
 * @throws {MappingError} `LIQUID_UNAVAILABLE`: it has `@liquid`, and liquidjs is not installed.
 */
export function resolveFields(fields: unknown, event: unknown): Members {
  return compileFields(fields)(event)
}

/** As `resolveFields`, for many events: the mapping is read once, and later changes of `fields` do not count. */
export function compileFields(fields: unknown, requirePackage?: RequirePackage): FieldsResolver {
  const compiler = new MappingCompiler(requirePackage)
  const resolve = compiler.fields(fields)
  if (compiler.problems.length > 0) throw new MappingError('INVALID_MAPPING', compiler.problems)
  return (event) => {
    if (!isObject(event)) throw mappingFailed([], `data must be an object, got ${typeName(event)}`)
    const resolved = resolve(event)
    if (isObject(resolved)) return resolved
    throw mappingFailed([], `should give an object but it is ${aTypeName(resolved)}`)
  }
}

/** What most mappings give, in the order of the form. */
const PLAIN_FIELDS = ['topic', 'payload', 'key']

/**
 * As `compileFields`, for who looks at fields by their name: those of the usual mapping are there even without a value, as
 * undefined. That gives all events objects of one shape, which costs a fifth.
 */
export function compileSendFields(fields: unknown, requirePackage?: RequirePackage): FieldsResolver {
  const names = isObject(fields) ? Object.keys(fields) : []
  const isPlain = names.length > 0 && names.join() === PLAIN_FIELDS.filter((name) => names.includes(name)).join()
  if (!isObject(fields) || !isPlain) return compileFields(fields, requirePackage)
  const compiler = new MappingCompiler(requirePackage)
  const resolvers = new Map(names.map((name) => [name, compiler.any(fields[name], [name])]))
  if (compiler.problems.length > 0) throw new MappingError('INVALID_MAPPING', compiler.problems)
  const [topic, payload, key] = PLAIN_FIELDS.map((name) => resolvers.get(name) ?? nothing) as [
    Resolver,
    Resolver,
    Resolver,
  ]
  return (event) => {
    if (!isObject(event)) throw mappingFailed([], `data must be an object, got ${typeName(event)}`)
    return { topic: topic(event), payload: payload(event), key: key(event) }
  }
}

class MappingCompiler implements Compiler {
  readonly problems: string[] = []
  readonly requirePackage: RequirePackage | undefined
  #values = 0
  #keepsUndefined = false

  constructor(requirePackage: RequirePackage | undefined) {
    this.requirePackage = requirePackage
  }

  fields(fields: unknown): Resolver {
    if (!isObject(fields)) return this.problem([], `should be an object but it is ${aTypeName(fields)}`)
    return this.root(Object.fromEntries(Object.entries(fields).filter(([name]) => !HIDDEN_FIELDS.includes(name))), [])
  }

  root(mapping: unknown, path: MappingPath): Resolver {
    if (!isObject(mapping) || !Object.hasOwn(mapping, ROOT_DIRECTIVE)) return this.any(mapping, path)
    const { [ROOT_DIRECTIVE]: directive, ...others } = mapping
    const place = [...path, ROOT_DIRECTIVE]
    const entries = isObject(directive) ? Object.entries(directive) : []
    const [entry] = entries
    if (entries.length > 1) return this.problem(place, 'The root mapping must only have a single directive object')
    if (entry === undefined || !isObject(entry[1])) return this.problem(place, 'The root directive must be an object')
    return this.any({ [entry[0]]: { ...entry[1], mapping: others } }, path)
  }

  any(value: unknown, path: MappingPath): Resolver {
    if (++this.#values > MAX_VALUES) {
      return this.#values === MAX_VALUES + 1 ? this.problem([], `should have at most ${MAX_VALUES} values`) : nothing
    }
    if (path.length > MAX_NESTING) return this.problem(path, `is nested deeper than ${MAX_NESTING}`)
    const type = typeOrDirective(value)
    if (type === 'directive') return this.#directive(value as Members, path)
    if (type === 'object') return this.#object(value as Members, path)
    if (Array.isArray(value)) return this.#array(value, path)
    if (value !== null && value !== undefined && !['string', 'number', 'boolean'].includes(typeof value)) {
      return this.problem(path, `should be a mapping directive or a JSON value ${isNot(value)}`)
    }
    return () => value
  }

  stringOrDirective(value: unknown, path: MappingPath): Resolver {
    const type = typeOrDirective(value)
    if (type === 'string' || type === 'directive') return this.any(value, path)
    return this.problem(path, `should be a string or a mapping directive ${isNot(value)}`)
  }

  objectOrDirective(value: unknown, path: MappingPath): Resolver {
    const type = typeOrDirective(value)
    if (type === 'object' || type === 'directive') return this.any(value, path)
    return this.problem(path, `should be a object or a mapping directive ${isNot(value)}`)
  }

  operand(value: unknown, path: MappingPath): Resolver {
    const before = this.#keepsUndefined
    this.#keepsUndefined = true
    const resolve = this.any(value, path)
    this.#keepsUndefined = before
    return resolve
  }

  problem(path: MappingPath, what: string): Resolver {
    this.problems.push(problemAt(path, what))
    return nothing
  }

  #directive(value: Members, path: MappingPath): Resolver {
    const names = Object.keys(value)
    const directiveNames = names.filter((name) => name.startsWith('@'))
    const others = names.filter((name) => !name.startsWith('@') && name !== '_metadata')
    const count = directiveNames.length > 1 ? directiveNames.length : names.length
    if (directiveNames.length > 1 || others.length > 0) {
      return this.problem(path, `should only have one @-prefixed key but it has ${count} keys`)
    }
    const name = directiveNames[0] ?? ''
    const directive = directives.get(name)
    if (directive === undefined) return this.problem(path, `has an invalid directive: ${name}`)
    return directive(this, value[name], [...path, name])
  }

  #object(value: Members, path: MappingPath): Resolver {
    const members = Object.keys(value).map((name) => ({ name, resolve: this.any(value[name], [...path, name]) }))
    const keepsUndefined = this.#keepsUndefined
    return (event) => {
      const resolved: Members = {}
      for (const { name, resolve } of members) {
        const member = resolve(event)
        if (member !== undefined || keepsUndefined) setOwn(resolved, name, member)
      }
      return resolved
    }
  }

  #array(value: readonly unknown[], path: MappingPath): Resolver {
    const resolvers = value.map((item, index) => this.any(item, [...path, String(index)]))
    return (event) => resolvers.map((resolve) => resolve(event))
  }
}
