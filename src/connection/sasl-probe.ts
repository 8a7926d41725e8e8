import { apiVersions } from '../protocol/messages/api-versions.ts'
import { saslHandshake } from '../protocol/messages/sasl-handshake.ts'
import { decodeApiVersionsFrame } from '../protocol/negotiate.ts'
import type { Begun, ConnectionOptions } from './connection-options.ts'
import { Connection } from './connection.ts'

const PROBE_TIMEOUT_MS = 1000

const [NONE, UNSUPPORTED_SASL_MECHANISM] = [0, 33]

/**
 * Whether a listener that hung up after ApiVersions wants SASL, or was just being stopped. Asked on a connection of its own,
 * like the others in all else: a listener without SASL answers ILLEGAL_SASL_STATE. Nothing secret is said.
 */
export async function wantsSasl(options: ConnectionOptions, opened: (begun: Begun) => void): Promise<boolean> {
  const connection = probing(options, opened)
  try {
    await connection.dial()
    const versions = await connection.requestVersion(apiVersions, 0, {}, (frame) => decodeApiVersionsFrame(0, frame))
    if ('error' in versions) return false
    await connection.becomeReady(
      new Map(versions.response.apiKeys.map(({ apiKey, minVersion: min, maxVersion: max }) => [apiKey, { min, max }])),
    )
    const answer = await connection.request(saslHandshake, { mechanism: 'PLAIN' })
    return 'response' in answer && [NONE, UNSUPPORTED_SASL_MECHANISM].includes(answer.response.errorCode)
  } catch {
    return false
  } finally {
    connection.close()
  }
}

function probing(options: ConnectionOptions, opened: (begun: Begun) => void): Connection {
  const times = { connectTimeoutMs: PROBE_TIMEOUT_MS, requestTimeoutMs: PROBE_TIMEOUT_MS, readyByMs: undefined }
  const connection = new Connection({ ...options, ...times, mechanism: null, onStep: undefined })
  opened(connection)
  return connection
}
