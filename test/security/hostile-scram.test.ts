import { describe, expect, it } from 'vitest'
import type { SaslOptions } from '../../src/index.ts'
import { until } from '../support/fake-clock.ts'
import { vectors } from '../sasl/vectors.ts'
import {
  HASHES,
  type Hash,
  userOf,
  saslOf,
  nonceOf,
  firstly,
  finally_,
  SALT,
  SERVER_FIRST,
  SERVER_FINAL,
} from './hostile-logins.ts'
import { brokerOf, failureOf, guardTests, PASSWORD, producerOf } from './harness.ts'
import { lastWord, OLD_KEYS, scramLogin, type Login, type ScriptedOptions } from './scripted-broker.ts'

// faults-and-security.md section 6, second table, and every vector of golden.json that must be rejected (A3): through
// SaslHandshake and SaslAuthenticate of a broker that is fine in all else. No clock moves.

guardTests()

async function expectRefused(hash: Hash, login: () => Login, options: ScriptedOptions = {}): Promise<string> {
  const broker = await brokerOf({ ...options, login })
  const sasl = saslOf(hash)
  const producer = producerOf(broker.address, { sasl })
  const error = await failureOf(producer.connect())
  expect(error).toMatchObject({ name: 'AuthenticationError', code: 'SASL_AUTHENTICATION_FAILED', retriable: false })
  expect(error.message).toMatch(/^127\.0\.0\.1:\d+: SASL_AUTHENTICATION_FAILED.*: SCRAM-SHA-(256|512), user "alice"/)
  await until(() => broker.openSockets === 0, 'the client hangs up')
  const sent = await failureOf(producer.send({ topic: 't', value: 'v' }))
  expect(sent).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', maybeWritten: false })
  expect(broker.connections, 'no second attempt while the backoff runs').toBe(1)
  expect(broker.asked()).not.toContain('Metadata')
  return error.message
}

describe.each(HASHES)('a hostile SCRAM server, %s:', (hash) => {
  it.each(SERVER_FIRST)('server-first with %s', async (_what, first) => {
    await expectRefused(hash, () => firstly(first))
  })

  it.each(SERVER_FINAL)('server-final with %s', async (_what, final) => {
    await expectRefused(hash, () => finally_(hash, final))
  })

  it.each(vectors.scram.rejectServerFirst)('A3: golden server-first: $why', async ({ msg, clientNonce }) => {
    await expectRefused(hash, () => firstly((nonce) => msg.replaceAll(clientNonce, nonce)))
  })

  it.each(vectors.scram.rejectServerFinal)('A3: golden server-final: $why', async ({ msg }) => {
    await expectRefused(hash, () => finally_(hash, () => msg))
  })

  it('the same in bare tokens', async () => {
    for (const [, first] of SERVER_FIRST) await expectRefused(hash, () => firstly(first), { apiKeys: OLD_KEYS })
    for (const [, final] of SERVER_FINAL) await expectRefused(hash, () => finally_(hash, final), { apiKeys: OLD_KEYS })
  })

  it('says yes without having been asked for a proof', async () => {
    const login = (): Login => () => lastWord({ authBytes: Buffer.from('v=AAAA') })
    await expectRefused(hash, login)
    await expectRefused(hash, () => () => ({})) // error code 0, and no word
  })

  it('takes the user a,b,c=d as what it is', async () => {
    const broker = await brokerOf({ login: () => scramLogin(userOf(hash, 'a,b,c=d')) })
    await producerOf(broker.address, { sasl: saslOf(hash, 'a,b,c=d') }).connect()
    const first = broker.seen.find(({ api }) => api === 'SaslAuthenticate')?.token.toString()
    expect(first).toMatch(/^n,,n=a=2Cb=2Cc=3Dd,r=/)
  })
})

describe('an exchange of a size that no mechanism has', () => {
  const tokens: readonly [string, number, string][] = [
    ['of 64 KiB and a byte', 65_537, 'SASL_AUTHENTICATION_FAILED'],
    ['of a megabyte, headers and all', 1_048_576, 'INVALID_FRAME'],
    ['of ten megabytes', 10_000_000, 'INVALID_FRAME'],
  ]

  it.each(tokens)('a token %s', async (_what, length, code) => {
    for (const apiKeys of [undefined, OLD_KEYS]) {
      for (const nth of [1, 2]) {
        let round = 0
        const honest = scramLogin(userOf('sha256'))
        const login: Login = (token) => (++round === nth ? { authBytes: Buffer.alloc(length, 0x61) } : honest(token))
        const broker = await brokerOf({ ...(apiKeys && { apiKeys }), login: () => login })
        const error = await failureOf(producerOf(broker.address, { sasl: saslOf('sha256') }).connect())
        // A bare token has no header around it: a megabyte is just what a frame may hold.
        const expected = apiKeys !== undefined && length === 1_048_576 ? 'SASL_AUTHENTICATION_FAILED' : code
        expect(error.code, error.message).toBe(expected)
        if (length === 65_537) expect(error.message).toContain('an answer of 65537 bytes, the limit is 65536')
        await until(() => broker.openSockets === 0, 'the client hangs up')
      }
    }
  })

  it('a token of 64 KiB is read, by who does not look at it', async () => {
    const broker = await brokerOf({ login: () => () => lastWord({ authBytes: Buffer.alloc(65_536) }) })
    await producerOf(broker.address, { sasl: { mechanism: 'plain', username: 'alice', password: PASSWORD } }).connect()
  })

  it('challenges without end', async () => {
    const endless: readonly SaslOptions[] = [
      saslOf('sha256'),
      { mechanism: 'plain', username: 'alice', password: PASSWORD },
      { mechanism: 'oauthbearer', token: PASSWORD },
    ]
    for (const sasl of endless) {
      let rounds = 0
      const login: Login = (token) => {
        rounds++
        return { authBytes: Buffer.from(`r=${nonceOf(token)}${rounds},s=${SALT},i=4096`) }
      }
      const broker = await brokerOf({ login: () => login })
      const outcome = await producerOf(broker.address, { sasl })
        .connect()
        .then(
          () => 'in',
          (error: unknown) => (error as { code: string }).code,
        )
      // Nobody looks at what PLAIN is answered, and it has nothing more to say.
      expect([sasl.mechanism, outcome]).toEqual([
        sasl.mechanism,
        sasl.mechanism === 'plain' ? 'in' : 'SASL_AUTHENTICATION_FAILED',
      ])
      expect(rounds).toBeLessThanOrEqual(4)
    }
  })
})
