import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { README, withOptionsTable } from '../scripts/options-table.ts'
import { VERSION } from '../src/version.ts'

describe('README.md', () => {
  const readme = readFileSync(README, 'utf8')

  it('has the options as the code has them (npx tsx scripts/options-table.ts --write)', () => {
    expect(withOptionsTable(readme)).toBe(readme)
  })

  it('names the two commands', () => {
    expect(readme).toContain('npm ci && npm run demo')
    expect(readme).toContain('npm ci && npm test')
  })
})

describe('VERSION', () => {
  it('is that of package.json', () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect(VERSION).toBe(version)
  })
})
