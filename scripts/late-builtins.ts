import type { Plugin } from 'rollup'

/**
 * Parts of Node that a program needs late or never. Of what `import 'headrace'` would cost with them, a third is theirs:
 * node:tls with node:crypto 4 ms, node:net with node:stream 3, the others half of one each, for the names of an ES module
 * that `process.getBuiltinModule` does without (Node 20, two slow cores).
 */
const LATE = ['buffer', 'crypto', 'dns/promises', 'module', 'net', 'stream', 'tls', 'url', 'util', 'zlib']

export function standsIn(id: string): boolean {
  return LATE.some((name) => id === `node:${name}`)
}

/**
 * In dist these are loaded by the first call of one of their functions. The sources import them as usual; what they import
 * is a stand-in: a function that calls the real one, a class that makes real ones. What is neither is taken at once, and its
 * module with it; test/package/package.test.ts says which modules may be.
 */
export const lateBuiltins: Plugin = {
  name: 'late-builtins',
  resolveId: (id) => (standsIn(id) ? `\0${id}` : null),
  load: (id) => (id.startsWith('\0node:') ? standIn(id.slice(1)) : null),
}

/** What every function has. */
const USUAL: readonly (string | symbol)[] = ['length', 'name', 'prototype', 'arguments', 'caller']

function standIn(path: string): string {
  const names = Object.entries(process.getBuiltinModule(path) as Record<string, unknown>)
  const exported = names.map(([name, value]) => {
    if (typeof value === 'function' && /^[A-Z]/.test(name))
      return `export const ${name} = /* @__PURE__ */ late('${name}')`
    // A function that carries something, as inspect carries `custom`, cannot be stood in for.
    const isPlain = typeof value === 'function' && Reflect.ownKeys(value).every((key) => USUAL.includes(key))
    if (isPlain) return `export function ${name}(...given) { return real().${name}(...given) }`
    return `export const ${name} = /* @__PURE__ */ (() => real().${name})()`
  })
  // Taken now: a test may put another `process` in its place.
  const real = ['const { getBuiltinModule } = process', `const real = () => getBuiltinModule('${path}')`]
  return [...real, LATE_CLASS, ...exported].join('\n')
}

/** Can be made instances of, asked about instances, and extended; it has no static members. */
const LATE_CLASS = `
const late = (name) => {
  const standIn = function (...given) {
    const its = real()[name]
    Object.setPrototypeOf(standIn.prototype, its.prototype)
    return Reflect.construct(its, given, new.target === standIn ? its : new.target)
  }
  return Object.defineProperty(standIn, Symbol.hasInstance, {
    value(it) { return this === standIn ? it instanceof real()[name] : Function.prototype[Symbol.hasInstance].call(this, it) },
  })
}`
