import type { TlsOptions } from 'node:tls'
import { Reader } from '../bytes/reader.ts'
import type { Clock } from '../clock.ts'
import { decodeBody } from '../protocol/codec.ts'
import { encodeResponseFrame } from '../protocol/frame.ts'
import type { Api, Infer, Input } from '../protocol/schema.ts'
import type { ClusterState } from './cluster-state.ts'
import type { FaultList, Faults, Mention } from './faults.ts'
import type { Journal } from './journal.ts'
import type { LoginBook } from './sasl/login-stats.ts'
import type { SaslListener } from './sasl/sasl-listener.ts'
import type { Session } from './sasl/session.ts'

/** Everything that the brokers of a test cluster share. */
export interface ClusterContext {
  readonly state: ClusterState
  readonly faults: FaultList
  readonly journal: Journal
  readonly clock: Clock
  /** Null: the brokers speak plaintext. */
  readonly tls: TlsOptions | null
  /** Null: nobody logs in. */
  readonly sasl: SaslListener | null
  readonly logins: LoginBook
}

export interface IncomingRequest {
  readonly nodeId: number
  readonly version: number
  readonly correlationId: number
  /** What follows the header. */
  readonly body: Buffer
  readonly session: Session
  /** What becomes of it is known already. */
  readonly refusal?: Faults | undefined
}

/** What a handler knows besides the body of the request. */
export interface HandlerContext {
  readonly state: ClusterState
  readonly nodeId: number
  readonly version: number
  readonly faults: Faults
  /** Who asks. */
  readonly session: Session
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number
  /** Notes something that no client may do but that has an answer. */
  readonly violation: (what: string) => void
}

/** What becomes of a request: bytes to send, nothing to send, or the end of the connection. */
export interface Reply {
  readonly answer: readonly Uint8Array[] | 'none' | 'close'
  readonly faults: Faults
}

export interface HandlerParts<A extends Api> {
  readonly mentions: (
    body: Infer<A['request']>,
    context: { state: ClusterState; version: number },
  ) => readonly Mention[]
  /** @throws for a request that is not the protocol: the connection ends, and the violation is noted. */
  readonly handle: (body: Infer<A['request']>, context: HandlerContext) => Input<A['response']> | 'none' | 'close'
  /** Puts the answer into a frame; default: in the version of the request. */
  readonly encode?: (response: Input<A['response']>, version: number, correlationId: number) => readonly Uint8Array[]
}

export type ApiHandler = (request: IncomingRequest, cluster: ClusterContext) => Reply

/** A handler for any request of one API: decodes, meets faults, handles, encodes. */
export function apiHandler<A extends Api>(api: A, parts: HandlerParts<A>): ApiHandler {
  const encode =
    parts.encode ??
    ((response: Input<A['response']>, version: number, correlationId: number): readonly Uint8Array[] =>
      encodeResponseFrame(api, version, correlationId, response).chunks)
  return (request, { state, faults: list, journal, clock }) => {
    const { nodeId, version, correlationId, body: bytes, session, refusal } = request
    const body = decodeBody(api, 'request', version, new Reader(bytes, `${api.name} v${version} request`))
    const faults = refusal ?? list.take(api.name, nodeId, parts.mentions(body, { state, version }))
    if (faults.effect('closeBefore') === true) return { answer: 'close', faults }
    const response = parts.handle(body, {
      ...{ state, nodeId, version, faults, session, nowMs: clock.wallNow() },
      violation: (what) => journal.violation(nodeId, `${api.name} v${version}: ${what}`),
    })
    if (typeof response === 'string') return { answer: response, faults }
    const throttleTimeMs = faults.effect('throttleMs') ?? 0
    return { answer: encode({ ...response, throttleTimeMs }, version, correlationId), faults }
  }
}
