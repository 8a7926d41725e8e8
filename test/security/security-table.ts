import { readFileSync, writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import { SECURITY, type Rule } from './matrix.ts'

const FILE = fileURLToPath(new URL('../../SECURITY.md', import.meta.url))
const BEGIN = '<!-- the table: npx tsx test/security/security-table.ts -->'
const END = '<!-- the end of the table -->'

/** SECURITY.md, with the table as it should be. */
export function withTable(text: string): string {
  const [before, rest = ''] = text.split(BEGIN)
  const after = rest.split(END)[1]
  if (before === undefined || after === undefined) throw new Error('SECURITY.md: the marks of the table are missing')
  const head = '| Rule | | Held by |\n|---|---|---|'
  return `${before}${BEGIN}\n${head}\n${SECURITY.map(row).join('\n')}\n${END}${after}`
}

export function readSecurity(): string {
  return readFileSync(FILE, 'utf8')
}

function row({ id, rule, tests = [], why = '' }: Rule): string {
  const parts = [...byFile(tests)].map(([file, names]) => {
    const quoted = names.map((name) => `\u201c${name}\u201d`).join(', ')
    return quoted === '' ? `\`${file}\`` : `\`${file}\`: ${quoted}`
  })
  return `| ${id} | ${cell(rule)} | ${[...parts, why]
    .filter((part) => part !== '')
    .map(cell)
    .join('<br>')} |`
}

function byFile(tests: readonly string[]): Map<string, string[]> {
  const names = new Map<string, string[]>()
  for (const test of tests) {
    const [file = '', ...rest] = test.split(' > ')
    const name = rest.join(' > ')
    names.set(file, [...(names.get(file) ?? []), ...(name === '' ? [] : [name])])
  }
  return names
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FILE, withTable(readSecurity()))
