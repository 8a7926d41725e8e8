/** The options table of the README, from the option table of the code. `--write` puts it there; a test compares. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { producerOptionTable } from '../src/producer/options.ts'
import type { OptionSpec } from '../src/options.ts'

export const README = fileURLToPath(new URL('../README.md', import.meta.url))
const START = /<!-- options: [^\n]*-->\n/
const END = '<!-- /options -->'

export function optionsTable(table: Readonly<Record<string, OptionSpec<unknown>>> = producerOptionTable): string {
  const rows = Object.entries(table).map(([name, { type, defaultText, kafka, doc }]) =>
    row([`\`${name}\``, type, defaultText, kafka === undefined ? '' : `\`${kafka}\``, doc]),
  )
  return [
    row(['Option', 'Value', 'Default', 'Kafka', 'What it does']),
    row(['---', '---', '---', '---', '---']),
    ...rows,
    '',
  ].join('\n')
}

/** The README with a fresh table in it. */
export function withOptionsTable(readme: string): string {
  const start = START.exec(readme)
  if (start === null) throw new Error('README.md has no place for the options table')
  const from = start.index + start[0].length
  return readme.slice(0, from) + optionsTable() + readme.slice(readme.indexOf(END, from))
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

if (process.argv.includes('--write')) writeFileSync(README, withOptionsTable(readFileSync(README, 'utf8')))
