/** AWS's own client for MSK, as a process that answers. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory, makeOnce } from '../support/kafka/cache.ts'
import { ensureJars } from '../support/kafka/jars.ts'
import { BrokersUnavailable, findJava, findMaven, requireCompiler } from '../support/kafka/java-installation.ts'
import { LineProcess } from '../support/kafka/line-process.ts'
import { withLock } from '../support/kafka/lock.ts'
import { runCommand } from '../support/kafka/run-command.ts'
import { NEWEST_VERSION } from '../support/kafka/versions.ts'

const SOURCE = fileURLToPath(new URL('java/AwsOracle.java', import.meta.url))
const VERSION = '2.3.5'
/** With the SDK in it. */
const ARTIFACT = `software.amazon.msk:aws-msk-iam-auth:${VERSION}:jar:all`

/** @throws {BrokersUnavailable} no Java, no `javac`, no Maven, or the jars cannot be downloaded. */
export async function startAwsClient(): Promise<LineProcess> {
  const [installation, kafka, plugin] = await Promise.all([findJava(), ensureJars(NEWEST_VERSION), pluginJar()])
  const hash = createHash('sha256').update(`aws ${VERSION} ${NEWEST_VERSION} ${installation.fingerprint}`)
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

/** Downloaded with Maven at the first call on this machine. */
async function pluginJar(): Promise<string> {
  const folder = path.join(cacheDirectory(), 'aws-msk-iam-auth', VERSION)
  await withLock(path.join(cacheDirectory(), 'maven.lock'), () =>
    makeOnce(folder, async (to) => {
      const args = ['-q', '-B', 'dependency:copy', `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${to}`]
      await runCommand(await findMaven(), args, { cwd: to, timeoutMs: 300_000 }).catch((cause: unknown) => {
        throw new BrokersUnavailable(`Maven could not download ${ARTIFACT}. Is there a network?`, { cause })
      })
    }),
  )
  const [jar = ''] = (await readdir(folder)).filter((name) => name.endsWith('.jar'))
  return path.join(folder, jar)
}
