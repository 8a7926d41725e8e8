import { plot } from 'asciichart'
import { nice, ticks } from 'd3-array'
import { condense } from './condense.ts'
import type { Second } from './timeline.ts'

const TICKS = 5
const LABEL_WIDTH = 6
/** What stands left of the points: the label, a blank, the axis. */
const LEFT = LABEL_WIDTH + 2
const MIN_POINTS = 20
/** asciichart's own, but for the first, which it puts at the top of every axis. */
const SYMBOLS = ['┤', '┤', '╶', '╴', '─', '╰', '╭', '╮', '╯', '│'] as const

const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

/** Throughput and p99 over time, one above the other, no wider than the terminal. */
export function terminalPlot(timeline: readonly Second[], columns: number): string[] {
  const width = Math.max(columns - LEFT, MIN_POINTS)
  const stretches = condense(timeline, width)
  const rates = stretches.map(({ delivered, seconds }) => delivered / seconds)
  const end = timeline.reduce((sum, { seconds }) => sum + seconds, 0)
  return [
    'records/s',
    ...panel(rates, width),
    '',
    'p99 latency, ms',
    ...panel(withoutGaps(stretches.map(({ p99Ms }) => p99Ms)), width),
    timeAxis(end, pointsFor(stretches.length, width)),
  ]
}

/** A line for each tick of the axis, from 0 on. */
function panel(values: readonly number[], width: number): string[] {
  const [, max] = nice(0, Math.max(...values) || 1, TICKS)
  const format = (value: number): string => `${short.format(value).padStart(LABEL_WIDTH)} `
  const settings = { min: 0, max, height: ticks(0, max, TICKS).length - 1, format }
  const points = stretched(values, pointsFor(values.length, width))
  const lines = plot(points, { ...settings, offset: 2, symbols: [...SYMBOLS] }).split('\n')
  return lines.map((line) => line.trimEnd())
}

/** Whole columns for each value. */
function pointsFor(count: number, width: number): number {
  return count * Math.max(1, Math.floor(width / count))
}

function stretched(values: readonly number[], points: number): number[] {
  const last = values.at(-1) ?? 0
  // The first of them stands on the axis.
  return Array.from({ length: points + 1 }, (_, i) => values[Math.floor((i * values.length) / points)] ?? last)
}

/** Nothing was delivered, so nothing is known: as before. */
function withoutGaps(values: readonly (number | null)[]): number[] {
  let before = values.find((value) => value !== null) ?? 0
  return values.map((value) => (before = value ?? before))
}

function timeAxis(endSeconds: number, points: number): string {
  const end = `${endSeconds.toFixed(0)} s`
  return `${'0'.padStart(LEFT)}${end.padStart(points)}`
}
