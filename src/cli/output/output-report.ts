import type { OutputMetrics, WriteReport } from '../../output/output.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { bytes, counted, grouped, seconds as inSeconds } from '../numbers.ts'
import { oneLine, paintFor, printJson, printNote } from '../terminal.ts'
import type { OutputWatch } from './output-events.ts'
import type { Position } from './row-feed.ts'

export interface OutputOutcome {
  readonly topic: string
  readonly report: WriteReport
  readonly metrics: OutputMetrics
  readonly watch: OutputWatch
  /** Rows that could not be read. */
  readonly faults: number
  readonly inputBytes: number
  readonly seconds: number
  /** Why it ended before the input did, as a sentence; null: it did not. */
  readonly stopped: string | null
  /** How far the checkpoint is; null: there is none. */
  readonly checkpoint: { readonly path: string; readonly position: Position } | null
}

const PARTITIONS_SHOWN = 12

/** Says what happened: to people on stderr, to programs on stdout. */
export function reportOutput(outcome: OutputOutcome, isJson: boolean): ExitCode {
  if (isJson) printJson(documentOf(outcome))
  else printSummary(outcome)
  const { stopped, report, faults } = outcome
  if (stopped !== null) printNote(`headrace: ${oneLine(stopped)}`)
  return stopped === null && report.dropped === 0 && faults === 0 ? EXIT.ok : EXIT.undelivered
}

function documentOf(outcome: OutputOutcome): object {
  const { report, metrics, watch, faults, seconds, checkpoint, inputBytes } = outcome
  const { delivered, dropped, messages } = report
  return {
    ...{ rows: report.rows, delivered, dropped, unreadable: faults, messages, retried: watch.retried },
    possibleDuplicates: report.possibleDuplicates,
    ...{ inputBytes, seconds: Number(seconds.toFixed(3)) },
    metrics: { ...metrics, 'Input Event Bytes': inputBytes, 'Input Deserialization Errors': faults },
    ...(checkpoint === null ? {} : { checkpoint: { path: checkpoint.path, ...checkpoint.position } }),
  }
}

function printSummary({ topic, report, watch, faults, inputBytes, seconds, checkpoint }: OutputOutcome): void {
  const paint = paintFor(process.stderr)
  const { delivered, dropped, messages } = report
  const packed = messages === delivered ? '' : ` in ${counted(messages, 'message')}`
  const what = `${counted(delivered, 'row')} (${bytes(inputBytes)} read) delivered to ${JSON.stringify(topic)}${packed}`
  const rate = delivered > 0 ? `: ${grouped(delivered / Math.max(seconds, 0.001))} rows/s` : ''
  printNote(`${paint.bold(what)} in ${inSeconds(seconds)}${rate}`)
  const ascending = [...watch.partitions].sort(([a], [b]) => a - b)
  if (ascending.length > PARTITIONS_SHOWN) printNote(`over ${ascending.length} partitions`)
  else if (ascending.length > 0)
    printNote(`by partition  ${ascending.map(([number, count]) => `${number}: ${grouped(count)}`).join('  ')}`)
  if (dropped > 0) printNote(paint.bad(`${counted(dropped, 'row')} could not be converted, and dropped`))
  if (faults > 0) printNote(paint.bad(`${counted(faults, 'row')} of the input could not be read, and skipped`))
  if (watch.retried > 0) printNote(`${counted(watch.retried, 'record')} sent again`)
  if (report.possibleDuplicates > 0)
    printNote(
      `${counted(report.possibleDuplicates, 'row')} may be there twice: an attempt before may have been written`,
    )
  if (checkpoint !== null)
    printNote(`checkpoint ${checkpoint.path}: ${counted(checkpoint.position.rows, 'row')} of the input are done with`)
}
