import { isObject } from '../config-file.ts'

/** The member `listen` of a configuration file. */
export interface ListenSettings {
  /** Who may send. Empty: everybody, on a loopback address only. */
  readonly writeKeys: readonly string[]
  /** Events that have come and are not settled; more get 429. */
  readonly maxEventsInFlight: number
  /** A client is told 503 if its events are not in Kafka by then; they stay on their way. Milliseconds. */
  readonly answerTimeoutMs: number
}

/** As many as fill four of the largest batches. */
const MAX_EVENTS_IN_FLIGHT = 10_000
/** Segment's clients hang up after ten seconds: an answer helps them more. */
const ANSWER_TIMEOUT_MS = 8000
const MAX_INT32 = 2 ** 31 - 1
const KNOWN = ['writeKeys', 'maxEventsInFlight', 'answerTimeoutMs']

export function listenProblems(given: unknown): string[] {
  if (given === undefined) return []
  if (!isObject(given)) return [`listen: expected an object with ${KNOWN.join(', ')}`]
  const { writeKeys, maxEventsInFlight, answerTimeoutMs } = given
  return [
    ...Object.keys(given)
      .filter((name) => !KNOWN.includes(name))
      .map((name) => `listen.${name}: unknown option; there are ${KNOWN.join(', ')}`),
    ...(isKeys(writeKeys) ? [] : ['listen.writeKeys: expected a list of keys that are not empty']),
    ...(isCount(maxEventsInFlight) ? [] : ['listen.maxEventsInFlight: expected a whole number, 1 or more']),
    ...(isCount(answerTimeoutMs) ? [] : ['listen.answerTimeoutMs: expected milliseconds, 1 or more']),
  ]
}

/** @param given without problems. */
export function listenSettings(given: unknown): ListenSettings {
  const { writeKeys = [], maxEventsInFlight, answerTimeoutMs } = (given ?? {}) as Partial<ListenSettings>
  return {
    writeKeys: typeof writeKeys === 'string' ? [writeKeys] : writeKeys,
    maxEventsInFlight: maxEventsInFlight ?? MAX_EVENTS_IN_FLIGHT,
    answerTimeoutMs: answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
  }
}

function isKeys(given: unknown): boolean {
  if (given === undefined) return true
  const keys: readonly unknown[] = Array.isArray(given) ? given : [given]
  return keys.length > 0 && keys.every((key) => typeof key === 'string' && key !== '')
}

function isCount(given: unknown): boolean {
  return given === undefined || (Number.isInteger(given) && Number(given) >= 1 && Number(given) <= MAX_INT32)
}
