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

/** A request that was never written is not to blame for what is garbled: its connection is gone, and another one will do. */
export function asSeenByParked(address: string, error: KafkaError): KafkaError {
  if (!(error instanceof ProtocolError)) return error
  const what = `we closed the connection while we authenticated again: ${error.message}`
  return connectionError(address, 'CONNECTION_CLOSED', what, error)
}
