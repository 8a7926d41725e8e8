import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Metadata } from '../../src/cluster/metadata.ts'
import { encodeResponseFrame } from '../../src/protocol/frame.ts'
import { metadata as metadataApi } from '../../src/protocol/messages/metadata.ts'
import { decodeMetadataFrame } from '../../src/protocol/metadata-decode.ts'

const VERSION = metadataApi.maxVersion
const LIMIT_BYTES = 10_000_000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const nameOf = (topic: number): string => `topic-${String(topic).padStart(6, '0')}`

/** An answer of three brokers and so many topics of so many partitions, three replicas each. */
function frameOf(topics: number, partitions: number): Buffer {
  const { chunks } = encodeResponseFrame(metadataApi, VERSION, 1, {
    brokers: [1, 2, 3].map((nodeId) => ({ nodeId, host: `broker-${nodeId}.example`, port: 9092 })),
    topics: Array.from({ length: topics }, (_, t) => ({
      ...{ errorCode: 0, name: nameOf(t), topicId: Buffer.from(String(t).padStart(16, '0')).toString('base64url') },
      partitions: Array.from({ length: partitions }, (_p, partitionIndex) => ({
        ...{ errorCode: 0, partitionIndex, leaderId: 1 + (partitionIndex % 3), leaderEpoch: 7 },
        ...{ replicaNodes: [1, 2, 3], isrNodes: [1, 2, 3] },
      })),
    })),
  })
  return Buffer.concat(chunks).subarray(4)
}

/** Buffers are let go of by another thread, some turns after the collection. */
async function heldBytes(): Promise<number> {
  let leastBytes = Infinity
  for (let i = 0; i < 5; i++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    leastBytes = Math.min(leastBytes, heapUsed + arrayBuffers)
  }
  return leastBytes
}

describe('perf-11: metadata of 100 000 partitions', () => {
  it.each([
    [1, 100_000],
    [100, 1000],
    [10_000, 10],
  ])('in %i topics is at most 10 MB', async (topics, partitions) => {
    const frame = frameOf(topics, partitions)
    const before = await heldBytes()
    const picture = new Metadata().merge(decodeMetadataFrame(VERSION, frame), () => true)
    const held = (await heldBytes()) - before
    console.log(`${topics} topics of ${partitions} partitions: ${(held / 1e6).toFixed(1)} MB`)
    expect(held).toBeLessThan(LIMIT_BYTES)
    expect(held).toBeGreaterThan(400_000) // four bytes a partition: it is all there
    expect(picture.leader(nameOf(topics - 1), partitions - 1)).toBe(1 + ((partitions - 1) % 3))
  })
})
