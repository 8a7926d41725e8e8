/**
 * Metadata of large clusters: how long reading and merging take, the longest stretch of it, and what stays in memory.
 *
 *     node --expose-gc --import tsx bench/metadata.ts
 */
import { loadavg } from 'node:os'
import { Metadata } from '../src/cluster/metadata.ts'
import { decodeResponseFrame, encodeResponseFrame } from '../src/protocol/frame.ts'
import { metadata as metadataApi } from '../src/protocol/messages/metadata.ts'
import { MetadataReading, type LeanMetadata } from '../src/protocol/metadata-decode.ts'

const VERSION = metadataApi.maxVersion
const ROUNDS = 7

interface Timed<T> {
  readonly value: T
  readonly totalMs: number
  readonly longestMs: number
}

/** An answer of three brokers and so many topics of so many partitions, three replicas each. */
function frameOf(topics: number, partitions: number): Buffer {
  const { chunks } = encodeResponseFrame(metadataApi, VERSION, 1, {
    brokers: [1, 2, 3].map((nodeId) => ({ nodeId, host: `broker-${nodeId}.example`, port: 9092 })),
    clusterId: 'bench',
    topics: Array.from({ length: topics }, (_, t) => ({
      errorCode: 0,
      name: `topic-${String(t).padStart(6, '0')}`,
      topicId: Buffer.from(String(t).padStart(16, '0')).toString('base64url'),
      partitions: Array.from({ length: partitions }, (_p, partitionIndex) => ({
        ...{ errorCode: 0, partitionIndex, leaderId: 1 + (partitionIndex % 3), leaderEpoch: 7 },
        ...{ replicaNodes: [1, 2, 3], isrNodes: [1, 2, 3] },
      })),
    })),
  })
  return Buffer.concat(chunks).subarray(4)
}

function lean(frame: Buffer): Timed<LeanMetadata> {
  const startMs = performance.now()
  let stretchMs = startMs
  let longestMs = 0
  const reading = new MetadataReading(VERSION, frame)
  for (;;) {
    const value = reading.next()
    const nowMs = performance.now()
    longestMs = Math.max(longestMs, nowMs - stretchMs)
    stretchMs = nowMs
    if (value !== null) return { value, totalMs: nowMs - startMs, longestMs }
  }
}

function timed<T>(work: () => T): Timed<T> {
  const startMs = performance.now()
  const value = work()
  const totalMs = performance.now() - startMs
  return { value, totalMs, longestMs: totalMs }
}

function heapMb(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 1e6
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

function spread(values: readonly number[]): string {
  return `${median(values).toFixed(1)} (${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)})`
}

const everything = (): boolean => true

function bench(topics: number, partitions: number, isSchemaToo: boolean): Record<string, string> {
  const frame = frameOf(topics, partitions)
  const readings = Array.from({ length: ROUNDS }, () => lean(frame))
  const first = timed(() => new Metadata().merge(lean(frame).value, everything))
  const merges = Array.from({ length: ROUNDS }, () => {
    const { value } = lean(frame)
    return timed(() => first.value.merge(value, everything)).totalMs
  })
  const schema = isSchemaToo ? timed(() => decodeResponseFrame(metadataApi, VERSION, frame)).totalMs.toFixed(0) : '-'
  const beforeMb = heapMb()
  const kept = new Metadata().merge(lean(frame).value, everything)
  const retainedMb = heapMb() - beforeMb
  return {
    'topics x partitions': `${topics} x ${partitions}`,
    'wire MB': (frame.length / 1e6).toFixed(1),
    'decode ms': spread(readings.map(({ totalMs }) => totalMs)),
    'longest step ms': spread(readings.map(({ longestMs }) => longestMs)),
    'merge ms': spread(merges),
    'retained MB': globalThis.gc ? `${retainedMb.toFixed(1)} (${kept.topicCount} topics)` : 'run with --expose-gc',
    'schema decoder ms': schema,
  }
}

/** Every partition of every topic moves, one hint (KIP-951) after the other; then every topic is forgotten. */
function benchChanges(topics: number): Record<string, string> {
  const whole = new Metadata().merge(lean(frameOf(topics, 1)).value, everything)
  const name = (t: number): string => `topic-${String(t).padStart(6, '0')}`
  const hints = timed(() => {
    let metadata = whole
    for (let t = 0; t < topics; t++) {
      metadata = metadata.withLeader({ topic: name(t), partition: 0, leader: 2, leaderEpoch: 8, endpoint: null })
    }
    return metadata
  })
  const forgets = timed(() => {
    let metadata = whole
    for (let t = 0; t < topics; t++) metadata = metadata.without([name(t)])
    return metadata
  })
  return {
    topics: String(topics),
    'hints, us each': ((hints.totalMs * 1000) / topics).toFixed(2),
    'forgets, us each': ((forgets.totalMs * 1000) / topics).toFixed(2),
  }
}

const load = loadavg()
  .map((value) => value.toFixed(1))
  .join(' ')
console.log(`Metadata v${VERSION}, Node ${process.version}, load ${load}; median (least to most) of ${ROUNDS}`)
bench(1000, 10, true) // warms up
console.table([
  bench(1, 100_000, true),
  bench(10_000, 10, true),
  bench(100_000, 1, true),
  bench(10_000, 100, false),
  bench(100_000, 10, false),
  bench(1, 1_000_000, false),
])
console.table([benchChanges(1000), benchChanges(10_000), benchChanges(40_000)])
