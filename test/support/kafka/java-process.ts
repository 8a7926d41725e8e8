import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory, makeOnce } from './cache.ts'
import { ensureJars } from './jars.ts'
import { findJava, requireCompiler } from './java-installation.ts'
import { LineProcess } from './line-process.ts'
import { runCommand } from './run-command.ts'

const SOURCES = fileURLToPath(new URL('java/', import.meta.url))

/**
 * Starts `java/KafkaHelper.java` on the clients of one Kafka version, compiled at the first call on this machine.
 *
 * @throws {BrokersUnavailable} no Java, no `javac`, or the jars cannot be downloaded.
 */
export async function startJavaProcess(clientsVersion: string): Promise<LineProcess> {
  const [installation, jars] = await Promise.all([findJava(), ensureJars(clientsVersion)])
  const javac = requireCompiler(installation)
  const names = (await readdir(SOURCES)).filter((name) => name.endsWith('.java')).sort()
  const files = names.map((name) => path.join(SOURCES, name))
  const hash = createHash('sha256').update(`${clientsVersion} ${installation.fingerprint}`)
  for (const file of files) hash.update(await readFile(file))
  const classes = path.join(cacheDirectory(), 'classes', hash.digest('hex').slice(0, 20))
  await makeOnce(classes, async (folder) => {
    await runCommand(javac, ['-nowarn', '-proc:none', '-cp', jars.classPath, '-d', folder, ...files])
  })
  const flags = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']
  const logging = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  const classPath = [jars.classPath, classes].join(path.delimiter)
  return new LineProcess(installation.java, [...flags, ...logging, '-cp', classPath, 'KafkaHelper'])
}
