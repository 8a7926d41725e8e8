import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectionOptions } from '../../src/cli/connection-options.ts'
import { Producer } from '../../src/index.ts'
import { DocsPage, ExampleFiles } from '../support/docs-examples.ts'
import { runCli } from '../support/run-cli.ts'
import { Authority } from '../support/tls/authority.ts'

const page = new DocsPage('security.md')
const configurations = [...page.text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = '']) => json)
const folder = mkdtempSync(join(tmpdir(), 'headrace-docs-'))
const env = {
  ...{ KAFKA_PASSWORD: 'x', API_KEY: 'x', API_SECRET: 'x', EVENT_HUBS_CONNECTION_STRING: 'x' },
  ...{ AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' },
}

beforeAll(async () => {
  const authority = await Authority.root('the root')
  const own = await authority.issue({ usage: 'clientAuth' })
  const files = {
    'ca.pem': authority.cert,
    'service.cert': own.cert,
    'service.key': own.key,
    'ca/ca.crt': authority.cert,
    'user/password': 'x',
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text, { mode: 0o600 })
  }
  await authority.remove()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('docs/security.md', () => {
  test('has examples that compile', () => {
    const written = new ExampleFiles(page.examples)
    expect(written.files.length).toBeGreaterThan(3)
    expect(written.problems()).toEqual([])
    written.remove()
  }, 30_000)

  test('has configuration files that the library takes', async () => {
    expect(configurations.length).toBeGreaterThan(8)
    for (const [i, json] of configurations.entries()) {
      const config = join(folder, `${i}.json`)
      writeFileSync(config, json)
      const { options } = connectionOptions({ config }, {}, { env, warn: (message) => expect.fail(message) })
      await new Producer(options).close()
    }
  })

  test('names every flag for security, and no other', async () => {
    const { stdout } = await runCli(['check', '--help'])
    const flagsOf = (text: string): Set<string> => new Set(text.match(/--[a-z][\w-]+/g))
    const { known, named } = { known: flagsOf(stdout), named: flagsOf(page.text) }
    const others = new Set(['--password', '--file'])
    expect([...named].filter((flag) => !known.has(flag) && !others.has(flag))).toEqual([])
    const security = [...known].filter((flag) => !['--help'].includes(flag))
    expect(security.filter((flag) => !named.has(flag))).toEqual([])
  })
})
