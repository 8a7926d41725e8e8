import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apis } from '../../src/protocol/apis.ts'
import { DocsPage, ExampleFiles, printedBy, TSX } from '../support/docs-examples.ts'

const page = new DocsPage('protocol.md')

describe('docs/protocol.md', () => {
  let written: ExampleFiles

  beforeAll(() => {
    written = new ExampleFiles(page.examples)
  })

  afterAll(() => written.remove())

  it('has examples that compile', () => {
    expect(written.files).toHaveLength(page.examples.length)
    expect(written.problems()).toEqual([])
  })

  it.each(page.examples.map((code, i) => [i + 1, code] as const))('example %i prints what it says', (number, code) => {
    const expected = printedBy(code)
    const run = spawnSync(TSX, [written.files[number - 1] ?? ''], { encoding: 'utf8' })
    expect(run.stderr).toBe('')
    expect(run.stdout.trimEnd().split('\n')).toEqual(expected)
    expect(expected.length).toBeGreaterThan(0)
  })

  it('has the table of messages as the schemas have it', () => {
    for (const { name, key, minVersion, maxVersion, flexibleFrom } of apis) {
      const flexible = flexibleFrom === Infinity ? 'never' : flexibleFrom
      expect(page.text).toContain(`| ${name} | ${key} | ${minVersion}-${maxVersion} | ${flexible} |`)
    }
  })
})
