import type { Stop } from './bulk-send.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { bytes, counted, grouped, seconds as inSeconds } from './numbers.ts'
import { oneLine, paintFor, printJson, printNote } from './terminal.ts'
import { table } from './table.ts'
import type { FailureKind, Tally } from './tally.ts'

export interface Outcome {
  readonly tally: Tally
  readonly seconds: number
  readonly stopped: Stop | null
  readonly linesRead: number
  readonly inputName: string
}

interface ReportOptions {
  readonly topic: string
  /** Not with acks 0. */
  readonly isConfirmed: boolean
  readonly isJson: boolean
}

/** What only the command line knows. */
const HINTS: Readonly<Record<string, string>> = {
  MESSAGE_TOO_LARGE: 'if the lines are small, a smaller --batch-bytes helps',
}

/** More than this many partitions are a count, not a list. */
const PARTITIONS_SHOWN = 12

/** Says what happened: to people on stderr, to programs on stdout. */
export function report(outcome: Outcome, options: ReportOptions): ExitCode {
  const { tally, stopped } = outcome
  if (!options.isJson) printSummary(outcome, options)
  if (tally.failed > 0) printFailures(tally)
  if (stopped !== null) printNote(`headrace: ${whyStopped(stopped, outcome)}`)
  if (options.isJson) {
    const { records, delivered, failed } = tally
    printJson({ records, delivered, failed, bytes: tally.bytes, seconds: Number(outcome.seconds.toFixed(3)) })
  }
  return tally.failed > 0 || stopped !== null ? EXIT.undelivered : EXIT.ok
}

function printSummary({ tally, seconds }: Outcome, { topic, isConfirmed }: ReportOptions): void {
  const paint = paintFor(process.stderr)
  const { delivered, partitions } = tally
  const what = `${counted(delivered, 'record')} (${bytes(tally.bytes)}) ${isConfirmed ? 'delivered' : 'sent'} to ${JSON.stringify(topic)}`
  const rates = `${grouped(delivered / seconds)} records/s, ${bytes(Math.round(tally.bytes / seconds))}/s`
  printNote(`${paint.bold(what)} in ${inSeconds(seconds)}${delivered > 0 ? `: ${rates}` : ''}`)
  if (!isConfirmed && delivered > 0) printNote('With --acks 0 nobody confirms: the network has them, no more is known.')
  if (partitions.size > PARTITIONS_SHOWN) printNote(`over ${partitions.size} partitions`)
  else if (partitions.size > 0) printNote(partitionLine(partitions))
}

function partitionLine(partitions: ReadonlyMap<number, number>): string {
  const ascending = [...partitions].sort(([a], [b]) => a - b)
  const counts = ascending.map(([partition, records]) => `${partition}: ${grouped(records)}`)
  return `by partition  ${counts.join('  ')}`
}

function printFailures(tally: Tally): void {
  const paint = paintFor(process.stderr)
  printNote(`headrace: ${paint.bad(`${grouped(tally.failed)} of ${counted(tally.records, 'record')} not delivered`)}`)
  const rows = tally.failures.map((kind) => [`  ${kind.code}`, grouped(kind.count), where(kind), reason(kind)])
  const columns = [{ title: '' }, { title: '', align: 'right' }, { title: '' }, { title: '' }] as const
  for (const line of table(columns, rows).slice(1)) printNote(line)
}

function where({ lines, count }: FailureKind): string {
  const list = lines.map(grouped).join('; ')
  return `line${count === 1 ? '' : 's'} ${list}${count > lines.length ? '; ...' : ''}`
}

function reason({ code, message, maybeWritten }: FailureKind): string {
  const plain = plainReason(code, message)
  const hint = HINTS[code] === undefined ? '' : `; ${HINTS[code]}`
  return `${plain}${hint}${maybeWritten ? ' (may be written nevertheless)' : ''}`
}

/** `send: CODE (7): what is wrong` without what stands before it: the code has a column of its own. */
export function plainReason(code: string, message: string): string {
  return oneLine(message).replace(new RegExp(`^.*?${code}(?: \\(-?\\d+\\))?: `), '')
}

function whyStopped(stop: Stop, { linesRead, inputName }: Outcome): string {
  const after = `after line ${grouped(linesRead)}`
  if (stop.because === 'interrupted') return `interrupted: reading ended ${after}`
  if (stop.because === 'hopeless') return `reading ended ${after}, because all records fail: ${stop.error.code}`
  const message = stop.error instanceof Error ? stop.error.message : String(stop.error)
  return `reading ${inputName} failed ${after}: ${oneLine(message)}`
}
