import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { cacheDirectory, exists, makeOnce } from './cache.ts'
import { BrokersUnavailable, findMaven } from './java-installation.ts'
import { withLock } from './lock.ts'
import { runCommand } from './run-command.ts'
import { KAFKA_TOOLS, kafkaVersion } from './versions.ts'

export { BrokersUnavailable, findJava, findMaven } from './java-installation.ts'

const DOWNLOAD_TIMEOUT_MS = 600_000

export interface JarSet {
  /** The folder around `lib`: things made from exactly these jars are kept here as well. */
  readonly home: string
  /** Every jar by name in a fixed order, because a class archive is valid for one exact class path only. */
  readonly classPath: string
}

/**
 * The jars of one Kafka version, downloaded with Maven at the first call on this machine.
 *
 * @throws {BrokersUnavailable} `mvn` is missing, or could not download.
 */
export async function ensureJars(version: string, onDownload?: () => void): Promise<JarSet> {
  return ensureLibrary(brokerHome(version), kafkaVersion(version).artifacts, onDownload)
}

/** Kafka's command line tools. @throws {BrokersUnavailable} as `ensureJars`. */
export async function ensureToolJars(onDownload?: () => void): Promise<JarSet> {
  const home = path.join(cacheDirectory(), 'kafka-tools', KAFKA_TOOLS.version)
  return ensureLibrary(home, KAFKA_TOOLS.artifacts, onDownload)
}

/** Whether `ensureJars` would need neither Maven nor the network. */
export async function jarsAreCached(version: string): Promise<boolean> {
  return exists(path.join(brokerHome(version), 'lib'))
}

function brokerHome(version: string): string {
  return path.join(cacheDirectory(), 'kafka', version)
}

async function ensureLibrary(home: string, artifacts: readonly string[], onDownload?: () => void): Promise<JarSet> {
  const lib = path.join(home, 'lib')
  if (!(await exists(lib))) {
    const maven = await findMaven()
    onDownload?.()
    // One lock for all versions: they share Maven's local repository.
    await withLock(path.join(cacheDirectory(), 'maven.lock'), () =>
      makeOnce(lib, (to) => download(maven, artifacts, to)),
    )
  }
  const jars = (await readdir(lib)).filter((name) => name.endsWith('.jar')).sort()
  return { home, classPath: jars.map((name) => path.join(lib, name)).join(path.delimiter) }
}

async function download(maven: string, artifacts: readonly string[], folder: string): Promise<void> {
  const work = path.join(folder, 'maven')
  await mkdir(work)
  await writeFile(path.join(work, 'pom.xml'), pom(artifacts))
  const args = ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${work}/jars`]
  await runCommand(maven, args, { cwd: work, timeoutMs: DOWNLOAD_TIMEOUT_MS }).catch((error: unknown) => {
    const what = `Maven could not download ${artifacts.join(', ')}. Is there a network? Try again, or set HEADRACE_CACHE`
    throw new BrokersUnavailable(`${what} to a folder that holds the jars.\n${String(error)}`, { cause: error })
  })
  for (const name of await readdir(path.join(work, 'jars'))) {
    await rename(path.join(work, 'jars', name), path.join(folder, name))
  }
  await rm(work, { recursive: true })
}

function pom(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((coordinates) => {
    const [group = '', artifact = '', version = ''] = coordinates.split(':')
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
  })
  return `<project><modelVersion>4.0.0</modelVersion>
<groupId>headrace.test</groupId><artifactId>jars</artifactId><version>1</version>
<dependencies>${dependencies.join('\n')}</dependencies></project>
`
}
