import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { mkdtemp } from 'node:fs/promises'
import { freePorts } from './free-ports.ts'
import type { Certificates } from './certificates.ts'
import type { ProcessRef } from './process-ref.ts'

/** Every listener a node may have: the name we report, Kafka's listener name and its security protocol. */
export const LISTENERS = [
  { key: 'plaintext', name: 'PLAINTEXT', protocol: 'PLAINTEXT', isSecure: false },
  { key: 'ssl', name: 'SSL', protocol: 'SSL', isSecure: true },
  { key: 'mtls', name: 'MTLS', protocol: 'SSL', isSecure: true },
  { key: 'saslPlaintext', name: 'SASL_PLAINTEXT', protocol: 'SASL_PLAINTEXT', isSecure: true },
  { key: 'saslSsl', name: 'SASL_SSL', protocol: 'SASL_SSL', isSecure: true },
] as const

export type ListenerKey = (typeof LISTENERS)[number]['key']

/** `host:port` of every node, comma-separated; the security listeners only on a cluster that has them. */
export type Listeners = { readonly plaintext: string } & Partial<Readonly<Record<ListenerKey, string>>>

export interface NodePlan {
  readonly nodeId: number
  readonly folder: string
  readonly logDir: string
  readonly logFile: string
  readonly configFile: string
  readonly controllerPort: number
  readonly ports: Partial<Readonly<Record<ListenerKey, number>>>
  /** Its last process; undefined before the first start. */
  process?: ProcessRef
  isPaused?: boolean
}

/** All there is to know about one cluster, as plain data: another process can go on from the JSON of it. */
export interface ClusterPlan {
  readonly id: string
  readonly version: string
  readonly kafkaClusterId: string
  readonly folder: string
  readonly classPath: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  readonly expiresAtMs?: number
  readonly nodes: readonly NodePlan[]
  readonly users: Readonly<Record<string, string>>
  readonly certificates?: Certificates
}

export interface PlanOptions {
  readonly version: string
  readonly nodes: number
  readonly security: boolean
  readonly properties: Readonly<Record<string, string>>
  readonly classPath: readonly string[]
  readonly ttlMs?: number | undefined
}

const USERS = ['alice', 'bob']

export async function planCluster(options: PlanOptions): Promise<ClusterPlan> {
  const folder = await mkdtemp(path.join(tmpdir(), 'headrace-kafka-'))
  const { version, properties, classPath, ttlMs } = options
  return {
    id: path.basename(folder).replace('headrace-', ''),
    version,
    kafkaClusterId: randomBytes(16).toString('base64url'),
    folder,
    classPath,
    properties,
    ...(ttlMs === undefined ? {} : { expiresAtMs: Date.now() + ttlMs }),
    nodes: await planNodes(folder, options),
    users: options.security ? Object.fromEntries(USERS.map((user) => [user, randomBytes(12).toString('hex')])) : {},
  }
}

async function planNodes(folder: string, options: PlanOptions): Promise<NodePlan[]> {
  const listeners = LISTENERS.filter((listener) => options.security || !listener.isSecure)
  const ports = await freePorts(options.nodes * (listeners.length + 1))
  const takePort = () => ports.pop() ?? 0
  return Array.from({ length: options.nodes }, (_, index) => {
    const nodeFolder = path.join(folder, `node-${index + 1}`)
    return {
      nodeId: index + 1,
      folder: nodeFolder,
      logDir: path.join(nodeFolder, 'data'),
      logFile: path.join(nodeFolder, 'broker.log'),
      configFile: path.join(nodeFolder, 'server.properties'),
      controllerPort: takePort(),
      ports: Object.fromEntries(listeners.map(({ key }) => [key, takePort()])),
    }
  })
}

/** Where `node` accepts connections on this listener; undefined when the cluster does not have it. */
export function addressOf(node: NodePlan, key: ListenerKey): string | undefined {
  const port = node.ports[key]
  // The number and not `localhost`: that resolves to ::1 first on some machines, where nobody listens.
  return port === undefined ? undefined : `127.0.0.1:${port}`
}

export function listenersOf(plan: ClusterPlan): Listeners {
  const entries = LISTENERS.map(({ key }) => [key, plan.nodes.map((node) => addressOf(node, key)).join(',')] as const)
  const present = Object.fromEntries(entries.filter(([, addresses]) => addresses.includes(':')))
  return { plaintext: '', ...present }
}

export function nodeOf(plan: ClusterPlan, nodeId: number): NodePlan {
  const node = plan.nodes.find((candidate) => candidate.nodeId === nodeId)
  if (node !== undefined) return node
  throw new RangeError(`Cluster ${plan.id}: no node ${nodeId}; it has nodes 1 to ${plan.nodes.length}`)
}
