import { connect, type Socket } from 'node:net'
import type { Clock } from '../clock.ts'

/** How long an address may be silent before the next one is tried beside it. Source: RFC 8305, section 5. */
const STAGGER_MS = 250

/**
 * Connects to the first of several addresses that answers: one after the other, not waiting long for any of them, so that
 * a dead address costs a moment and not the whole timeout.
 *
 * @throws the last address's error, if all have failed; the signal's reason, if it aborts first.
 */
export function raceAddresses(
  addresses: readonly string[],
  port: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const open = new Set<Socket>()
    let next = 0
    let timer = clock.after(0, () => undefined)
    const finish = (winner: Socket | null, error?: Error): void => {
      timer.cancel()
      signal.removeEventListener('abort', onAbort)
      for (const socket of open) {
        socket.removeAllListeners()
        if (socket === winner) continue
        socket.on('error', ignoreLateError)
        socket.destroy()
      }
      if (winner === null) reject(error ?? new Error('no address'))
      else resolve(winner)
    }
    const onAbort = (): void => finish(null, signal.reason as Error)
    const tryNext = (): void => {
      timer.cancel()
      const address = addresses[next++]
      if (address === undefined) return
      const socket = connect({ host: address, port, noDelay: true, keepAlive: true })
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
    else tryNext()
  })
}

/** A socket that we gave up may still fail; nobody is left to be told. */
export function ignoreLateError(): void {
  return undefined
}
