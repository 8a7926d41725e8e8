import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { partitionerNames } from '../../src/partitioner/named.ts'
import { DocsPage, ExampleFiles, printedBy, ROOT, TSX } from '../support/docs-examples.ts'

const run = promisify(execFile)
const page = new DocsPage('partitioning.md')

describe('docs/partitioning.md', () => {
  let written: ExampleFiles

  beforeAll(() => {
    written = new ExampleFiles(page.examples)
  })

  afterAll(() => written.remove())

  it('has examples that a strict compiler takes', () => {
    expect(written.files).toHaveLength(page.examples.length)
    expect(written.problems()).toEqual([])
  })

  it.concurrent.each(page.examples.map((code, i) => [i + 1, code] as const))(
    'example %i prints what it says',
    async (number, code) => {
      const expected = printedBy(code)
      const { stdout, stderr } = await run(TSX, [written.files[number - 1] ?? ''])
      expect(stderr).toBe('')
      expect(stdout.trimEnd().split('\n')).toEqual(expected)
      expect(expected.length).toBeGreaterThan(0)
    },
  )

  it('has a hash for what kafkajs 1 wrote, equal to all of kafkajs’s own values', async () => {
    const golden = JSON.parse(readFileSync(path.join(ROOT, 'test/fixtures/golden.json'), 'utf8')) as {
      murmur2LegacyKafkaJS: { vectors: { inputUtf8: string; hash: number }[] }
    }
    const [code] = /function legacyHash[\s\S]*?\n}\n/.exec(page.text) ?? ['']
    const javascript = ts.transpile(`export ${code}`, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext })
    const file = path.join(written.folder, 'legacy.mjs')
    writeFileSync(file, javascript)
    const { legacyHash } = (await import(file)) as { legacyHash: (key: Uint8Array) => number }
    const { vectors } = golden.murmur2LegacyKafkaJS
    expect(vectors.map(({ inputUtf8 }) => legacyHash(Buffer.from(inputUtf8)))).toEqual(vectors.map(({ hash }) => hash))
  })

  it('has a row for every name', () => {
    for (const name of partitionerNames) expect(page.text).toMatch(new RegExp(`^\\| \`'${name}'\` \\|`, 'm'))
  })
})
