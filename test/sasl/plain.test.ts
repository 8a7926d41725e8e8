import { describe, expect, it } from 'vitest'
import { Refusal } from '../../src/sasl/exchange.ts'
import { plain } from '../../src/sasl/plain.ts'
import { isLoopback, plaintextProblem } from '../../src/sasl/plaintext.ts'
import { converse, messageOf } from './conversation.ts'
import { canarySecret, leaksIn } from '../support/canary.ts'
import { vectors } from './vectors.ts'

const login = (username: string, password: string, authorizationId = '') =>
  plain({ username, password: () => Promise.resolve(password), authorizationId })

describe('PLAIN', () => {
  it.each(vectors.saslPlain)('says what $source wants', async ({ username, password, authzid, hex }) => {
    const { said, error } = await converse(login(username, password, authzid), [''])
    expect([said.map((token) => token.toString('hex')), error]).toEqual([[hex], null])
  })

  it('puts the authorization id first', async () => {
    const { said } = await converse(login('u', 'p', 'z'), [''])
    expect(said).toEqual([Buffer.from('z\0u\0p')])
  })

  it('does not look at the answer to the right password', async () => {
    expect((await converse(login('u', 'p'), ['anything'])).error).toBeNull()
  })

  it.each([
    ['NUL in the user', 'a\0b', 'p', '', /username holds a NUL/],
    ['NUL in the password', 'u', 'c4n4ry\0x', '', /password holds a NUL/],
    ['NUL in the authorization id', 'u', 'p', 'a\0', /authorizationId holds a NUL/],
    ['an empty user', '', 'p', '', /username is empty/],
    ['an empty password', 'u', '', '', /password is empty/],
  ])('sends nothing with %s', async (_, username, password, authzid, message) => {
    const { said, error } = await converse(login(username, password, authzid), [''])
    expect(said).toEqual([])
    expect(messageOf(error)).toMatch(message)
    expect(leaksIn(error, ['c4n4ry'])).toEqual([])
  })

  it('keeps the password out of what the broker is quoted with', async () => {
    const password = canarySecret('PLAIN password')
    const { error } = await converse(login('u', password), [new Refusal(58, `wrong: u/${password}`)])
    expect(messageOf(error)).toMatch(/wrong: u\/\[redacted\]$/)
    expect(leaksIn(error, [password])).toEqual([])
  })
})

describe('secrets without TLS', () => {
  const link = (remoteAddress: string, rest = {}) => {
    return { isTls: false, remoteAddress, allowPlaintextCredentials: false, ...rest }
  }

  it('go to loopback addresses, over TLS, or where the user says so', () => {
    expect(plaintextProblem('PLAIN', 'secret', link('127.0.0.1'))).toBeNull()
    expect(plaintextProblem('PLAIN', 'secret', link('192.0.2.1', { isTls: true }))).toBeNull()
    expect(plaintextProblem('PLAIN', 'secret', link('192.0.2.1', { allowPlaintextCredentials: true }))).toBeNull()
  })

  it('go nowhere else', () => {
    for (const address of ['192.0.2.1', '10.0.0.1', '2001:db8::1', '::ffff:192.0.2.1', 'localhost', '', '128.0.0.1']) {
      expect(plaintextProblem('PLAIN', 'secret', link(address))).toMatch(/allowPlaintextCredentials/)
    }
  })

  it('are not sent by SCRAM, which needs none of that', () => {
    expect(plaintextProblem('SCRAM-SHA-256', 'none', link('192.0.2.1'))).toBeNull()
  })

  it('are never those of AWS', () => {
    for (const allowPlaintextCredentials of [true, false]) {
      const problem = plaintextProblem('AWS_MSK_IAM', 'tls', link('127.0.0.1', { allowPlaintextCredentials }))
      expect(problem).toMatch(/never used without TLS/)
    }
    expect(plaintextProblem('AWS_MSK_IAM', 'tls', link('192.0.2.1', { isTls: true }))).toBeNull()
  })

  it('know loopback by its addresses', () => {
    const yes = ['127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1']
    expect(yes.filter((address) => !isLoopback(address))).toEqual([])
    const no = ['126.255.255.255', '128.0.0.0', '::2', '::', '0.0.0.0', '::ffff:10.0.0.1', 'localhost', '127.0.0.1:1']
    expect(no.filter(isLoopback)).toEqual([])
  })
})
