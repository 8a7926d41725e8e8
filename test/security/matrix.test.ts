import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { SECURITY } from './matrix.ts'
import { readSecurity, withTable } from './security-table.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Rows of the tables and bullets of faults-and-security.md, section by section, in their order there. */
const SECTIONS: Readonly<Record<string, number>> = {
  ...{ '3.1': 5, '3.2': 14, '3.3': 1, '3.4': 5, '3.5': 9, '3.6': 4, '3.7': 11, '3.8': 4, '3.9': 6, '3.10': 6 },
  '3.11': 11,
}

/** Names in a file: `it`, `it.each` and `describe` take them as their first text, or a row of a table has them. */
function textOf(file: string): string {
  return readFileSync(`${ROOT}/${file}`, 'utf8').replaceAll("\\'", "'")
}

describe('the rules of security', () => {
  it('are all there, once', () => {
    const ids = SECURITY.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const counts = Object.fromEntries(
      Object.keys(SECTIONS).map((section) => [section, ids.filter((id) => id.startsWith(`${section}-`)).length]),
    )
    expect(counts).toEqual(SECTIONS)
  })

  it('have a test each, or say why not', () => {
    expect(SECURITY.filter(({ tests = [], why }) => tests.length === 0 && why === undefined)).toEqual([])
  })

  it.each(SECURITY.flatMap(({ id, tests = [] }) => tests.map((test) => [id, test] as const)))(
    '%s: there is %s',
    (_id, test) => {
      const [file = '', ...rest] = test.split(' > ')
      expect(existsSync(`${ROOT}/${file}`)).toBe(true)
      const name = rest.join(' > ')
      const quoted = [`'${name}`, `"${name}`, `\`${name}`]
      if (name !== '')
        expect(
          quoted.some((text) => textOf(file).includes(text)),
          test,
        ).toBe(true)
    },
  )

  it('are the table of SECURITY.md', () => {
    const text = readSecurity()
    expect(text).toBe(withTable(text))
  })
})
