import { KafkaError, OptionError, Producer, type Logger } from '../index.ts'
import type { Asked } from './connection-options.ts'
import { SpokenError, UsageError } from './exit-code.ts'
import { isDebugging, printNote } from './terminal.ts'
import type { Wording } from './wording.ts'

/**
 * A producer that is connected. The cluster is asked first, so that a wrong address is known before any input is read.
 *
 * @throws {UsageError} the options are wrong. @throws {SpokenError} no broker could be reached, or it did not let us in.
 */
export async function connect({ options, wording }: Asked): Promise<Producer> {
  const producer = inFlags(wording, () => new Producer({ logger: loggerFor(wording), ...options }))
  try {
    await producer.connect()
    return producer
  } catch (error) {
    await producer.close({ timeoutMs: 0 })
    throw spoken(error, wording)
  }
}

/** @throws {UsageError} for what the library says about options. */
export function inFlags<T>(wording: Wording, construct: () => T): T {
  try {
    return construct()
  } catch (error) {
    throw spoken(error, wording)
  }
}

/** An error of the library in the words of the command line. */
export function spoken(error: unknown, wording: Wording): unknown {
  if (error instanceof OptionError) return new UsageError(wording.problems(error.message), { cause: error })
  return error instanceof KafkaError ? new SpokenError(wording.sentence(error.message), error) : error
}

/** What a user must know although all goes well. */
const IMPORTANT: ReadonlySet<unknown> = new Set(['BROKERS_NOT_VERIFIED', 'CERTIFICATE_EXPIRES', 'CERTIFICATE_EXPIRED'])

/** What the engine has to say, if somebody wants to hear it; else only what is wrong with the protection itself. */
export function loggerFor(wording: Wording): Logger {
  const debug = (_fields: object, message: string): void => {
    if (isDebugging()) printNote(message)
  }
  const warn = (fields: object, message: string): void => {
    const isImportant = 'code' in fields && IMPORTANT.has(fields.code)
    if (isImportant) printNote(`headrace: warning: ${wording.sentence(message)}`)
    else debug(fields, message)
  }
  return { debug, info: debug, warn, error: debug }
}
