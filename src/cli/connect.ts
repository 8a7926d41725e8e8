import { OptionError, Producer, type Logger, type ProducerOptions } from '../index.ts'
import { UsageError } from './exit-code.ts'
import { isDebugging, printNote } from './terminal.ts'

/** Which flag of the command line gives which option: errors speak the language of the one who reads them. */
export type FlagNames = Readonly<Record<string, string>>

/**
 * A producer that is connected. The cluster is asked first, so that a wrong address is known before any input is read.
 *
 * @throws {UsageError} the options are wrong. @throws {KafkaError} no broker could be reached.
 */
export async function connect(options: ProducerOptions, flags: FlagNames): Promise<Producer> {
  const producer = construct(options, flags)
  try {
    await producer.connect()
    return producer
  } catch (error) {
    await producer.close({ timeoutMs: 0 })
    throw error
  }
}

function construct(options: ProducerOptions, flags: FlagNames): Producer {
  try {
    return new Producer({ clientId: 'headrace-cli', ...options, ...(isDebugging() ? { logger } : {}) })
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    const inFlags = error.message.replaceAll(/\b[a-z]+(?:[A-Z][a-z]+)*\b/g, (name) => flags[name] ?? name)
    throw new UsageError(inFlags.replace(/^Producer: [A-Z_]+: /, ''), { cause: error })
  }
}

const log = (_fields: object, message: string): void => printNote(message)
const logger: Logger = { debug: log, info: log, warn: log, error: log }
