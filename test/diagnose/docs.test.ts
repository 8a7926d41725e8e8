import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DocsPage, ExampleFiles, printedBy, TSX } from '../support/docs-examples.ts'

const page = new DocsPage('diagnose.md')

describe('docs/diagnose.md', () => {
  let written: ExampleFiles

  beforeAll(() => {
    written = new ExampleFiles(page.examples)
  })

  afterAll(() => written.remove())

  it('has an example that compiles, and prints what it says', () => {
    expect(written.files).toHaveLength(1)
    expect(written.problems()).toEqual([])
    const [code = ''] = page.examples
    const run = spawnSync(TSX, [written.files[0] ?? ''], { encoding: 'utf8' })
    expect(run.stderr).toBe('')
    expect(run.stdout.trimEnd().split('\n')).toEqual(printedBy(code))
    expect(printedBy(code)).toHaveLength(2)
  })
})
