import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { UsageError } from '../exit-code.ts'

/**
 * One file for two purposes is a slip, and a dear one: what goes to `--errors` would be read as rows, or be added to the
 * configuration.
 *
 * @param files by flag. @throws {UsageError} two of them are the same file.
 */
export function checkDistinct(files: Readonly<Record<string, string | undefined>>): void {
  const flags = new Map<string, string>()
  for (const [flag, path] of Object.entries(files)) {
    if (path === undefined || path === '-') continue
    const place = placeOf(path)
    if (place === null) continue
    const other = flags.get(place)
    if (other !== undefined) throw new UsageError(`--${flag} and --${other} are the same file, ${path}`)
    flags.set(place, flag)
  }
}

/** Null: a terminal, or /dev/null, which may well be named twice. */
function placeOf(path: string): string | null {
  try {
    return statSync(path).isFile() ? realpathSync(path) : null
  } catch {
    return resolve(path) // it is not there yet
  }
}
