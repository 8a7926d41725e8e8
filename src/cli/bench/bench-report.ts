import { bytes, counted, grouped, milliseconds, seconds as inSeconds } from '../numbers.ts'
import { plainReason } from '../produce-report.ts'
import { paintFor, printData, printJson, printNote, type Paint } from '../terminal.ts'
import type { BenchOutcome, Outcome } from './bench-run.ts'
import { rateText, recordRate, roundedRate } from './rate.ts'
import { latencyStart, type Settings } from './settings.ts'
import { terminalPlot } from './terminal-plot.ts'
import type { Latency, Second } from './timeline.ts'

const DEFAULT_COLUMNS = 80
const MAX_COLUMNS = 110
/** The timer that ends a run may be a little early, and sums of fractions of milliseconds are not exact. */
const WHOLE_SECOND = 0.99
/** Sending may take longer than the rate says by this share and this time, without a word about it. */
const [LATE_SHARE, LATE_SECONDS] = [0.1, 0.1]

export interface ReportOptions {
  readonly settings: Settings
  readonly isJson: boolean
  /** What the library says, in flags instead of options. */
  readonly speak: (message: string) => string
}

/** To people or to programs, on stdout; what is wrong, on stderr. */
export function report({ warmup, measured }: BenchOutcome, options: ReportOptions): void {
  const { settings, isJson } = options
  const shown = measured ?? warmup
  if (shown === null) return
  if (isJson) printJson({ ...toJson(shown, settings), warmupRecords: warmup?.delivered ?? 0 })
  else for (const line of reportLines(shown, settings, paintFor(process.stdout))) printData(line)
  const before = measured === null || warmup === null ? [] : failureLines(warmup, options, ' of the warm-up')
  const after = [...troubleLines(shown, options), ...earlyEndLines(shown, measured === null)]
  for (const line of [...before, ...after]) printNote(line)
}

export function reportLines(outcome: Outcome, settings: Settings, paint: Paint): string[] {
  const { delivered, seconds, latency, costs, timeline } = outcome
  const verb = settings.acks === 0 ? 'sent' : 'delivered'
  const head = `${counted(delivered, 'record')} (${bytes(outcome.bytes)}) ${verb} to ${JSON.stringify(settings.topic)} in ${inSeconds(seconds)}`
  if (latency === null) return [paint.bold(head)]
  const [rate, byteRate] = [delivered / seconds, outcome.bytes / seconds]
  const range = rateRange(timeline)
  const spread = range === null ? '' : `; in single seconds ${rateText(range.min)} to ${rateText(range.max)}`
  const rows: [string, string][] = [
    ['throughput', `${paint.bold(recordRate(rate))}, ${bytes(Math.round(byteRate))}/s${spread}`],
    ['latency', `${latencyText(latency)} (${latencyStart(settings)}${withoutText(outcome.unsent)})`],
    ['CPU', `${cpuText(outcome)}; this process alone, ${percent(costs.userUs + costs.systemUs, seconds)} of a core`],
    ['memory', `${bytes(costs.rssPeakBytes)} at most`],
    ['event loop', `p99 of its delay ${milliseconds(costs.loopDelayP99Ms)}`],
  ]
  const columns = Math.min(process.stdout.columns || DEFAULT_COLUMNS, MAX_COLUMNS)
  const plots = timeline.length < 2 ? [] : ['', ...terminalPlot(timeline, columns)]
  return [paint.bold(head), ...rows.map(([name, text]) => `  ${name.padEnd(10)}  ${text}`), ...plots]
}

function latencyText(latency: Latency): string {
  const { p50, p95, p99, p999, max } = latency
  const parts: [string, number][] = [
    ['p50', p50],
    ['p95', p95],
    ['p99', p99],
    ['p99.9', p999],
    ['max', max],
  ]
  return parts.map(([name, ms]) => `${name} ${milliseconds(ms)}`).join(', ')
}

/** What had to wait the longest is in no percentile. */
function withoutText(unsent: number): string {
  if (unsent === 0) return ''
  const [were, they] = unsent === 1 ? ['was', 'it'] : ['were', 'they']
  return `; without ${counted(unsent, 'record')} that ${were} due and never sent: ${they} would have waited longer`
}

function cpuText({ costs, delivered }: Outcome): string {
  const perRecord = (us: number): string => (us / delivered).toFixed(2)
  const { userUs, systemUs } = costs
  return `${perRecord(userUs + systemUs)} us a record (user ${perRecord(userUs)}, system ${perRecord(systemUs)})`
}

function percent(us: number, seconds: number): string {
  return `${Math.round(us / seconds / 1e4)} %`
}

/** Of the seconds that are whole; null: there is none. */
export function rateRange(timeline: readonly Second[]): { min: number; max: number } | null {
  const whole = timeline.filter(({ seconds }) => seconds >= WHOLE_SECOND)
  const rates = whole.map(({ delivered, seconds }) => delivered / seconds)
  return rates.length === 0 ? null : { min: Math.min(...rates), max: Math.max(...rates) }
}

function troubleLines(outcome: Outcome, options: ReportOptions): string[] {
  const { settings } = options
  const lines = [...failureLines(outcome, options), ...missedRateLines(outcome, settings)]
  if (settings.acks === 0) lines.push('With --acks 0 nobody confirms: latency is that of handing over to the network.')
  return lines
}

function missedRateLines({ unsent, sendingSeconds, earlyEnd }: Outcome, settings: Settings): string[] {
  const { ratePerSecond, records } = settings
  if (ratePerSecond === null) return []
  const what = `headrace: --rate ${grouped(ratePerSecond)} was not reached`
  if (unsent > 0) return [`${what}: ${counted(unsent, 'record')} due in time could not be sent`]
  if (records === null || earlyEnd !== null) return []
  const planned = records / ratePerSecond
  if (sendingSeconds <= planned * (1 + LATE_SHARE) + LATE_SECONDS) return []
  const took = `took ${inSeconds(sendingSeconds)} instead of ${inSeconds(planned)}`
  return [`${what}: sending ${counted(records, 'record')} ${took}`]
}

function failureLines({ failures }: Outcome, { speak }: ReportOptions, whose = ''): string[] {
  if (failures.total === 0) return []
  const what = paintFor(process.stderr).bad(`${counted(failures.total, 'record')}${whose} not delivered`)
  const reasons = failures.counts.map(
    ({ code, count, message }) => `  ${code}  ${grouped(count)}  ${speak(plainReason(code, message))}`,
  )
  return [`headrace: ${what}`, ...reasons]
}

function earlyEndLines({ earlyEnd, sent, failures }: Outcome, isWarmup: boolean): string[] {
  if (earlyEnd === null) return []
  const when = `after ${counted(sent, 'record')}${isWarmup ? ' of the warm-up' : ''}`
  if (earlyEnd.because === 'interrupted') return [`headrace: interrupted ${when}`]
  const codes = failures.counts.map(({ code }) => code).join(', ')
  return [`headrace: ended ${when}, because that will not go away: ${codes}`]
}

/** One line of `--json`. */
export function toJson(outcome: Outcome, settings: Settings): object {
  const { sent, delivered, failures, seconds, latency, costs, timeline, earlyEnd } = outcome
  const perRecord = (us: number): number | null => (delivered === 0 ? null : rounded(us / delivered))
  const range = rateRange(timeline)
  return {
    records: sent,
    delivered,
    failed: failures.total,
    bytes: outcome.bytes,
    seconds: rounded(seconds),
    recordsPerSecond: {
      mean: roundedRate(delivered / seconds),
      min: range === null ? null : roundedRate(range.min),
      max: range === null ? null : roundedRate(range.max),
    },
    bytesPerSecond: Math.round(outcome.bytes / seconds),
    latencyMs: latency === null ? null : mapped(latency, rounded),
    cpuUsPerRecord: { user: perRecord(costs.userUs), system: perRecord(costs.systemUs) },
    rssPeakBytes: costs.rssPeakBytes,
    eventLoopDelayP99Ms: rounded(costs.loopDelayP99Ms),
    errors: Object.fromEntries(failures.counts.map(({ code, count }) => [code, count])),
    ended: earlyEnd?.because ?? null,
    unsent: outcome.unsent,
    settings,
    timeline: timeline.map((second) => mapped({ ...second }, (value) => (value === null ? null : rounded(value)))),
  }
}

function mapped<T extends object, R>(from: T, change: (value: T[keyof T]) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, change(value as T[keyof T])]))
}

function rounded(value: number): number {
  return Number(value.toFixed(3))
}
