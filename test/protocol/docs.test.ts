import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apis } from '../../src/protocol/apis.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const text = readFileSync(path.join(ROOT, 'docs/protocol.md'), 'utf8')
const examples = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code)

describe('docs/protocol.md', () => {
  let folder: string
  let files: string[]

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'headrace-docs-'))
    const door = JSON.stringify(path.join(ROOT, 'src/protocol/protocol.ts'))
    files = examples.map((code, i) => {
      const file = path.join(folder, `example-${i}.mts`)
      writeFileSync(file, code.replaceAll("'headrace/protocol'", door))
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

  it.each(examples.map((code, i) => [i + 1, code] as const))('example %i prints what it says', (number, code) => {
    const expected = [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, printed]) => printed)
    const run = spawnSync(path.join(ROOT, 'node_modules/.bin/tsx'), [files[number - 1] ?? ''], { encoding: 'utf8' })
    expect(run.stderr).toBe('')
    expect(run.stdout.trimEnd().split('\n')).toEqual(expected)
    expect(expected.length).toBeGreaterThan(0)
  })

  it('has the table of messages as the schemas have it', () => {
    for (const { name, key, minVersion, maxVersion, flexibleFrom } of apis) {
      const flexible = flexibleFrom === Infinity ? 'never' : flexibleFrom
      expect(text).toContain(`| ${name} | ${key} | ${minVersion}-${maxVersion} | ${flexible} |`)
    }
  })
})
