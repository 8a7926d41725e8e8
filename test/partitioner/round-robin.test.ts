import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TopicShape } from '../../src/partitioner/partitioner.ts'
import { RoundRobinChoice } from '../../src/partitioner/round-robin.ts'
import { all, shape } from './shapes.ts'

const sizes = fc.integer({ min: 1, max: 50 })
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('RoundRobinChoice', () => {
  it('gives exact counts, from any start, over any run: each partition once before any comes again', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 20 }), random, (count, rounds, start) => {
        const choice = new RoundRobinChoice(() => start)
        const topic = all(count)
        for (let round = 0; round < rounds; round++) {
          const chosen = topic.available.map(() => choice.choose(topic))
          expect(chosen.toSorted((a, b) => a - b)).toEqual(topic.available)
        }
      }),
    )
  })

  it('goes on with the next above the last when partitions come and go, as a plain search would', () => {
    const topics = fc.array(
      fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 21 }).map((partitions) =>
        shape(
          partitions.toSorted((a, b) => a - b),
          21,
        ),
      ),
      { minLength: 1, maxLength: 5 },
    )
    fc.assert(
      fc.property(topics, fc.array(fc.nat(4), { maxLength: 60 }), random, (shapes, order, start) => {
        const choice = new RoundRobinChoice(() => start)
        let last: number | undefined
        for (const at of order) {
          const topic = shapes[at % shapes.length]!
          const chosen = choice.choose(topic)
          const { available } = topic
          const expected = available.find((partition) => partition > last!) ?? available[0]
          expect(chosen).toBe(last === undefined ? available[Math.floor(start * available.length)] : expected)
          last = chosen
        }
      }),
    )
  })

  it('passes over partitions without a leader and goes on where it was', () => {
    const choice = new RoundRobinChoice(() => 0)
    const topics: TopicShape[] = [all(4), all(4), shape([0, 3], 4), shape([0, 3], 4), all(4)]
    expect(topics.map((topic) => choice.choose(topic))).toEqual([0, 1, 3, 0, 1])
  })

  it('starts anywhere', () => {
    const starts = [0, 0.3, 0.5, 0.999].map((start) => new RoundRobinChoice(() => start).choose(all(10)))
    expect(starts).toEqual([0, 3, 5, 9])
  })
})
