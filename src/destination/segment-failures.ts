/** Failures in the words and classes of Segment's framework. */

import { OptionError } from '../index.ts'
import { classifyFailure } from './classify-failure.ts'
import type { DeliveryFailure, DeliveryResult } from './delivery-result.ts'
import { DestinationError } from './destination-error.ts'
import { SettingsError } from './settings/problem.ts'
import type { SegmentLogger } from './segment-types.ts'

/** A failure as the framework wants it: it looks at `status` to know whether to try again. */
export interface SegmentFailure extends DeliveryFailure {
  readonly status: number
}

const AROUND_REASON = /^Credentials are invalid: {2}/

/** What keeps a whole call from being made. */
export function failureOf(error: unknown): SegmentFailure {
  if (error instanceof SettingsError) return error
  // The framework puts these words before it.
  if (error instanceof DestinationError) {
    const { code, status, message } = error
    return { code, status, message: message.replace(AROUND_REASON, '') }
  }
  const { status, error: failure } = classifyFailure(error)
  if (!(error instanceof OptionError)) return { ...failure, status }
  return { status, code: 'KAFKA_CONNECTION_ERROR', message: `Kafka Connection Error: ${error.message}` }
}

/** A critical line for settings, or options, that no producer can be made with. */
export function logRefusal(logger: SegmentLogger | undefined, { code, message }: SegmentFailure): void {
  tellCritical(logger, `Kafka Connection Error - ${code}: ${message}`)
}

/** A critical line for each kind of failure of Kafka, with how many events it hit. What an event is to blame for is not here. */
export function logCritical(logger: SegmentLogger | undefined, results: readonly DeliveryResult[]): void {
  const kinds = new Map<string, DeliveryResult[]>()
  for (const result of results) {
    const code = result.error?.code
    if (code === undefined) continue
    const same = kinds.get(code) ?? []
    kinds.set(code, same)
    same.push(result)
  }
  for (const [code, same] of kinds) {
    const [first] = same
    const [, stage] = /^Kafka (Connection|Producer) Error - /.exec(first?.error?.message ?? '') ?? []
    if (first === undefined || stage === undefined) continue
    const { status, retry, error } = first
    const details = JSON.stringify({ message: error?.message, status, retry, events: same.length })
    tellCritical(logger, `Kafka ${stage === 'Producer' ? 'Send' : stage} Error - ${code} | ${details}`)
  }
}

function tellCritical(logger: SegmentLogger | undefined, line: string): void {
  try {
    logger?.crit?.(line)
  } catch {
    // A logger that throws has nobody to tell; what was delivered stays delivered.
  }
}
