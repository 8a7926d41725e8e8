import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs } from '../../src/cluster/backoff.ts'

describe('backoffMs', () => {
  it('doubles from the first failure on, up to the limit', () => {
    expect([1, 2, 3, 4, 5, 6].map((failures) => backoffMs(failures, 100, 1000, 0.5))).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ])
  })

  it('spreads by a fifth to either side', () => {
    expect([backoffMs(1, 100, 1000, 0), backoffMs(1, 100, 1000, 0.999_999)].map(Math.round)).toEqual([80, 120])
  })

  it('stays within a fifth of its limits, whatever happens', () => {
    const cases = [
      fc.nat(10_000),
      fc.nat(86_400_000),
      fc.nat(86_400_000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    ] as const
    fc.assert(
      fc.property(...cases, (failures, initialMs, extraMs, random) => {
        const wait = backoffMs(failures, initialMs, initialMs + extraMs, random)
        expect(wait).toBeGreaterThanOrEqual(initialMs * 0.8 - 1e-6)
        expect(wait).toBeLessThanOrEqual((initialMs + extraMs) * 1.2 + 1e-6)
      }),
    )
  })

  it('never becomes shorter with another failure', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 1000 }), (failures, initialMs) => {
        const [now, next] = [
          backoffMs(failures, initialMs, 60_000, 0.5),
          backoffMs(failures + 1, initialMs, 60_000, 0.5),
        ]
        expect(next).toBeGreaterThanOrEqual(now)
      }),
    )
  })
})
