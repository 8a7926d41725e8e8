/** Numbers for objects and functions: the same one for the same thing. */
const numbers = new WeakMap<object, number>()
let lastNumber = 0

/**
 * Tells options apart, as part of the key of a cache: equal for equal simple values, and for the very same objects and
 * functions. Nothing of their contents is in it.
 */
export function optionsKey(options: Readonly<Record<string, unknown>>): string {
  return Object.keys(options)
    .filter((name) => options[name] !== undefined)
    .sort()
    .map((name) => `${name}=${valueKey(options[name])}`)
    .join('&')
}

function valueKey(value: unknown): string {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return JSON.stringify(String(value))
  const known = numbers.get(value)
  if (known !== undefined) return `#${known}`
  numbers.set(value, ++lastNumber)
  return `#${lastNumber}`
}
