import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory, makeOnce } from '../kafka/cache.ts'
import { ensureJars } from '../kafka/jars.ts'
import { findJava, requireCompiler } from '../kafka/java-installation.ts'
import { runCommand } from '../kafka/run-command.ts'

const SOURCES = fileURLToPath(new URL('java/', import.meta.url))
const FLAGS = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']
const LOGGING = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=error']

/**
 * The command that runs a class of `java/` with Kafka's clients; compiled at the first call on this machine.
 *
 * @throws {BrokersUnavailable} no Java, no `javac`, or the jars cannot be downloaded.
 */
export async function javaCommand(
  className: 'ChaosAdmin' | 'LogReader',
  version: string,
): Promise<{ readonly java: string; readonly args: readonly string[] }> {
  const [installation, jars] = await Promise.all([findJava(), ensureJars(version)])
  const javac = requireCompiler(installation)
  const names = (await readdir(SOURCES)).filter((name) => name.endsWith('.java')).sort()
  const files = names.map((name) => path.join(SOURCES, name))
  const hash = createHash('sha256').update(`chaos ${version} ${installation.fingerprint}`)
  for (const file of files) hash.update(await readFile(file))
  const classes = path.join(cacheDirectory(), 'classes', hash.digest('hex').slice(0, 20))
  await makeOnce(classes, async (folder) => {
    await runCommand(javac, ['-nowarn', '-proc:none', '-cp', jars.classPath, '-d', folder, ...files])
  })
  const classPath = [jars.classPath, classes].join(path.delimiter)
  return { java: installation.java, args: [...FLAGS, ...LOGGING, '-cp', classPath, className] }
}
