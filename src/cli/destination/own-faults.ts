import type { DeliveryResult } from '../../destination/destination.ts'

/**
 * What is wrong with an event itself, or with what its mapping makes of it: it will never get through as it is. Everything
 * else may be mended by somebody (credentials, permissions, topics, settings), and the event with it.
 */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  ...['INVALID_EVENT', 'PAYLOAD_VALIDATION_FAILED', 'MAPPING_FAILED', 'TOPIC_NOT_ALLOWED', 'UNKNOWN_PARTITION'],
  ...['RECORD_TOO_LARGE', 'MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP'],
  ...['INVALID_TOPIC', 'INVALID_TOPIC_EXCEPTION'],
])

export function isOwnFault({ error, retry }: Pick<DeliveryResult, 'error' | 'retry'>): boolean {
  return error !== undefined && retry === false && OWN_FAULTS.has(error.code)
}
