import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ratioOf, seeded, shuffled, spreadOf } from '../../bench/compare/statistics.ts'

describe('spreadOf', () => {
  it('gives the least, the middle and the most, whatever the order', () => {
    expect(spreadOf([5, 1, 3])).toEqual({ min: 1, median: 3, max: 5 })
    expect(spreadOf([4, 1, 3, 2])).toEqual({ min: 1, median: 2.5, max: 4 })
  })

  it('leaves out what was not measured, and knows when that is all', () => {
    expect(spreadOf([null, 7, undefined, NaN])).toEqual({ min: 7, median: 7, max: 7 })
    expect(spreadOf([null, NaN])).toBeNull()
  })
})

describe('ratioOf', () => {
  it('compares rounds with themselves: a slow minute that hits both changes nothing', () => {
    const mine = new Map([
      [1, 10],
      [2, 100],
      [3, 12],
    ])
    const others = new Map([
      [1, 5],
      [2, 50],
      [3, 4],
    ])
    expect(ratioOf(mine, others)).toEqual({ min: 2, median: 2, max: 3 })
  })

  it('does without rounds that one of them lacks', () => {
    expect(ratioOf(new Map([[1, 10]]), new Map([[2, 5]]))).toBeNull()
    expect(ratioOf(new Map([[1, 10]]), new Map([[1, 0]]))).toBeNull()
  })
})

describe('shuffled', () => {
  it('keeps all items, and a seed repeats the order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
        const once = shuffled(items, seeded(seed))
        expect([...once].sort()).toEqual([...items].sort())
        expect(shuffled(items, seeded(seed))).toEqual(once)
      }),
    )
  })

  it('lets everybody be first sometimes', () => {
    const random = seeded(1)
    const first = new Set(Array.from({ length: 100 }, () => shuffled(['a', 'b', 'c'], random)[0]))
    expect(first).toEqual(new Set(['a', 'b', 'c']))
  })
})
