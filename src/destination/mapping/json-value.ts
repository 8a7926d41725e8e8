/** JSON values, looked at as Segment's mapping kit does. */

import { mappingFailed, type MappingPath } from './mapping-error.ts'
import { setOwn } from './own-value.ts'

export type Members = Record<string, unknown>

/** Deeper values of an event are refused where we walk them, long before the stack ends. */
const MAX_DEPTH = 500

/** 'null', 'array', 'object', 'string', ... */
export function typeName(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1).toLowerCase()
}

export function isObject(value: unknown): value is Members {
  if (typeof value !== 'object' || value === null) return false
  // What JSON gives, seen without making texts: several of these are asked for every event.
  if (Object.getPrototypeOf(value) === Object.prototype && !(Symbol.toStringTag in value)) return true
  return Object.prototype.toString.call(value) === '[object Object]'
}

/** 'a string', 'an object', ... */
export function aTypeName(value: unknown): string {
  return withArticle(typeName(value))
}

export function withArticle(name: string): string {
  return `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`
}

/** As JavaScript turns values into text, without calling a `toString` that an event brought along. */
export function textOf(value: unknown, path: MappingPath, depth = 0): string {
  if (typeof value === 'string') return value
  if (value === null || typeof value !== 'object') return String(value)
  if (!Array.isArray(value)) return '[object Object]'
  checkDepth(depth, path)
  return value
    .map((item: unknown) => (item === null || item === undefined ? '' : textOf(item, path, depth + 1)))
    .join(',')
}

/** A copy without members that are null; what is inside arrays stays. */
export function withoutNulls(value: unknown, path: MappingPath, depth = 0): unknown {
  if (!isObject(value)) return value
  checkDepth(depth, path)
  return mapMembers(value, (member) => (member === null ? undefined : withoutNulls(member, path, depth + 1)))
}

/** A copy without members that are undefined. */
export function withoutUndefined(value: unknown, path: MappingPath, depth = 0): unknown {
  checkDepth(depth, path)
  if (Array.isArray(value)) return value.map((item) => withoutUndefined(item, path, depth + 1))
  return isObject(value) ? mapMembers(value, (member) => withoutUndefined(member, path, depth + 1)) : value
}

/** One object whose names are the ways to the leaves. Empty objects have none and vanish. */
export function flatten(value: unknown, separator: string, omitsArrays: boolean, path: MappingPath): Members {
  const flat: Members = {}
  const add = (part: unknown, prefix: string, depth: number): void => {
    checkDepth(depth, path)
    if (isObject(part) || (Array.isArray(part) && !omitsArrays)) {
      for (const [name, member] of Object.entries(part)) {
        add(member, prefix === '' ? name : `${prefix}${separator}${name}`, depth + 1)
      }
    } else if (part !== undefined) setOwn(flat, prefix, part)
  }
  add(value, '', 0)
  return flat
}

/** As `Object.assign({}, ...objects)`, but `__proto__` is a member like others. */
export function merge(objects: readonly unknown[]): Members {
  const merged: Members = {}
  for (const object of objects) {
    if (object === null || object === undefined) continue
    for (const [name, member] of Object.entries(object)) setOwn(merged, name, member)
  }
  return merged
}

function mapMembers(object: Members, change: (member: unknown) => unknown): Members {
  const changed: Members = {}
  for (const [name, member] of Object.entries(object)) {
    const value = change(member)
    if (value !== undefined) setOwn(changed, name, value)
  }
  return changed
}

function checkDepth(depth: number, path: MappingPath): void {
  if (depth > MAX_DEPTH) throw mappingFailed(path, `meets a value that is nested deeper than ${MAX_DEPTH}`)
}
