import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { leaksInText, secretsOfRun } from './canary.ts'

/** What `npm test` says at its end: how many secrets there were, and where one of them was printed. */
export interface Scan {
  readonly secrets: number
  readonly bytes: number
  /** A sentence for each, without the secret. */
  readonly leaks: readonly string[]
}

/**
 * Searches what a run has printed for the secrets of that run.
 *
 * @param folder has the files of `canarySecret`, and what was printed as `*.log`.
 */
export function scanOutput(folder: string): Scan {
  const secrets = secretsOfRun(folder)
  const files = readdirSync(folder).filter((name) => name.endsWith('.log'))
  const texts = files.map((name) => ({
    name,
    text: stripVTControlCharacters(readFileSync(join(folder, name), 'utf8')),
  }))
  const leaks = texts.flatMap(({ name, text }) =>
    leaksInText(text, secrets).map(({ label, form, at }) => {
      const line = text.slice(0, at).split('\n').length
      return `${basename(name, '.log')}, line ${line}: ${label}, ${form}`
    }),
  )
  return { secrets: secrets.size, bytes: texts.reduce((sum, { text }) => sum + text.length, 0), leaks }
}
