import { describeCell } from './cells.ts'
import type { Absence, Comparison, ComparePlan } from './compare.ts'
import type { Machine } from './machine.ts'
import type { Spread } from './statistics.ts'
import { METRICS, type CellSummary, type MetricName, type Ratioed, type Row } from './summary.ts'

export interface Report {
  readonly plan: ComparePlan
  readonly machine: Machine
  readonly comparison: Comparison
  readonly summaries: readonly CellSummary[]
  /** Of the SVG beside it; null: there is none. */
  readonly plot: string | null
}

/** The whole report, for people. */
export function markdown({ plan, machine, comparison, summaries, plot }: Report): string {
  return [
    '# headrace and its peers',
    intro(plan, machine, comparison),
    plot === null ? '' : `![records a second and CPU a record](${plot})`,
    '## How to read it',
    HOW_TO_READ,
    ...summaries.map((summary) => section(summary, comparison.absences)),
    '## Settings',
    settings(summaries),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n')
}

const MAX_REASON_CHARS = 300

const HOW_TO_READ = [
  'Each figure is the median over the rounds, then the least and the most in brackets. Each run is a process of its own, on a topic',
  'of its own, after a warm-up (three times as long for Java); the order within a round is shuffled. CPU is user and system time of the client process alone.',
  'Ratios are taken round by round: *÷ librdkafka* and *÷ best peer* are the figure over that of librdkafka in C, or of the Node client that',
  "is best in this row's figure and is not headrace. More is better for records/s, less for everything else. Latency runs from the time a record was due, not from when",
  'it was sent, so that a stall counts for every record that it held up. *Stored* compares what the broker has with what was acknowledged.',
].join('\n')

function intro(plan: ComparePlan, machine: Machine, { targets }: Comparison): string {
  const facts = [
    `- ${machine.date}, commit ${machine.commit}`,
    `- ${machine.processor}, ${machine.cores} cores, ${machine.memoryGib} GiB; ${machine.system}`,
    `- load before: ${machine.loadBefore}; after: ${machine.loadAfter}`,
    `- ${machine.runtimes.join('; ')}`,
    `- targets: ${targets.join('; ')}; client and broker share the machine`,
    `- rounds: ${plan.rounds}; measured: ${plan.measureMs} ms after a warm-up of ${plan.warmMs} ms; seed ${plan.seed}`,
  ]
  return facts.join('\n')
}

const CLOSED: readonly MetricName[] = ['recordsPerSecond', 'cpuUs', 'rss', 'loopDelay', 'gc']
const PACED: readonly MetricName[] = ['recordsPerSecond', 'p50', 'p99', 'p999', 'cpuUs', 'loopDelay', 'gc', 'rss']

function section({ cell, rows, bestPeer }: CellSummary, absences: readonly Absence[]): string {
  const metrics = cell.load === 'closed' ? CLOSED : PACED
  const ratioed: readonly Ratioed[] = cell.load === 'closed' ? ['recordsPerSecond', 'cpuUs'] : ['p50', 'p99', 'cpuUs']
  const best = ratioed.map((metric) => `${METRICS[metric].name}: ${bestPeer[metric] ?? 'none'}`).join(', ')
  const missing = absences.filter((absence) => absence.cell === cell)
  return [
    `## ${cell.name}: ${cell.title}`,
    `${describeCell(cell)}. Best Node peer by ${best}.`,
    table(rows, metrics, ratioed),
    missing.map(({ contender, reason }) => `- not measured: ${contender.title}: ${oneLine(reason)}`).join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function table(rows: readonly Row[], metrics: readonly MetricName[], ratioed: readonly Ratioed[]): string {
  const ratioHeads = ratioed.flatMap((metric) => [`${METRICS[metric].name} ÷ librdkafka`, '÷ best peer'])
  const heads = ['contender', ...metrics.map((metric) => METRICS[metric].name), ...ratioHeads, 'stored']
  const cells = rows.map((row) => [
    row.contender.title,
    ...metrics.map((metric) => spreadText(row.figures[metric])),
    ...ratioed.flatMap((metric) => [ratioText(row.toLibrdkafka[metric]), ratioText(row.toBestPeer[metric])]),
    row.miscounted === 0 ? 'all' : `${row.miscounted > 0 ? '+' : ''}${row.miscounted}`,
  ])
  return markdownTable(heads, cells)
}

export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const rule = heads.map((_, i) => (i === 0 ? '---' : '---:'))
  return [line(heads), line(rule), ...rows.map(line)].join('\n')
}

/** Three digits are more than a shared machine can promise. */
export function figureText(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`
  if (value >= 1e4) return `${(value / 1e3).toFixed(0)} k`
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

function spreadText(spread: Spread | null): string {
  if (spread === null) return '-'
  const { min, median, max } = spread
  return min === max ? figureText(median) : `${figureText(median)} (${figureText(min)} to ${figureText(max)})`
}

function ratioText(spread: Spread | null): string {
  return spread === null ? '-' : `${Number(spread.median.toPrecision(spread.median < 1 ? 2 : 3))} x`
}

function settings(summaries: readonly CellSummary[]): string {
  const seen = new Map<string, string>()
  for (const { cell, rows } of summaries) {
    for (const { contender, version, runtime, settings: text } of rows) {
      const line = `- **${contender.title}** ${version}, ${runtime}: ${text}`
      seen.set(line, `${seen.get(line) ?? ''}${seen.has(line) ? ', ' : ''}${cell.name}`)
    }
  }
  return [...seen].map(([line, cells]) => `${line} (${cells})`).join('\n')
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, MAX_REASON_CHARS)
}
