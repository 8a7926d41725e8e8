import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rateRange } from '../../../src/cli/bench/bench-report.ts'
import { condense } from '../../../src/cli/bench/condense.ts'
import { Timeline, type Second } from '../../../src/cli/bench/timeline.ts'

const START_MS = 5000

function timelineOf(settled: readonly (readonly [atMs: number, latencyMs: number])[], endMs: number): Timeline {
  const timeline = new Timeline(START_MS)
  for (const [atMs, latencyMs] of settled) timeline.addDelivered(START_MS + atMs, START_MS + atMs - latencyMs)
  timeline.finish(START_MS + endMs)
  return timeline
}

/** Latencies are known within a thousandth. */
const about = (ms: number | null | undefined): number | null => (typeof ms === 'number' ? Number(ms.toFixed(1)) : null)

const counts = ({ seconds }: Timeline): (number | null)[][] =>
  seconds.map((second) => [second.startSeconds, second.seconds, second.delivered, about(second.p99Ms)])

describe('a timeline', () => {
  test('counts what settled in each second, also in those in which nothing did', () => {
    const timeline = timelineOf(
      [
        [0, 1],
        [999.9, 2],
        [1000, 3],
        [3500, 4],
      ],
      4000,
    )
    expect(counts(timeline)).toEqual([
      [0, 1, 2, 2],
      [1, 1, 1, 3],
      [2, 1, 0, null],
      [3, 1, 1, 4],
    ])
    expect(timeline.delivered).toBe(4)
    expect(rateRange(timeline.seconds)).toEqual({ min: 0, max: 2 })
  })

  test('a rest of less than half a second belongs to the second before, its latencies, too', () => {
    const [short, long] = [1400, 1600].map((endMs) =>
      timelineOf(
        [
          [500, 1],
          [1300, 9],
        ],
        endMs,
      ),
    )
    expect(counts(short!)).toEqual([[0, 1.4, 2, 9]])
    expect(counts(long!)).toEqual([
      [0, 1, 1, 1],
      [1, 0.6, 1, 9],
    ])
    expect(rateRange(long!.seconds)).toEqual({ min: 1, max: 1 })
    expect([short, long].map((timeline) => about(timeline?.latency?.max))).toEqual([9, 9])
  })

  test('its seconds are whole wherever it starts, and where the timer at its end was a little early', () => {
    const start = fc.double({ min: 0, max: 1e9, noNaN: true })
    fc.assert(
      fc.property(start, fc.integer({ min: 2, max: 20 }), fc.constantFrom(0, -0.9, 0.9), (startMs, count, lateMs) => {
        const timeline = new Timeline(startMs)
        // One in the first second, two in the next one.
        for (let i = 0; i < count; i++) {
          const nowMs = startMs + i * 1000 + 500
          for (let n = 0; n <= i; n++) timeline.addDelivered(nowMs, nowMs - 1)
        }
        timeline.finish(startMs + count * 1000 + lateMs)
        const { min, max } = rateRange(timeline.seconds) ?? { min: 0, max: 0 }
        expect(min).toBeCloseTo(1, 5)
        expect(Math.abs(max - count)).toBeLessThan(count / 500)
      }),
    )
  })

  test('a run of less than a second is one rest', () => {
    const timeline = timelineOf([[2, 1]], 4)
    expect(counts(timeline)).toEqual([[0, 0.004, 1, 1]])
    expect(rateRange(timeline.seconds)).toBe(null)
    expect(timelineOf([], 0).latency).toBe(null)
  })

  test('failures have no latency', () => {
    const timeline = new Timeline(START_MS)
    timeline.addFailed(START_MS + 10)
    timeline.addFailed(START_MS + 1010)
    timeline.finish(START_MS + 2000)
    expect(timeline.seconds.map(({ failed, delivered, p99Ms }) => [failed, delivered, p99Ms])).toEqual([
      [1, 0, null],
      [1, 0, null],
    ])
    expect([timeline.latency, timeline.delivered]).toEqual([null, 0])
  })

  test('its percentiles are those of a sorted list, within a thousandth, whatever second they settled in', () => {
    const settled = fc.array(
      fc.tuple(fc.double({ min: 0, max: 9000, noNaN: true }), fc.integer({ min: 1, max: 5e6 })),
      {
        minLength: 1,
        maxLength: 300,
      },
    )
    fc.assert(
      fc.property(settled, (list) => {
        const ascending = [...list].sort(([a], [b]) => a - b)
        const latency = timelineOf(
          ascending.map(([atMs, us]) => [atMs, us / 1000]),
          9000,
        ).latency
        const sorted = list.map(([, us]) => us / 1000).sort((a, b) => a - b)
        const at = (percentile: number): number =>
          sorted[Math.max(1, Math.round((percentile / 100) * sorted.length)) - 1] ?? NaN
        const { p50, p95, p99, p999, max } = latency ?? { p50: 0, p95: 0, p99: 0, p999: 0, max: 0 }
        for (const [measured, expected] of [
          [p50, at(50)],
          [p95, at(95)],
          [p99, at(99)],
          [p999, at(99.9)],
          [max, at(100)],
        ] as const) {
          expect(Math.abs(measured - expected)).toBeLessThanOrEqual(expected / 1000 + 0.001)
        }
      }),
      { numRuns: 50 },
    )
  })
})

describe('condensed for a plot', () => {
  const second = (startSeconds: number, delivered: number, p99Ms: number | null): Second => ({
    ...{ startSeconds, seconds: 1, delivered, failed: 0, p50Ms: p99Ms, p99Ms },
  })
  const five = [second(0, 10, 1), second(1, 20, 7), second(2, 30, null), second(3, 40, null), second(4, 50, 2)]

  test('rates are means, percentiles the worst, and nothing is lost', () => {
    expect(
      condense(five, 3).map(({ startSeconds, seconds, delivered, p99Ms }) => [startSeconds, seconds, delivered, p99Ms]),
    ).toEqual([
      [0, 2, 30, 7],
      [2, 2, 70, null],
      [4, 1, 50, 2],
    ])
    expect(condense(five, 5)).toEqual(five)
    expect(condense(five, 4)).toHaveLength(3)
  })
})
