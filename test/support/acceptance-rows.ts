import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/** A row of part C of destination-and-output.md, with the tests that hold it. */
export interface AcceptanceRow {
  /** As in the names of the tests. */
  readonly id: string
  readonly feature: string
  /** `file > name of a test, or of its describe`. */
  readonly tests: readonly string[]
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Looks whether every row is there, and every test that it names. */
export function checkAcceptanceRows(of: string, rows: readonly AcceptanceRow[], ids: readonly string[]): void {
  describe(`the acceptance rows of ${of}`, () => {
    it('are all there, once, in their order', () => {
      expect(rows.map(({ id }) => id)).toEqual(ids)
    })

    it('have a test each that is named after them', () => {
      const unnamed = rows.filter(({ id, tests }) => !tests.some((test) => new RegExp(`${id}\\b`).test(test)))
      expect(unnamed).toEqual([])
    })

    it.each(rows.flatMap(({ id, tests }) => tests.map((test) => [id, test] as const)))(
      '%s: there is %s',
      (_id, test) => {
        const [file = '', name = ''] = test.split(' > ')
        expect(existsSync(`${ROOT}/${file}`)).toBe(true)
        expect(hasTest(file, name)).toBe(true)
      },
    )
  })
}

export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)
}

/** A name is the first text of a `test`, an `it` or a `describe`, or of their `each`. */
function hasTest(file: string, name: string): boolean {
  const text = readFileSync(`${ROOT}/${file}`, 'utf8').replaceAll("\\'", "'")
  return [`'${name}`, `"${name}`, `\`${name}`].some((quoted) => text.includes(quoted))
}
