import { OptionError } from '../errors.ts'
import { nearestNames } from '../nearest.ts'
import { errorByName } from '../protocol/error-codes.ts'
import type { ServedApi } from './served-apis.ts'

/** Which requests a fault is for, and what goes wrong with them. Effects can be combined. */
export interface FaultOptions {
  readonly api: ServedApi
  /** Only requests that speak of this topic; an `error` hits this topic alone. */
  readonly topic?: string | undefined
  /** Only requests that speak of this partition; an `error` hits this partition alone. */
  readonly partition?: number | undefined
  /** Only requests to this broker, by node id. */
  readonly broker?: number | undefined
  /** Lets so many requests that fit pass first: `after: 2` hits the third. Default 0. */
  readonly after?: number | undefined
  /** How many requests go wrong; `Infinity`: all. Default 1. */
  readonly times?: number | undefined
  /** Answers with this error, by Kafka's name (`'NOT_LEADER_OR_FOLLOWER'`) or number. */
  readonly error?: string | number | undefined
  /** The text that goes with `error`, where the answer has room for one. */
  readonly errorMessage?: string | undefined
  /** The records that are to blame for `error`, by their index in the batch (KIP-467, Produce v8 and later). */
  readonly recordErrors?: readonly RecordFault[] | undefined
  /** Answers so much later; answers to later requests wait behind this one. */
  readonly delayMs?: number | undefined
  /**
   * Quota: the answer asks to wait so long, and the broker reads nothing from the connection meanwhile. Before Kafka 2.0
   * (Produce v6, KIP-219) the broker does not read either, and the answer comes afterwards.
   */
  readonly throttleMs?: number | undefined
  /** Closes the connection instead of doing what was asked for. */
  readonly closeBefore?: boolean | undefined
  /** Closes the connection after so many bytes of the answer; 0: instead of an answer. What was asked for is done. */
  readonly closeAfterBytes?: number | undefined
  /** Never answers; answers to later requests on the connection wait behind this one, for ever. */
  readonly silent?: boolean | undefined
  /** Answers in pieces of so many bytes. */
  readonly splitBytes?: number | undefined
  /** Answers twice. */
  readonly duplicateAnswer?: boolean | undefined
  /** Answers after the next answer: out of order, which Kafka never does. */
  readonly late?: boolean | undefined
  /** Answers with a correlation id that nobody asked with. */
  readonly wrongCorrelationId?: boolean | undefined
  /** Answers with these bytes, whatever they are, length and header included. */
  readonly answer?: ((correlationId: number) => Uint8Array) | undefined
  /** SaslAuthenticate, and raw tokens: the broker's token is this, whatever it would have said. */
  readonly authBytes?: string | Uint8Array | ((said: Buffer) => string | Uint8Array) | undefined
  /** Whether Produce appends the records all the same. Default: not with `error`, otherwise yes. */
  readonly isWritten?: boolean | undefined
}

/** A record that a broker refuses. */
export interface RecordFault {
  readonly batchIndex: number
  readonly message?: string | undefined
}

const WHERE_NAMES = [
  ...['api', 'topic', 'partition', 'broker', 'after', 'times'],
  ...['errorMessage', 'recordErrors', 'isWritten'],
]
const EFFECT_NAMES = [
  ...['error', 'delayMs', 'throttleMs', 'closeBefore', 'closeAfterBytes', 'silent', 'splitBytes'],
  ...['duplicateAnswer', 'late', 'wrongCorrelationId', 'answer', 'authBytes'],
]

/** Every name that `fail` takes. */
export const FAULT_NAMES: readonly string[] = [...WHERE_NAMES, ...EFFECT_NAMES]

/**
 * A fault that does nothing because of a typing error would make a test that proves nothing.
 *
 * @throws {OptionError}
 */
export function checkFault(options: FaultOptions): void {
  const names = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  for (const name of names) {
    if (FAULT_NAMES.includes(name)) continue
    const [nearest] = nearestNames(name, FAULT_NAMES)
    throw misuse(`fail: ${name}: unknown option${nearest === undefined ? '' : `: did you mean ${nearest}?`}`)
  }
  if (!names.some((name) => EFFECT_NAMES.includes(name))) {
    throw misuse(`fail: nothing goes wrong; say one of ${EFFECT_NAMES.join(', ')}`)
  }
  if (options.recordErrors !== undefined && options.error === undefined) {
    throw misuse("fail: recordErrors: say which error, such as error: 'INVALID_RECORD'")
  }
}

/** @throws {OptionError} an error that Kafka does not have. */
export function errorCodeOf(error: string | number): number {
  if (typeof error === 'number') return error
  const row = errorByName(error)
  if (row !== undefined) return row.code
  throw misuse(`fail: Kafka has no error ${error}`)
}

function misuse(what: string): OptionError {
  return new OptionError('INVALID_ARGUMENT', `TestCluster: INVALID_ARGUMENT: ${what}`)
}
