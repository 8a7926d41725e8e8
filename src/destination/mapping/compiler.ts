import type { RequirePackage } from './liquid-package.ts'
import type { MappingPath } from './mapping-error.ts'

/** A part of a mapping, ready: gives its value for an event, or undefined for none. Throws nothing but `MappingError`. */
export type Resolver = (event: unknown) => unknown

/** What a directive is given to read its options with. Problems are collected, so that all of them are told at once. */
export interface Compiler {
  /** Reads a value that may be anything: raw, a directive, or an object or array of such. */
  any(value: unknown, path: MappingPath): Resolver
  stringOrDirective(value: unknown, path: MappingPath): Resolver
  objectOrDirective(value: unknown, path: MappingPath): Resolver
  /** A whole mapping inside a mapping. */
  root(value: unknown, path: MappingPath): Resolver
  /** As `any`, but members without a value stay as undefined, because they replace others when objects are merged. */
  operand(value: unknown, path: MappingPath): Resolver
  /** Notes a problem. What it returns is never called with an event. */
  problem(path: MappingPath, what: string): Resolver
  readonly requirePackage: RequirePackage | undefined
}

export type Directive = (compiler: Compiler, value: unknown, path: MappingPath) => Resolver
