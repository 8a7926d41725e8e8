import type { Duplex } from 'node:stream'

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
