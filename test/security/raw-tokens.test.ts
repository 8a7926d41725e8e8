import { describe, expect, it } from 'vitest'
import type { ProducerOptions } from '../../src/index.ts'
import { encodeResponseFrame } from '../../src/protocol/frame.ts'
import { apiVersions } from '../../src/protocol/messages/api-versions.ts'
import { FakeClock, until } from '../support/fake-clock.ts'
import { advanceUntilSettled } from '../support/settling.ts'
import { brokerOf, failureOf, guardTests, PASSWORD, PLAIN, producerOf, SCRAM, SCRAM_USER } from './harness.ts'
import {
  handshakeFrame,
  lastWord,
  NOTHING,
  OLD_KEYS,
  scramLogin,
  type Login,
  type ScriptedBroker,
} from './scripted-broker.ts'

// SASL as it was before KIP-152: SaslHandshake v0, and then tokens behind their length and nothing else. Kafka 0.10 to 0.11.

guardTests()

const plainLogin = (): Login => () => lastWord({ authBytes: NOTHING })

function oldBroker(login: () => Login): Promise<ScriptedBroker> {
  return brokerOf({ apiKeys: OLD_KEYS, login })
}

/** An old broker that says no in the one way it has. */
async function refusing(nth = 1): Promise<ScriptedBroker> {
  const broker = await oldBroker(() => scramLogin(SCRAM_USER))
  const seen = new Map<number, number>()
  broker.script = ({ api, connection }, { socket }) => {
    if (api !== 'token') return null
    const count = (seen.get(connection) ?? 0) + 1
    seen.set(connection, count)
    if (count < nth) return null
    socket.end()
    return NOTHING
  }
  return broker
}

const OPTIONS: Partial<ProducerOptions> = { idempotent: false, acks: 1 }

describe('a broker without SaslAuthenticate', () => {
  it('is logged in to with PLAIN, in one bare token, and takes records', async () => {
    const broker = await oldBroker(plainLogin)
    const producer = producerOf(broker.address, { ...OPTIONS, sasl: PLAIN })
    await producer.send({ topic: 't', value: 'v' })
    expect(broker.asked(1).slice(0, 4)).toEqual(['ApiVersions', 'SaslHandshake', 'token', 'Metadata'])
    const [, handshake, token] = broker.seen
    expect([handshake?.version, handshake?.body['mechanism']]).toEqual([0, 'PLAIN'])
    expect(token?.token.toString()).toBe(`\0alice\0${PASSWORD}`)
  })

  it('is logged in to with SCRAM, which proves itself to us in there, too', async () => {
    const broker = await oldBroker(() => scramLogin(SCRAM_USER))
    const producer = producerOf(broker.address, { ...OPTIONS, sasl: SCRAM })
    await producer.send({ topic: 't', value: 'v' })
    expect(broker.asked(1).slice(0, 5)).toEqual(['ApiVersions', 'SaslHandshake', 'token', 'token', 'Metadata'])
  })

  it('has sessions without end', async () => {
    const broker = await oldBroker(plainLogin)
    const clock = new FakeClock()
    const producer = producerOf(broker.address, { ...OPTIONS, sasl: PLAIN }, clock)
    for (let i = 0; i < 3; i++) {
      await producer.send({ topic: 't', value: 'v' })
      await clock.advance(400_000)
    }
    expect(broker.count('token')).toBe(broker.connections)
  })

  it.each([1, 2])(
    'refuses by hanging up at token %d: that is said in words, and final when it comes twice',
    async (nth) => {
      const broker = await refusing(nth)
      const clock = new FakeClock()
      const producer = producerOf(broker.address, { ...OPTIONS, sasl: SCRAM }, clock)
      const first = await failureOf(producer.connect())
      expect(first).toMatchObject({ name: 'AuthenticationError', code: 'SASL_AUTHENTICATION_FAILED', retriable: true })
      expect(first.message).toBe(
        `${broker.address}: SASL_AUTHENTICATION_FAILED: SCRAM-SHA-256, user "alice": the broker closed the connection, which is how a broker before 1.0 refuses credentials`,
      )
      // It may have been stopped just then. Twice in a row is no accident, and nobody has to wait for maxBlockMs.
      const startMs = clock.now()
      const sent = failureOf(producer.send({ topic: 't', value: 'v' }))
      await advanceUntilSettled(clock, sent, 10)
      expect(await sent).toMatchObject({
        name: 'AuthenticationError',
        code: 'SASL_AUTHENTICATION_FAILED',
        maybeWritten: false,
      })
      expect(clock.now() - startMs).toBeLessThan(1000)
      expect(broker.connections).toBe(2)
      await until(() => broker.openSockets === 0, 'the client hangs up')
    },
  )

  it('fails the first send() in less than a second as well', async () => {
    const broker = await refusing()
    const clock = new FakeClock()
    const startMs = clock.now()
    const sent = failureOf(
      producerOf(broker.address, { ...OPTIONS, sasl: PLAIN }, clock).send({ topic: 't', value: 'v' }),
    )
    await advanceUntilSettled(clock, sent, 10)
    expect((await sent).code).toBe('SASL_AUTHENTICATION_FAILED')
    expect(clock.now() - startMs).toBeLessThan(1000)
    expect(broker.connections).toBe(2)
  })

  it('once hung up and then not: an accident, and the record is delivered', async () => {
    const broker = await oldBroker(plainLogin)
    broker.script = ({ api, connection }, { socket }) => {
      if (api !== 'token' || connection > 1) return null
      socket.destroy()
      return NOTHING
    }
    const clock = new FakeClock()
    const sent = producerOf(broker.address, { ...OPTIONS, sasl: PLAIN }, clock).send({ topic: 't', value: 'v' })
    await advanceUntilSettled(clock, sent, 10)
    expect((await sent).offset).toBe(0n)
  })
})

describe('a broker with SaslAuthenticate', () => {
  it('never gets a bare token, whatever goes wrong', async () => {
    for (const errorCode of [33, 34, 58]) {
      const broker = await brokerOf({ login: () => () => ({ errorCode: 58 }) })
      if (errorCode !== 58) {
        broker.script = (seen) => (seen.api === 'SaslHandshake' ? handshakeFrame(seen, errorCode, ['PLAIN']) : null)
      }
      const clock = new FakeClock()
      const producer = producerOf(broker.address, { sasl: PLAIN }, clock)
      for (let i = 0; i < 3; i++) {
        await failureOf(producer.connect())
        await clock.advance(1000)
      }
      expect(broker.count('token')).toBe(0)
      const versions = broker.seen.filter(({ api }) => api === 'SaslHandshake').map(({ version }) => version)
      expect(new Set(versions)).toEqual(new Set([1]))
    }
  })

  it('that knows SaslHandshake v0 only is asked for nothing at all', async () => {
    const broker = await brokerOf()
    const keys = [0, 3, 18, 36].map((apiKey) => ({ apiKey, minVersion: 0, maxVersion: 1 }))
    const apiKeys = [...keys, { apiKey: 17, minVersion: 0, maxVersion: 0 }]
    broker.script = ({ api, version, correlationId }) => {
      if (api !== 'ApiVersions') return null
      return Buffer.concat(encodeResponseFrame(apiVersions, version, correlationId, { errorCode: 0, apiKeys }).chunks)
    }
    const error = await failureOf(producerOf(broker.address, { sasl: PLAIN }).connect())
    expect(error).toMatchObject({ name: 'ProtocolError', code: 'UNSUPPORTED_VERSION' })
    expect(broker.asked()).toEqual(['ApiVersions'])
  })
})
