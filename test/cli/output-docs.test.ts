import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readOutputConfig } from '../../src/cli/output/output-config.ts'
import {
  columnTypes,
  connectionSteps,
  KafkaOutput,
  outputFields,
  saslMechanisms,
  securityProtocols,
  validateOutput,
} from '../../src/output/output.ts'
import { DocsPage, ExampleFiles, printedBy, ROOT, TSX } from '../support/docs-examples.ts'
import { runCli } from '../support/run-cli.ts'

const MAX_BYTES = 30_000
const page = new DocsPage('output.md')
const named = new Set([...page.text.matchAll(/`([^`\n]+)`/g)].map(([, name = '']) => name))
const missing = (names: Iterable<string>): string[] => [...names].filter((name) => !named.has(name))

/** The members of a union type, or the channels of a table: names in quotes at the beginning of a line. */
function namesIn(file: string): string[] {
  const text = readFileSync(join(ROOT, 'src/output', file), 'utf8')
  return [...text.matchAll(/^ +(?:\| )?'([\w:.-]+)'(?: \/\/.*|: \{.*)?$/gm)].map(([, name = '']) => name)
}

describe('docs/output.md', () => {
  let written: ExampleFiles
  beforeAll(() => {
    const door = JSON.stringify(join(ROOT, 'src/output/output.ts'))
    written = new ExampleFiles(page.examples.map((code) => code.replaceAll("'headrace/output'", door)))
  })
  afterAll(() => written.remove())

  test('is not too long', () => {
    expect(Buffer.byteLength(page.text)).toBeLessThan(MAX_BYTES)
  })

  test('has examples that compile', () => {
    expect(written.problems()).toEqual([])
  }, 60_000)

  test('has examples that print what they say', () => {
    expect(page.examples).toHaveLength(2)
    for (const [i, code] of page.examples.entries()) {
      const run = spawnSync(TSX, [written.files[i] ?? ''], {
        encoding: 'utf8',
        env: { ...process.env, NODE_PATH: join(ROOT, 'node_modules') },
      })
      const lines = run.stdout === '' ? [] : run.stdout.trimEnd().split('\n')
      expect({ stderr: run.stderr, lines }).toEqual({ stderr: '', lines: printedBy(code) })
    }
  }, 60_000)

  test('has a configuration that the command takes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'headrace-docs-'))
    const [json = ''] = [...page.text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) => text)
    const file = join(folder, 'toll.json')
    writeFileSync(file, json, { mode: 0o600 })
    const surroundings = { env: { KAFKA_PASSWORD: 'x' }, warn: (message: string) => expect.fail(message) }
    const { output, input } = readOutputConfig(file, {}, surroundings)
    rmSync(folder, { recursive: true })
    expect(validateOutput(output)).toEqual([])
    expect(input).toMatchObject({ format: 'csv', delimiter: '\t', names: null, badRows: 'skip' })
  })

  test('names every property, and what it may be', () => {
    const properties = outputFields.map(({ property }) => property.split('.').at(-1) ?? '')
    const known = properties.filter((name) => !page.text.includes(name))
    expect(known).toEqual([])
    expect(missing(outputFields.map(({ property }) => property).filter((name) => !name.includes('.')))).toEqual([])
    expect(missing([...securityProtocols, ...saslMechanisms, ...columnTypes, ...connectionSteps])).toEqual([])
  })

  test('names every error, metric and channel', () => {
    for (const file of ['key-vault/key-vault-error.ts', 'output-error.ts', 'output-diagnostics.ts']) {
      expect(namesIn(file).length).toBeGreaterThan(4)
      expect(missing(namesIn(file))).toEqual([])
    }
    const errors = readFileSync(join(ROOT, 'src/output/types/conversion-error.ts'), 'utf8')
    const codes = [...errors.matchAll(/^ {2}([A-Z_]+): '(\w+\.\w+)'/gm)].flatMap(([, code = '', type = '']) => [
      code,
      type,
    ])
    expect(codes).toHaveLength(10)
    expect(missing(codes)).toEqual([])
    const common = { outputAlias: 'a', bootstrapServers: '127.0.0.1:9092', topic: 't', securityProtocol: 'None' }
    const output = new KafkaOutput({ ...common, serialization: 'Json' })
    expect(missing(Object.keys(output.metrics()))).toEqual([])
  })

  test('names every flag, and no other', async () => {
    const { stdout } = await runCli(['output', '--help'])
    const flagsOf = (text: string): Set<string> => new Set(text.match(/(?<![\w-])--[a-z][\w-]+/g))
    const [known, told] = [flagsOf(stdout), flagsOf(page.text.replaceAll(/`az [^`]+`/g, ''))]
    expect([...known].filter((flag) => !told.has(flag) && flag !== '--help')).toEqual([])
    expect([...told].filter((flag) => !known.has(flag))).toEqual([])
  })
})
