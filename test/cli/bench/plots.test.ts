import { afterEach, describe, expect, test, vi } from 'vitest'
import { report, reportLines, toJson } from '../../../src/cli/bench/bench-report.ts'
import type { Outcome } from '../../../src/cli/bench/bench-run.ts'
import { Failures } from '../../../src/cli/bench/failures.ts'
import { figuresOf } from '../../../src/cli/bench/live-line.ts'
import { announcement, type Settings } from '../../../src/cli/bench/settings.ts'
import { plotSvg } from '../../../src/cli/bench/svg-plot.ts'
import { terminalPlot } from '../../../src/cli/bench/terminal-plot.ts'
import type { Second } from '../../../src/cli/bench/timeline.ts'
import { paintFor } from '../../../src/cli/terminal.ts'
import { elementsOf } from './svg-elements.ts'

const timeline: Second[] = [
  { startSeconds: 0, seconds: 1, delivered: 50_000, failed: 0, p50Ms: 1, p99Ms: 4 },
  { startSeconds: 1, seconds: 1, delivered: 100_000, failed: 0, p50Ms: 1, p99Ms: 2 },
  { startSeconds: 2, seconds: 1, delivered: 0, failed: 0, p50Ms: null, p99Ms: null },
  { startSeconds: 3, seconds: 1.25, delivered: 100_000, failed: 0, p50Ms: 1, p99Ms: 8 },
]
const outcome: Outcome = {
  ...{ sent: 250_000, delivered: 250_000, unsent: 0, failures: new Failures(), bytes: 25_000_000, seconds: 4.25 },
  ...{ sendingSeconds: 4, timeline, latency: { p50: 1.02, p95: 3, p99: 7.5, p999: 8, max: 8.4 }, earlyEnd: null },
  costs: { userUs: 200_000, systemUs: 50_000, rssPeakBytes: 90e6, loopDelayP99Ms: 2.5 },
}
const settings: Settings = {
  ...{ topic: 'load', partitions: 6, seconds: 4, records: null, warmupSeconds: 1, ratePerSecond: null },
  ...{ concurrency: 10_000, valueBytes: 100, keys: 0, acks: 'all', compression: 'none', batchBytes: 16_384 },
  ...{ lingerMs: 0, headrace: '0.1.0', node: 'v20.0.0' },
}
const failures = new Failures()
failures.add(new TypeError('odd'))

describe('the plot in the terminal', () => {
  test('has round figures at its axes, and a column or more for each second', () => {
    expect(terminalPlot(timeline, 29)).toEqual([
      'records/s',
      '  100K ┤    ╭────╮',
      '   80K ┤    │    │    ╭─────',
      '   60K ┤────╯    │    │',
      '   40K ┤         │    │',
      '   20K ┤         │    │',
      '     0 ┤         ╰────╯',
      '',
      'p99 latency, ms',
      '     8 ┤              ╭─────',
      '     6 ┤              │',
      '     4 ┤────╮         │',
      '     2 ┤    ╰─────────╯',
      '     0 ┤',
      '       0                 4 s',
    ])
  })

  test('of an hour is no wider than the terminal', () => {
    const hour = Array.from({ length: 3600 }, (_, i) => ({ ...timeline[0]!, startSeconds: i, delivered: i }))
    const lines = terminalPlot(hour, 80)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(lines.at(-1)).toMatch(/^ {7}0 +3600 s$/)
  })

  test('of nothing is a line at nothing', () => {
    const nothing = timeline.map((second) => ({ ...second, delivered: 0, p50Ms: null, p99Ms: null }))
    expect(terminalPlot(nothing, 40).filter((line) => line.includes('─'))).toHaveLength(2)
  })
})

describe('the plot in a file', () => {
  test('can be read without an explanation: title, settings, axes with units, legends', () => {
    const { texts, names } = elementsOf(plotSvg(outcome, settings))
    for (const text of [
      'headrace bench: 58,824 records/s, 5.88 MB/s, p99 7.50 ms',
      'to "load" (6 partitions), as fast as it goes; headrace 0.1.0, Node v20.0.0',
      'records/s',
      'latency, ms (from the call of send)',
      'seconds since the start',
      ...['delivered', 'p99', 'p50', '100,000', '8'],
    ])
      expect(texts).toContain(text)
    expect(texts).not.toContain('failed')
    expect(names.filter((name) => name === 'svg')).toHaveLength(1)
  })

  test('has a line for each series, with a gap where nothing was delivered', () => {
    const { lines } = elementsOf(plotSvg(outcome, settings))
    expect(lines.map(([color]) => color)).toEqual(['#c2410c', '#0f766e', '#64748b'])
    const [rates, p99] = lines.map(([, path]) => path)
    // 80 to 876 is 4.25 seconds, 300 to 110 nothing to 100,000.
    expect(rates).toBe('M80,205L267.3,205L267.3,110L454.6,110L454.6,300L641.9,300L641.9,148L876,148')
    expect(p99?.match(/M/g)).toHaveLength(2)
  })

  test('shows failures, if there are any', () => {
    const { texts, lines } = elementsOf(plotSvg({ ...outcome, failures }, settings))
    expect(texts).toContain('failed')
    expect(lines).toHaveLength(4)
  })

  test('stays well-formed, whatever the topic is called', () => {
    const { texts } = elementsOf(plotSvg(outcome, { ...settings, topic: '<a>&"\0\u{d800}' }))
    expect(texts[2]).toMatch(/^to "<a>&\\"/)
  })

  test('of nothing is empty axes', () => {
    const empty = { ...outcome, delivered: 0, latency: null, timeline: [] }
    const { lines, text } = elementsOf(plotSvg(empty, settings))
    expect(lines.map(([, path]) => path)).toEqual(['', '', ''])
    expect(text).not.toMatch(/NaN|Infinity/)
  })
})

describe('the report', () => {
  test('to people', () => {
    const lines = reportLines(outcome, { ...settings, ratePerSecond: 60_000 }, paintFor({}))
    expect(lines.slice(0, 7)).toEqual([
      '250,000 records (25.0 MB) delivered to "load" in 4.25 s',
      '  throughput  58,824 records/s, 5.88 MB/s; in single seconds 0 to 100,000',
      '  latency     p50 1.02 ms, p95 3.00 ms, p99 7.50 ms, p99.9 8.00 ms, max 8.40 ms (from when a record was due)',
      '  CPU         1.00 us a record (user 0.80, system 0.20); this process alone, 6 % of a core',
      '  memory      90.0 MB at most',
      '  event loop  p99 of its delay 2.50 ms',
      '',
    ])
  })

  test('to programs', () => {
    expect(toJson({ ...outcome, failures }, settings)).toMatchObject({
      ...{ records: 250_000, delivered: 250_000, failed: 1, bytes: 25_000_000, seconds: 4.25 },
      recordsPerSecond: { mean: 58_824, min: 0, max: 100_000 },
      latencyMs: { p50: 1.02, p99: 7.5 },
      cpuUsPerRecord: { user: 0.8, system: 0.2 },
      ...{ errors: { TypeError: 1 }, ended: null, settings: { topic: 'load' } },
    })
  })

  test.each([
    [2938, '2,938 records that were due and never sent: they would have waited longer'],
    [1, '1 record that was due and never sent: it would have waited longer'],
  ])('says beside the latency that it is without %i that were never sent', (unsent, without) => {
    const atRate = { ...settings, ratePerSecond: 1000 }
    const lines = reportLines({ ...outcome, unsent }, atRate, paintFor({}))
    expect(lines[2]).toMatch(`max 8.40 ms (from when a record was due; without ${without})`)
    const { texts } = elementsOf(plotSvg({ ...outcome, unsent }, atRate))
    const short = unsent === 1 ? '1' : '2,938'
    expect(texts).toContain(`latency, ms (from when a record was due; without ${short} never sent)`)
  })

  test('of a few records a second has decimals, and one is one', () => {
    const slow = { ...outcome, delivered: 2, seconds: 5 }
    const seconds = [0, 1].map((i) => ({ ...timeline[0]!, startSeconds: i, delivered: i }))
    expect(toJson({ ...slow, timeline: seconds }, settings)).toMatchObject({
      recordsPerSecond: { mean: 0.4, min: 0, max: 1 },
    })
    expect(reportLines(slow, settings, paintFor({}))[1]).toMatch(/^ {2}throughput {2}0\.4 records\/s, /)
    expect(reportLines({ ...slow, seconds: 2 }, settings, paintFor({}))[1]).toMatch(/^ {2}throughput {2}1 record\/s, /)
    expect(announcement({ ...settings, ratePerSecond: 1 }, 'a:1')[0]).toMatch(/ 4 s at 1 record\/s$/)
  })

  test('while it runs', () => {
    const state = { name: 'measuring', doneShare: 0.5, load: { underWay: 17 }, failures }
    const two = { seconds: timeline.slice(0, 2), delivered: 160_000 }
    expect(figuresOf({ ...state, timeline: two })).toBe(
      '100,000 records/s  p99 2.00 ms  17 under way  160,000 delivered  1 failed',
    )
    const begun = { seconds: [], delivered: 3 }
    expect(figuresOf({ ...state, failures: new Failures(), timeline: begun })).toBe('17 under way  3 delivered')
  })
})

describe('with --rate and --records', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  const notesOf = (sendingSeconds: number): string => {
    const written: string[] = []
    vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0)
    const measured = { ...outcome, sent: 4000, sendingSeconds }
    const counted = { ...settings, seconds: null, records: 4000, ratePerSecond: 1000 }
    report({ warmup: null, measured }, { settings: counted, isJson: true, speak: String })
    vi.restoreAllMocks()
    return written.join('')
  }

  test('it is said if sending took much longer than it should have', () => {
    expect(notesOf(9.01)).toBe(
      'headrace: --rate 1,000 was not reached: sending 4,000 records took 9.01 s instead of 4.00 s\n',
    )
    expect(notesOf(4.1)).toBe('')
  })
})
