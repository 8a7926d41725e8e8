import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'
import { ConnectionError } from '../errors.ts'
import { formatAddress } from './broker-address.ts'
import { ignoreLateError, raceAddresses } from './race-addresses.ts'

/** Where to, in the words of the user's hooks; `nodeId` is null for a bootstrap address. */
export interface SocketTarget {
  readonly nodeId: number | null
  readonly host: string
  readonly port: number
}

export interface SocketHooks {
  /** Makes the transport; default: `net.connect`. */
  readonly createSocket?: ((target: SocketTarget & { signal: AbortSignal }) => Duplex | Promise<Duplex>) | undefined
  /** Changes only where we dial. */
  readonly mapAddress?: ((target: SocketTarget) => { host: string; port: number }) | undefined
  /** Throws to refuse a resolved address. */
  readonly connectGuard?: ((target: { host: string; port: number; address: string }) => void) | undefined
}

export interface OpenSocketOptions extends SocketTarget, SocketHooks {
  readonly clock: Clock
  readonly connectTimeoutMs: number
  readonly signal: AbortSignal
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
  const timer = options.clock.after(options.connectTimeoutMs, () => giveUp.abort(connectTimeout(options)))
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
  const addresses = await untilAborted(resolveHost(at.host), signal)
  for (const address of addresses) options.connectGuard?.({ host: at.host, port: at.port, address })
  return await raceAddresses(addresses, at.port, options.clock, signal)
}

async function resolveHost(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host]
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
  const details = { retriable: true, cause: error }
  if (systemCode === 'ENOTFOUND' || systemCode === 'EAI_AGAIN' || systemCode === 'ENODATA') {
    const what = `the host name ${JSON.stringify(options.host)} could not be resolved (${systemCode})`
    return new ConnectionError('HOST_NOT_FOUND', `${formatAddress(options)}: HOST_NOT_FOUND: ${what}`, details)
  }
  if (systemCode === 'ECONNREFUSED') {
    const what = 'connection refused (ECONNREFUSED): nothing listens there'
    return new ConnectionError('CONNECTION_REFUSED', `${formatAddress(options)}: CONNECTION_REFUSED: ${what}`, details)
  }
  const what = error instanceof Error ? error.message : String(error)
  return new ConnectionError('CONNECTION_FAILED', `${formatAddress(options)}: CONNECTION_FAILED: ${what}`, details)
}
