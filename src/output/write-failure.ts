import { OutputError } from './output-error.ts'
import type { WriteRun } from './write-run.ts'

/** Why a write ended before its source did. */
export interface Ending {
  readonly error: unknown
  /** False: not a row was read, because secrets or brokers will not do. */
  readonly isStarted: boolean
}

export function closedError(where: string): OutputError {
  return new OutputError('CLOSED', `${where}: CLOSED: the output was closed`)
}

export function abortedError(reason: unknown): OutputError {
  return new OutputError('ABORTED', 'write: ABORTED: its signal was aborted; what was sent goes on', { cause: reason })
}

/** What a write rejects with; null: every row was delivered or dropped. */
export function writeFailure(ending: Ending | null, run: WriteRun): Error | null {
  const report = run.report()
  const { unsettledRows, refusal, mayBeWritten: maybeWritten } = run
  const far = `${report.delivered} rows delivered, ${report.dropped} dropped, ${report.safeRows} from the first on safe`
  if (refusal !== null) {
    const message = `write: WRITE_FAILED: the brokers refuse a row for good (${far}): ${refusal.message}`
    return new OutputError('WRITE_FAILED', message, { ...{ report, unsettledRows, maybeWritten }, cause: refusal })
  }
  if (ending === null) {
    if (unsettledRows === 0) return null
    const message = `write: CLOSED: the output was closed before ${unsettledRows} rows had settled (${far})`
    return new OutputError('CLOSED', message, { report, unsettledRows, maybeWritten })
  }
  const { error, isStarted } = ending
  if (!isStarted) return error instanceof Error ? error : new Error(String(error))
  if (error instanceof OutputError && error === run.signal.reason) {
    const details = { ...{ report, unsettledRows, maybeWritten }, cause: error.cause }
    return new OutputError(error.code, `${error.message} (${far})`, details)
  }
  const message = `write: SOURCE_FAILED: the source of the rows threw (${far})`
  return new OutputError('SOURCE_FAILED', message, { ...{ report, unsettledRows, maybeWritten }, cause: error })
}
