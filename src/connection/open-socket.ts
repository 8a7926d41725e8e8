import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'
import { ConnectionError, type ConnectionErrorCode } from '../errors.ts'
import { brokerText } from '../sasl/broker-text.ts'
import { formatAddress } from './broker-address.ts'
import { ignoreLateError, raceAddresses, type Dial } from './race-addresses.ts'
import type { SocketHooks, SocketTarget } from './socket-hooks.ts'

export interface OpenSocketOptions extends SocketTarget, SocketHooks {
  readonly clock: Clock
  readonly connectTimeoutMs: number
  /** What is left of it. Default: all. */
  readonly timeoutMs?: number | undefined
  readonly signal: AbortSignal
  /** All addresses of a name; default: the system's resolver. Tests have one of their own. */
  readonly lookup?: ((host: string) => Promise<readonly string[]>) | undefined
  readonly onResolved?: ((addresses: readonly string[]) => void) | undefined
  /** Begins a connection; default: `net.connect`. */
  readonly dial?: Dial | undefined
}

/**
 * Opens a socket: the name is resolved anew at each call, and all its addresses are tried, the next one as soon as
 * one has failed or has been silent for a moment (RFC 8305).
 *
 * @throws {ConnectionError} `HOST_NOT_FOUND`, `CONNECTION_REFUSED`, `CONNECT_TIMEOUT`, `CONNECTION_FAILED`, each naming
 * host and port.
 */
export async function openSocket(options: OpenSocketOptions): Promise<Duplex> {
  const giveUp = new AbortController()
  const timer = options.clock.after(options.timeoutMs ?? options.connectTimeoutMs, () =>
    giveUp.abort(connectTimeout(options)),
  )
  const onAbort = (): void => giveUp.abort(options.signal.reason)
  options.signal.addEventListener('abort', onAbort, { once: true })
  try {
    if (options.signal.aborted) throw asConnectionError(options.signal.reason, options)
    return await dial(options, giveUp.signal)
  } catch (error) {
    throw asConnectionError(giveUp.signal.aborted ? giveUp.signal.reason : error, options)
  } finally {
    timer.cancel()
    options.signal.removeEventListener('abort', onAbort)
  }
}

async function dial(options: OpenSocketOptions, signal: AbortSignal): Promise<Duplex> {
  const { nodeId, host, port } = options
  const at = options.mapAddress?.({ nodeId, host, port }) ?? { host, port }
  if (options.createSocket !== undefined) {
    const made = Promise.resolve(options.createSocket({ nodeId, ...at, signal }))
    // A socket that comes too late belongs to nobody else.
    void made.then((socket) => signal.aborted && socket.destroy(), ignoreLateError)
    return await untilAborted(made, signal)
  }
  const addresses = isIP(at.host) === 0 ? await untilAborted((options.lookup ?? lookupAll)(at.host), signal) : [at.host]
  options.onResolved?.(addresses)
  for (const address of addresses) options.connectGuard?.({ host: at.host, port: at.port, address })
  return await raceAddresses({ addresses, port: at.port, dial: options.dial, clock: options.clock, signal })
}

async function lookupAll(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true, order: 'verbatim' })
  return found.map(({ address }) => address)
}

/** Waits for work that knows nothing of signals (name resolution, a user's hook). */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function connectTimeout(options: OpenSocketOptions): ConnectionError {
  return new ConnectionError(
    'CONNECT_TIMEOUT',
    `${formatAddress(options)}: CONNECT_TIMEOUT: no connection within connectTimeoutMs (${options.connectTimeoutMs} ms)`,
    { retriable: true },
  )
}

function asConnectionError(error: unknown, options: OpenSocketOptions): ConnectionError {
  if (error instanceof ConnectionError) return error
  const systemCode = error instanceof Error && 'code' in error ? String(error.code) : ''
  const [code, what] = reasonOf(systemCode, error, options)
  return new ConnectionError(code, `${formatAddress(options)}: ${code}: ${what}`, { retriable: true, cause: error })
}

/** What the resolver says when it has no address for a name, for now or for good. */
const RESOLVER_CODES = ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME', 'ENODATA', 'ESERVFAIL']

/** What our own machine lacks; trying again helps once it has it again. */
const LOCAL_LIMITS: Readonly<Record<string, string>> = {
  EMFILE: 'this process has no file descriptor left (ulimit -n)',
  ENFILE: 'this machine has no file descriptor left',
  EADDRNOTAVAIL: 'this machine has no local port or address left for the connection',
  ENOBUFS: 'this machine has no memory left for the connection',
}

function reasonOf(systemCode: string, error: unknown, { host }: OpenSocketOptions): [ConnectionErrorCode, string] {
  if (RESOLVER_CODES.includes(systemCode)) {
    return ['HOST_NOT_FOUND', `the host name ${JSON.stringify(brokerText(host))} could not be resolved (${systemCode})`]
  }
  if (systemCode === 'ECONNREFUSED') {
    return ['CONNECTION_REFUSED', 'connection refused (ECONNREFUSED): nothing listens there']
  }
  const message = error instanceof Error ? error.message : String(error)
  const limit = LOCAL_LIMITS[systemCode]
  return ['CONNECTION_FAILED', limit === undefined ? message : `${limit}: ${message}`]
}
