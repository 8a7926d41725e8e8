import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { MATRIX } from './matrix.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const range = (letter: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${letter}${i + 1}`)
const ASKED_FOR = [...range('C', 17), 'C20', ...range('N', 17), ...range('P', 14), ...range('A', 11), ...range('S', 12)]

/** Names in a file: `it`, `it.each` and `describe` take them as their first text, or after a table. */
function names(file: string): string {
  return readFileSync(`${ROOT}/${file}`, 'utf8').replaceAll("\\'", "'")
}

describe('the fault matrix', () => {
  it('has every row that was asked for, once', () => {
    expect(MATRIX.map(({ id }) => id)).toEqual(ASKED_FOR)
  })

  it('has a test for every row, or says why not', () => {
    expect(MATRIX.filter(({ tests, cannot }) => tests === undefined && cannot === undefined)).toEqual([])
  })

  it.each(MATRIX.flatMap(({ id, tests = [] }) => tests.map((test) => [id, test] as const)))(
    '%s: there is %s',
    (_id, test) => {
      const [file = '', ...rest] = test.split(' > ')
      expect(existsSync(`${ROOT}/${file}`)).toBe(true)
      const name = rest.join(' > ')
      const quoted = [`'${name}`, `"${name}`, `\`${name}`]
      if (name !== '')
        expect(
          quoted.some((text) => names(file).includes(text)),
          test,
        ).toBe(true)
    },
  )

  it.each(
    MATRIX.filter(({ id, tests }) => id.startsWith('S') && tests !== undefined).map((row) => [row.id, row] as const),
  )('%s names what its test went red without', (_id, { guard }) => {
    expect(guard).toMatch(/: .*red/)
  })
})
