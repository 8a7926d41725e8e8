import path from 'node:path'
import { compileJava } from './java-classes.ts'
import { ensureJars } from './jars.ts'
import { findJava } from './java-installation.ts'
import { LineProcess } from './line-process.ts'

export interface JavaProcessOptions {
  readonly flags?: readonly string[]
  /** Jars or folders beside Kafka's own. */
  readonly classPath?: readonly string[]
}

/**
 * Starts `java/KafkaHelper.java` on the clients of one Kafka version, compiled at the first call on this machine.
 *
 * @throws {BrokersUnavailable} no Java, no `javac`, or the jars cannot be downloaded.
 */
export async function startJavaProcess(clientsVersion: string, options: JavaProcessOptions = {}): Promise<LineProcess> {
  const [installation, jars] = await Promise.all([findJava(), ensureJars(clientsVersion)])
  const classes = await compileJava('.', installation, jars)
  const flags = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', ...(options.flags ?? [])]
  const logging = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  const classPath = [jars.classPath, classes, ...(options.classPath ?? [])].join(path.delimiter)
  return new LineProcess(installation.java, [...flags, ...logging, '-cp', classPath, 'KafkaHelper'])
}
