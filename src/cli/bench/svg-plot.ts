import { nice, ticks } from 'd3-array'
import { line } from 'd3-shape'
import { bytes, grouped, milliseconds } from '../numbers.ts'
import type { Outcome } from './bench-run.ts'
import { condense } from './condense.ts'
import { recordRate } from './rate.ts'
import { latencyStart, settingsText, type Settings } from './settings.ts'
import type { Second } from './timeline.ts'

const WIDTH = 900
const LEFT = 80
const RIGHT = 24
const PANEL_HEIGHT = 190
const PANEL_TOPS = [110, 385] as const
const HEIGHT = 635
const MAX_POINTS = 600
const TICKS = { x: 10, y: 5 }

interface Series {
  readonly name: string
  readonly color: string
  readonly value: (second: Second) => number | null
}

interface Panel {
  readonly title: string
  readonly series: readonly Series[]
}

const RATE: Panel = {
  title: 'records/s',
  series: [{ name: 'delivered', color: '#c2410c', value: ({ delivered, seconds }) => delivered / seconds }],
}
const FAILED: Series = { name: 'failed', color: '#b91c1c', value: ({ failed, seconds }) => failed / seconds }
const LATENCIES: readonly Series[] = [
  { name: 'p99', color: '#0f766e', value: ({ p99Ms }) => p99Ms },
  { name: 'p50', color: '#64748b', value: ({ p50Ms }) => p50Ms },
]

/** Throughput and latency over time, for people who have not seen the run. */
export function plotSvg(outcome: Outcome, settings: Settings): string {
  const { timeline, failures, unsent } = outcome
  const rate = failures.total === 0 ? RATE : { ...RATE, series: [...RATE.series, FAILED] }
  const [title, ...details] = headings(outcome, settings)
  const without = unsent === 0 ? '' : `; without ${grouped(unsent)} never sent`
  const latency = { title: `latency, ms (${latencyStart(settings)}${without})`, series: LATENCIES }
  const panels = [rate, latency].map((panel, i) => panelSvg(panel, timeline, PANEL_TOPS[i] ?? 0))
  const content = [
    element('title', {}, escaped(title)),
    element('rect', { width: WIDTH, height: HEIGHT, fill: '#fff' }),
    text({ x: 16, y: 30, 'font-size': 17, 'font-weight': 'bold' }, title),
    ...details.map((detail, i) => text({ x: 16, y: 50 + 17 * i, fill: '#475569' }, detail)),
    ...panels,
  ]
  const style = { 'font-family': 'sans-serif', 'font-size': 12, fill: '#0f172a', role: 'img' }
  const size = { width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}` }
  return `${element('svg', { xmlns: 'http://www.w3.org/2000/svg', ...size, ...style }, content.join('\n'))}\n`
}

function headings({ delivered, seconds, latency, bytes: size }: Outcome, settings: Settings): [string, string, string] {
  const { topic, partitions, ratePerSecond, headrace, node } = settings
  const where = `${JSON.stringify(topic)} (${grouped(partitions)} partition${partitions === 1 ? '' : 's'})`
  const rate = `${recordRate(delivered / seconds)}, ${bytes(Math.round(size / seconds))}/s`
  const p99 = latency === null ? '' : `, p99 ${milliseconds(latency.p99)}`
  const offered = ratePerSecond === null ? 'as fast as it goes' : `${recordRate(ratePerSecond)} offered`
  return [
    `headrace bench: ${rate}${p99}`,
    `to ${where}, ${offered}; headrace ${headrace}, Node ${node}`,
    settingsText(settings),
  ]
}

function panelSvg({ title, series }: Panel, timeline: readonly Second[], top: number): string {
  const stretches = condense(timeline, MAX_POINTS)
  const end = Math.max(...stretches.map(({ startSeconds, seconds }) => startSeconds + seconds), 0.001)
  const highest = Math.max(...series.flatMap(({ value }) => stretches.map((second) => value(second) ?? 0)))
  const [, ceiling] = nice(0, highest === 0 ? 1 : highest, TICKS.y)
  const x = (at: number): number => LEFT + (at / end) * (WIDTH - LEFT - RIGHT)
  const y = (value: number): number => top + PANEL_HEIGHT * (1 - value / ceiling)
  const bottom = top + PANEL_HEIGHT
  return element(
    'g',
    {},
    [
      text({ x: LEFT, y: top - 10, 'font-weight': 'bold' }, title),
      ...series.map((one, i) => legend(one, WIDTH - RIGHT - 90 * (i + 1), top - 14)),
      ...ticks(0, ceiling, TICKS.y).flatMap((value) => [
        element('path', { d: `M${LEFT},${y(value)}H${WIDTH - RIGHT}`, stroke: '#e2e8f0' }),
        text({ x: LEFT - 8, y: y(value) + 4, 'text-anchor': 'end' }, value.toLocaleString('en')),
      ]),
      ...ticks(0, end, TICKS.x).map((at) => text({ x: x(at), y: bottom + 18, 'text-anchor': 'middle' }, String(at))),
      text({ x: (LEFT + WIDTH - RIGHT) / 2, y: bottom + 38, 'text-anchor': 'middle' }, 'seconds since the start'),
      ...series.map((one) => {
        const attributes = { d: steps(one, stretches, x, y), fill: 'none', stroke: one.color, 'stroke-width': 1.8 }
        return element('path', attributes)
      }),
    ].join('\n'),
  )
}

/** Each second is as wide as it was; where nothing is known there is a gap. */
function steps(
  { value }: Series,
  stretches: readonly Second[],
  x: (seconds: number) => number,
  y: (value: number) => number,
): string {
  const ends = stretches.flatMap((second): [number, number | null][] => [
    [second.startSeconds, value(second)],
    [second.startSeconds + second.seconds, value(second)],
  ])
  const draw = line<[number, number | null]>(
    ([at]) => x(at),
    ([, height]) => y(height ?? 0),
  )
  return draw.defined(([, height]) => height !== null).digits(1)(ends) ?? ''
}

function legend({ name, color }: Series, x: number, y: number): string {
  const sample = element('path', { d: `M${x},${y}h20`, stroke: color, 'stroke-width': 3 })
  return sample + text({ x: x + 26, y: y + 4 }, name)
}

type Attributes = Readonly<Record<string, string | number>>

function text(attributes: Attributes, content: string): string {
  return element('text', attributes, escaped(content))
}

function element(name: string, attributes: Attributes, content = ''): string {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`)
  return `<${name}${list.join('')}>${content}</${name}>`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Also what XML does not take at all. */
function escaped(content: string): string {
  return content.replaceAll(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, '?').replaceAll(/[&<>"]/g, (char) => ENTITIES[char] ?? '')
}
