import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Target } from './targets.ts'

export const CORPUS = fileURLToPath(new URL('../../fuzz/corpus/', import.meta.url))
export const FINDINGS = fileURLToPath(new URL('../../fuzz/findings/', import.meta.url))

/** An input and who it is for. In files: a line of the target's name and the bytes as hex; `#` begins a comment. */
export interface Input {
  readonly target: string
  readonly bytes: Buffer
}

export function readInputs(file: string): Input[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [target = '', hex = ''] = line.split(' ')
      return { target, bytes: Buffer.from(hex, 'hex') }
    })
}

/** Everything that the repository keeps. */
export function readCorpus(directory = CORPUS): Input[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .flatMap((name) => readInputs(join(directory, name)))
}

/** Adds inputs to the corpus: a file per family, sorted, each input once. */
export function saveCorpus(inputs: readonly (Input & { readonly family: string })[], directory = CORPUS): void {
  mkdirSync(directory, { recursive: true })
  const families = new Map<string, Input[]>()
  for (const input of inputs) families.set(input.family, [...(families.get(input.family) ?? []), input])
  for (const [family, added] of families) {
    const file = join(directory, `${family.replace(/[^\w-]/g, '-')}.txt`)
    const known = existsSync(file) ? readInputs(file) : []
    const lines = new Set([...known, ...added].map(({ target, bytes }) => `${target} ${bytes.toString('hex')}`))
    writeFileSync(file, [...lines].sort().join('\n') + '\n')
  }
}

/** Writes down an input that broke something. @returns the file, which `--replay` takes. */
export function saveFinding(target: Target, bytes: Buffer, what: string, directory = FINDINGS): string {
  const hash = createHash('sha256').update(target.name).update(bytes).digest('hex').slice(0, 12)
  const file = join(directory, `${hash}.txt`)
  mkdirSync(dirname(file), { recursive: true })
  const shown = what.replaceAll('\n', '\n# ')
  const replay = `npm run fuzz -- --replay fuzz/findings/${hash}.txt`
  writeFileSync(file, `# ${shown}\n# ${replay}\n${target.name} ${bytes.toString('hex')}\n`)
  return file
}
