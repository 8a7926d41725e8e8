import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { namedPartitioner, partitionerNames, type PartitionerName } from '../../src/partitioner/named.ts'
import { noLoads, type PartitionLoads } from '../../src/partitioner/partitioner.ts'
import { StickyChoice } from '../../src/partitioner/sticky.ts'
import { foreignBrokerAvailable, startForeignBroker, type ForeignBroker } from '../support/kafka/foreign-broker.ts'
import type { LineProcess } from '../support/kafka/line-process.ts'
import { describeBrokers, describeWhere } from '../support/kafka/require-brokers.ts'
import { SEED, VALUES } from './comparison.ts'
import { base64, startJavaPartitioners, startLibrdkafkaPartitioners } from './partitioner-judges.ts'

const SCENARIOS_PER_REQUEST = 100
const COUNTS = [1, 2, 3, 6, 7, 12, 100, 1000, 4096, 10_000, 100_003]
const key = fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ maxLength: 300 }))

function ours(name: PartitionerName, bytes: Uint8Array | null, partitionCount: number): number {
  const partitioner = namedPartitioner(name, { stickyBytes: 1000, random: () => 0, loads: noLoads })
  return partitioner.choose(bytes, { topic: 't', partitionCount, available: [0] }, 100)
}

interface Step {
  /** Whether the partition has a batch that takes the record, before it, and one that is not full, after it. */
  readonly isOpenBefore: boolean
  readonly isOpenAfter: boolean
  readonly bytes: number
  /** Queue lengths from then on, one for each partition with a leader. */
  readonly queued: readonly number[]
}

interface Scenario {
  readonly stickyBytes: number
  readonly partitionCount: number
  readonly available: readonly number[]
  readonly queued: readonly number[]
  /** In [0, 1), in the order in which they are drawn. */
  readonly randoms: readonly number[]
  readonly steps: readonly Step[]
}

const STEPS = 60
// At most as many partitions as the weights are always fresh for (queue-weights.ts), whatever a step brings.
const scenario: fc.Arbitrary<Scenario> = fc
  .integer({ min: 1, max: 16 })
  .chain((partitionCount) =>
    fc.tuple(fc.constant(partitionCount), fc.uniqueArray(fc.nat(partitionCount - 1), { minLength: 1, maxLength: 16 })),
  )
  .chain(([partitionCount, unsorted]) => {
    const available = unsorted.sort((a, b) => a - b)
    const lengths = { minLength: available.length, maxLength: available.length }
    const queued = fc.oneof(
      fc.array(fc.nat(9), lengths),
      fc.array(fc.constantFrom(0, 1000), lengths),
      fc.nat(3).map((n) => available.map(() => n)),
    )
    return fc.record({
      stickyBytes: fc.constantFrom(100, 1000, 16_384),
      partitionCount: fc.constant(partitionCount),
      available: fc.constant(available),
      queued,
      randoms: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
        minLength: STEPS * 2 + 1,
        maxLength: STEPS * 2 + 1,
      }),
      steps: fc.array(
        fc.record({
          isOpenBefore: fc.boolean(),
          isOpenAfter: fc.boolean(),
          bytes: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 40_000 })),
          queued,
        }),
        { minLength: STEPS, maxLength: STEPS },
      ),
    })
  })

function run({ stickyBytes, partitionCount, available, queued, randoms, steps }: Scenario): number[] {
  let now = queued
  let isOpen = false
  let drawn = 0
  const loads: PartitionLoads = {
    queued: (partition) => now[available.indexOf(partition)] ?? NaN,
    hasOpenBatch: () => isOpen,
  }
  const choice = new StickyChoice(stickyBytes, () => randoms[drawn++] ?? NaN, loads)
  return steps.map((step) => {
    isOpen = step.isOpenBefore
    const partition = choice.choose({ topic: 't', partitionCount, available }, step.bytes)
    // Java chooses the next partition while it places, we when it is needed: the queues are those of then.
    now = step.queued
    isOpen = step.isOpenAfter
    choice.placed(partition, step.bytes)
    return partition
  })
}

describeBrokers("partitioners by Kafka's own class", () => {
  let java: LineProcess

  beforeAll(async () => {
    java = await startJavaPartitioners()
  })

  afterAll(() => java.close())

  it('sticky: the same queues and the same random numbers, the same partition for every record', async () => {
    let switches = 0
    for (let done = 0; done < VALUES * 4; done += SCENARIOS_PER_REQUEST) {
      const scenarios = fc.sample(scenario, { numRuns: SCENARIOS_PER_REQUEST, seed: SEED + done })
      const { result } = await java.ask('sticky', { scenarios })
      for (const [i, theirs] of (result as number[][]).entries()) {
        const chosen = run(scenarios[i]!)
        expect(chosen, `seed ${SEED + done}, scenario ${i}`).toEqual(theirs)
        switches += chosen.filter((partition, at) => at > 0 && partition !== chosen[at - 1]).length
      }
    }
    expect(switches).toBeGreaterThan(VALUES)
  })

  it('keys: the same partition in topics of any size', async () => {
    const keys = fc.sample(key, { numRuns: VALUES * 4, seed: SEED })
    const { result } = await java.ask('keys', { keys: keys.map(base64), counts: COUNTS })
    for (const name of ['default', 'round-robin', 'murmur2', 'murmur2_random'] as const) {
      expect(keys.map((bytes) => COUNTS.map((count) => ours(name, bytes, count)))).toEqual(result)
    }
  })
})

/** librdkafka calls this one with every key, and it goes anywhere. */
const HASHING = ['consistent', 'consistent_random', 'murmur2', 'murmur2_random', 'fnv1a', 'fnv1a_random'] as const
const SEVEN = partitionerNames.filter((name) => name !== 'default' && name !== 'round-robin')

describeWhere(await foreignBrokerAvailable('librdkafka-mock'), "partitioners by librdkafka's own functions", () => {
  let librdkafka: LineProcess
  let mock: ForeignBroker

  beforeAll(async () => {
    librdkafka = await startLibrdkafkaPartitioners()
    mock = await startForeignBroker('librdkafka-mock')
    await mock.createTopic('places', 12)
  })

  afterAll(async () => {
    await librdkafka.close()
    await mock.close()
  })

  it.each(HASHING)('%s: the same partition for every key, in topics of any size', async (name) => {
    const keys = fc.sample(key, { numRuns: VALUES * 4, seed: SEED }).filter(({ length }) => length > 0)
    const { result } = await librdkafka.ask('partitions', { name, keys: keys.map(base64), counts: COUNTS })
    expect(keys.map((bytes) => COUNTS.map((count) => ours(name, bytes, count)))).toEqual(result)
  })

  it.each(['consistent', 'murmur2', 'fnv1a'] as const)('%s: no key and an empty key are the same', async (name) => {
    const keys = [null, new Uint8Array(0)]
    const { result } = await librdkafka.ask('partitions', { name, keys: keys.map(base64), counts: COUNTS })
    expect(keys.map((bytes) => COUNTS.map((count) => ours(name, bytes, count)))).toEqual(result)
  })

  // 60 records over 12 partitions: that chance puts all of them on one is out of the question (12^-59).
  it.each(SEVEN.flatMap((name) => [null, '', 'k'].map((text) => ({ name, text }))))(
    '$name with the key $text: a partition of its own or anywhere, as its producer does it',
    async ({ name, text }) => {
      const bytes = text === null ? null : Buffer.from(text)
      const keys = new Array<string | null>(60).fill(base64(bytes))
      const asked = { name, topic: 'places', bootstrap: mock.bootstrap, keys }
      const theirs = new Set((await librdkafka.ask('produce', asked)).result as number[])
      const chosen = new Set([0.01, 0.5, 0.99].map((random) => withRandom(name, bytes, random)))
      expect(chosen.size > 1).toBe(theirs.size > 1)
      if (theirs.size === 1) expect(chosen).toEqual(theirs)
    },
  )
})

/** Where a new partitioner puts its first record. */
function withRandom(name: PartitionerName, bytes: Uint8Array | null, random: number): number {
  const partitioner = namedPartitioner(name, { stickyBytes: 1000, random: () => random, loads: noLoads })
  const available = Array.from({ length: 12 }, (_, i) => i)
  return partitioner.choose(bytes, { topic: 't', partitionCount: 12, available }, 100)
}
