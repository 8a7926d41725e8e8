import { KafkaError } from '../index.ts'
import type { ConnectionStep } from './connection-step.ts'
import type { WriteReport } from './write-report.ts'

export type OutputErrorCode =
  | 'WRITE_FAILED' // the brokers refused rows for good; `cause` says why. Rows behind them may be written
  | 'SOURCE_FAILED' // the rows' own iterator threw; `cause` is its error. What was read before has settled
  | 'ABORTED' // the signal of the write; what was sent goes on
  | 'CLOSED' // the output was closed
  | 'CONNECTION_TEST_FAILED' // a step of `testConnection`; `steps` has all, `cause` is not set
  | 'INVALID_ARGUMENT' // an argument of a call is of the wrong kind

export interface OutputErrorDetails {
  readonly report?: WriteReport | undefined
  readonly steps?: readonly ConnectionStep[] | undefined
  readonly unsettledRows?: number | undefined
  readonly retriable?: boolean | undefined
  readonly maybeWritten?: boolean | undefined
  readonly cause?: unknown
}

/** The output could not do what it was asked to. */
export class OutputError extends KafkaError {
  override readonly name = 'OutputError'
  readonly code: OutputErrorCode
  /** Of a write that failed: how far it came. */
  readonly report: WriteReport | null
  /** Of a connection test. */
  readonly steps: readonly ConnectionStep[]
  /** Rows of which nobody knows whether they are written. */
  readonly unsettledRows: number

  constructor(code: OutputErrorCode, message: string, details: OutputErrorDetails = {}) {
    const { report = null, steps = [], unsettledRows = 0, retriable = false, maybeWritten = false, cause } = details
    super(message, { retriable, maybeWritten, cause })
    this.code = code
    this.report = report
    this.steps = steps
    this.unsettledRows = unsettledRows
  }
}
