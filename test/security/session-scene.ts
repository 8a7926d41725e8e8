import type { Outcome } from '../../src/connection/answers.ts'
import type { ConnectionOptions } from '../../src/connection/connection-options.ts'
import type { Connection } from '../../src/connection/connection.ts'
import { openConnection } from '../../src/connection/handshake.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import { createMechanism } from '../../src/sasl/mechanism.ts'
import { resolveSasl } from '../../src/sasl/options.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { brokerOf, closeLater, PLAIN } from './harness.ts'
import { lastWord, NOTHING, type Line, type Login, type ScriptedBroker, type Seen } from './scripted-broker.ts'

export const SESSION_MS = 10_000n
/** 90 % of it (`random` is 0.5), and a second before its end. */
export const DUE_MS = 9000
export const CONNECT_TIMEOUT_MS = 5000
export const REQUEST_TIMEOUT_MS = 30_000

export const session =
  (sessionLifetimeMs = SESSION_MS): (() => Login) =>
  () =>
  () =>
    lastWord({ sessionLifetimeMs })

export interface Scene {
  readonly broker: ScriptedBroker
  readonly connection: Connection
  readonly clock: FakeClock
}

/** A connection that is in, for ten seconds. */
export async function scene(login: () => Login = session(), sasl: object = PLAIN): Promise<Scene> {
  const broker = await brokerOf({ login })
  const clock = new FakeClock()
  const options: ConnectionOptions = {
    ...{ nodeId: 1, host: '127.0.0.1', port: broker.port, clientId: 'test', clock },
    ...{ connectTimeoutMs: CONNECT_TIMEOUT_MS, requestTimeoutMs: REQUEST_TIMEOUT_MS, maxIdleMs: 540_000 },
    mechanism: createMechanism(resolveSasl(sasl), { clock }),
  }
  const connection = await openConnection(options, { name: 'headrace', version: '0' }, (begun) =>
    closeLater(() => begun.close()),
  )
  return { broker, connection, clock }
}

/** A request that can be told from others. */
export function ask({ connection }: Scene, name: string): Promise<Outcome<unknown>> {
  return connection.request(metadata, { topics: [{ name }] })
}

/** A record that nobody confirms (`acks: 0`). */
export function tell({ connection }: Scene): Promise<Outcome<undefined>> {
  return connection.requestWithoutAnswer(produce, { acks: 0, timeoutMs: 1000, topicData: [] })
}

/** What the broker saw, requests for metadata by the name in them. */
export function seen({ broker }: Scene): string[] {
  return broker.seen.map(({ api, body }) => {
    const [topic] = (body['topics'] as { name: string }[] | undefined) ?? []
    return topic?.name ?? api
  })
}

export const LOGIN = ['SaslHandshake', 'SaslAuthenticate']
export const BEGIN = ['ApiVersions', ...LOGIN]

/** Keeps what fits back until it is let go. */
export function holding(broker: ScriptedBroker, fits: (seen: Seen) => boolean): { release: () => void; held: Seen[] } {
  const held: Seen[] = []
  const waiting: [Seen, Line][] = []
  let isOver = false
  const before = broker.script
  broker.script = (one, line) => {
    if (isOver || !fits(one)) return before(one, line)
    held.push(one)
    waiting.push([one, line])
    return NOTHING
  }
  const release = (): void => {
    isOver = true
    for (const [one, { socket }] of waiting.splice(0)) socket.write(broker.decent(one, broker.login()))
  }
  return { release, held }
}

export const isApi = (api: string) => (one: Seen) => one.api === api

export function outcomeOf(outcome: Outcome<unknown>): unknown {
  return 'error' in outcome ? [outcome.error.code, outcome.wasWritten] : 'answered'
}
