import { createRequire } from 'node:module'
import { mappingFailed, MappingError, problemAt, type MappingPath } from './mapping-error.ts'
import type { Compiler, Resolver } from './compiler.ts'
import type { RequirePackage } from './liquid-package.ts'

/** The part of the package liquidjs (an optional peer, 10.x) that we use. */
interface LiquidEngine {
  parse(template: string): unknown
  renderSync(parsed: unknown, scope: object): unknown
  registerTag(name: string, tag: { parse(): never; render(): never }): void
  registerFilter(name: string, filter: () => never): void
}
interface LiquidPackage {
  readonly Liquid: new (options: Record<string, unknown>) => LiquidEngine
}

const MAX_TEMPLATE_CHARACTERS = 1000
const INSTALL = 'npm install liquidjs@10'

// Segment's limits and what it switches off, word for word (A.11).
const LIMITS = { renderLimit: 500, parseLimit: MAX_TEMPLATE_CHARACTERS, memoryLimit: 1e8 }
const disabledTags = ['case', 'for', 'include', 'layout', 'render', 'tablerow']
const disabledFilters = [
  ...['array_to_sentence_string', 'concat', 'find', 'find_exp', 'find_index', 'find_index_exp', 'group_by'],
  ...['group_by_exp', 'has', 'has_exp', 'map', 'newline_to_br', 'reject', 'reject_exp', 'reverse', 'sort'],
  ...['sort_natural', 'uniq', 'where_exp', 'type'],
]

const ownRequire: RequirePackage = createRequire(import.meta.url)
let engine: LiquidEngine | undefined

/** `@liquid`: the template is read when the mapping is, and applied to each event. */
export function compileLiquid(compiler: Compiler, template: string, path: MappingPath): Resolver {
  if (template === '') return () => ''
  if (template.length > MAX_TEMPLATE_CHARACTERS) {
    const what = `liquid template values are limited to ${MAX_TEMPLATE_CHARACTERS} characters`
    return compiler.problem(path, what)
  }
  const liquid = compiler.requirePackage === undefined ? sharedEngine(path) : newEngine(compiler.requirePackage, path)
  let parsed: unknown
  try {
    parsed = liquid.parse(template)
  } catch (cause) {
    return compiler.problem(path, firstLine(cause))
  }
  return (event) => {
    try {
      return String(liquid.renderSync(parsed, typeof event === 'object' && event !== null ? event : {}))
    } catch (cause) {
      throw mappingFailed(path, firstLine(cause), cause)
    }
  }
}

function sharedEngine(path: MappingPath): LiquidEngine {
  engine ??= newEngine(ownRequire, path)
  return engine
}

function newEngine(requirePackage: RequirePackage, path: MappingPath): LiquidEngine {
  let loaded: Partial<LiquidPackage>
  try {
    loaded = requirePackage('liquidjs') as Partial<LiquidPackage>
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'MODULE_NOT_FOUND'
    throw unavailable(path, isMissing ? 'is not installed' : `cannot be loaded (${firstLine(cause)})`, cause)
  }
  if (typeof loaded.Liquid !== 'function') throw unavailable(path, 'is not the one we know')
  // strictFilters: a filter that does not exist is a typing error, told at once. Segment leaves it out in silence.
  const made = new loaded.Liquid({ ...LIMITS, ownPropertyOnly: true, strictFilters: true })
  for (const tag of disabledTags) made.registerTag(tag, { parse: refuse('tag', tag), render: refuse('tag', tag) })
  for (const filter of disabledFilters) made.registerFilter(filter, refuse('filter', filter))
  return made
}

function refuse(kind: 'tag' | 'filter', name: string): () => never {
  return () => {
    throw new Error(`${kind} "${name}" is disabled`)
  }
}

function unavailable(path: MappingPath, why: string, cause?: unknown): MappingError {
  const what = `needs the package liquidjs, which ${why}: ${INSTALL}`
  return new MappingError('LIQUID_UNAVAILABLE', [problemAt(path, what)], cause)
}

function firstLine(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  return (message.split('\n')[0] ?? '').slice(0, 200)
}
