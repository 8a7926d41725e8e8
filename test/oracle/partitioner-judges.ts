/** Kafka's own BuiltInPartitioner and librdkafka's partitioners, as processes that answer. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory, makeOnce } from '../support/kafka/cache.ts'
import { ensureJars } from '../support/kafka/jars.ts'
import { findJava, requireCompiler } from '../support/kafka/java-installation.ts'
import { LineProcess } from '../support/kafka/line-process.ts'
import { runCommand } from '../support/kafka/run-command.ts'
import { NEWEST_VERSION } from '../support/kafka/versions.ts'

const SOURCE = fileURLToPath(new URL('java/PartitionerOracle.java', import.meta.url))
const MAIN = 'org.apache.kafka.clients.producer.internals.PartitionerOracle'
const LIBRDKAFKA = fileURLToPath(new URL('librdkafka_partitioners.py', import.meta.url))

/** @throws {BrokersUnavailable} no Java, no `javac`, or the jars cannot be downloaded. */
export async function startJavaPartitioners(): Promise<LineProcess> {
  const [installation, jars] = await Promise.all([findJava(), ensureJars(NEWEST_VERSION)])
  const hash = createHash('sha256').update(`partitioner ${NEWEST_VERSION} ${installation.fingerprint}`)
  hash.update(await readFile(SOURCE))
  const classes = path.join(cacheDirectory(), 'classes', hash.digest('hex').slice(0, 20))
  await makeOnce(classes, async (folder) => {
    const javac = requireCompiler(installation)
    await runCommand(javac, ['-nowarn', '-proc:none', '-cp', jars.classPath, '-d', folder, SOURCE])
  })
  const flags = ['-Xmx256m', '-XX:+UseSerialGC', '-Xshare:auto', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  return new LineProcess(installation.java, [...flags, '-cp', [jars.classPath, classes].join(path.delimiter), MAIN])
}

/** Needs what `startForeignBroker('librdkafka-mock')` has installed. */
export async function startLibrdkafkaPartitioners(): Promise<LineProcess> {
  const folder = path.join(cacheDirectory(), 'python')
  const [newest] = (await readdir(folder)).filter((name) => /^confluent-kafka-[\d.]+$/.test(name)).reverse()
  if (newest === undefined) throw new Error(`no confluent-kafka in ${folder}`)
  return new LineProcess(path.join(folder, newest, 'bin', 'python'), [LIBRDKAFKA])
}

export function base64(key: Uint8Array | null): string | null {
  return key === null ? null : Buffer.from(key).toString('base64')
}
