import { gzipSync } from 'node:zlib'
import type { ProducerOptions } from '../../src/index.ts'
import type { TestClusterOptions, TopicOptions } from '../../src/testing/test-cluster.ts'
import type { Random } from '../fuzz/random.ts'
import type { VirtualHost } from './virtual-host.ts'
import type { LinkSettings } from './virtual-network.ts'
import type { WireSettings } from './wire.ts'

export interface PlannedTopic extends TopicOptions {
  readonly name: string
}

export type PlannedProducer = Omit<ProducerOptions, 'brokers' | 'createSocket' | 'idempotent'> & {
  readonly acks: 'all' | 1 | 0
  readonly deliveryTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly maxBlockMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly connectTimeoutMs: number
}

/** What a seed makes of everything that does not change while the world runs. */
export interface Plan {
  readonly brokerCount: number
  readonly topics: readonly PlannedTopic[]
  /** A topic that is deleted and made anew while it is sent to. */
  readonly sideTopic: string | null
  readonly apiVersions: NonNullable<TestClusterOptions['apiVersions']>
  readonly producer: PlannedProducer
  /** How long records are sent and things go wrong, milliseconds. */
  readonly lastingMs: number
  readonly recordCount: number
  /** Sequences begin there: the largest is 2^31-1, and 0 comes next. */
  readonly firstSequence: number
  readonly faultCount: number
  /** Pieces, latencies and buffers of connections are drawn from these. */
  readonly network: { readonly latencyMs: number; readonly isNarrow: boolean; readonly isDripping: boolean }
}

/** A piece takes so many times the latency at most. */
const MAX_JITTER = 5
/** No connection is so slow that what is asked for cannot be done in time. */
const MIN_BYTES_PER_MS = 100

const FIRST_METADATA_WITH_IDS = 10

export function makePlan(random: Random, isIdempotent: boolean): Plan {
  const brokerCount = 1 + random.below(3)
  const latencyMs = random.pick([0, 0.1, 0.1, 1, 1, 5, 20])
  const isDripping = random.oneIn(25)
  const isNarrow = !isDripping && random.oneIn(4)
  const isOlder = random.oneIn(3)
  const newestMetadata = 4 + random.below(10)
  const hasTopicIds = !isOlder || newestMetadata >= FIRST_METADATA_WITH_IDS
  return {
    brokerCount,
    topics: Array.from({ length: 1 + random.below(3) }, (_, i) => makeTopic(random, i)),
    // Without ids nothing tells a topic that was made anew from a broker that takes new records for old ones.
    sideTopic: hasTopicIds && random.oneIn(3) ? 'aside' : null,
    apiVersions: isOlder ? { Produce: [3, 3 + random.below(11)], Metadata: [1, newestMetadata] } : {},
    producer: makeProducer(random, isIdempotent, 2 * MAX_JITTER * latencyMs + (isDripping ? 200 : isNarrow ? 50 : 0)),
    lastingMs: random.pick([200, 1000, 3000, 8000]),
    recordCount: random.pick([5, 30, 100, 300]),
    firstSequence: random.oneIn(3) ? 2 ** 31 - 1 - random.below(100) : 0,
    faultCount: random.oneIn(8) ? 0 : 1 + random.below(10),
    network: {
      latencyMs,
      isNarrow,
      isDripping,
    },
  }
}

/** Compression takes a moment on another thread; here that is a timer of the producer's host. */
export function makeCompression(random: Random, host: VirtualHost): ProducerOptions['compression'] {
  if (!random.oneIn(4)) return 'none'
  const longestMs = random.pick([1, 3, 40])
  return {
    codec: 'gzip',
    compress: (bytes) =>
      new Promise((resolve) => {
        const compressed = gzipSync(bytes, { level: 1 })
        host.after(host.random() * longestMs, () => resolve(compressed))
      }),
  }
}

/** How the next connection is. */
export function makeLink(random: Random, { latencyMs, isNarrow, isDripping }: Plan['network']): LinkSettings {
  const roundTripMs = 2 * MAX_JITTER * latencyMs
  const wire = (): WireSettings => ({
    latencyMs,
    jitterMs: random.pick([0, latencyMs, (MAX_JITTER - 1) * latencyMs]),
    capacityBytes: isNarrow ? Math.max(random.pick([50, 700, 5000]), MIN_BYTES_PER_MS * roundTripMs) : 65_536,
    maxPieceBytes: isDripping ? 1 + random.below(9) : random.pick([60, 1460, 65_536, 65_536]),
  })
  return {
    up: wire(),
    down: wire(),
    clientHighWaterMarkBytes: random.pick([10, 1000, 16_384]),
    serverHighWaterMarkBytes: random.pick([10, 1000, 16_384]),
  }
}

function makeTopic(random: Random, number: number): PlannedTopic {
  return {
    name: `topic-${number}`,
    partitions: 1 + random.below(6),
    replicationFactor: 1 + random.below(3),
    maxMessageBytes: random.oneIn(6) ? 1500 : 1_048_588,
    timestampType: random.oneIn(6) ? 'LogAppendTime' : 'CreateTime',
  }
}

function makeProducer(random: Random, isIdempotent: boolean, roundTripMs: number): PlannedProducer {
  const requestTimeoutMs = random.pick([50, 200, 1000]) + 2 * roundTripMs
  const retryBackoffMs = random.pick([10, 50, 100])
  return {
    acks: isIdempotent ? 'all' : random.pick(['all', 'all', 'all', 'all', 1, 0] as const),
    requestTimeoutMs,
    deliveryTimeoutMs: requestTimeoutMs * random.pick([1, 2, 5, 20]) + 100 + 4 * roundTripMs,
    maxBlockMs: random.pick([700, 1500, 5000]) + 6 * roundTripMs,
    lingerMs: random.pick([0, 0, 0, 1, 5, 30]),
    bufferBytes: random.pick([20_000, 100_000, 33_554_432]),
    batchBytes: random.pick([150, 1000, 4000, 16_384]),
    maxRequestBytes: random.pick([12_000, 30_000, 1_048_576]),
    maxInFlightRequests: random.pick([1, 2, 5]),
    retryBackoffMs,
    retryBackoffMaxMs: retryBackoffMs * random.pick([1, 4, 10]),
    reconnectBackoffMs: random.pick([10, 50]),
    reconnectBackoffMaxMs: random.pick([50, 400]),
    connectTimeoutMs: random.pick([100, 500]) + 2 * roundTripMs,
    metadataMaxAgeMs: random.pick([1000, 3000, 300_000]),
    connectionsMaxIdleMs: random.pick([1000, 2000, 540_000]),
    partitioner: random.pick(['default', 'default', 'round-robin'] as const),
  }
}
