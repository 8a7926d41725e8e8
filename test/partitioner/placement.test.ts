import { describe, expect, it, vi } from 'vitest'
import type { TopicMetadata } from '../../src/cluster/metadata.ts'
import { DeliveryError, Producer, type PartitionerFunction } from '../../src/index.ts'
import type { PartitionLoads } from '../../src/partitioner/partitioner.ts'
import { Placement, type PlacementOptions } from '../../src/producer/placement.ts'
import { checkRecord, type CheckedRecord, type ProducerRecord } from '../../src/producer/record.ts'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { FakeClock } from '../support/fake-clock.ts'

const clock = new FakeClock()

function metadata(leaders: readonly number[], topic = 't'): TopicMetadata {
  const withLeader = leaders.flatMap((leader, partition) => (leader < 0 ? [] : [partition]))
  const available = withLeader.length > 0 ? withLeader : leaders.map((_, partition) => partition)
  const leaderEpochs = Int32Array.from(leaders, () => 1)
  return { topic, topicId: 'id', leaders: Int32Array.from(leaders), leaderEpochs, available, revision: 1 }
}

const placement = (options: Partial<PlacementOptions>): Placement =>
  new Placement({ partitioner: 'default', batchBytes: 100, clock, ...options })
const record = (fields: Partial<ProducerRecord> = {}): CheckedRecord =>
  checkRecord({ topic: 't', value: 'v', ...fields }, 0)

function failureOf(partitioner: unknown, leaders = [1, 1, 1]): DeliveryError {
  try {
    placement({ partitioner: partitioner as PartitionerFunction }).choose(record(), metadata(leaders))
  } catch (error) {
    if (error instanceof DeliveryError) return error
    throw error
  }
  throw new Error('it was taken')
}

describe('a partitioner of the user’s own', () => {
  it.each([
    [NaN, 'NaN'],
    [-1, '-1'],
    [1.5, '1.5'],
    [3, '3'],
    [Infinity, 'Infinity'],
    [2 ** 32, '4294967296'],
    [1n, '1n'],
    ['1', '"1"'],
    [true, 'true'],
    [null, 'null'],
    [undefined, 'undefined'],
    [[1], 'an array of 1'],
    [{ valueOf: () => 1 }, 'an object'],
    [Object.create(null), 'an object'],
    [Symbol('x'), 'a symbol'],
  ])('that gives %s rejects the record', (given: unknown, shown) => {
    const failure = failureOf(() => given)
    expect(failure).toMatchObject({ code: 'PARTITIONER_FAILED', topic: 't', maybeWritten: false })
    expect(failure.message).toBe(
      `send: PARTITIONER_FAILED: topic "t": it gave ${shown}, expected an integer from 0 to 2`,
    )
  })

  it('that is asynchronous is told so, and what it fails with later disturbs nobody', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    const failure = failureOf(() => Promise.reject(new Error('later')))
    expect(failure.message).toContain('it gave a Promise (partitioners are synchronous), expected an integer')
    // A rejection that nobody takes is reported when the microtasks are done, which is before this.
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })

  it.each([
    [new Error('boo'), 'boo'],
    ['boo', '"boo"'],
    [undefined, 'undefined'],
    [Object.create(null), 'an object'],
  ])('that throws %s rejects the record, with that as its cause', (thrown, shown) => {
    const failure = failureOf(() => {
      throw thrown as Error
    })
    expect(failure.message).toBe(`send: PARTITIONER_FAILED: topic "t": it threw: ${shown}`)
    expect(failure.code).toBe('PARTITIONER_FAILED')
    expect(failure.cause).toBe(thrown)
  })

  it('may give -0, which is 0', () => {
    expect(placement({ partitioner: () => -0 }).choose(record(), metadata([1]))).toBe(0)
  })

  it('gets the record as it was given, and the topic, which it cannot change', () => {
    const seen: unknown[][] = []
    const given: ProducerRecord = { topic: 't', value: 'v', key: 'k', headers: { a: 'b' } }
    const own = placement({ partitioner: (...args) => seen.push(args) - 1 })
    const topic = metadata([1, -1, 1])
    own.choose(checkRecord(given, 0), topic)
    expect(seen[0]![0]).toBe(given)
    expect(seen[0]![1]).toEqual({ topic: 't', partitionCount: 3, available: [0, 2] })
    const { available } = seen[0]![1] as { available: number[] }
    expect(() => available.push(7)).toThrow(TypeError)
    expect(available).not.toBe(topic.available)
  })

  it('is not asked about a record that names its partition', () => {
    const own = placement({ partitioner: () => NaN })
    expect(own.choose(record({ partition: 2 }), metadata([1, 1, 1]))).toBe(2)
  })
})

describe('Placement', () => {
  it('remembers each topic for itself, and lets it see its own queues', () => {
    const asked: string[] = []
    const loads = (topic: string): PartitionLoads => {
      asked.push(topic)
      return { queued: (partition) => (topic === 'b' && partition === 1 ? 9 : 0), hasOpenBatch: () => false }
    }
    clock.nextRandom = 0.9
    const places = placement({ loads })
    const put = (topic: string): number => {
      const one = record({ topic })
      const partition = places.choose(one, metadata([1, 1], topic))
      places.placed(one, partition, 100)
      return partition
    }
    expect(['a', 'b', 'a', 'b'].map(put)).toEqual([1, 0, 1, 0])
    expect(asked).toEqual(['a', 'b'])
  })

  it('counts what was placed for want of a key, not what named its partition or has a key', () => {
    clock.nextRandom = 0
    const places = placement({})
    const topic = metadata([1, 1])
    expect(places.choose(record(), topic)).toBe(0)
    clock.nextRandom = 0.9
    places.placed(record({ partition: 0 }), 0, 500)
    places.placed(record({ key: '21' }), 0, 500)
    expect(places.choose(record(), topic)).toBe(0)
    places.placed(record(), 0, 100)
    expect(places.choose(record(), topic)).toBe(1)
  })

  it('moves on as soon as metadata say that the leader is gone', () => {
    clock.nextRandom = 0
    const places = placement({})
    expect(places.choose(record(), metadata([1, 1]))).toBe(0)
    expect(places.choose(record(), metadata([-1, 1]))).toBe(1)
    // Nobody leads: any will do, and where it was is one of them.
    expect(places.choose(record(), metadata([-1, -1]))).toBe(1)
  })
})

describe('Producer, with a partitioner that is wrong now and then', () => {
  it('rejects those records alone, and delivers the others', async () => {
    await using cluster = await TestCluster.start({ topics: { t: 2 } })
    const wrong: Record<string, unknown> = {
      nan: NaN,
      minus: -1,
      half: 1.5,
      big: 1n,
      late: Promise.resolve(1),
      beyond: 2,
    }
    const partitioner = (({ value }: ProducerRecord): unknown => {
      if (value === 'throw') throw new Error('boo')
      return typeof value === 'string' && value in wrong ? wrong[value] : 1
    }) as PartitionerFunction
    await using producer = new Producer({ brokers: cluster.bootstrap, partitioner })
    const values = ['a', ...Object.keys(wrong), 'throw', 'b']
    const report = await producer.sendAllSettled(values.map((value) => ({ topic: 't', value })))
    expect(report.failed.map(({ index, error }) => [values[index], error.code])).toEqual(
      values.slice(1, -1).map((value) => [value, 'PARTITIONER_FAILED']),
    )
    expect(cluster.records('t').map(({ partition, value }) => [partition, String(value)])).toEqual([
      [1, 'a'],
      [1, 'b'],
    ])
  })
})
