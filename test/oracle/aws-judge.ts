/** AWS's own client for MSK, as a process that answers. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { AWS_PLUGIN_VERSION, awsPluginJar } from '../support/kafka/aws-plugin.ts'
import { cacheDirectory, makeOnce } from '../support/kafka/cache.ts'
import { ensureJars } from '../support/kafka/jars.ts'
import { findJava, requireCompiler } from '../support/kafka/java-installation.ts'
import { LineProcess } from '../support/kafka/line-process.ts'
import { runCommand } from '../support/kafka/run-command.ts'
import { NEWEST_VERSION } from '../support/kafka/versions.ts'

const SOURCE = fileURLToPath(new URL('java/AwsOracle.java', import.meta.url))

/** @throws {BrokersUnavailable} no Java, no `javac`, no Maven, or the jars cannot be downloaded. */
export async function startAwsClient(): Promise<LineProcess> {
  const [installation, kafka, plugin] = await Promise.all([findJava(), ensureJars(NEWEST_VERSION), awsPluginJar()])
  const hash = createHash('sha256').update(`aws ${AWS_PLUGIN_VERSION} ${NEWEST_VERSION} ${installation.fingerprint}`)
  hash.update(await readFile(SOURCE))
  const classes = path.join(cacheDirectory(), 'classes', hash.digest('hex').slice(0, 20))
  const jars = [kafka.classPath, plugin].join(path.delimiter)
  await makeOnce(classes, async (folder) => {
    const javac = requireCompiler(installation)
    await runCommand(javac, ['-nowarn', '-proc:none', '-cp', jars, '-d', folder, SOURCE])
  })
  const flags = ['-Xmx256m', '-XX:+UseSerialGC', '-Xshare:auto', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  return new LineProcess(installation.java, [...flags, '-cp', [jars, classes].join(path.delimiter), 'AwsOracle'])
}
