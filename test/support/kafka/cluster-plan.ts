import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { mkdtemp } from 'node:fs/promises'
import { registerSecret } from '../canary.ts'
import { freePorts } from './free-ports.ts'
import type { Certificates } from './certificates.ts'
import type { ProcessRef } from './process-ref.ts'
import { kafkaVersion } from './versions.ts'

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

/** The ZooKeeper of a cluster that needs one: a single process for all of its nodes. */
export interface ZooKeeperPlan {
  readonly folder: string
  readonly logFile: string
  readonly configFile: string
  readonly port: number
  process?: ProcessRef
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
  readonly zookeeper?: ZooKeeperPlan
  readonly users: Readonly<Record<string, string>>
  readonly certificates?: Certificates
  readonly hasAuthorizer: boolean
  /** The host in a listener's addresses as clients hear of them, where it is not 127.0.0.1. */
  readonly advertisedHosts: AdvertisedHosts
}

export type AdvertisedHosts = Partial<Readonly<Record<ListenerKey, string>>>

export interface PlanOptions {
  readonly version: string
  readonly nodes: number
  readonly security: boolean
  readonly properties: Readonly<Record<string, string>>
  readonly classPath: readonly string[]
  readonly ttlMs?: number | undefined
  readonly hasAuthorizer?: boolean
  readonly advertisedHosts?: AdvertisedHosts
}

/** Two like everybody, and those that go wrong in somebody's format: SCRAM's, JAAS's, a file that is not UTF-8. */
function newUsers(): Record<string, string> {
  const password = () => registerSecret('password of a broker user', randomBytes(12).toString('hex'))
  const names = ['alice', 'bob', 'co,mma', 'equ=als', 'both=,2C,=3D']
  const plain = Object.fromEntries(names.map((name) => [name, password()]))
  return { ...plain, carol: `pä ß\u00ad密码🔑-${password()}` }
}

export async function planCluster(options: PlanOptions): Promise<ClusterPlan> {
  const folder = await mkdtemp(path.join(tmpdir(), 'headrace-kafka-'))
  const { version, properties, classPath, ttlMs } = options
  const { hasMutualTls, mode } = kafkaVersion(version)
  const isThere = ({ key, isSecure }: (typeof LISTENERS)[number]) =>
    key === 'mtls' ? options.security && hasMutualTls : options.security || !isSecure
  const listeners = LISTENERS.filter(isThere)
  // Of all of them at once, so that none is given out twice.
  const ports = await freePorts(options.nodes * (listeners.length + 1) + 1)
  const takePort = () => ports.pop() ?? 0
  const keys = listeners.map(({ key }) => key)
  return {
    id: path.basename(folder).replace('headrace-', ''),
    version,
    kafkaClusterId: newClusterId(),
    folder,
    classPath,
    properties,
    ...(ttlMs === undefined ? {} : { expiresAtMs: Date.now() + ttlMs }),
    nodes: Array.from({ length: options.nodes }, (_, index) => planNode(folder, index + 1, keys, takePort)),
    ...(mode === 'zookeeper' ? { zookeeper: planZooKeeper(folder, takePort()) } : {}),
    users: options.security ? newUsers() : {},
    hasAuthorizer: options.hasAuthorizer ?? false,
    advertisedHosts: options.advertisedHosts ?? {},
  }
}

function newClusterId(): string {
  // As Kafka's own: its tool takes an id that begins with a dash for an option.
  for (;;) {
    const id = randomBytes(16).toString('base64url')
    if (!id.startsWith('-')) return id
  }
}

function planNode(folder: string, nodeId: number, listeners: readonly ListenerKey[], takePort: () => number): NodePlan {
  const nodeFolder = path.join(folder, `node-${nodeId}`)
  return {
    nodeId,
    folder: nodeFolder,
    logDir: path.join(nodeFolder, 'data'),
    logFile: path.join(nodeFolder, 'broker.log'),
    configFile: path.join(nodeFolder, 'server.properties'),
    controllerPort: takePort(),
    ports: Object.fromEntries(listeners.map((key) => [key, takePort()])),
  }
}

function planZooKeeper(clusterFolder: string, port: number): ZooKeeperPlan {
  const folder = path.join(clusterFolder, 'zookeeper')
  const [logFile, configFile] = [path.join(folder, 'zookeeper.log'), path.join(folder, 'zk.properties')]
  return { folder, logFile, configFile, port }
}

/** Where the cluster's ZooKeeper is; undefined for a cluster without one. */
export function zookeeperAddress({ zookeeper }: ClusterPlan): string | undefined {
  return zookeeper === undefined ? undefined : `127.0.0.1:${zookeeper.port}`
}

/** Where `node` accepts connections on this listener; undefined when the cluster does not have it. */
export function addressOf(node: NodePlan, key: ListenerKey): string | undefined {
  const port = node.ports[key]
  // The number and not `localhost`: that resolves to ::1 first on some machines, where nobody listens.
  return port === undefined ? undefined : `127.0.0.1:${port}`
}

/** What the brokers tell clients about this listener. */
export function advertisedAddressOf(plan: ClusterPlan, node: NodePlan, key: ListenerKey): string {
  return `${plan.advertisedHosts[key] ?? '127.0.0.1'}:${node.ports[key] ?? 0}`
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
