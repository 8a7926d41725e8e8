import { copyFile, mkdir, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { brokerConfig } from './broker-config.ts'
import { writeJaasFile } from './broker-security.ts'
import { exists } from './cache.ts'
import type { ClusterPlan, NodePlan } from './cluster-plan.ts'
import { ensureJars, type JarSet } from './jars.ts'
import { findJava, type JavaInstallation } from './java-installation.ts'
import { runCommand } from './run-command.ts'
import { kafkaVersion } from './versions.ts'
import { writeZooKeeperConfig } from './zookeeper-config.ts'

/** What starting a node takes, besides its plan: which java, which jars, and what was prepared from those. */
export interface BrokerRuntime {
  readonly java: JavaInstallation
  readonly jars: JarSet
  /** Loaded and linked classes of a broker that ran before (AppCDS): a node is up in 1 s instead of 3 s. */
  readonly classArchive: string
}

/** @throws {BrokersUnavailable} Java is missing, or the jars are and cannot be downloaded. */
export async function brokerRuntime(version: string, onDownload?: () => void): Promise<BrokerRuntime> {
  const [java, jars] = await Promise.all([findJava(), ensureJars(version, onDownload)])
  return { java, jars, classArchive: path.join(jars.home, `broker-${java.fingerprint}.jsa`) }
}

const LOG_FLAGS = ['showDateTime=true', 'dateTimeFormat=HH:mm:ss.SSS', 'showShortLogName=true'].map(
  (setting) => `-Dorg.slf4j.simpleLogger.${setting}`,
)

/** Arguments of `java` that run a class with the broker's jars. */
export async function javaArguments(
  runtime: BrokerRuntime,
  version: string,
  extraClassPath: readonly string[] = [],
): Promise<string[]> {
  const archive = (await exists(runtime.classArchive)) ? [`-XX:SharedArchiveFile=${runtime.classArchive}`] : []
  return [
    // Quiet about an archive that does not fit: the JVM goes on without it, only slower.
    ...['-Xmx400m', '-XX:+UseSerialGC', '-Xshare:auto', '-Xlog:cds=off', '-Xlog:cds+dynamic=off', ...archive],
    ...[...LOG_FLAGS, ...kafkaVersion(version).jvmFlags],
    // Ours first: an archive is valid for a class path that begins with the one it was made with.
    ...['-cp', [runtime.jars.classPath, ...extraClassPath].join(path.delimiter)],
  ]
}

/** Writes every node's configuration and prepares what its first start needs. */
export async function writeNodes(runtime: BrokerRuntime, plan: ClusterPlan): Promise<void> {
  await writeJaasFile(plan)
  for (const node of plan.nodes) {
    await mkdir(node.logDir, { recursive: true })
    await writeFile(node.configFile, brokerConfig(plan, node))
  }
  if (plan.zookeeper !== undefined) {
    // Nothing to format: brokers of this kind keep their metadata in ZooKeeper.
    await writeZooKeeperConfig(plan.zookeeper)
    return
  }
  const checkpoint = await bootstrapCheckpoint(runtime, plan)
  for (const node of plan.nodes) await formatByHand(plan, node, checkpoint)
}

/**
 * The first metadata of a new cluster: feature levels. Not the SCRAM users: Kafka's tool cannot write all names.
 *
 * That tool writes it into a directory of its own, and only once per version: a JVM per node would double the time that
 * a cluster takes to start.
 */
async function bootstrapCheckpoint(runtime: BrokerRuntime, plan: ClusterPlan): Promise<string> {
  const cached = path.join(runtime.jars.home, 'bootstrap.checkpoint')
  if (await exists(cached)) return cached
  const made = await formatWithTool(runtime, plan)
  await copyFile(made, `${cached}.${process.pid}`)
  await rename(`${cached}.${process.pid}`, cached)
  return cached
}

async function formatWithTool(runtime: BrokerRuntime, plan: ClusterPlan): Promise<string> {
  const folder = path.join(plan.folder, 'format')
  const [first] = plan.nodes
  if (first === undefined) throw new RangeError('A cluster needs a node')
  const template: NodePlan = {
    ...first,
    logDir: path.join(folder, 'data'),
    configFile: path.join(folder, 'properties'),
  }
  await mkdir(template.logDir, { recursive: true })
  await writeFile(template.configFile, brokerConfig({ ...plan, properties: {} }, template))
  await runCommand(runtime.java.java, [
    ...(await javaArguments(runtime, plan.version)),
    ...['kafka.tools.StorageTool', 'format', '-t', plan.kafkaClusterId, '-c', template.configFile],
  ])
  return path.join(template.logDir, 'bootstrap.checkpoint')
}

async function formatByHand(plan: ClusterPlan, node: NodePlan, checkpoint: string): Promise<void> {
  await copyFile(checkpoint, path.join(node.logDir, 'bootstrap.checkpoint'))
  const properties = `version=1\ncluster.id=${plan.kafkaClusterId}\nnode.id=${node.nodeId}\n`
  await writeFile(path.join(node.logDir, 'meta.properties'), properties)
}
