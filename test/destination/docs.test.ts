import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConfiguration } from '../../src/cli/destination/configuration.ts'
import * as door from '../../src/destination/destination.ts'
import { AuthenticationError, ConnectionError, DeliveryError, ProtocolError } from '../../src/index.ts'
import { errorByName, toBrokerError } from '../../src/protocol/error-codes.ts'
import { differences } from '../oracle/segment/differences.ts'
import { DocsPage, ExampleFiles, printedBy, ROOT, TSX } from '../support/docs-examples.ts'

const MAX_BYTES = 35_000
const page = new DocsPage('destination.md')
const source = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
/** Names between backticks. */
const named = new Set([...page.text.matchAll(/`([^`\n]+)`/g)].map(([, name = '']) => name))
const missing = (names: Iterable<string>): string[] =>
  [...names].filter((name) => ![...named].some((each) => each === name || each.startsWith(`${name}:`)))

describe('docs/destination.md', () => {
  let written: ExampleFiles

  beforeAll(() => {
    const destination = JSON.stringify(join(ROOT, 'src/destination/destination.ts'))
    written = new ExampleFiles(page.examples.map((code) => code.replaceAll("'headrace/destination'", destination)))
  })
  afterAll(() => written.remove())

  test('has examples that compile', () => {
    expect(written.problems()).toEqual([])
  }, 60_000)

  test.each(page.examples.map((code, i) => [i + 1, code] as const))(
    'example %i prints what it says',
    (number, code) => {
      const run = spawnSync(TSX, [written.files[number - 1] ?? ''], { encoding: 'utf8' })
      expect(run.stderr).toBe('')
      expect(run.stdout.trimEnd().split('\n')).toEqual(printedBy(code))
      expect(printedBy(code).length).toBeGreaterThan(0)
    },
  )

  test('has a configuration that the command takes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'headrace-docs-'))
    const configurations = [...page.text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = '']) => json)
    expect(configurations).toHaveLength(1)
    for (const json of configurations) {
      const file = join(folder, 'kafka.json')
      writeFileSync(file, json)
      const warn = (message: string): never => expect.fail(message)
      const { options, listen } = readConfiguration(file, { env: { KAFKA_PASSWORD: 'x', WRITE_KEY: 'y' }, warn }, door)
      expect(options.mappings).toHaveLength(1)
      expect(listen.writeKeys).toEqual(['y'])
    }
    rmSync(folder, { recursive: true })
  })

  test('names every setting and field, with its label', () => {
    const rows = page.text.split('\n').filter((line) => line.startsWith('| `'))
    for (const { key, label } of [...door.settingsFields, ...door.sendFields]) {
      expect(
        rows.some((row) => row.includes(`\`${key}\``) && row.includes(label)),
        key,
      ).toBe(true)
    }
  })

  test('names every directive, option, code and number', () => {
    const directives = source('src/destination/mapping/resolve-fields.ts').match(/(?<=\[')@\w+/g) ?? []
    const known = /const KNOWN = \[([\s\S]*?)\n\]/.exec(source('src/destination/destination-options.ts'))?.[1] ?? ''
    const options = (known.match(/(?<=')\w+(?=')/g) ?? []).filter((name) => name !== 'clock')
    const codes = ['destination-error.ts', 'settings/problem.ts', 'mapping/mapping-error.ts'].flatMap(
      (file) => source(`src/destination/${file}`).match(/(?<=^ {2}\| ')[A-Z_]+/gm) ?? [],
    )
    const numbers = source('src/destination/metrics.ts').match(/(?<=')(?:kafka[._]|headrace:)[\w.:]+/g) ?? []
    expect([directives.length, options.length, codes.length, numbers.length].every((count) => count >= 6)).toBe(true)
    expect(missing([...directives, ...options, ...codes, ...numbers])).toEqual([])
  })

  test('gives each code the status that it has', () => {
    const rows = [...page.text.matchAll(/^\| (\d{3}) \| (yes|no) \| (.*?) \|/gm)]
    const seen = rows.flatMap(([, status = '', retry, codes = '']) =>
      [...codes.matchAll(/`([A-Z_]+)`/g)].flatMap(([, code = '']) => {
        const error = errorOf(code)
        if (error === null) return []
        expect(door.classifyFailure(error), code).toMatchObject({ status: Number(status), retry: retry === 'yes' })
        return [code]
      }),
    )
    expect(seen.length).toBeGreaterThan(30)
  })

  test('has the table of differences as it is tested', () => {
    const rows = differences.map(({ id, input, upstream, ours, because }) =>
      ['', `\`${id}\``, input, upstream, ours, because, ''].join(' | ').trim(),
    )
    const [, told = ''] = page.text.split("## What differs from Segment's own")
    expect(
      told
        .split('\n')
        .filter((line) => line.startsWith('| `'))
        .sort(),
    ).toEqual(rows.sort())
  })

  test('is no longer than what one reads', () => {
    expect(Buffer.byteLength(page.text)).toBeLessThan(MAX_BYTES)
  })
})

/** Null: a code of the destination's own. */
function errorOf(code: string): Error | null {
  const row = errorByName(code)
  const details = { retriable: true }
  if (/^(SASL|CERT|CLIENT_CERT|CREDENTIALS)/.test(code)) return new AuthenticationError(code as never, 'x')
  if (row !== undefined) return toBrokerError(row.code, 'x')
  if (/^PEER_/.test(code)) return new ConnectionError(code as never, 'x')
  if (/^(CONNECT|REQUEST_TIMEOUT)/.test(code)) return new ConnectionError(code as never, 'x', details)
  if (/^(INVALID_FRAME|CORRELATION)/.test(code)) return new ProtocolError(code as never, 'x')
  const isDelivery = source('src/errors.ts').includes(`\n  | '${code}'`)
  return isDelivery ? new DeliveryError(code as never, 'x') : null
}
