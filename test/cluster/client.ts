/** What tests of cluster life have in common: a Cluster on its own, peers to talk to, and what was said. */
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import type { Clock } from '../../src/clock.ts'
import { Cluster, type ClusterOptions } from '../../src/cluster/cluster.ts'
import { parseBrokers, type BrokerAddress } from '../../src/connection/broker-address.ts'
import type { KafkaError } from '../../src/errors.ts'
import { encodeResponseFrame } from '../../src/protocol/frame.ts'
import { metadata as metadataApi } from '../../src/protocol/messages/metadata.ts'
import type { Input } from '../../src/protocol/schema.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { HostilePeer, type Script, type SeenRequest } from '../support/hostile-peer.ts'

const open: (() => unknown)[] = []

/** Has it closed when the test is over. */
export function closeLater(close: () => unknown): void {
  open.push(close)
}

/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const close of open.splice(0).reverse()) await close()
}

export function addressesOf(bootstrap: string): readonly BrokerAddress[] {
  const parsed = parseBrokers(bootstrap)
  return 'addresses' in parsed ? parsed.addresses : []
}

/** A Cluster, and what it told its listener. */
export class Client {
  readonly cluster: Cluster
  readonly changes: (string | null)[] = []
  readonly failures: { readonly error: KafkaError; readonly isHopeless: boolean }[] = []
  readonly notices: string[] = []
  /** Topics that something is queued for. */
  readonly inUse = new Set<string>()

  constructor(bootstrap: string, clock: Clock, more: Partial<ClusterOptions> = {}) {
    const options: ClusterOptions = {
      ...{ brokers: () => Promise.resolve(addressesOf(bootstrap)), clientId: 'test', clock },
      ...{ connectTimeoutMs: 10_000, requestTimeoutMs: 30_000, connectionsMaxIdleMs: 540_000 },
      ...{ reconnectBackoffMs: 50, reconnectBackoffMaxMs: 1000, retryBackoffMs: 100, retryBackoffMaxMs: 1000 },
      ...{ metadataMaxAgeMs: 300_000, allowAutoTopicCreation: true },
      ...more,
    }
    this.cluster = new Cluster(options, {
      onChange: (error) => this.changes.push(error?.code ?? null),
      onRefreshFailed: (error, isHopeless) => this.failures.push({ error, isHopeless }),
      onNotice: (_fields, message) => this.notices.push(message),
      isInUse: (topic) => this.inUse.has(topic),
    })
    closeLater(() => this.cluster.close())
  }
}

/** An address at which nothing listens. */
export async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `127.0.0.1:${port}`
}

export async function peerOf(script?: Script): Promise<HostilePeer> {
  const peer = await HostilePeer.start(script)
  closeLater(() => peer.close())
  return peer
}

/** How often an API was asked for, at one broker or at all. */
export function count(brokers: TestCluster, api: string, broker?: number): number {
  return brokers.requests.filter((r) => r.api === api && (broker ?? r.broker) === r.broker).length
}

/** The bytes of an answer to Metadata. */
export function metadataAnswer(request: SeenRequest, body: Input<typeof metadataApi.response>): Buffer {
  return Buffer.concat(encodeResponseFrame(metadataApi, request.version, request.correlationId, body).chunks)
}

type Topic = Input<typeof metadataApi.response>['topics'][number]

/** A topic as Metadata tells of it; partitions are given by their leaders. */
export function topicAnswer(name: string, leaders: readonly number[], parts: Partial<Topic> = {}): Topic {
  const partitions = leaders.map((leaderId, partitionIndex) => ({
    ...{ errorCode: 0, partitionIndex, leaderId, leaderEpoch: 0, replicaNodes: [], isrNodes: [] },
  }))
  return { errorCode: 0, name, partitions, ...parts }
}
