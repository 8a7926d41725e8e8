import { ConnectionError, KafkaError, ProtocolError, type ConnectionErrorCode } from '../errors.ts'

/** What went wrong with a connection; another one may fare better. */
export function connectionError(
  address: string,
  code: ConnectionErrorCode,
  what: string,
  cause?: unknown,
): ConnectionError {
  return new ConnectionError(code, `${address}: ${code}: ${what}`, { retriable: true, cause })
}

/** Whatever was thrown, as an error that names the address. */
export function asKafkaError(address: string, error: unknown): KafkaError {
  if (error instanceof ProtocolError && !error.message.startsWith(address)) {
    // What we could not write, no other connection will carry; what a peer wrote may have been an accident.
    const retriable = error.code !== 'NOT_REPRESENTABLE'
    return new ProtocolError(error.code, `${address}: ${error.message}`, { retriable, cause: error })
  }
  if (error instanceof KafkaError) return error
  return connectionError(address, 'CONNECTION_FAILED', error instanceof Error ? error.message : String(error), error)
}
