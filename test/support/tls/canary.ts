import { inspect } from 'node:util'
import { expect } from 'vitest'

/** Fails if anything of a secret can be seen in `value`, however deep one looks. PEM is searched line by line. */
export function expectNoSecret(value: unknown, secrets: readonly string[]): void {
  const seen = inspect(value, { depth: Infinity, showHidden: true, maxArrayLength: null, maxStringLength: null })
  for (const secret of secrets) {
    const lines = secret.split('\n').filter((line) => line.length >= 8 && !line.startsWith('-----'))
    for (const line of lines) for (const shape of shapesOf(line)) expect(seen).not.toContain(shape)
  }
}

function shapesOf(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const reversed = Array.from(secret).reverse().join('')
  const encoded = [bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url'), bytes.toString('hex')]
  return [secret, encodeURIComponent(secret), reversed, ...encoded]
}
