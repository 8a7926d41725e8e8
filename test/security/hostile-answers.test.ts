import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AuthenticationError, ConnectionError, ProtocolError, type ProducerOptions } from '../../src/index.ts'
import { FakeClock, until } from '../support/fake-clock.ts'
import { answerHostile, drip, hostileAnswers, type HostileAnswer } from '../support/hostile-peer.ts'
import { advanceUntilSettled } from '../support/settling.ts'
import { Authority, type Issued } from '../support/tls/authority.ts'
import { Peer } from '../support/tls/tls-peer.ts'
import { brokerOf, closeLater, failureOf, guardTests, PLAIN, producerOf, SCRAM, SCRAM_USER } from './harness.ts'
import { NOTHING, OLD_KEYS, scramLogin, type Script, type ScriptedOptions, type Seen } from './scripted-broker.ts'

// faults-and-security.md section 6, first table, with `sasl` and with `tls`. No clock moves: what settles needed no timer.

guardTests()

/** Of a TLS record. */
const TLS_HEADER_BYTES = 5

let authority: Authority
let own: Issued
beforeAll(async () => {
  authority = await Authority.root('the root')
  own = await authority.issue()
})
afterAll(() => authority.remove())

/** Answers the `nth` request of a kind with a row; to all others what is decent. */
function at(api: string, row: HostileAnswer, nth = 1): Script {
  let count = 0
  return (seen, { socket }) => (seen.api === api && ++count === nth ? hostile(row, seen, socket) : null)
}

function hostile(row: HostileAnswer, { api, version, correlationId }: Seen, socket: Socket): Uint8Array {
  return answerHostile(row, { api, version, correlationId }, socket)
}

const login = (): ScriptedOptions['login'] => () => scramLogin(SCRAM_USER)

/** One attempt: it fails at once with one of these codes, and the client hangs up. */
async function expectFault(
  options: ScriptedOptions,
  producer: Partial<ProducerOptions>,
  codes: readonly string[],
): Promise<void> {
  for (const use of ['connect', 'send'] as const) {
    const script = options.script
    const broker = await brokerOf(options)
    const client = producerOf(broker.address, producer)
    const work = use === 'connect' ? client.connect() : client.send({ topic: 't', value: 'v' })
    const error = await failureOf(work)
    expect(error).toSatisfy(
      (one) => one instanceof ProtocolError || one instanceof ConnectionError || one instanceof AuthenticationError,
    )
    expect(codes, error.message).toContain(error.code)
    expect(error.message).toContain(`127.0.0.1:${broker.port}`)
    expect(error.maybeWritten).toBe(false)
    await until(() => broker.openSockets === 0, 'the client hangs up')
    expect(broker.connections).toBe(1)
    if (script !== undefined) break // a script counts its requests and is good for one peer
  }
}

/** After its first answer a peer is no web server, whatever the bytes look like. */
function later({ codes }: HostileAnswer): readonly string[] {
  return codes[0] === 'PEER_SPEAKS_HTTP' ? ['INVALID_FRAME'] : codes
}

describe.each(hostileAnswers)('$name', (row) => {
  it('as the answer to ApiVersions, with sasl', async () => {
    await expectFault({ script: at('ApiVersions', row) }, { sasl: PLAIN }, row.codes)
  })

  it.each([
    ['SaslHandshake', 1],
    ['SaslAuthenticate', 1],
    ['SaslAuthenticate', 2],
  ])('as the answer to %s, number %d', async (api, nth) => {
    await expectFault({ login: login()!, script: at(api, row, nth) }, { sasl: SCRAM }, later(row))
  })

  it('in place of a bare token of an old broker', async () => {
    // Without a header there is no id to compare, and a body is what the mechanism makes of it.
    const codes = [...later(row), 'SASL_AUTHENTICATION_FAILED']
    await expectFault({ apiKeys: OLD_KEYS, script: at('token', row) }, { sasl: SCRAM }, codes)
  })

  it('byte by byte, in the middle of a login', async () => {
    const script: Script = (seen, { socket }) => {
      if (seen.api !== 'SaslAuthenticate') return null
      drip(socket, row.bytes(seen.correlationId))
      return NOTHING
    }
    await expectFault({ script }, { sasl: SCRAM }, later(row))
  })

  it('over TLS, as the answer to ApiVersions and within a login', async () => {
    const tls = { ca: authority.cert }
    await expectFault({ tls: own, script: at('ApiVersions', row) }, { tls }, row.codes)
    await expectFault({ tls: own, script: at('SaslAuthenticate', row) }, { tls, sasl: PLAIN }, later(row))
  })

  it('instead of TLS', async () => {
    const peer = await Peer.plain((socket) => {
      socket.once('data', () => {
        const seen = { api: 'ApiVersions', version: 4, correlationId: 0x0d0a0d0a }
        socket.write(answerHostile(row, seen, socket))
      })
    })
    closeLater(() => peer.close())
    const clock = new FakeClock()
    const producer = producerOf(`127.0.0.1:${peer.port}`, { tls: { ca: authority.cert }, sasl: PLAIN }, clock)
    const failed = failureOf(producer.connect())
    if (row.bytes(0).length >= TLS_HEADER_BYTES) {
      expect(await failed).toMatchObject({ name: 'ConnectionError', code: 'PEER_NOT_TLS', retriable: false })
    } else {
      // OpenSSL waits for the rest of what may become the header of a record.
      await advanceUntilSettled(clock, failed, 1000)
      expect(await failed).toMatchObject({ code: 'CONNECT_TIMEOUT', retriable: true })
      expect((await failed).message).toContain('no TLS handshake within connectTimeoutMs (10000 ms)')
    }
    await until(() => peer.openSockets === 0, 'the client hangs up')
  })
})
