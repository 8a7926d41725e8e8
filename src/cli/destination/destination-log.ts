import type { Logger } from '../../index.ts'
import { isDebugging, oneLine, printNote } from '../terminal.ts'

/** What a user must know although all goes well. */
const IMPORTANT: ReadonlySet<unknown> = new Set([
  ...['PLAINTEXT', 'BROKERS_NOT_VERIFIED', 'CERTIFICATE_EXPIRES', 'CERTIFICATE_EXPIRED'],
])

/**
 * What the engine and the destination have to say, if somebody wants to hear it; else only what is important.
 *
 * @param isLocal the brokers are on this machine: TLS protects from nobody.
 */
export function destinationLogger(isLocal: boolean): Logger {
  const debug = (_fields: object, message: string): void => {
    if (isDebugging()) printNote(oneLine(message))
  }
  const warn = (fields: object, message: string): void => {
    const code = 'code' in fields ? fields.code : null
    if (IMPORTANT.has(code) && !(isLocal && code === 'PLAINTEXT')) printNote(`headrace: warning: ${oneLine(message)}`)
    else debug(fields, message)
  }
  return { debug, info: debug, warn, error: debug }
}
