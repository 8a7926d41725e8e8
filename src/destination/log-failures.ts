import type { Logger } from '../index.ts'
import type { DeliveryResult } from './delivery-result.ts'

/**
 * A line for each kind of failure of a call, with how many events it hit and the first message. An event's own faults
 * (400) are a matter of its result, and of nobody's log.
 */
export function logFailures(logger: Logger | undefined, results: readonly DeliveryResult[]): void {
  if (logger === undefined) return
  const kinds = new Map<string, { readonly first: DeliveryResult; count: number }>()
  for (const result of results) {
    const { error, status } = result
    if (error === undefined || status === 400) continue
    const kind = kinds.get(error.code)
    if (kind === undefined) kinds.set(error.code, { first: result, count: 1 })
    else kind.count++
  }
  for (const [code, { first, count }] of kinds) {
    const { status, retry, error } = first
    tell(logger, 'error', { code, status, retry, events: count }, error?.message ?? code)
  }
}

/** The host's own affair: events and their results go on. */
export function tell(logger: Logger, level: 'warn' | 'error', fields: object, message: string): void {
  try {
    logger[level](fields, message)
  } catch {
    // A logger that throws has nobody to tell.
  }
}
