import { describe, expect, it } from 'vitest'
import { LatencyHistogram, Progress } from '../support/chaos/progress.ts'

describe('a histogram of latencies', () => {
  it('knows percentiles to the millisecond below a second, to 10 ms above', () => {
    const histogram = new LatencyHistogram()
    for (let ms = 0; ms < 100; ms++) histogram.add(ms + 0.5)
    expect([0.01, 0.5, 0.99, 1].map((share) => histogram.percentileMs(share))).toEqual([1, 50, 99, 100])
    histogram.add(54_321)
    expect(histogram.percentileMs(1)).toBe(54_330)
    expect(histogram).toMatchObject({ maxMs: 54_321, count: 101 })
  })

  it('has an answer before there is anything, and for what is beyond it', () => {
    const histogram = new LatencyHistogram()
    expect(histogram.percentileMs(0.5)).toBe(0)
    histogram.add(10_000_000)
    expect(histogram.percentileMs(0.5)).toBe(201_000)
  })
})

describe('progress', () => {
  it('calls it a stall when a partition with records out delivers none, however the others do', () => {
    const progress = new Progress()
    progress.onAccepted('t-0', 1000)
    progress.onAccepted('t-1', 1000)
    progress.onAccepted('t-0', 1010)
    progress.onDelivered('t-1', 1000, 1020, 5)
    progress.onDelivered('t-0', 1000, 1600, 5)
    progress.onDelivered('t-0', 1010, 1610, 5)
    expect(progress.stalls).toEqual([{ lane: 't-0', fromMs: 1000, toMs: 1600 }])
    expect([
      progress.longestStallMs(0, 999),
      progress.longestStallMs(1200, 1300),
      progress.longestStallMs(1601, 9000),
    ]).toEqual([0, 600, 0])
  })

  it('does not when there was nothing to deliver', () => {
    const progress = new Progress()
    progress.onAccepted('t-0', 1000)
    progress.onDelivered('t-0', 1000, 1010, 5)
    progress.onAccepted('t-0', 9000)
    progress.onFailed('t-0', 9010)
    expect(progress).toMatchObject({
      stalls: [],
      accepted: 2,
      delivered: 1,
      failed: 1,
      unsettled: 0,
      deliveredBytes: 5,
    })
  })
})
