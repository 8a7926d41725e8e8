/**
 * One state, one table of legal moves.
 *
 * ```
 * idle > connecting > negotiating > authenticating > ready <> reauthenticating, ready > closing > closed
 * ```
 * Any state may end in `closed`; `connecting` is TCP and TLS, `authenticating` is passed through at once without SASL. One
 * connection is one socket: whoever wants to try again makes a new one.
 */
export type ConnectionState =
  'idle' | 'connecting' | 'negotiating' | 'authenticating' | 'ready' | 'reauthenticating' | 'closing' | 'closed'

const moves: Readonly<Record<ConnectionState, readonly ConnectionState[]>> = {
  idle: ['connecting', 'closed'],
  connecting: ['negotiating', 'closed'],
  negotiating: ['authenticating', 'closed'],
  authenticating: ['ready', 'closed'],
  ready: ['reauthenticating', 'closing', 'closed'],
  reauthenticating: ['ready', 'closing', 'closed'],
  closing: ['closed'],
  closed: [],
}

/** @throws if the move is not in the table: that is a bug of ours, never of a peer. */
export function assertMove(from: ConnectionState, to: ConnectionState): void {
  if (!moves[from].includes(to)) throw new Error(`connection: illegal move from ${from} to ${to}`)
}

type ToldState = 'connecting' | 'ready' | 'closed'

/** The steps between are over in no time. */
export function isTold(state: ConnectionState): state is ToldState {
  return state === 'connecting' || state === 'ready' || state === 'closed'
}
