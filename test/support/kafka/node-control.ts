import { readFile, rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { javaArguments, type BrokerRuntime } from './broker-runtime.ts'
import { securityFlags } from './broker-security.ts'
import { addressOf, LISTENERS, nodeOf, type ClusterPlan, type NodePlan, type ZooKeeperPlan } from './cluster-plan.ts'
import { accepts, askMetadata } from './probe.ts'
import { isAlive, signal, waitGone } from './process-ref.ts'
import { spawnWatched, type WatchedProcess } from './watched-process.ts'
import { isRegistered } from './zookeeper-probe.ts'

const READY_TIMEOUT_MS = 90_000
const STOP_TIMEOUT_MS = 60_000
const KILL_TIMEOUT_MS = 10_000
const ASK_PAUSE_MS = 25
const FIRST_ERRORS = 6
const ZOOKEEPER_CLASS = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
const REPORTS_ERROR = / (ERROR|FATAL) |^\S+(Exception|Error): |^Caused by: /

/** A node died or did not come up; the message ends with the end of its log. */
export class NodeFailure extends Error {
  override readonly name = 'NodeFailure'
}

/**
 * Starts the node's process and does not wait for it: see `awaitReady`.
 *
 * With ZooKeeper it does wait until that has forgotten the node's last process: a broker that finds its own number
 * taken gives up.
 */
export async function launchNode(
  runtime: BrokerRuntime,
  plan: ClusterPlan,
  nodeId: number,
  extraFlags: readonly string[] = [],
): Promise<WatchedProcess> {
  const node = nodeOf(plan, nodeId)
  if (isRunning(node)) throw new NodeFailure(`Cluster ${plan.id}: node ${nodeId} runs already`)
  if (plan.zookeeper !== undefined) await awaitUnregistered(plan, plan.zookeeper, node)
  const java = await javaArguments(runtime, plan.version, plan.classPath)
  const args = [...extraFlags, ...securityFlags(plan), ...java]
  const started = await launch(runtime, plan, node, [...args, 'kafka.Kafka', node.configFile])
  node.isPaused = false
  return started
}

/** Starts the processes of a new cluster: all nodes, and before them the ZooKeeper of a cluster that has one. */
export async function launchNodes(
  runtime: BrokerRuntime,
  plan: ClusterPlan,
  extraFlags: readonly string[] = [],
): Promise<WatchedProcess[]> {
  const zookeeper: WatchedProcess[] = []
  if (plan.zookeeper !== undefined) {
    const args = [...(await javaArguments(runtime, plan.version)), ZOOKEEPER_CLASS, plan.zookeeper.configFile]
    zookeeper.push(await launch(runtime, plan, plan.zookeeper, args))
  }
  const nodes = plan.nodes.map(({ nodeId }) => launchNode(runtime, plan, nodeId, extraFlags))
  return [...zookeeper, ...(await Promise.all(nodes))]
}

async function launch(
  runtime: BrokerRuntime,
  plan: ClusterPlan,
  member: NodePlan | ZooKeeperPlan,
  args: readonly string[],
): Promise<WatchedProcess> {
  const started = await spawnWatched({
    ...{ command: runtime.java.java, args, logFile: member.logFile },
    ttlMs: plan.expiresAtMs === undefined ? undefined : plan.expiresAtMs - Date.now(),
    doomedFolder: keepsLogs() ? undefined : plan.folder,
  })
  member.process = { pid: started.pid, startedAt: started.startedAt }
  return started
}

async function awaitUnregistered(plan: ClusterPlan, zookeeper: ZooKeeperPlan, node: NodePlan): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS
  while (await isRegistered(zookeeper, node.nodeId)) {
    if (!isRunning(zookeeper)) throw await failure(plan, zookeeper, 'died')
    if (Date.now() > deadline) throw await failure(plan, zookeeper, `keeps node ${node.nodeId}, or is not ready`)
    await delay(ASK_PAUSE_MS)
  }
}

/**
 * Waits until each running node, when asked, names all of them: all are registered, and partitions can get leaders.
 *
 * @throws {NodeFailure} one of them died, or they were not ready in 90 s.
 */
export async function awaitReady(plan: ClusterPlan, onReady?: (nodes: number) => void): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS
  const nodes = plan.nodes.filter((node) => node.process !== undefined && node.isPaused !== true && isRunning(node))
  for (;;) {
    const ready = await Promise.all(nodes.map((node) => knowsAll(node, nodes)))
    onReady?.(ready.filter(Boolean).length)
    if (ready.every(Boolean)) break
    for (const node of nodes) {
      if (!isRunning(node)) throw await failure(plan, node, 'died while it started')
    }
    const missing = nodes[ready.indexOf(false)]
    if (missing !== undefined && Date.now() > deadline) {
      throw await failure(plan, missing, `was not ready in ${READY_TIMEOUT_MS} ms`)
    }
    await delay(ASK_PAUSE_MS)
  }
}

async function knowsAll(node: NodePlan, nodes: readonly NodePlan[]): Promise<boolean> {
  try {
    const view = await askMetadata(addressOf(node, 'plaintext') ?? '')
    if (view.controllerId < 0 || !nodes.every(({ nodeId }) => view.brokerIds.includes(nodeId))) return false
    const addresses = LISTENERS.flatMap(({ key }) => addressOf(node, key) ?? [])
    return (await Promise.all(addresses.map((address) => accepts(address)))).every(Boolean)
  } catch {
    // Refused, closed or cut short: it is still starting. If it died, the caller sees that by its process.
    return false
  }
}

async function failure(plan: ClusterPlan, node: NodePlan | ZooKeeperPlan, what: string): Promise<NodeFailure> {
  const name = 'nodeId' in node ? `node ${node.nodeId}` : 'the ZooKeeper'
  const text = `Kafka ${plan.version}, ${name} of cluster ${plan.id} ${what}.`
  const errors = (await logLines(node)).filter((line) => REPORTS_ERROR.test(line)).slice(0, FIRST_ERRORS)
  // Kafka goes on logging for a while after what went wrong: the end alone often does not say it.
  const first = errors.length === 0 ? '' : `\nThe first errors in its log:\n${errors.join('\n')}`
  return new NodeFailure(`${text}${first}\nThe end of its log:\n${await endOfLog(node)}`)
}

export async function logTail(plan: ClusterPlan, nodeId: number, lines = 40): Promise<string> {
  return endOfLog(nodeOf(plan, nodeId), lines)
}

async function endOfLog(member: NodePlan | ZooKeeperPlan, lines = 40): Promise<string> {
  return (await logLines(member)).slice(-lines).join('\n')
}

async function logLines(member: NodePlan | ZooKeeperPlan): Promise<string[]> {
  const text = await readFile(member.logFile, 'utf8').catch(() => '(no log)')
  return text.trimEnd().split('\n')
}

export function isRunning(member: NodePlan | ZooKeeperPlan): boolean {
  return member.process !== undefined && isAlive(member.process)
}

/** SIGKILL; resolves when the process is gone. Killing a dead node does nothing. */
export async function killNode(plan: ClusterPlan, nodeId: number): Promise<void> {
  await end(plan, nodeOf(plan, nodeId), 'SIGKILL', KILL_TIMEOUT_MS)
}

/** SIGTERM; resolves when the node has shut down in order. @throws {NodeFailure} not in 60 s. */
export async function stopNode(plan: ClusterPlan, nodeId: number): Promise<void> {
  await end(plan, nodeOf(plan, nodeId), 'SIGTERM', STOP_TIMEOUT_MS)
}

async function end(
  plan: ClusterPlan,
  node: NodePlan | ZooKeeperPlan,
  name: NodeJS.Signals,
  timeoutMs: number,
): Promise<void> {
  if (node.process === undefined) return
  signal(node.process, name)
  if (!(await waitGone(node.process, timeoutMs))) {
    throw await failure(plan, node, `is still there ${timeoutMs} ms after ${name}`)
  }
}

/** SIGSTOP: the node holds its connections and answers nothing, like a machine that hangs. */
export function pauseNode(plan: ClusterPlan, nodeId: number): void {
  setPaused(plan, nodeId, true)
}

/** SIGCONT. */
export function resumeNode(plan: ClusterPlan, nodeId: number): void {
  setPaused(plan, nodeId, false)
}

function setPaused(plan: ClusterPlan, nodeId: number, isPaused: boolean): void {
  const node = nodeOf(plan, nodeId)
  const isThere = node.process !== undefined && signal(node.process, isPaused ? 'SIGSTOP' : 'SIGCONT')
  if (!isThere) throw new NodeFailure(`Cluster ${plan.id}: node ${nodeId} does not run`)
  node.isPaused = isPaused
}

/** Ends every node at once and removes the cluster's folder; HEADRACE_KEEP_LOGS=1 leaves that. */
export async function destroyCluster(plan: ClusterPlan): Promise<void> {
  const members = [...plan.nodes, ...(plan.zookeeper === undefined ? [] : [plan.zookeeper])]
  await Promise.all(members.map((member) => end(plan, member, 'SIGKILL', KILL_TIMEOUT_MS)))
  if (!keepsLogs()) await rm(plan.folder, { recursive: true, force: true, maxRetries: 5 })
}

export function keepsLogs(): boolean {
  return process.env['HEADRACE_KEEP_LOGS'] === '1'
}
