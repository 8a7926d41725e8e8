import { connect, type Socket } from 'node:net'
import type { Clock, Timer } from '../clock.ts'

/** How long an address may be silent before the next one is tried beside it. Source: RFC 8305, section 5. */
const STAGGER_MS = 250

/** Begins a connection. */
export type Dial = (address: string, port: number) => Socket

const dialTcp: Dial = (host, port) => connect({ host, port, noDelay: true, keepAlive: true })

export interface Race {
  readonly addresses: readonly string[]
  readonly port: number
  /** Default: TCP. */
  readonly dial?: Dial | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Connects to the first of several addresses that answers: one after the other, not waiting long for any of them, so that
 * a dead address costs a moment and not the whole timeout.
 *
 * @throws the last address's error, if all have failed; the signal's reason, if it aborts first.
 */
export function raceAddresses({ addresses, port, dial = dialTcp, clock, signal }: Race): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const open = new Set<Socket>()
    let next = 0
    let timer: Timer | null = null
    const finish = (winner: Socket | null, error?: Error): void => {
      timer?.cancel()
      signal.removeEventListener('abort', onAbort)
      for (const socket of open) {
        socket.removeAllListeners()
        if (socket === winner) continue
        socket.on('error', ignoreLateError)
        socket.destroy()
      }
      if (winner === null) reject(error ?? new Error('it has no address'))
      else resolve(winner)
    }
    const onAbort = (): void => finish(null, signal.reason as Error)
    const tryNext = (): void => {
      timer?.cancel()
      const address = addresses[next++]
      if (address === undefined) return
      const socket = dial(address, port)
      open.add(socket)
      socket.once('connect', () => finish(socket))
      socket.once('error', (error) => {
        open.delete(socket)
        if (next < addresses.length) tryNext()
        else if (open.size === 0) finish(null, error)
      })
      timer = clock.after(STAGGER_MS, tryNext)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    else if (addresses.length === 0) finish(null)
    else tryNext()
  })
}

/** A socket that we gave up may still fail; nobody is left to be told. */
export function ignoreLateError(): void {
  return undefined
}
