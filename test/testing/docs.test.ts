import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FAULT_NAMES } from '../../src/testing/fault-options.ts'
import { TEST_CLUSTER_OPTIONS } from '../../src/testing/options.ts'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { DocsPage, ExampleFiles, printedBy, TSX } from '../support/docs-examples.ts'

const page = new DocsPage('test-cluster.md')

describe('docs/test-cluster.md', () => {
  let written: ExampleFiles

  beforeAll(() => {
    written = new ExampleFiles(page.examples)
  })

  afterAll(() => written.remove())

  it('has examples that compile', () => {
    expect(written.files).toHaveLength(page.examples.length)
    expect(written.problems()).toEqual([])
  })

  it('has examples that print what they say', () => {
    const all = path.join(written.folder, 'all.mts')
    const lines = written.files.map((file, i) => `console.log('example ${i}')\nawait import(${JSON.stringify(file)})`)
    writeFileSync(all, lines.join('\n'))
    const run = spawnSync(TSX, [all], { encoding: 'utf8' })
    const expected = page.examples.flatMap((code, i) => [`example ${i}`, ...printedBy(code)])
    expect(run.stdout.trimEnd().split('\n')).toEqual(expected)
    expect(run.status).toBe(0)
    expect(page.examples.every((code) => printedBy(code).length > 0)).toBe(true)
  })

  it('has every option with its default', () => {
    const shown = Object.entries(TEST_CLUSTER_OPTIONS).filter(([name]) => name !== 'clock' && name !== 'transport')
    for (const [name, { defaultText }] of shown) expect(page.text).toContain(`| \`${name}\` | ${defaultText} | `)
  })

  it('has every part of a fault, and everything that a cluster can do', () => {
    const done = Object.getOwnPropertyNames(TestCluster.prototype).filter((name) => name !== 'constructor')
    for (const name of [...FAULT_NAMES, ...done]) expect(page.text).toMatch(new RegExp(`\`${name}[\`(]|\\.${name}\\(`))
  })
})
