import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LatencyHistogram } from '../../bench/compare/latency.ts'
import { Schedule } from '../../bench/compare/schedule.ts'

describe('LatencyHistogram', () => {
  it('is exact for short times and never wrong by more than 1.6 %', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const histogram = new LatencyHistogram()
          for (const value of values) histogram.record(value)
          const sorted = [...values].sort((a, b) => a - b)
          const exact = sorted[Math.max(1, Math.ceil(share * values.length)) - 1] ?? NaN
          expect(Math.abs(histogram.quantile(share) - exact)).toBeLessThanOrEqual(exact < 128 ? 0 : exact * 0.016)
        },
      ),
    )
  })

  it('has no quantiles of nothing, and takes what a clock may do', () => {
    expect(new LatencyHistogram().quantile(0.5)).toBeNaN()
    const histogram = new LatencyHistogram()
    histogram.record(-3)
    histogram.record(1e12)
    expect(histogram.summary()).toMatchObject({ p50: 0, max: 2 ** 31 - 1 })
  })
})

describe('Schedule', () => {
  it('has the first record due at once and the others by the rate', () => {
    const schedule = new Schedule(1000, 100)
    expect(schedule.take(1000)).toBe(1)
    expect(schedule.take(1009)).toBe(0)
    expect(schedule.take(1050)).toBe(5)
    expect(schedule.issued).toBe(6)
  })

  it('counts a stall against every record that it held up, not only against the first (coordinated omission)', () => {
    const schedule = new Schedule(0, 1000)
    schedule.take(0)
    // A client that stands still for 100 ms: all that fell due meanwhile are sent, and acknowledged, at its end.
    expect(schedule.take(100)).toBe(100)
    const histogram = new LatencyHistogram()
    for (let i = 1; i <= 100; i++) histogram.record(schedule.latencyUs(i, 100))
    expect(schedule.latencyUs(1, 100)).toBeCloseTo(99_000)
    expect(histogram.quantile(0.5)).toBeGreaterThan(45_000)
  })
})
