/** The server side of Kafka's own SASL mechanisms, as a process that answers. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory, makeOnce } from '../support/kafka/cache.ts'
import { ensureJars } from '../support/kafka/jars.ts'
import { findJava, requireCompiler } from '../support/kafka/java-installation.ts'
import { LineProcess } from '../support/kafka/line-process.ts'
import { runCommand } from '../support/kafka/run-command.ts'
import { NEWEST_VERSION } from '../support/kafka/versions.ts'

const SOURCE = fileURLToPath(new URL('java/SaslOracle.java', import.meta.url))

/** @throws {BrokersUnavailable} no Java, no `javac`, or the jars cannot be downloaded. */
export async function startJavaSasl(): Promise<LineProcess> {
  const [installation, jars] = await Promise.all([findJava(), ensureJars(NEWEST_VERSION)])
  const hash = createHash('sha256').update(`sasl ${NEWEST_VERSION} ${installation.fingerprint}`)
  hash.update(await readFile(SOURCE))
  const classes = path.join(cacheDirectory(), 'classes', hash.digest('hex').slice(0, 20))
  await makeOnce(classes, async (folder) => {
    const javac = requireCompiler(installation)
    await runCommand(javac, ['-nowarn', '-proc:none', '-cp', jars.classPath, '-d', folder, SOURCE])
  })
  const flags = ['-Xmx256m', '-XX:+UseSerialGC', '-Xshare:auto', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  return new LineProcess(installation.java, [
    ...flags,
    '-cp',
    [jars.classPath, classes].join(path.delimiter),
    'SaslOracle',
  ])
}
