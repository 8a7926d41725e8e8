import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QueueWeights } from '../../src/partitioner/queue-weights.ts'
import { all, chiSquare, CHI_SQUARE_OF_6, queues, seeded } from './shapes.ts'

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('QueueWeights', () => {
  // The example in BuiltInPartitioner.updatePartitionLoadStats: queues 0, 3 and 1 become 4, 5 and 8.
  it.each([0, 1, 2, 3, 4, 5, 6, 7])('has the example of Kafka: %i of 8', (drawn) => {
    const weights = new QueueWeights(queues([0, 3, 1]), () => drawn / 8)
    expect(weights.choose([0, 1, 2], 0)).toBe([0, 0, 0, 0, 1, 2, 2, 2][drawn])
  })

  it('gives each partition its share of the range, whatever the queues', () => {
    const lengths = fc.array(fc.oneof(fc.nat(5), fc.nat(100_000)), { minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(lengths, random, (queued, drawn) => {
        const available = queued.map((_, i) => i * 2)
        const loads = queues(available.flatMap((_, i) => [queued[i]!, NaN]))
        const chosen = new QueueWeights(loads, () => drawn).choose(available, 0)
        const shares = queued.map((length) => Math.max(...queued) + 1 - length)
        let left = drawn * shares.reduce((sum, share) => sum + share, 0)
        const expected = shares.findIndex((share) => (left -= share) < 0)
        // Where all are alike it is one draw among them, which comes to the same but for rounding.
        expect(chosen).toBe(new Set(queued).size === 1 ? Math.floor(drawn * queued.length) * 2 : expected * 2)
      }),
    )
  })

  it('prefers short queues by their weight, and is even where all are alike', () => {
    const counts = (lengths: readonly number[]): number[] => {
      const weights = new QueueWeights(queues(lengths), seeded(7))
      const counted = lengths.map(() => 0)
      for (let i = 0; i < 60_000; i++) counted[weights.choose(all(6).available, 1)]!++
      return counted
    }
    expect(chiSquare(counts([2, 2, 2, 2, 2, 2]))).toBeLessThan(CHI_SQUARE_OF_6)
    // Weights 1, 10, 10, 10, 10, 10 of 51.
    const [slow = 0, ...others] = counts([9, 0, 0, 0, 0, 0])
    expect(slow / 60_000).toBeCloseTo(1 / 51, 2)
    expect(chiSquare([slow * 10, ...others])).toBeLessThan(CHI_SQUARE_OF_6 * 10)
    expect(chiSquare([slow, ...others])).toBeGreaterThan(CHI_SQUARE_OF_6 * 100)
  })

  it('looks at no more than 2 queues a record, or 64 a choice, in large topics, and always in small ones', () => {
    const looks = (partitions: number, recordsBetween: number): number => {
      let count = 0
      const loads = { queued: () => ++count, hasOpenBatch: () => false }
      const weights = new QueueWeights(loads, () => 0.5)
      const { available } = all(partitions)
      for (let i = 0; i < 1000; i++) weights.choose(available, recordsBetween)
      return count
    }
    expect(looks(64, 1)).toBe(1000 * 64)
    expect(looks(300, 150)).toBe(1000 * 300)
    for (const [records, queues] of [
      [10, 64],
      [150, 300],
    ] as const) {
      expect(looks(10_000, records)).toBeLessThanOrEqual(1000 * queues + 10_000)
      expect(looks(10_000, records)).toBeGreaterThan(1000 * queues * 0.9)
    }
  })

  it('looks again at once when other partitions have leaders', () => {
    const lengths = [0, 0, 5, 0, 0, 5]
    const weights = new QueueWeights(queues(lengths), () => 0.5)
    expect(weights.choose([0, 1], 0)).toBe(1)
    // Weights 1 and 6: half of 7 is in the second.
    expect(weights.choose([2, 3], 0)).toBe(3)
    expect(weights.choose([4, 5], 0)).toBe(4)
  })
})
