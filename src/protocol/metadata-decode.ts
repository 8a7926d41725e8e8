/**
 * Metadata answers, read straight into typed arrays.
 *
 * The schema's decoder makes an object per partition, which is 45 MB for 100 000 of them; this one makes two arrays per
 * topic and passes over what a producer does not need (replicas, racks, operations). The schema stays the judge: both
 * refuse the same bytes, and what both read is the same (test/protocol/metadata-decode.test.ts).
 *
 * Source: MetadataResponse.json of Apache Kafka 4.3.1.
 */
import { Reader } from '../bytes/reader.ts'
import { skipTagged } from './decode.ts'
import { responseHeaderVersion } from './frame.ts'
import { layoutOf, partOf, type Layout } from './layout.ts'
import { metadata } from './messages/metadata.ts'
import { MAX_STRING_BYTES, ZERO_UUID } from './schema.ts'

export interface LeanBroker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

/** Partitions by index; one that the answer does not speak of has no leader. */
export interface LeanTopic {
  readonly errorCode: number
  readonly name: string | null
  readonly topicId: string
  /** Node ids; -1: no leader. */
  readonly leaders: Int32Array
  /** -1: not known. */
  readonly leaderEpochs: Int32Array
}

/** What a producer wants to know of a Metadata answer; defaults where a version lacks a field. */
export interface LeanMetadata {
  readonly throttleTimeMs: number
  readonly errorCode: number
  readonly clusterId: string | null
  readonly brokers: readonly LeanBroker[]
  readonly topics: readonly LeanTopic[]
}

/** So many partitions are read at a stretch: a few milliseconds. */
const PARTITIONS_PER_STEP = 50_000
/** A topic, with its name, its id and two arrays, takes as long as so many partitions. */
const PARTITIONS_PER_TOPIC = 20

/** One answer that is being read, step by step, so that a large one does not hold up the event loop. */
export class MetadataReading {
  readonly throttleTimeMs: number
  readonly #steps: Generator<void, LeanMetadata>

  /**
   * @param frame with its header, without its length.
   * @throws {ProtocolError} see `decodeResponseFrame`; so does `next`.
   */
  constructor(version: number, frame: Uint8Array) {
    const shape = shapeOf(version)
    const input = new Reader(frame, `Metadata v${version} response`)
    input.skip(4) // the correlation id is the connection's business
    if (responseHeaderVersion(metadata, version) === 1) skipTagged(input)
    this.throttleTimeMs = shape.hasThrottleTime ? input.int32() : 0
    this.#steps = read(shape, input, this.throttleTimeMs)
  }

  /** One step further. @returns the answer, or null: there is more to read. */
  next(): LeanMetadata | null {
    const step = this.#steps.next()
    return step.done === true ? step.value : null
  }
}

/** Reads an answer in one go. @throws {ProtocolError} see `MetadataReading`. */
export function decodeMetadataFrame(version: number, frame: Uint8Array): LeanMetadata {
  const reading = new MetadataReading(version, frame)
  let answer = reading.next()
  while (answer === null) answer = reading.next()
  return answer
}

/** What the schema says of one version, as answers to the questions that the walk has. */
interface Shape {
  readonly isFlexible: boolean
  readonly hasThrottleTime: boolean
  readonly hasRack: boolean
  readonly hasClusterId: boolean
  readonly hasControllerId: boolean
  readonly hasTopicId: boolean
  readonly isNameNullable: boolean
  readonly hasIsInternal: boolean
  readonly hasTopicOperations: boolean
  readonly hasClusterOperations: boolean
  readonly hasErrorCode: boolean
  readonly hasLeaderEpoch: boolean
  readonly hasOfflineReplicas: boolean
  readonly minBrokerBytes: number
  readonly minTopicBytes: number
  readonly minPartitionBytes: number
}

const shapes: (Shape | undefined)[] = []

function shapeOf(version: number): Shape {
  return (shapes[version] ??= newShape(version))
}

function newShape(version: number): Shape {
  const whole = layoutOf(metadata, 'response', version)
  const broker = elementOf(whole, 'brokers')
  const topic = elementOf(whole, 'topics')
  const partition = elementOf(topic, 'partitions')
  return {
    isFlexible: whole.isFlexible,
    hasThrottleTime: has(whole, 'throttleTimeMs'),
    hasRack: has(broker, 'rack'),
    hasClusterId: has(whole, 'clusterId'),
    hasControllerId: has(whole, 'controllerId'),
    hasTopicId: has(topic, 'topicId'),
    isNameNullable: topic.body.some(({ name, isNullable }) => name === 'name' && isNullable),
    hasIsInternal: has(topic, 'isInternal'),
    hasTopicOperations: has(topic, 'topicAuthorizedOperations'),
    hasClusterOperations: has(whole, 'clusterAuthorizedOperations'),
    hasErrorCode: has(whole, 'errorCode'),
    hasLeaderEpoch: has(partition, 'leaderEpoch'),
    hasOfflineReplicas: has(partition, 'offlineReplicas'),
    minBrokerBytes: broker.minBytes,
    minTopicBytes: topic.minBytes,
    minPartitionBytes: partition.minBytes,
  }
}

function has({ body }: Layout, field: string): boolean {
  return body.some(({ name }) => name === field)
}

/** The layout of the structs in an array. */
function elementOf({ body }: Layout, field: string): Layout {
  const slot = body.find(({ name }) => name === field)
  return partOf(partOf(slot?.element ?? null).layout)
}

function* read(shape: Shape, input: Reader, throttleTimeMs: number): Generator<void, LeanMetadata> {
  const brokers = readBrokers(shape, input)
  const clusterId = shape.hasClusterId ? readString(shape, input, true) : null
  if (shape.hasControllerId) input.skip(4)
  const topics: LeanTopic[] = []
  const count = readCount(shape, input, shape.minTopicBytes)
  let untilPause = PARTITIONS_PER_STEP
  for (let i = 0; i < count; i++) {
    const topic = readTopicHead(shape, input)
    topics.push(topic)
    untilPause -= PARTITIONS_PER_TOPIC
    for (let left = topic.leaders.length; left > 0 || untilPause <= 0;) {
      if (untilPause <= 0) {
        untilPause = PARTITIONS_PER_STEP
        yield
      }
      const some = Math.min(left, untilPause)
      readPartitions(shape, input, topic, some)
      left -= some
      untilPause -= some
    }
    if (shape.hasTopicOperations) input.skip(4)
    if (shape.isFlexible) skipTagged(input)
  }
  if (shape.hasClusterOperations) input.skip(4)
  const errorCode = shape.hasErrorCode ? input.int16() : 0
  if (shape.isFlexible) skipTagged(input)
  input.end()
  return { throttleTimeMs, errorCode, clusterId, brokers, topics }
}

function readBrokers(shape: Shape, input: Reader): LeanBroker[] {
  const brokers: LeanBroker[] = []
  const count = readCount(shape, input, shape.minBrokerBytes)
  for (let i = 0; i < count; i++) {
    brokers.push({ nodeId: input.int32(), host: readString(shape, input, false) ?? '', port: input.int32() })
    if (shape.hasRack) skipString(shape, input)
    if (shape.isFlexible) skipTagged(input)
  }
  return brokers
}

/** Everything of a topic up to its partitions, and room for those. */
function readTopicHead(shape: Shape, input: Reader): LeanTopic {
  const errorCode = input.int16()
  const name = readString(shape, input, shape.isNameNullable)
  const topicId = shape.hasTopicId ? input.bytes(16).toString('base64url') : ZERO_UUID
  if (shape.hasIsInternal) input.skip(1)
  const count = readCount(shape, input, shape.minPartitionBytes)
  const leaders = new Int32Array(count).fill(-1)
  const leaderEpochs = new Int32Array(count).fill(-1)
  return { errorCode, name, topicId, leaders, leaderEpochs }
}

function readPartitions(shape: Shape, input: Reader, { leaders, leaderEpochs }: LeanTopic, count: number): void {
  const { isFlexible, hasLeaderEpoch, hasOfflineReplicas } = shape
  for (let i = 0; i < count; i++) {
    input.skip(2) // an error of the partition: without a leader the leader is -1
    const index = input.int32()
    const leader = input.int32()
    const epoch = hasLeaderEpoch ? input.int32() : -1
    skipInt32s(isFlexible, input) // replicaNodes
    skipInt32s(isFlexible, input) // isrNodes
    if (hasOfflineReplicas) skipInt32s(isFlexible, input)
    if (isFlexible) skipTagged(input)
    if (index < 0 || index >= leaders.length) continue // an index that cannot be
    leaders[index] = leader
    leaderEpochs[index] = epoch
  }
}

function skipInt32s(isFlexible: boolean, input: Reader): void {
  const count = isFlexible ? input.uvarint() - 1 : input.int32()
  if (count < 0) throw input.invalid(`an array of ${count} elements`)
  if (count * 4 > input.remaining) throw input.invalid(`${count} elements in ${input.remaining} bytes`)
  input.skip(count * 4)
}

function readCount(shape: Shape, input: Reader, minElementBytes: number): number {
  const count = shape.isFlexible ? input.uvarint() - 1 : input.int32()
  if (count < 0) throw input.invalid(`an array of ${count} elements`)
  if (count * minElementBytes > input.remaining) {
    throw input.invalid(`${count} elements in ${input.remaining} bytes`)
  }
  return count
}

function readString(shape: Shape, input: Reader, isNullable: boolean): string | null {
  const length = stringLength(shape, input, isNullable)
  return length === -1 ? null : input.utf8(length)
}

function skipString(shape: Shape, input: Reader): void {
  const length = stringLength(shape, input, true)
  if (length > 0) input.skip(length)
}

function stringLength(shape: Shape, input: Reader, isNullable: boolean): number {
  const length = shape.isFlexible ? input.uvarint() - 1 : input.int16()
  if (length < -1) throw input.invalid(`a string of ${length} bytes`)
  if (length === -1 && !isNullable) throw input.invalid('null where a string must be')
  if (length > MAX_STRING_BYTES) throw input.invalid(`a string of ${length} bytes`)
  return length
}
