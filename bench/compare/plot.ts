import { createRequire } from 'node:module'
import path from 'node:path'
import type { ContenderKind } from './contenders.ts'
import { PEERS } from './peers.ts'
import { figureText } from './markdown.ts'
import { METRICS, type CellSummary, type MetricName, type Row } from './summary.ts'

interface Charts {
  init(
    element: null,
    theme: null,
    options: object,
  ): { setOption(option: object): void; renderToSVGString(): string; dispose(): void }
}

const COLORS: Readonly<Record<ContenderKind, string>> = {
  headrace: '#c2410c',
  node: '#64748b',
  native: '#0f766e',
  limit: '#d4d4d8',
}
const LEGEND =
  'orange: headrace · grey: other clients in Node · green: C and Java · light: ready-made requests on a bare socket'
const PANEL = { width: 620, gap: 40, left: 210, right: 90, top: 64, bar: 24, head: 56 }

/** An SVG of one panel a cell and metric: bars of medians, whiskers from the least to the most. Null: no echarts here. */
export function plotSvg(summaries: readonly CellSummary[], caption: string): string | null {
  const charts = loadCharts()
  if (charts === null) return null
  const panels = summaries.map(panelsOf)
  const heights = panels.map((pair) => PANEL.head + PANEL.bar * Math.max(...pair.map(({ rows }) => rows.length)))
  const size = { width: 2 * PANEL.width + PANEL.gap, height: PANEL.top + heights.reduce((sum, each) => sum + each, 20) }
  const chart = charts.init(null, null, { renderer: 'svg', ssr: true, ...size })
  try {
    chart.setOption(optionOf(panels, heights, caption))
    return chart.renderToSVGString()
  } finally {
    chart.dispose()
  }
}

function loadCharts(): Charts | null {
  try {
    return createRequire(path.join(PEERS, 'package.json'))('echarts') as Charts
  } catch {
    return null // `npm run bench -- setup` has not been run
  }
}

interface Panel {
  readonly title: string
  readonly metric: MetricName
  readonly rows: readonly Row[]
}

/** What a client achieves on the left, what it costs on the right. */
function panelsOf({ cell, rows }: CellSummary): [Panel, Panel] {
  const achieved: MetricName = cell.load === 'closed' ? 'recordsPerSecond' : 'p99'
  const panel = (metric: MetricName): Panel => {
    const { name, isMoreBetter } = METRICS[metric]
    const sorted = rows
      .filter(({ figures, contender }) => figures[metric] !== null && isComparable(metric, contender.kind))
      .sort((a, b) => (medianOf(a, metric) - medianOf(b, metric)) * (isMoreBetter ? 1 : -1))
    return { title: `${cell.title}: ${name}, ${isMoreBetter ? 'more' : 'less'} is better`, metric, rows: sorted }
  }
  return [panel(achieved), panel('cpuUs')]
}

/** The limit's throughput would make everybody else's bars a pixel wide. */
function isComparable(metric: MetricName, kind: ContenderKind): boolean {
  return kind !== 'limit' || metric !== 'recordsPerSecond'
}

function medianOf(row: Row, metric: MetricName): number {
  return row.figures[metric]?.median ?? NaN
}

function optionOf(panels: readonly (readonly [Panel, Panel])[], heights: readonly number[], caption: string): object {
  const flat = panels.flat()
  const tops = heights.map((_, i) => PANEL.top + heights.slice(0, i).reduce((sum, each) => sum + each, 0))
  const place = (i: number) => ({
    left: (i % 2) * (PANEL.width + PANEL.gap) + PANEL.left,
    top: (tops[i >> 1] ?? 0) + PANEL.head - 24,
    width: PANEL.width - PANEL.left - PANEL.right,
    height: PANEL.bar * (flat[i]?.rows.length ?? 0),
  })
  return {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'sans-serif' },
    title: [
      {
        text: 'headrace and its peers',
        subtext: `${caption}\n${LEGEND}`,
        left: 16,
        top: 4,
        textStyle: { fontSize: 16 },
        subtextStyle: { fontSize: 11, color: '#334155' },
      },
      ...flat.map(({ title }, i) => ({
        text: title,
        left: (i % 2) * (PANEL.width + PANEL.gap) + 24,
        top: place(i).top - 24,
        textStyle: { fontSize: 12 },
      })),
    ],
    grid: flat.map((_, i) => place(i)),
    xAxis: flat.map((_, gridIndex) => ({
      type: 'value',
      gridIndex,
      min: 0,
      axisLabel: { show: false },
      splitLine: { show: false },
    })),
    yAxis: flat.map(({ rows }, gridIndex) => ({
      ...{ type: 'category', gridIndex, axisTick: { show: false }, axisLabel: { fontSize: 11, color: '#0f172a' } },
      data: rows.map(({ contender }) => contender.title),
    })),
    series: flat.flatMap(seriesOf),
  }
}

function seriesOf({ rows, metric }: Panel, index: number): object[] {
  const axes = { xAxisIndex: index, yAxisIndex: index }
  const spreads = rows.map((row) => row.figures[metric] ?? { min: 0, median: 0, max: 0 })
  const bars = rows.map((row) => ({
    value: medianOf(row, metric),
    itemStyle: { color: COLORS[row.contender.kind] },
  }))
  const whiskers = spreads.map(({ min, max }, y) => ({
    coords: [
      [min, y],
      [max, y],
    ],
  }))
  const figures = spreads.map(({ median, max }, y) => ({ value: [max, y], label: { formatter: figureText(median) } }))
  const label = { show: true, position: 'right', distance: 6, fontSize: 11, color: '#0f172a' }
  return [
    { type: 'bar', ...axes, data: bars, barWidth: 14 },
    {
      ...{ type: 'lines', ...axes, coordinateSystem: 'cartesian2d', data: whiskers, z: 5, silent: true },
      lineStyle: { color: '#0f172a', width: 1.5, opacity: 0.7 },
    },
    // Invisible points that carry the figures, behind the ends of the lines.
    { type: 'scatter', ...axes, data: figures, symbolSize: 0.1, silent: true, label },
  ]
}
