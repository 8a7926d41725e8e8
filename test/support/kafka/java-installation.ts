import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { execFile } from 'node:child_process'

/** A real broker cannot run on this machine; the message says what is missing and how to get it. */
export class BrokersUnavailable extends Error {
  override readonly name = 'BrokersUnavailable'
}

const HOW_TO_GET_JAVA = 'e.g. `apt-get install openjdk-17-jdk-headless maven` or `brew install openjdk@17 maven`'

export interface JavaInstallation {
  readonly java: string
  /** Missing when only a JRE is installed: brokers run then, but the readers cannot be compiled. */
  readonly javac: string | undefined
  /** Identifies the exact virtual machine: a class archive made by one is useless to another. */
  readonly fingerprint: string
}

/** @throws {BrokersUnavailable} no working `java`. */
export async function findJava(): Promise<JavaInstallation> {
  const home = process.env['JAVA_HOME']
  const first = home === undefined ? [] : [path.join(home, 'bin')]
  const java = await findProgram('java', first)
  if (java === undefined) throw new BrokersUnavailable(`No \`java\` (17 or newer) on the PATH: ${HOW_TO_GET_JAVA}`)
  const { stderr } = await promisify(execFile)(java, ['-version']).catch((error: unknown) => {
    throw new BrokersUnavailable(`${java} does not run: ${HOW_TO_GET_JAVA}`, { cause: error })
  })
  const fingerprint = createHash('sha256').update(java).update(stderr).digest('hex').slice(0, 12)
  return { java, javac: await findProgram('javac', first), fingerprint }
}

/** @throws {BrokersUnavailable} no `mvn`; it is needed only until the jars are in the cache. */
export async function findMaven(): Promise<string> {
  return needProgram('mvn', 'to download Apache Kafka', HOW_TO_GET_JAVA)
}

/** @throws {BrokersUnavailable} no `openssl`; it is needed only for clusters with security. */
export async function findOpenssl(): Promise<string> {
  return needProgram('openssl', 'to make certificates', 'e.g. `apt-get install openssl`')
}

/** @throws {BrokersUnavailable} no `keytool`; every Java brings it. */
export async function findKeytool(): Promise<string> {
  return needProgram('keytool', 'to make a trust store for brokers before 2.7', HOW_TO_GET_JAVA)
}

/** @throws {BrokersUnavailable} a JRE without a compiler. */
export function requireCompiler(installation: JavaInstallation): string {
  if (installation.javac !== undefined) return installation.javac
  throw new BrokersUnavailable(`${installation.java} comes without \`javac\`: ${HOW_TO_GET_JAVA}`)
}

/** @throws {BrokersUnavailable} no such program on the PATH. */
export async function needProgram(name: string, why: string, howTo: string): Promise<string> {
  const found = await findProgram(name)
  if (found === undefined) throw new BrokersUnavailable(`No \`${name}\` on the PATH, needed ${why}: ${howTo}`)
  return found
}

async function findProgram(name: string, first: readonly string[] = []): Promise<string | undefined> {
  const folders = [...first, ...(process.env['PATH'] ?? '').split(path.delimiter)].filter((folder) => folder !== '')
  for (const folder of folders) {
    const candidate = path.join(folder, name)
    const runs = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (runs) return candidate
  }
  return undefined
}
