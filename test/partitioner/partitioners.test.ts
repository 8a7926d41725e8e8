import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Partitioner, TopicShape } from '../../src/partitioner/partitioner.ts'
import { RoundRobinPartitioner } from '../../src/partitioner/round-robin.ts'
import { StickyPartitioner } from '../../src/partitioner/sticky.ts'

const shape = (available: readonly number[], partitionCount = available.length): TopicShape => ({
  topic: 't',
  partitionCount,
  available,
})
const all = (count: number): TopicShape => shape(Array.from({ length: count }, (_, i) => i))

describe('RoundRobinPartitioner', () => {
  it('gives counts that differ by at most one, from any start, over any run', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 500 }),
        fc.double({ min: 0, max: 0.999 }),
        (count, records, start) => {
          const partitioner = new RoundRobinPartitioner(() => start)
          const counts = new Array<number>(count).fill(0)
          for (let i = 0; i < records; i++) counts[partitioner.choose(null, all(count))]!++
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
        },
      ),
    )
  })

  it('passes over partitions without a leader and goes on where it was', () => {
    const partitioner = new RoundRobinPartitioner(() => 0)
    const choose = (topic: TopicShape): number => partitioner.choose(null, topic)
    expect([
      choose(all(4)),
      choose(all(4)),
      choose(shape([0, 3], 4)),
      choose(shape([0, 3], 4)),
      choose(all(4)),
    ]).toEqual([0, 1, 3, 0, 1])
  })
})

describe('StickyPartitioner', () => {
  const fill = (partitioner: Partitioner, topic: TopicShape, bytes: number): number => {
    const partition = partitioner.choose(null, topic)
    partitioner.placed(partition, bytes)
    return partition
  }

  it('stays with a partition until enough bytes went there, then takes another', () => {
    const partitioner = new StickyPartitioner(1000, () => 0.4)
    const topic = all(3)
    const first = fill(partitioner, topic, 600)
    expect(fill(partitioner, topic, 600)).toBe(first)
    expect(fill(partitioner, topic, 1)).not.toBe(first)
  })

  it('leaves a partition that lost its leader', () => {
    const partitioner = new StickyPartitioner(1000, () => 0)
    expect(fill(partitioner, all(3), 1)).toBe(0)
    expect(fill(partitioner, shape([1, 2], 3), 1)).toBe(1)
  })

  it('has one partition and stays there', () => {
    const partitioner = new StickyPartitioner(10, () => 0.99)
    expect([0, 0, 0].map(() => fill(partitioner, all(1), 100))).toEqual([0, 0, 0])
  })
})

describe('keys', () => {
  it('do not care for leaders, and null is not an empty key', () => {
    const partitioner = new StickyPartitioner(1000, () => 0)
    const key = Buffer.from('21') // golden: murmur2 1173551340, partition 0 of 12
    expect(partitioner.choose(key, shape([5], 12))).toBe(0)
    expect(partitioner.choose(Buffer.alloc(0), all(12))).toBe(0x106e08d9 % 12)
    expect(partitioner.choose(null, shape([5], 12))).toBe(5)
  })
})
