import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../../src/errors.ts'
import { decodeResponseFrame, encodeResponseFrame } from '../../src/protocol/frame.ts'
import { decodeMetadataFrame, MetadataReading, type LeanMetadata } from '../../src/protocol/metadata-decode.ts'
import { metadata, type MetadataResponse } from '../../src/protocol/messages/metadata.ts'
import { api, array, boolean, int16, int32, string, uuid, type Input } from '../../src/protocol/schema.ts'
import { bodies, versionsOf } from '../support/arbitraries.ts'

// The schema's decoder is the judge: what it makes of the bytes, this one makes of them.

const versions = versionsOf(metadata)

function frameOf(version: number, body: Input<typeof metadata.response>): Buffer {
  return Buffer.concat(encodeResponseFrame(metadata, version, 7, body).chunks).subarray(4)
}

/** What the fast decoder should make of an answer. */
function leanOf(response: MetadataResponse): LeanMetadata {
  const topics = response.topics.map(({ errorCode, name, topicId, partitions }) => {
    const leaders = new Int32Array(partitions.length).fill(-1)
    const leaderEpochs = new Int32Array(partitions.length).fill(-1)
    for (const { partitionIndex, leaderId, leaderEpoch } of partitions) {
      leaders[partitionIndex] = leaderId // what is out of range is dropped by the array itself
      leaderEpochs[partitionIndex] = leaderEpoch
    }
    return { errorCode, name, topicId, leaders, leaderEpochs }
  })
  const brokers = response.brokers.map(({ nodeId, host, port }) => ({ nodeId, host, port }))
  const { throttleTimeMs, errorCode, clusterId } = response
  return { throttleTimeMs, errorCode, clusterId, brokers, topics }
}

/** What a decoder makes of bytes: an answer, or the code of the error. */
function verdict<T>(decode: () => T): T | string {
  try {
    return decode()
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
}

function bySchema(version: number, frame: Buffer): LeanMetadata | string {
  const answer = verdict(() => decodeResponseFrame(metadata, version, frame))
  return typeof answer === 'string' ? answer : leanOf(answer)
}

function byHand(version: number, frame: Buffer): LeanMetadata | string {
  return verdict(() => decodeMetadataFrame(version, frame))
}

/** Answers whose partitions are numbered as they should be, half of the time. */
function frames(version: number): fc.Arbitrary<Buffer> {
  const numbered = bodies(metadata, 'response', version).map((body) => ({
    ...body,
    topics: body.topics.map((topic) => ({
      ...topic,
      partitions: topic.partitions.map((partition, partitionIndex) => ({ ...partition, partitionIndex })),
    })),
  }))
  return fc.oneof(numbered, bodies(metadata, 'response', version)).map((body) => frameOf(version, body))
}

const SMALL: Input<typeof metadata.response> = {
  brokers: [{ nodeId: 1, host: 'b', port: 9092 }],
  topics: [
    {
      ...{ errorCode: 0, name: 't' },
      partitions: [
        { errorCode: 0, partitionIndex: 0, leaderId: 1, replicaNodes: [1], isrNodes: [1] },
        { errorCode: 5, partitionIndex: 1, leaderId: -1, replicaNodes: [1], isrNodes: [] },
      ],
    },
  ],
}

describe('decodeMetadataFrame', () => {
  it.each(versions)('C17: reads v%i as the schema does', (version) => {
    fc.assert(
      fc.property(frames(version), (frame) => {
        expect(byHand(version, frame)).toEqual(bySchema(version, frame))
      }),
      { numRuns: 60 },
    )
  })

  it.each(versions)('C17: refuses v%i cut off at any byte, and with a byte too many, as the schema does', (version) => {
    const frame = frameOf(version, SMALL)
    for (let length = 4; length < frame.length; length++) {
      const cut = frame.subarray(0, length)
      expect(byHand(version, cut)).toBe(bySchema(version, cut))
      expect(typeof byHand(version, cut)).toBe('string')
    }
    expect(byHand(version, Buffer.concat([frame, Buffer.alloc(1)]))).toBe('TRAILING_BYTES')
  })

  it.each(versions)('C17: makes of damaged v%i what the schema makes of it', (version) => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff)), {
      minLength: 1,
      maxLength: 3,
    })
    fc.assert(
      fc.property(frames(version), damage, (frame, changes) => {
        const damaged = Buffer.from(frame)
        for (const [at, byte] of changes) damaged[4 + (at % (damaged.length - 4))] = byte
        expect(byHand(version, damaged)).toEqual(bySchema(version, damaged))
      }),
      { numRuns: 150 },
    )
  })

  it('C17: takes a topic without a name, and refuses one before v12', () => {
    const body = { ...SMALL, topics: [{ errorCode: 100, name: null, partitions: [] }] }
    expect(byHand(12, frameOf(12, body))).toMatchObject({ topics: [{ errorCode: 100, name: null }] })
    const named = frameOf(11, { ...SMALL, topics: [{ errorCode: 3, name: '', partitions: [] }] })
    const nameAt = named.lastIndexOf(Buffer.from([0, 3, 1])) + 2
    named[nameAt] = 0 // null
    expect(byHand(11, named)).toBe('INVALID_VALUE')
    expect(bySchema(11, named)).toBe('INVALID_VALUE')
  })

  it.each([9, 10, 12, 13])('C17: passes over tagged fields of v%i that it does not know', (version) => {
    const frame = Buffer.concat(encodeResponseFrame(ofTomorrow, version, 7, TOMORROW).chunks).subarray(4)
    const answer = byHand(version, frame)
    expect(answer).toEqual(bySchema(version, frame))
    expect(answer).toMatchObject({ clusterId: 'c', brokers: [{ nodeId: 1 }], topics: [{ name: 't' }] })
  })

  it('C17: reads a large answer step by step, whatever the number of partitions of a topic', () => {
    const partitions = Array.from({ length: 120_000 }, (_, partitionIndex) => ({
      ...{ errorCode: 0, partitionIndex, leaderId: partitionIndex % 7, replicaNodes: [], isrNodes: [] },
    }))
    const frame = frameOf(13, { ...SMALL, topics: [{ errorCode: 0, name: 'large', partitions }, ...SMALL.topics] })
    const reading = new MetadataReading(13, frame)
    let steps = 1
    let answer = reading.next()
    for (; answer === null; steps++) answer = reading.next()
    expect(steps).toBe(3)
    expect(answer).toEqual(bySchema(13, frame))
  })

  it('C17: takes no room for partitions that the bytes cannot hold', () => {
    const frame = frameOf(8, SMALL)
    const at = frame.lastIndexOf(Buffer.from([0, 0, 0, 2, 0, 0, 0, 0, 0, 0]))
    frame.writeInt32BE(0x7fffffff, at)
    expect(byHand(8, frame)).toBe('INVALID_VALUE')
  })
})

/** Metadata of a Kafka that has tagged fields everywhere. */
const ofTomorrow = api({
  name: 'Metadata',
  key: 3,
  versions: [9, 13],
  flexible: 9,
  request: {},
  response: {
    throttleTimeMs: int32,
    brokers: array({ nodeId: int32, host: string, port: int32, rack: string.nullable(9), x: string.tagged(3, 9) }),
    clusterId: string.nullable(9),
    controllerId: int32,
    topics: array({
      errorCode: int16,
      name: string.nullable(12),
      topicId: uuid.since(10).ignorable(),
      isInternal: boolean,
      partitions: array({
        ...{ errorCode: int16, partitionIndex: int32, leaderId: int32, leaderEpoch: int32 },
        ...{ replicaNodes: array(int32), isrNodes: array(int32), offlineReplicas: array(int32) },
        ...{ x: int32.tagged(0, 9), y: string.tagged(1, 9) },
      }),
      topicAuthorizedOperations: int32,
      x: string.tagged(200, 9),
    }),
    clusterAuthorizedOperations: int32.until(10).ignorable(),
    errorCode: int16.since(13).ignorable(),
    x: int32.tagged(0, 9),
  },
})

const TOMORROW: Input<typeof ofTomorrow.response> = {
  ...{ throttleTimeMs: 5, clusterId: 'c', controllerId: 1, clusterAuthorizedOperations: 0, errorCode: 0, x: 9 },
  brokers: [{ nodeId: 1, host: 'b', port: 9092, rack: 'r', x: 'tag' }],
  topics: [
    {
      ...{ errorCode: 0, name: 't', isInternal: false, topicAuthorizedOperations: 0, x: 'another' },
      partitions: [0, 1].map((partitionIndex) => ({
        ...{ errorCode: 0, partitionIndex, leaderId: 1, leaderEpoch: 4, x: 77, y: 'tag' },
        ...{ replicaNodes: [1], isrNodes: [1], offlineReplicas: [] },
      })),
    },
  ],
}
