import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { partitionerNames } from '../../src/partitioner/named.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSX = path.join(ROOT, 'node_modules/.bin/tsx')
const text = readFileSync(path.join(ROOT, 'docs/partitioning.md'), 'utf8')
const examples = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code)

/** With our sources in place of the package. */
function fromSources(code: string): string {
  const source = (file: string): string => JSON.stringify(path.join(ROOT, 'src', file))
  return code
    .replaceAll("'headrace/testing'", source('testing/test-cluster.ts'))
    .replaceAll("'headrace'", source('index.ts'))
}

describe('docs/partitioning.md', () => {
  let folder: string
  let files: string[]

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'headrace-docs-'))
    files = examples.map((_, i) => path.join(folder, `example-${i}.mts`))
    for (const [i, file] of files.entries()) writeFileSync(file, fromSources(examples[i] ?? ''))
  })

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it('has examples that a strict compiler takes', () => {
    const { config } = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (file) => ts.sys.readFile(file))
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT)
    const program = ts.createProgram(files, {
      ...options,
      noEmit: true,
      rewriteRelativeImportExtensions: false,
      types: ['node'],
    })
    const problems = files.flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)))
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
  })

  it.concurrent.each(examples.map((code, i) => [i + 1, code] as const))(
    'example %i prints what it says',
    async (number, code) => {
      const expected = [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, printed]) => printed)
      const { stdout, stderr } = await run(TSX, [files[number - 1] ?? ''])
      expect(stderr).toBe('')
      expect(stdout.trimEnd().split('\n')).toEqual(expected)
      expect(expected.length).toBeGreaterThan(0)
    },
  )

  it('has a hash for what kafkajs 1 wrote, equal to all of kafkajs’s own values', async () => {
    const golden = JSON.parse(readFileSync(path.join(ROOT, 'test/fixtures/golden.json'), 'utf8')) as {
      murmur2LegacyKafkaJS: { vectors: { inputUtf8: string; hash: number }[] }
    }
    const [code] = /function legacyHash[\s\S]*?\n}\n/.exec(text) ?? ['']
    const javascript = ts.transpile(`export ${code}`, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext })
    const file = path.join(folder, 'legacy.mjs')
    writeFileSync(file, javascript)
    const { legacyHash } = (await import(file)) as { legacyHash: (key: Uint8Array) => number }
    const { vectors } = golden.murmur2LegacyKafkaJS
    expect(vectors.map(({ inputUtf8 }) => legacyHash(Buffer.from(inputUtf8)))).toEqual(vectors.map(({ hash }) => hash))
  })

  it('has a row for every name', () => {
    for (const name of partitionerNames) expect(text).toMatch(new RegExp(`^\\| \`'${name}'\` \\|`, 'm'))
  })
})
