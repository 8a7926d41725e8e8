import { connect } from 'node:tls'
import type { Begun } from './connection-options.ts'
import { openSocket, type OpenSocketOptions } from './open-socket.ts'
import { ignoreLateError } from './race-addresses.ts'

/** The answer to a greeting is a matter of milliseconds; whoever takes longer is not named. */
const PROBE_TIMEOUT_MS = 1000

/**
 * Whether a peer that hangs up on plaintext answers to a TLS greeting. OpenSSL says nothing at all to what is no TLS, so
 * the most common mistake, a TLS port without `tls`, can only be named by asking (DESIGN.md, "Non-obvious"). Nothing of
 * ours is sent. It keeps the process alive, for whoever waits for the connection is to hear of it.
 */
export async function speaksTls(
  options: Omit<OpenSocketOptions, 'signal'>,
  opened: (begun: Begun) => void,
): Promise<boolean> {
  const end = new AbortController()
  opened({ close: () => end.abort(new Error('it is not asked any more')) })
  let socket
  try {
    const connectTimeoutMs = Math.min(options.connectTimeoutMs, PROBE_TIMEOUT_MS)
    socket = await openSocket({ ...options, connectTimeoutMs, signal: end.signal })
  } catch {
    return false // it could not be asked; the failure that led here stays the one that is told
  }
  const secure = connect({ socket, rejectUnauthorized: false })
  socket.on('error', ignoreLateError)
  const isTls = await new Promise<boolean>((resolve) => {
    const timer = options.clock.after(PROBE_TIMEOUT_MS, () => resolve(false))
    const settle = (is: boolean): void => {
      timer.cancel()
      resolve(is)
    }
    end.signal.addEventListener('abort', () => settle(false), { once: true })
    if (end.signal.aborted) settle(false)
    secure.once('secureConnect', () => settle(true))
    // An alert is an answer in TLS, too; a reset or the end of the connection is none.
    secure.on('error', (error: NodeJS.ErrnoException) => settle(/^ERR_SSL_(?!WRONG_VERSION)/.test(error.code ?? '')))
    secure.once('close', () => settle(false))
  })
  secure.destroy()
  socket.destroy()
  return isTls
}
