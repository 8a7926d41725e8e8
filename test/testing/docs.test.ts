import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FAULT_NAMES } from '../../src/testing/fault-options.ts'
import { TEST_CLUSTER_OPTIONS } from '../../src/testing/options.ts'
import { TestCluster } from '../../src/testing/test-cluster.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const text = readFileSync(path.join(ROOT, 'docs/test-cluster.md'), 'utf8')
const examples = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code)
const DOORS = { headrace: 'src/index.ts', 'headrace/testing': 'src/testing/test-cluster.ts' }

describe('docs/test-cluster.md', () => {
  let folder: string
  let files: string[]

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'headrace-docs-'))
    files = examples.map((code, i) => {
      const file = path.join(folder, `example-${i}.mts`)
      writeFileSync(file, throughTheDoors(code))
      return file
    })
  })

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it('has examples that compile', () => {
    const { config } = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (name) => readFileSync(name, 'utf8')) as {
      config: { compilerOptions: object }
    }
    const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT)
    const typeRoots = [path.join(ROOT, 'node_modules/@types')]
    const program = ts.createProgram(files, { ...options, typeRoots, rewriteRelativeImportExtensions: false })
    const own = program.getSourceFiles().filter(({ fileName }) => files.includes(fileName))
    const problems = own.flatMap((file) => [
      ...program.getSemanticDiagnostics(file),
      ...program.getSyntacticDiagnostics(file),
    ])
    expect(own).toHaveLength(files.length)
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
  })

  it('has examples that print what they say', () => {
    const all = path.join(folder, 'all.mts')
    const lines = files.map((file, i) => `console.log('example ${i}')\nawait import(${JSON.stringify(file)})`)
    writeFileSync(all, lines.join('\n'))
    const run = spawnSync(path.join(ROOT, 'node_modules/.bin/tsx'), [all], { encoding: 'utf8' })
    const expected = examples.flatMap((code, i) => [`example ${i}`, ...printedBy(code)])
    expect(run.stdout.trimEnd().split('\n')).toEqual(expected)
    expect(run.status).toBe(0)
    expect(examples.every((code) => printedBy(code).length > 0)).toBe(true)
  })

  it('has every option with its default', () => {
    const shown = Object.entries(TEST_CLUSTER_OPTIONS).filter(([name]) => name !== 'clock' && name !== 'transport')
    for (const [name, { defaultText }] of shown) expect(text).toContain(`| \`${name}\` | ${defaultText} | `)
  })

  it('has every part of a fault, and everything that a cluster can do', () => {
    const done = Object.getOwnPropertyNames(TestCluster.prototype).filter((name) => name !== 'constructor')
    for (const name of [...FAULT_NAMES, ...done]) expect(text).toMatch(new RegExp(`\`${name}[\`(]|\\.${name}\\(`))
  })
})

function throughTheDoors(code: string): string {
  let changed = code
  for (const [name, file] of Object.entries(DOORS)) {
    changed = changed.replaceAll(`from '${name}'`, `from ${JSON.stringify(path.join(ROOT, file))}`)
  }
  return changed
}

function printedBy(code: string): (string | undefined)[] {
  return [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, printed]) => printed)
}
