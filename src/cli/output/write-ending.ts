import { OutputError, type WriteReport } from '../../output/output.ts'
import { UsageError } from '../exit-code.ts'
import { counted } from '../numbers.ts'

/** How a write ended. */
export interface WriteEnding {
  readonly report: WriteReport
  /** Why it ended before the input did, as a sentence; null: it did not. */
  readonly stopped: string | null
}

/** @throws what is no ending of a write, and what made it impossible: a header row that is none. */
export function endingOf(error: unknown, inputName: string): WriteEnding {
  if (!(error instanceof OutputError) || error.report === null) throw error
  const { cause, report } = error
  if (cause instanceof UsageError && report.rows === 0) throw cause
  return { report, stopped: whyEnded(error, inputName) }
}

function whyEnded({ code, cause, message, unsettledRows, maybeWritten }: OutputError, inputName: string): string {
  const why = cause instanceof Error ? cause.message : message
  if (code === 'SOURCE_FAILED') return `reading ${inputName} failed: ${why}`
  const rest = unsettledRows === 0 ? '' : `; ${counted(unsettledRows, 'row')} not delivered`
  return `${why}${rest}${maybeWritten ? ' (some may be written nevertheless)' : ''}`
}
