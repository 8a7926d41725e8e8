import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'

/** How long a broker may take to read what we handed over before we close. */
const END_TIMEOUT_MS = 1000

/**
 * Whether a socket keeps the process alive: an idle one must not, one with a question out must. A Duplex of a user's may
 * have no say in it.
 */
export function keepAliveBy(socket: (Duplex & { ref?: () => void; unref?: () => void }) | null, keep: boolean): void {
  if (keep) socket?.ref?.()
  else socket?.unref?.()
}

/**
 * Closes a socket. One that carried records without answers (`acks: 0`) is ended in order: destroyed with an unread
 * answer in it, it would be reset, and the system would drop what it still has to send.
 *
 * @param onGone nothing more leaves through it; told by us, for a Duplex of a user's may never say that it is closed.
 */
export function endSocket(socket: Duplex | null, clock: Clock, isInOrder: boolean, onGone: () => void): void {
  if (socket === null) return
  const destroy = (): void => {
    socket.destroy()
    onGone()
  }
  if (!isInOrder || socket.destroyed) return destroy()
  keepAliveBy(socket, true)
  const timer = clock.after(END_TIMEOUT_MS, destroy)
  socket.once('close', () => {
    timer.cancel()
    onGone()
  })
  socket.removeAllListeners('data')
  socket.resume()
  socket.end()
}
