import type { ConnectStep } from '../connection/connection-options.ts'
import type { KafkaError } from '../errors.ts'
import type { Visitor } from './visitor.ts'

/** What has to succeed on the way to a connection. */
export type ConnectStepName = 'resolve' | 'tcp' | 'tls' | 'api-versions' | 'sasl'

const NAMES: Readonly<Record<ConnectStep['step'], ConnectStepName>> = {
  resolved: 'resolve',
  connected: 'tcp',
  secured: 'tls',
  negotiated: 'api-versions',
  authenticated: 'sasl',
}

/** How far a connection has come. */
export class Way {
  readonly #ahead: ConnectStepName[]

  constructor({ options, mechanism }: Pick<Visitor, 'options' | 'mechanism'>) {
    this.#ahead = [
      ...(options.createSocket === undefined ? (['resolve'] as const) : []),
      'tcp',
      ...(options.tls === null ? [] : (['tls'] as const)),
      'api-versions',
      ...(mechanism === null ? [] : (['sasl'] as const)),
    ]
  }

  /** @returns what is done now; null: it was before, and the connection is tried again in an older version. */
  pass({ step }: ConnectStep): ConnectStepName | null {
    const name = NAMES[step]
    if (this.#ahead[0] !== name) return null
    this.#ahead.shift()
    return name
  }

  /** What of it went wrong. That TLS is missing, or a certificate was not taken, shows only later. */
  failedAt({ code }: KafkaError): ConnectStepName {
    const isAboutTls = /^(TLS_|PEER_SPEAKS_TLS|PEER_NOT_TLS|CERTIFICATE_|CLIENT_CERTIFICATE_)/.test(code)
    return isAboutTls ? 'tls' : (this.#ahead[0] ?? 'api-versions')
  }
}
