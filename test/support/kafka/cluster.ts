import { brokerRuntime, writeNodes, type BrokerRuntime } from './broker-runtime.ts'
import type { ServerIdentity } from './certificates.ts'
import { ensureClassArchive } from './class-archive.ts'
import {
  listenersOf,
  planCluster,
  zookeeperAddress,
  type AdvertisedHosts,
  type ClusterPlan,
  type Listeners,
} from './cluster-plan.ts'
import type { At } from './java-helper.ts'
import { addUsers, atCluster, checkSecurity, withCertificates } from './cluster-security.ts'
import * as control from './node-control.ts'
import type { WatchedProcess } from './watched-process.ts'

export { BrokersUnavailable } from './java-installation.ts'
export { NodeFailure } from './node-control.ts'
export type { Listeners } from './cluster-plan.ts'

export interface ClusterOptions {
  /** A row of `versions.ts`. */
  readonly version: string
  readonly nodes: 1 | 3
  /** Adds the listeners SSL, mTLS, SASL_PLAINTEXT and SASL_SSL, with users and certificates made on the spot. */
  readonly security?: boolean
  /** What the broker shows on its TLS listeners, instead of a certificate by the CA in `files`. Needs `security`. */
  readonly serverCertificate?: ServerIdentity
  /** Names that the broker's certificate is good for, beside localhost. */
  readonly dnsNames?: readonly string[]
  /**
   * Kafka's StandardAuthorizer: without `allow` (security-admin.ts) nobody with a name may do anything; who has none, on
   * `plaintext` and `ssl`, may do all. Needs `security`, and KRaft.
   */
  readonly authorizer?: boolean
  /** The host of a listener as clients hear of it, with the real port: a name to map, or one that leads nowhere. */
  readonly advertisedHosts?: AdvertisedHosts
  /** Broker properties; they win over the harness's own. */
  readonly properties?: Readonly<Record<string, string>>
  /** Jars or folders that a property names a class of. */
  readonly classPath?: readonly string[]
  /** The cluster ends after this, even if the owner goes on. */
  readonly ttlMs?: number
  readonly onProgress?: (progress: StartProgress) => void
}

export interface StartProgress {
  readonly step: 'downloading' | 'preparing' | 'starting'
  readonly nodesReady: number
  readonly nodes: number
}

export interface SecurityFiles {
  readonly ca?: string
  readonly clientCert?: string
  readonly clientKey?: string
}

export interface RunningZooKeeper {
  /** `host:port` */
  readonly address: string
  readonly pid: number
}

/** A running Apache Kafka on 127.0.0.1. Nodes are numbered from 1; arrays have node 1 first. */
export interface RealCluster {
  readonly id: string
  readonly version: string
  readonly listeners: Listeners
  /** For the readers: `{ ...cluster.at, topic }`. */
  readonly at: At
  /** Undefined in KRaft mode. */
  readonly zookeeper: RunningZooKeeper | undefined
  /** Name to password of those who are there from the start, valid for PLAIN and SCRAM; empty without security. */
  readonly users: Readonly<Record<string, string>>
  readonly files: SecurityFiles
  /** The last process of each node; a node that was started again has a new one. */
  readonly pids: readonly number[]
  readonly logDirs: readonly string[]
  /** SIGKILL; resolves when the process is gone. */
  kill(node: number): Promise<void>
  /** SIGTERM; resolves when the node has shut down in order. */
  stop(node: number): Promise<void>
  /** Starts dead nodes again on their data and ports; resolves when all running nodes see each other. */
  start(...nodes: number[]): Promise<void>
  /** SIGSTOP: connections stay open and nothing is answered. */
  pause(node: number): Promise<void>
  /** SIGCONT. */
  resume(node: number): Promise<void>
  /** Resolves when every node that runs and is not paused names all of these. */
  ready(): Promise<void>
  logTail(node: number, lines?: number): Promise<string>
  /** Ends all nodes and removes their data and logs, which HEADRACE_KEEP_LOGS=1 keeps. Again: nothing. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a real Kafka and resolves when it can be used. It ends with this process, however that ends.
 *
 * @throws {BrokersUnavailable} Java or Maven is missing, or the jars could not be downloaded.
 * @throws {NodeFailure} a node died or was not ready in time; the message holds the end of its log.
 */
export async function startCluster(options: ClusterOptions): Promise<RealCluster> {
  const { runtime, plan } = await launchCluster(options)
  return new ClusterHandle(runtime, plan)
}

/** A started cluster as data, with the processes to `detach()`: what the command line needs of it. */
export interface LaunchedCluster {
  readonly runtime: BrokerRuntime
  readonly plan: ClusterPlan
  readonly processes: readonly WatchedProcess[]
}

export async function launchCluster(options: ClusterOptions): Promise<LaunchedCluster> {
  const { version, nodes, onProgress } = options
  checkSecurity(options)
  const report = whenChanged((step, nodesReady) => onProgress?.({ step, nodesReady, nodes }))
  const runtime = await brokerRuntime(version, () => report('downloading', 0))
  await ensureClassArchive(runtime, version, () => report('preparing', 0))
  const attempt = () => tryLaunch(runtime, options, (ready) => report('starting', ready))
  return attempt().catch((error: unknown) => {
    // Between choosing a port and listening on it another process may have taken it. Once, that is bad luck.
    if (/Address already in use|BindException/.test(String(error))) return attempt()
    throw error
  })
}

type Report = (step: StartProgress['step'], nodesReady: number) => void

/** The nodes are asked forty times a second; nobody wants to hear "0 of 3" that often. */
function whenChanged(report: Report): Report {
  let last = ''
  return (step, nodesReady) => {
    if (last === `${step} ${nodesReady}`) return
    last = `${step} ${nodesReady}`
    report(step, nodesReady)
  }
}

async function tryLaunch(
  runtime: BrokerRuntime,
  options: ClusterOptions,
  onReady: (nodes: number) => void,
): Promise<LaunchedCluster> {
  const { security = false, properties = {}, classPath = [], authorizer = false } = options
  onReady(0)
  const planned = await planCluster({ ...options, security, properties, classPath, hasAuthorizer: authorizer })
  try {
    const plan = security ? await withCertificates(planned, options) : planned
    await writeNodes(runtime, plan)
    const processes = await control.launchNodes(runtime, plan)
    await control.awaitReady(plan, onReady)
    await addUsers(plan)
    return { runtime, plan, processes }
  } catch (error) {
    await control.destroyCluster(planned)
    throw error
  }
}

export function securityFiles({ certificates }: ClusterPlan): SecurityFiles {
  if (certificates === undefined) return {}
  const { ca, clientCert, clientKey } = certificates
  return { ca, clientCert, clientKey }
}

export function pidsOf(plan: ClusterPlan): number[] {
  return plan.nodes.map((node) => node.process?.pid ?? 0)
}

export function zookeeperOf(plan: ClusterPlan): RunningZooKeeper | undefined {
  const address = zookeeperAddress(plan)
  return address === undefined ? undefined : { address, pid: plan.zookeeper?.process?.pid ?? 0 }
}

class ClusterHandle implements RealCluster {
  readonly id: string
  readonly version: string
  readonly listeners: Listeners
  readonly at: At
  readonly users: Readonly<Record<string, string>>
  readonly files: SecurityFiles
  readonly logDirs: readonly string[]
  readonly #runtime: BrokerRuntime
  readonly #plan: ClusterPlan

  constructor(runtime: BrokerRuntime, plan: ClusterPlan) {
    this.#runtime = runtime
    this.#plan = plan
    this.id = plan.id
    this.version = plan.version
    this.listeners = listenersOf(plan)
    this.at = atCluster(plan)
    this.users = plan.users
    this.files = securityFiles(plan)
    this.logDirs = plan.nodes.map((node) => node.logDir)
  }

  get pids(): readonly number[] {
    return pidsOf(this.#plan)
  }

  get zookeeper(): RunningZooKeeper | undefined {
    return zookeeperOf(this.#plan)
  }

  async kill(node: number): Promise<void> {
    await control.killNode(this.#plan, node)
  }

  async stop(node: number): Promise<void> {
    await control.stopNode(this.#plan, node)
  }

  async start(...nodes: number[]): Promise<void> {
    await Promise.all(nodes.map((node) => control.launchNode(this.#runtime, this.#plan, node)))
    await control.awaitReady(this.#plan)
  }

  async pause(node: number): Promise<void> {
    await Promise.resolve().then(() => control.pauseNode(this.#plan, node))
  }

  async resume(node: number): Promise<void> {
    await Promise.resolve().then(() => control.resumeNode(this.#plan, node))
  }

  async ready(): Promise<void> {
    await control.awaitReady(this.#plan)
  }

  async logTail(node: number, lines?: number): Promise<string> {
    return control.logTail(this.#plan, node, lines)
  }

  async close(): Promise<void> {
    await control.destroyCluster(this.#plan)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
