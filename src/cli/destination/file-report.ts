import { EXIT, type ExitCode } from '../exit-code.ts'
import { counted, grouped, seconds as inSeconds } from '../numbers.ts'
import { table } from '../table.ts'
import type { FailureKind } from '../tally.ts'
import { oneLine, paintFor, plainText, printJson, printNote } from '../terminal.ts'
import type { FileDelivery } from './file-delivery.ts'

interface ReportOptions {
  readonly delivery: FileDelivery
  readonly seconds: number
  readonly inputName: string
  /** The sums as JSON on stdout, too. */
  readonly isJson: boolean
}

/** Says what happened: to people on stderr, to programs on stdout. */
export function reportFile({ delivery, seconds, inputName, isJson }: ReportOptions): ExitCode {
  const { tally, events, skipped, duplicates, stopped } = delivery
  const paint = paintFor(process.stderr)
  const rate = events > 0 ? `, ${grouped(events / seconds)} events/s` : ''
  const others = [
    ...(duplicates > 0 ? [`${grouped(duplicates)} of them there already`] : []),
    ...(skipped > 0 ? [`${counted(skipped, 'event')} not for Kafka`] : []),
  ]
  const delivered = paint.bold(`${counted(tally.delivered, 'record')} delivered from ${counted(events, 'event')}`)
  printNote([`${delivered} in ${inSeconds(seconds)}${rate}`, ...others].join('; '))
  if (tally.failed > 0) printFailures(tally.failed, tally.failures)
  if (stopped !== null) printNote(`headrace: ${whyStopped(delivery, inputName)}`)
  if (isJson) {
    const { delivered: sent, failed } = tally
    printJson({ events, delivered: sent, failed, skipped, duplicates, seconds: Number(seconds.toFixed(3)) })
  }
  return tally.failed > 0 || stopped !== null ? EXIT.undelivered : EXIT.ok
}

function printFailures(failed: number, kinds: readonly FailureKind[]): void {
  printNote(`headrace: ${paintFor(process.stderr).bad(`${grouped(failed)} not delivered`)}`)
  const rows = kinds.map((kind) => [`  ${kind.code}`, grouped(kind.count), where(kind), reason(kind)])
  const columns = [{ title: '' }, { title: '', align: 'right' }, { title: '' }, { title: '' }] as const
  for (const line of table(columns, rows).slice(1)) printNote(line)
}

function where({ lines, count }: FailureKind): string {
  return `line${count === 1 ? '' : 's'} ${lines.map(grouped).join('; ')}${count > lines.length ? '; ...' : ''}`
}

function reason({ message, maybeWritten }: FailureKind): string {
  return `${plainText(oneLine(message))}${maybeWritten ? ' (may be written nevertheless)' : ''}`
}

function whyStopped({ stopped, settledLine }: FileDelivery, inputName: string): string {
  const after = `after line ${grouped(settledLine)}`
  if (stopped?.because === 'hopeless') return `reading ended ${after}, because all events fail: ${stopped.code}`
  if (stopped?.because !== 'broken') return `interrupted: reading ended ${after}`
  const message = stopped.error instanceof Error ? stopped.error.message : String(stopped.error)
  return `reading ${inputName} failed ${after}: ${oneLine(message)}`
}
