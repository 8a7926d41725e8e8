import { readFile } from 'node:fs/promises'
import { systemClock } from '../../../src/clock.ts'
import type { ProducerOptions } from '../../../src/index.ts'
import { Random } from '../../fuzz/random.ts'
import { startCluster, type RealCluster, type StartProgress } from '../kafka/cluster.ts'
import { hostAndPort } from '../kafka/probe.ts'
import { ChaosAdmin } from './chaos-admin.ts'
import type { TopicPlan } from './load.ts'
import { ChaosProxy } from './proxy.ts'

export const KAFKA = '4.3.1'
export const NODES = 3

/** Judged: twelve partitions, ten of which the load chooses and two the partitioner. */
export const TOPICS: readonly TopicPlan[] = [
  { name: 'chaos-a', partitions: 6, isExplicit: true },
  { name: 'chaos-b', partitions: 4, isExplicit: true },
  { name: 'chaos-c', partitions: 2, isExplicit: false },
]
/** Deleted and made again while it is written to: what it loses nobody can promise. */
export const SIDE_TOPIC = 'chaos-side'
export const SIDE_PARTITIONS = 2

const BROKER_PROPERTIES = {
  'min.insync.replicas': '2',
  'unclean.leader.election.enable': 'false',
  // A deleted topic must come back when the schedule says so, not when somebody asks for it.
  'auto.create.topics.enable': 'false',
  // A killed broker gets its leaderships back soon, so that the next kill hits leaders again. By Kafka's own hand.
  'leader.imbalance.check.interval.seconds': '5',
  // A killed broker checks its last segments when it starts; they had better be small.
  'log.segment.bytes': String(64 << 20),
}

/** How the load's producer gets in; Kafka's own clients and the brokers among themselves use plaintext. */
export interface Entrance {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly isTls: boolean
  /** How long a login lasts (`connections.max.reauth.ms`). */
  readonly sessionMs: number
}

/** Real brokers, the topics on them, and a proxy before each broker. */
export interface Arena {
  readonly cluster: RealCluster
  readonly admin: ChaosAdmin
  /** Of node 1, 2, 3. */
  readonly proxies: readonly ChaosProxy[]
  /** For the producer: where to begin, and who it is. */
  readonly access: Pick<ProducerOptions, 'brokers' | 'tls' | 'sasl'>
  /** For the producer: leads each broker's address to its proxy. */
  readonly mapAddress: (target: { host: string; port: number }) => { host: string; port: number }
  close(): Promise<void>
}

export interface ArenaOptions {
  readonly seed: number
  /** Undefined: plaintext. */
  readonly entrance: Entrance | undefined
  /** How long a connection through a proxy lives: the least and the most ms. */
  readonly connectionsLiveMs: readonly [number, number] | undefined
  readonly onProgress: (progress: StartProgress) => void
}

/** @throws {BrokersUnavailable} no Java, or no jars. {NodeFailure} a broker did not start. */
export async function openArena({ seed, entrance, connectionsLiveMs, onProgress }: ArenaOptions): Promise<Arena> {
  const sessions = entrance && { 'connections.max.reauth.ms': String(entrance.sessionMs) }
  const properties = { ...BROKER_PROPERTIES, ...sessions }
  const security = entrance !== undefined
  const cluster = await startCluster({ version: KAFKA, nodes: NODES, properties, onProgress, security })
  const proxies: ChaosProxy[] = []
  let admin: ChaosAdmin | undefined
  const close = async (): Promise<void> => {
    await Promise.all([...proxies.map((proxy) => proxy.close()), admin?.close(), cluster.close()])
  }
  try {
    admin = await ChaosAdmin.start(cluster.listeners.plaintext, KAFKA)
    const ports = new Map<number, number>()
    const brokers = addressesOf(cluster, entrance)
    for (const [index, address] of brokers.split(',').entries()) {
      const { host, port } = hostAndPort(address)
      const proxy = await ChaosProxy.start({
        host,
        port,
        clock: systemClock,
        random: new Random(seed + index),
        livesMs: connectionsLiveMs,
      })
      proxies.push(proxy)
      ports.set(port, proxy.port)
    }
    for (const { name, partitions } of TOPICS) await admin.createTopic(name, partitions, NODES)
    await admin.createTopic(SIDE_TOPIC, SIDE_PARTITIONS, NODES)
    const mapAddress: Arena['mapAddress'] = ({ host, port }) => ({ host, port: ports.get(port) ?? port })
    return {
      cluster,
      admin,
      proxies,
      mapAddress,
      close,
      access: { brokers, ...(await credentials(cluster, entrance)) },
    }
  } catch (error) {
    await close()
    throw error
  }
}

function addressesOf({ listeners }: RealCluster, entrance: Entrance | undefined): string {
  if (entrance === undefined) return listeners.plaintext
  return (entrance.isTls ? listeners.saslSsl : listeners.saslPlaintext) ?? ''
}

async function credentials(
  { users, files }: RealCluster,
  entrance: Entrance | undefined,
): Promise<Pick<ProducerOptions, 'tls' | 'sasl'>> {
  if (entrance === undefined) return {}
  const sasl = { mechanism: entrance.mechanism, username: 'alice', password: users['alice'] ?? '' }
  return entrance.isTls ? { sasl, tls: { ca: await readFile(files.ca ?? '', 'utf8') } } : { sasl }
}
