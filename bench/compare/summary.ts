import type { Cell } from './cells.ts'
import type { Result } from './compare.ts'
import type { Contender } from './contenders.ts'
import { ratioOf, spreadOf, type Spread } from './statistics.ts'

/** A figure that rounds are compared by. */
export interface Metric {
  readonly name: string
  readonly isMoreBetter: boolean
  readonly of: (result: Result) => number | null
}

const MIB = 1024 * 1024

export const METRICS = {
  recordsPerSecond: { name: 'records/s', isMoreBetter: true, of: ({ records, seconds }) => records / seconds },
  cpuUs: { name: 'CPU us a record', isMoreBetter: false, of: ({ cpuUs, records }) => cpuUs / records },
  p50: { name: 'p50 ms', isMoreBetter: false, of: ({ latencyUs }) => latencyUs && latencyUs.p50 / 1000 },
  p99: { name: 'p99 ms', isMoreBetter: false, of: ({ latencyUs }) => latencyUs && latencyUs.p99 / 1000 },
  p999: { name: 'p99.9 ms', isMoreBetter: false, of: ({ latencyUs }) => latencyUs && latencyUs.p999 / 1000 },
  rss: { name: 'RSS MiB', isMoreBetter: false, of: ({ rssBytes }) => rssBytes / MIB },
  loopDelay: { name: 'loop p99 ms', isMoreBetter: false, of: ({ loopDelayP99Us: us }) => us && us / 1000 },
  gc: { name: 'GC %', isMoreBetter: false, of: ({ gcShare }) => gcShare && gcShare * 100 },
} as const satisfies Record<string, Metric>

export type MetricName = keyof typeof METRICS

/** One contender in one cell, over all rounds. */
export interface Row {
  readonly contender: Contender
  readonly version: string
  readonly runtime: string
  readonly settings: string
  readonly offeredPerSecond: number
  readonly figures: Readonly<Record<MetricName, Spread | null>>
  /** Of its figure over librdkafka's of the same round. */
  readonly toLibrdkafka: Readonly<Record<Ratioed, Spread | null>>
  /** Of its figure over that of the best Node peer. */
  readonly toBestPeer: Readonly<Record<Ratioed, Spread | null>>
  /** Acknowledged and not stored, or stored twice: 0, or the bench has found something. */
  readonly miscounted: number
}

/** What is compared with others: CPU and throughput in a closed loop, CPU and p99 elsewhere. */
export type Ratioed = 'recordsPerSecond' | 'cpuUs' | 'p50' | 'p99'
const RATIOED: readonly Ratioed[] = ['recordsPerSecond', 'cpuUs', 'p50', 'p99']

export interface CellSummary {
  readonly cell: Cell
  readonly rows: readonly Row[]
  /** By metric: the Node peer whose median is the best in this cell. */
  readonly bestPeer: Readonly<Record<Ratioed, string | null>>
}

type Figures = ReadonlyMap<string, ReadonlyMap<number, number>>

export function summarize(
  cells: readonly Cell[],
  contenders: readonly Contender[],
  results: readonly Result[],
): CellSummary[] {
  return cells.map((cell) =>
    summarizeCell(
      cell,
      contenders,
      results.filter((result) => result.cell === cell),
    ),
  )
}

function summarizeCell(cell: Cell, contenders: readonly Contender[], results: readonly Result[]): CellSummary {
  const byRound = (metric: Ratioed): Figures => figuresByRound(METRICS[metric], results)
  const figures = Object.fromEntries(RATIOED.map((metric) => [metric, byRound(metric)])) as Record<Ratioed, Figures>
  const peers = contenders.filter(({ kind }) => kind === 'node').map(({ name }) => name)
  const bestPeer = each((metric) => bestOf(METRICS[metric], figures[metric], peers))
  const rowOf = (contender: Contender): Row | null => {
    const mine = results.filter((result) => result.contender === contender)
    const [first] = mine
    if (first === undefined) return null
    const against = (other: (metric: Ratioed) => string | null): Record<Ratioed, Spread | null> =>
      each((metric) => ratio(figures[metric], contender.name, other(metric)))
    return {
      ...{ contender, version: first.version, runtime: first.runtime, settings: first.settings },
      offeredPerSecond: spreadOf(mine.map((result) => result.offeredPerSecond))?.median ?? 0,
      figures: spreads(mine),
      toLibrdkafka: against(() => 'librdkafka'),
      toBestPeer: against((metric) => bestPeer[metric]),
      miscounted: mine.reduce((sum, { stored, acked }) => sum + (stored - acked), 0),
    }
  }
  return { cell, bestPeer, rows: contenders.map(rowOf).filter((row) => row !== null) }
}

function each<T>(make: (metric: Ratioed) => T): Record<Ratioed, T> {
  return Object.fromEntries(RATIOED.map((metric) => [metric, make(metric)])) as Record<Ratioed, T>
}

function spreads(results: readonly Result[]): Record<MetricName, Spread | null> {
  const entries = Object.entries(METRICS).map(([name, metric]) => [name, spreadOf(results.map(metric.of))])
  return Object.fromEntries(entries) as Record<MetricName, Spread | null>
}

function figuresByRound(metric: Metric, results: readonly Result[]): Figures {
  const figures = new Map<string, Map<number, number>>()
  for (const result of results) {
    const value = metric.of(result)
    if (value === null || !Number.isFinite(value)) continue
    const rounds = figures.get(result.contender.name) ?? new Map<number, number>()
    figures.set(result.contender.name, rounds.set(result.round, value))
  }
  return figures
}

function bestOf({ isMoreBetter }: Metric, figures: Figures, names: readonly string[]): string | null {
  let best: { name: string; median: number } | null = null
  for (const name of names) {
    const median = spreadOf([...(figures.get(name)?.values() ?? [])])?.median
    if (median === undefined) continue
    if (best === null || (isMoreBetter ? median > best.median : median < best.median)) best = { name, median }
  }
  return best?.name ?? null
}

function ratio(figures: Figures, mine: string, other: string | null): Spread | null {
  const [a, b] = [figures.get(mine), other === null ? undefined : figures.get(other)]
  return a === undefined || b === undefined ? null : ratioOf(a, b)
}
