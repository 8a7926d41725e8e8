import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Refusal, runExchange, type Exchange, type Send } from '../../src/sasl/exchange.ts'
import { checkToken, clientInitialResponse } from '../../src/sasl/oauth-messages.ts'
import { plain } from '../../src/sasl/plain.ts'
import { scram } from '../../src/sasl/scram.ts'
import type { LineProcess } from '../support/kafka/line-process.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { SEED } from './comparison.ts'
import { startJavaSasl } from './sasl-judge.ts'

const RUNS = { seed: SEED, numRuns: 200 }
const PLACE = { address: 'java', mechanism: 'TEST', user: null }
/** Java has its own idea of half a surrogate pair, and Kafka none of NUL. */
const password = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((text) => !text.includes('\0'))
/** A name as Kafka's brokers take it: they know 0x01 to 0x7F, and no other. */
const asciiName = fc
  .array(fc.oneof(fc.integer({ min: 1, max: 127 }), fc.constantFrom(0x2c, 0x3d)), { minLength: 1, maxLength: 16 })
  .map((codes) => String.fromCharCode(...codes))

describeBrokers("Kafka's own servers let us in:", () => {
  let java: LineProcess
  beforeAll(async () => {
    java = await startJavaSasl()
  })
  afterAll(() => java.close())

  async function ask(op: string, message: Uint8Array, request: object): Promise<Record<string, unknown>> {
    const { result } = await java.ask(op, { ...request, message: Buffer.from(message).toString('base64') })
    return result as Record<string, unknown>
  }

  /** Kafka's ScramSaslServer; `seen` gets whom it let in. */
  function scramServer(user: object, seen: unknown[]): Send {
    let server: unknown
    return async (message) => {
      try {
        const op = server === undefined ? 'scramFirst' : 'scramFinal'
        const result = await ask(op, message, { ...user, server })
        server = result['server']
        if (op === 'scramFinal') seen.push(result['isIn'], result['user'])
        return Buffer.from(String(result['answer']), 'base64')
      } catch (error) {
        throw new Refusal(58, String(error))
      }
    }
  }

  it.each(['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)('%s', async (mechanism) => {
    const hash = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
    const property = fc.asyncProperty(asciiName, password, async (user, secret) => {
      const seen: unknown[] = []
      const server = scramServer({ mechanism, user, password: secret, iterations: 4096 }, seen)
      await runExchange(scram(hash, { username: user, password: () => Promise.resolve(secret) }), server, PLACE)
      expect(seen).toEqual([true, user])
    })
    await fc.assert(property, { ...RUNS, numRuns: 60 })
  })

  it('but not with another password', async () => {
    const server = scramServer({ mechanism: 'SCRAM-SHA-256', user: 'a', password: 'right', iterations: 4096 }, [])
    const login = scram('sha256', { username: 'a', password: () => Promise.resolve('wrong') })
    await expect(runExchange(login, server, PLACE)).rejects.toThrow(/Invalid client credentials/)
  })

  it('nor another user', async () => {
    const server = scramServer({ mechanism: 'SCRAM-SHA-256', user: 'a', password: 'p', iterations: 4096 }, [])
    const login = scram('sha256', { username: 'b', password: () => Promise.resolve('p') })
    await expect(runExchange(login, server, PLACE)).rejects.toThrow(/Authentication failed/)
  })

  it('PLAIN', async () => {
    const name = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\0'))
    const property = fc.asyncProperty(name, password, async (user, secret) => {
      const login: Exchange = plain({ username: user, password: () => Promise.resolve(secret) })
      const send: Send = async (message) => {
        expect(await ask('plain', message, { user, password: secret })).toEqual({ isIn: true, user })
        return Buffer.alloc(0)
      }
      await runExchange(login, send, PLACE)
    })
    await fc.assert(property, RUNS)
  })

  it('OAUTHBEARER: the same token, extensions and name are read', async () => {
    const word = (pattern: RegExp) => fc.stringMatching(pattern)
    const value = word(/^[-_~+/.a-zA-Z0-9]+=*$/)
    const key = word(/^[A-Za-z]{1,8}$/).filter((name) => name !== 'auth')
    const extensions = fc.dictionary(key, word(/^[!-~]([ -~\t\r\n]{0,8}[!-~])?$/), { noNullPrototype: true })
    const property = fc.asyncProperty(value, extensions, fc.constantFrom('', 'alice'), async (token, given, id) => {
      const message = clientInitialResponse(checkToken({ value: token, extensions: given }), id)
      const read = await ask('oauthBearer', message, {})
      expect(read).toEqual({ token, extensions: given, authorizationId: id })
    })
    await fc.assert(property, RUNS)
  })
})
