import { ConnectionError, ProtocolError, type KafkaError } from '../errors.ts'
import { errorByCode } from '../protocol/error-codes.ts'
import { apiVersions, type ApiVersionsResponse } from '../protocol/messages/api-versions.ts'
import { decodeApiVersionsFrame, nextApiVersionsAttempt, type VersionRanges } from '../protocol/negotiate.ts'
import type { Begun, ConnectionOptions } from './connection-options.ts'
import { Connection } from './connection.ts'
import { speaksTls } from './tls-probe.ts'

/** KIP-511: how the broker's own metrics will name us. Brokers refuse names outside `[a-zA-Z0-9.-]`. */
export interface ClientSoftware {
  readonly name: string
  readonly version: string
}

/**
 * Makes a connection that is ready for requests: dials, TLS included, asks ApiVersions and logs in. `connectTimeoutMs` is
 * for all of it. ApiVersions is asked in the newest version we know, going down
 * when the broker says (or, by hanging up, shows) that this is too new for it: at most three tries, never up.
 *
 * @param hangUps how often in a row the peer has hung up on all of that. It is then asked once an attempt, in another
 *   version each time: a load balancer whose broker is away accepts everybody, and four connections each.
 * @throws {ConnectionError | ProtocolError} what went wrong at the last try, naming the address.
 */
export async function openConnection(
  options: ConnectionOptions,
  software: ClientSoftware,
  opened: (begun: Begun) => void,
  hangUps = 0,
): Promise<Connection> {
  let version = firstVersion(hangUps)
  const readyByMs = options.clock.now() + options.connectTimeoutMs
  for (;;) {
    const connection = new Connection({ ...options, readyByMs })
    opened(connection)
    await connection.dial()
    try {
      await connection.becomeReady(await negotiate(connection, version, software))
      return connection
    } catch (error) {
      const hungUp = isHangUp(connection, error)
      connection.close(error as KafkaError)
      if (hangUps > 0 && hungUp) throw error
      const next = hungUp ? nextApiVersionsAttempt(version, 'closed') : null
      if (next === null)
        throw hungUp && !options.tls && (await speaksTls(options, opened)) ? needsTls(connection) : error
      version = next
    }
  }
}

/** The newest; after hang-ups each of the three that are tried in its turn. */
function firstVersion(hangUps: number): number {
  const { maxVersion, minVersion } = apiVersions
  return [maxVersion, maxVersion, maxVersion - 1, minVersion][hangUps === 0 ? 0 : 1 + ((hangUps - 1) % 3)] ?? maxVersion
}

function isHangUp(connection: Connection, error: unknown): boolean {
  return error instanceof ConnectionError && error.code === 'CONNECTION_CLOSED' && !connection.hasReceived
}

async function negotiate(connection: Connection, newest: number, software: ClientSoftware): Promise<VersionRanges> {
  let version = newest
  for (;;) {
    const asked = version
    const body = asked >= 3 ? { clientSoftwareName: software.name, clientSoftwareVersion: software.version } : {}
    const decode = (frame: Buffer): ApiVersionsResponse => decodeApiVersionsFrame(asked, frame)
    const outcome = await connection.requestVersion(apiVersions, asked, body, decode)
    if ('error' in outcome) throw outcome.error
    const { response } = outcome
    if (response.errorCode === 0) {
      return new Map(
        response.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }]),
      )
    }
    const next = nextApiVersionsAttempt(asked, response)
    if (next === null) throw refused(connection, asked, response.errorCode)
    version = next
  }
}

function needsTls({ address }: Connection): ConnectionError {
  return new ConnectionError('PEER_SPEAKS_TLS', `${address}: PEER_SPEAKS_TLS: this port speaks TLS: set tls`)
}

function refused(connection: Connection, version: number, errorCode: number): ProtocolError {
  const { name } = errorByCode(errorCode)
  const what = `the broker answered ApiVersions v${version} with ${name} (${errorCode})`
  return new ProtocolError('UNSUPPORTED_VERSION', `${connection.address}: UNSUPPORTED_VERSION: ${what}`)
}
