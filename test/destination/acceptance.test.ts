import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ACCEPTANCE } from './acceptance.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ROWS = 22

/** A name is the first text of a `test`, an `it` or a `describe`, or of their `each`. */
function hasTest(file: string, name: string): boolean {
  const text = readFileSync(`${ROOT}/${file}`, 'utf8').replaceAll("\\'", "'")
  return [`'${name}`, `"${name}`, `\`${name}`].some((quoted) => text.includes(quoted))
}

describe('the acceptance rows of the destination', () => {
  it('are all there, once, in their order', () => {
    expect(ACCEPTANCE.map(({ id }) => id)).toEqual(Array.from({ length: ROWS }, (_, index) => `seg-S${index + 1}`))
  })

  it('have a test each that is named after them', () => {
    const unnamed = ACCEPTANCE.filter(({ id, tests }) => !tests.some((test) => new RegExp(`${id}\\b`).test(test)))
    expect(unnamed).toEqual([])
  })

  it.each(ACCEPTANCE.flatMap(({ id, tests }) => tests.map((test) => [id, test] as const)))(
    '%s: there is %s',
    (_id, test) => {
      const [file = '', name = ''] = test.split(' > ')
      expect(existsSync(`${ROOT}/${file}`)).toBe(true)
      expect(hasTest(file, name)).toBe(true)
    },
  )
})
