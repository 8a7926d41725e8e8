import type { Clock } from '../clock.ts'
import type { KafkaError } from '../errors.ts'
import type { VersionLimits, VersionRanges } from '../protocol/negotiate.ts'
import type { LoggedIn } from './login.ts'
import type { SocketHooks, SocketTarget } from './socket-hooks.ts'
import type { Security } from './security.ts'
import type { Transport } from './transport.ts'

/** How far a connection has come: what `diagnose` tells. */
export type ConnectStep =
  | { readonly step: 'resolved'; readonly addresses: readonly string[] }
  | { readonly step: 'connected'; readonly remoteAddress: string }
  | { readonly step: 'secured'; readonly transport: Transport }
  | { readonly step: 'negotiated'; readonly versions: VersionRanges }
  | { readonly step: 'authenticated'; readonly session: LoggedIn }

/** Something that was begun for whoever wants to connect, and can be ended early. */
export interface Begun {
  close(reason?: KafkaError): void
}

export interface ConnectionOptions extends SocketTarget, SocketHooks, Security {
  readonly clientId: string
  readonly clock: Clock
  /** For all of it: TCP, TLS, ApiVersions and SASL; and for another login later. */
  readonly connectTimeoutMs: number
  /** When that ends, by the clock, if it has begun before this connection was made. */
  readonly readyByMs?: number | undefined
  readonly requestTimeoutMs: number
  /** Closes the connection when nothing was asked for this long; before the broker does (its default is 10 minutes). */
  readonly maxIdleMs: number
  /** Hears of a broker that wants to be left alone for longer than it is granted, milliseconds. */
  readonly onExcessiveThrottle?: ((address: string, askedMs: number, grantedMs: number) => void) | undefined
  readonly onStep?: ((step: ConnectStep) => void) | undefined
}

/** Versions that the caller can work with, where those are fewer than both sides know. */
export type RequestOptions = VersionLimits
