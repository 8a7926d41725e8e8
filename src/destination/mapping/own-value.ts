/**
 * The value at a path, through own members only: `constructor` or `toString` is there when the event has it.
 *
 * As in Segment, a value that is null, false, 0 or '' ends the walk and is the answer, and a text has its characters and
 * its `length`.
 */
export function ownValue(root: unknown, path: readonly string[]): unknown {
  let value = root
  for (const name of path) {
    if (value === undefined || value === null || value === false || value === 0 || value === '') return value
    if (!Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}

// `a.b[0]['c d']`: a dot, a bracket that opens an index or a quoted name, and the bracket that closes one.
const SEPARATOR = /\[(?=["'\d])|\.|(?<=["'\d])\]+/

/** The names in a path, as Segment takes it apart; none: the whole value. */
export function pathNames(path: string): string[] {
  return path
    .split(SEPARATOR)
    .filter((name) => name !== '')
    .map((name) => name.replaceAll(/['"]/g, ''))
}

/** Gives `target` a member of its own, even one named `__proto__`, which an assignment would not. */
export function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') target[name] = value
  else Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
}
