import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openSocket } from '../../src/connection/open-socket.ts'
import { secure } from '../../src/tls/connect-tls.ts'
import * as sentences from '../../src/tls/tls-sentences.ts'
import { tlsSource } from '../../src/tls/tls-settings.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { advanceUntilSettled } from '../support/settling.ts'
import { brokerOf, failureOf, guardTests, producerOf } from './harness.ts'
import { metadataFrame, NOTHING, type Seen } from './scripted-broker.ts'

// Names that a broker tells us (its host, its cluster's id) get into errors and logs: on one line, and not without end.

guardTests()

const NAMES: readonly [string, string][] = [
  ['ANSI escapes and line ends', '\u001b[2J\u0007evil\r\nhost'],
  ['characters that turn the line around', '\u202egnp\u200b'],
  ['NUL', 'kafka\0.example'],
  ['30 kB', 'x'.repeat(30_000)],
]

const FINE = /^\P{C}{1,900}$/u

describe('a name of a broker', () => {
  it.each(NAMES)('%s: as the host that it advertises', async (_what, host) => {
    const broker = await brokerOf()
    broker.script = (seen) => (seen.api === 'Metadata' ? metadataFrame(seen, host, 9092) : null)
    const clock = new FakeClock()
    // The name leads nowhere; nobody asks a name server for it.
    const mapAddress = (at: { host: string; port: number }): { host: string; port: number } =>
      at.host === '127.0.0.1' ? at : { host: '127.0.0.1', port: 1 }
    const options = { idempotent: false, deliveryTimeoutMs: 3000, requestTimeoutMs: 1000, mapAddress }
    const failed = failureOf(producerOf(broker.address, options, clock).send({ topic: 't', value: 'v' }))
    await advanceUntilSettled(clock, failed, 50)
    const error = await failed
    expect(error.code).toBe('DELIVERY_TIMEOUT')
    expect(error.message).toContain('CONNECTION_REFUSED')
    expect(error.message).toMatch(FINE)
  })

  it.each(NAMES)('%s: as a host that does not resolve', async (_what, host) => {
    const lookup = (): Promise<string[]> => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' }))
    const parts = { nodeId: 1, host, port: 9092, clock: new FakeClock(), connectTimeoutMs: 1000, lookup }
    const error = await failureOf(openSocket({ ...parts, signal: new AbortController().signal }))
    expect(error.code).toBe('HOST_NOT_FOUND')
    expect(error.message).toMatch(FINE)
  })

  it.each(NAMES)('%s: as the host that TLS is to prove', async (_what, host) => {
    const broker = await brokerOf()
    broker.script = (_seen, { socket }) => (socket.destroy(), NOTHING)
    const raw = connect(broker.port, '127.0.0.1')
    const options = { source: tlsSource(true), host, port: 9092, timeoutMs: 1000 }
    const clock = new FakeClock()
    const failed = failureOf(secure(raw, options, new AbortController().signal, clock))
    await clock.advance(1000)
    const error = await failed
    expect(error.message).toMatch(FINE)
  })

  it.each(NAMES)('%s: in the words of TLS', (_what, name) => {
    const chain = [{ subject: name, issuer: name, names: `DNS:${name}`, fromMs: 0, toMs: 0, isSelfSigned: false }]
    const facts = {
      ...{ address: 'kafka:9092', name, stage: 'handshake' as const, hasClientCertificate: false, authorities: null },
      ...{ chain, receivedBytes: 0, nowMs: 0 },
    }
    for (const sentence of [sentences.wrongHost(facts), sentences.commonNameOnly(facts)]) expect(sentence).toMatch(FINE)
  })

  it.each(NAMES)('%s: as the id of its cluster', async (_what, clusterId) => {
    const [first, second] = [await brokerOf(), await brokerOf()]
    const told: string[] = []
    const logger = { debug: () => undefined, info: () => undefined, warn: tell, error: tell }
    function tell(_fields: object, message: string): void {
      told.push(message)
    }
    const say = (id: string, port: () => number) => (seen: Seen) =>
      seen.api === 'Metadata' ? metadataFrame(seen, '127.0.0.1', port(), id) : null
    first.script = say('the first', () => first.port)
    second.script = say(clusterId, () => second.port)
    const clock = new FakeClock()
    const producer = producerOf(`${first.address},${second.address}`, { idempotent: false, logger }, clock)
    await producer.connect()
    for (let i = 0; i < 40; i++) await clock.advance(100)
    const mismatch = told.find((message) => message.includes('CLUSTER_MISMATCH'))
    expect(mismatch).toMatch(FINE)
  })
})
