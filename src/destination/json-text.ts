/**
 * A value as JSON, or what keeps it from being written, for the end of a sentence. Nothing of the value is in that.
 */
export function jsonText(value: unknown): string | { readonly problem: string } {
  try {
    const text = JSON.stringify(value) as string | undefined
    return text === undefined ? { problem: 'has nothing that JSON can hold' } : text
  } catch (error) {
    return { problem: `cannot be written as JSON: ${reasonOf(error)}` }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return 'it is too deep or too large'
  const message = error instanceof TypeError ? error.message : ''
  if (/circular/i.test(message)) return 'it holds itself'
  return /bigint/i.test(message) ? 'it has a BigInt' : 'a toJSON of it failed'
}
