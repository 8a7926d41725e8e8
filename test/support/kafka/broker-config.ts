import { securityProperties } from './broker-security.ts'
import {
  addressOf,
  advertisedAddressOf,
  LISTENERS,
  zookeeperAddress,
  type ClusterPlan,
  type NodePlan,
} from './cluster-plan.ts'

type Properties = Record<string, string>

/** The `server.properties` of one node; the cluster's own properties win over all of ours. */
export function brokerConfig(plan: ClusterPlan, node: NodePlan): string {
  const properties: Properties = {
    ...(plan.zookeeper === undefined ? identity(plan, node) : zookeeperIdentity(plan, node)),
    ...listenerSettings(plan, node),
    ...RETENTION,
    ...replication(plan.nodes.length),
    ...securityProperties(plan),
    ...plan.properties,
  }
  // A backslash escapes in this format, a new line would start another property, and the rest is read as Latin-1.
  const escape = (value: string) => value.replaceAll('\\', '\\\\').replace(/[^ -~]/g, unicodeEscape)
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${escape(value)}\n`)
    .join('')
}

function unicodeEscape(codeUnit: string): string {
  return `\\u${codeUnit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function identity(plan: ClusterPlan, node: NodePlan): Properties {
  const voters = plan.nodes.map(({ nodeId, controllerPort }) => `${nodeId}@127.0.0.1:${controllerPort}`)
  return {
    'process.roles': 'broker,controller',
    'node.id': String(node.nodeId),
    'controller.quorum.voters': voters.join(','),
    'log.dirs': node.logDir,
  }
}

function zookeeperIdentity(plan: ClusterPlan, node: NodePlan): Properties {
  return {
    'broker.id': String(node.nodeId),
    'zookeeper.connect': zookeeperAddress(plan) ?? '',
    // As in KRaft below: how long a killed node's partitions are without a leader, and how long it cannot come back.
    'zookeeper.session.timeout.ms': '4000',
    'zookeeper.connection.timeout.ms': '30000',
    'log.dirs': node.logDir,
    // Off by default before 1.0.
    'delete.topic.enable': 'true',
  }
}

function listenerSettings(plan: ClusterPlan, node: NodePlan): Properties {
  const used = LISTENERS.flatMap((listener) => {
    const [address, advertised] = [addressOf(node, listener.key), advertisedAddressOf(plan, node, listener.key)]
    if (address === undefined) return []
    return [{ ...listener, url: `${listener.name}://${address}`, advertisedUrl: `${listener.name}://${advertised}` }]
  })
  const urls = used.map(({ url }) => url)
  const hasController = plan.zookeeper === undefined
  const advertised = { 'advertised.listeners': used.map(({ advertisedUrl }) => advertisedUrl).join(',') }
  // Before 0.10.2 a listener has no name but its protocol's.
  if (!hasController && plan.certificates === undefined) return { listeners: urls.join(','), ...advertised }
  const protocols = used.map(({ name, protocol }) => `${name}:${protocol}`)
  return {
    ...advertised,
    listeners: [...urls, ...(hasController ? [`CONTROLLER://127.0.0.1:${node.controllerPort}`] : [])].join(','),
    'listener.security.protocol.map': [...protocols, ...(hasController ? ['CONTROLLER:PLAINTEXT'] : [])].join(','),
    ...(hasController ? { 'controller.listener.names': 'CONTROLLER' } : {}),
    'inter.broker.listener.name': 'PLAINTEXT',
  }
}

/** Records of tests may be of long ago; they would be deleted half a minute after the start of the broker. */
const RETENTION: Properties = { 'log.retention.ms': '-1' }

/** Kafka's defaults want three brokers for its internal topics and 50 partitions in them. */
function replication(nodes: number): Properties {
  const factor = String(Math.min(nodes, 3))
  const minIsr = nodes >= 3 ? '2' : '1'
  return {
    'default.replication.factor': factor,
    'offsets.topic.replication.factor': factor,
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': factor,
    'transaction.state.log.min.isr': minIsr,
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': factor,
    'share.coordinator.state.topic.min.isr': minIsr,
    'share.coordinator.state.topic.num.partitions': '4',
    'group.initial.rebalance.delay.ms': '0',
    // A third of Kafka's nine seconds: how long a killed node's partitions are without a leader. Tests wait for that.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
  }
}
