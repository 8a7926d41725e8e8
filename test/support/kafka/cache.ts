import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'

/** Where downloads, compiled readers and the list of running clusters live: never inside the repository. */
export function cacheDirectory(): string {
  return process.env['HEADRACE_CACHE'] ?? path.join(homedir(), '.cache', 'headrace')
}

export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

/**
 * Makes `target` by filling a temporary folder beside it and renaming that: readers see all of it or nothing.
 *
 * Two processes may do this at once; the first rename wins and the other's work is thrown away.
 */
export async function makeOnce(target: string, fill: (folder: string) => Promise<void>): Promise<void> {
  if (await exists(target)) return
  await mkdir(path.dirname(target), { recursive: true })
  const folder = await mkdtemp(`${target}.tmp-`)
  try {
    await fill(folder)
    await rename(folder, target).catch(async (error: unknown) => {
      if (!(await exists(target))) throw error
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
