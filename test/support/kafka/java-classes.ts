import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory, makeOnce } from './cache.ts'
import { requireCompiler, type JavaInstallation } from './java-installation.ts'
import type { JarSet } from './jars.ts'
import { runCommand } from './run-command.ts'

/**
 * The folder with the classes of all sources in `folder` (relative to `java/`), compiled at the first call on this machine.
 *
 * @throws {BrokersUnavailable} a JRE without a compiler.
 */
export async function compileJava(folder: string, installation: JavaInstallation, jars: JarSet): Promise<string> {
  const sources = fileURLToPath(new URL(path.join('java', folder), import.meta.url))
  const javac = requireCompiler(installation)
  const names = (await readdir(sources)).filter((name) => name.endsWith('.java')).sort()
  const files = names.map((name) => path.join(sources, name))
  const hash = createHash('sha256').update(`${jars.home} ${installation.fingerprint}`)
  for (const file of files) hash.update(await readFile(file))
  const classes = path.join(cacheDirectory(), 'classes', hash.digest('hex').slice(0, 20))
  await makeOnce(classes, async (to) => {
    await runCommand(javac, ['-nowarn', '-proc:none', '-cp', jars.classPath, '-d', to, ...files])
  })
  return classes
}
