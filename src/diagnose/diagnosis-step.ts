import type { KafkaError } from '../errors.ts'
import { whatOf, withAdvice } from './words.ts'

/** One thing that was looked at. */
export interface DiagnosisStep {
  /** What: `resolve`, `tcp`, `tls`, ... docs/diagnose.md lists them. Stable. */
  readonly step: string
  readonly ok: boolean
  readonly ms: number
  /** For people: what was found; if it is a failure, what is wrong and what to try. No secrets. */
  readonly message: string
  /** Of what failed, that of the `KafkaError` that a producer would give; with `ok`, that of a warning. */
  readonly code?: string
}

/** What a step found, and how long that took. */
export interface Found {
  readonly step: string
  readonly ms: number
}

export function passed({ step, ms }: Found, message: string, warning?: string): DiagnosisStep {
  return { step, ok: true, ms, message, ...(warning === undefined ? {} : { code: warning }) }
}

export function failed({ step, ms }: Found, code: string, message: string): DiagnosisStep {
  return { step, ok: false, ms, message, code }
}

/** @param address put in front, if it is not the step's own name already. */
export function failedBy(found: Found, error: KafkaError, address: string, advice: string): DiagnosisStep {
  return failed(found, error.code, `${address}: ${withAdvice(whatOf(error), advice)}`)
}
