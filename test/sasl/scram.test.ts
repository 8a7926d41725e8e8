import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AuthenticationError } from '../../src/errors.ts'
import { Refusal, type Exchange } from '../../src/sasl/exchange.ts'
import { SaltedPasswords } from '../../src/sasl/salted-password.ts'
import { scram, type ScramCredentials, type ScramOptions } from '../../src/sasl/scram.ts'
import { converse, messageOf } from './conversation.ts'
import { canarySecret, leaksIn } from '../support/canary.ts'
import { ScramServer, type ScramUser } from './scram-server.ts'
import { vectors } from './vectors.ts'

const CANARY = canarySecret('SCRAM password')
const SALT = Buffer.from('0123456789abcdef')
const USER: ScramUser = { hash: 'sha256', user: 'alice', password: CANARY, salt: SALT, iterations: 4096 }

function login(
  rest: Partial<ScramCredentials> = {},
  options: ScramOptions = {},
  hash: 'sha256' | 'sha512' = 'sha256',
): Exchange {
  return scram(hash, { username: 'alice', password: () => Promise.resolve(CANARY), ...rest }, options)
}

const hashOf = (mechanism: string): 'sha256' | 'sha512' => (mechanism.endsWith('512') ? 'sha512' : 'sha256')
// Kafka has no SCRAM-SHA-1.
const exchanges = vectors.scram.exchanges.filter(({ mechanism }) => mechanism !== 'SCRAM-SHA-1')
const [vector] = exchanges
if (vector === undefined) throw new Error('no vectors')

describe('SCRAM', () => {
  it.each(exchanges)('says what $name says', async ({ mechanism, username, password, clientNonce, ...expected }) => {
    const exchange = login(
      { username, password: () => Promise.resolve(password) },
      { nonce: clientNonce },
      hashOf(mechanism),
    )
    const { said, error } = await converse(exchange, [expected.serverFirst, expected.serverFinal])
    expect(said.map(String)).toEqual([expected.clientFirst, expected.clientFinal])
    expect(error).toBeNull()
  })

  it.each(vectors.scram.partial)('salts a password as kafkajs does', async ({ password, saltB64, ...rest }) => {
    const salted = await new SaltedPasswords().get({ ...rest, password, salt: Buffer.from(saltB64, 'base64') })
    expect(salted.toString('hex')).toBe(rest.saltedPasswordHex)
  })

  it('logs in to a strict server, whatever names and passwords hold', async () => {
    const text = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.stringMatching(/^[=,23CD]+$/),
      fc.string({ unit: 'binary', minLength: 1 }),
    )
    const property = fc.asyncProperty(
      text.filter((name) => !name.includes('\0')),
      text,
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      fc.constantFrom('sha256' as const, 'sha512' as const),
      fc.constantFrom('', ',x=unknown', ',x=ü,y=a=b'),
      async (user, password, salt, hash, extensions) => {
        const server = new ScramServer({ ...USER, user, password, hash, salt: Buffer.from(salt), extensions })
        const exchange = login({ username: user, password: () => Promise.resolve(password) }, {}, hash)
        const { error } = await converse(exchange, [(said) => server.first(said), (said) => server.final(said)])
        expect([error, server.isIn]).toEqual([null, true])
      },
    )
    await fc.assert(property, { numRuns: 60 })
  })

  it('acts as somebody else only where that is asked for, and binds it', async () => {
    const server = new ScramServer(USER)
    const { said, error } = await converse(login({ authorizationId: 'a=b,c' }), [
      (token) => server.first(token),
      (token) => server.final(token),
    ])
    expect(error).toBeNull()
    expect(String(said[0])).toMatch(/^n,a=a=3Db=2Cc,n=alice,r=/)
    expect(String(said[1])).toMatch(/^c=bixhPWE9M0RiPTJDYyw=,r=/)
  })

  it('draws a nonce of at least 18 random bytes, another one each time', async () => {
    const nonces = new Set<string>()
    for (let i = 0; i < 50; i++) {
      const { said } = await converse(login(), [new Error('gone')])
      nonces.add(/,r=([A-Za-z0-9_-]{24,})$/.exec(String(said[0]))?.[1] ?? '')
    }
    expect([nonces.size, nonces.has('')]).toEqual([50, false])
  })

  it.each([
    ['NUL in the user', { username: 'a\0b' }, /username holds a NUL/],
    ['an empty user', { username: '' }, /username is empty/],
    ['an empty password', { password: () => Promise.resolve('') }, /password is empty/],
  ])('says nothing with %s', async (_, rest, message) => {
    const { said, error } = await converse(login(rest), [''])
    expect(said).toEqual([])
    expect(messageOf(error)).toMatch(message)
  })
})

/** All of it is refused before anything is proven. */
async function refusesFirst(message: string | Uint8Array, why: RegExp, nonce = vector!.clientNonce): Promise<void> {
  const { said, error } = await converse(login({}, { nonce }), [message])
  expect(error).toBeInstanceOf(AuthenticationError)
  expect(messageOf(error)).toMatch(why)
  expect(said).toHaveLength(1)
  expect(leaksIn(error, [CANARY, nonce, 'W22ZaJ0SNY7soEsUEjb6gQ'])).toEqual([])
}

describe("the broker's first SCRAM message is refused:", () => {
  it.each(vectors.scram.rejectServerFirst)('$why', async ({ msg, clientNonce }) => {
    await refusesFirst(msg, /SASL_AUTHENTICATION_FAILED: TEST, user "alice": the broker/, clientNonce)
  })

  const r = `r=${vector.clientNonce}X`
  const s = 's=W22ZaJ0SNY7soEsUEjb6gQ=='
  it.each<[string, string | Uint8Array, RegExp]>([
    ['a mandatory extension', `m=x,${r},${s},i=4096`, /demands an extension/],
    ['a mandatory extension at its end', `${r},${s},i=4096,m=x`, /malformed/],
    ['another order', `${s},${r},i=4096`, /in this order/],
    ['iterations before the salt', `${r},i=4096,${s}`, /in this order/],
    ['an attribute twice', `${r},${s},i=4096,i=4096`, /an attribute twice/],
    ['an unknown attribute twice', `${r},${s},i=4096,x=1,x=2`, /an attribute twice/],
    ['an empty attribute', `${r},${s},i=4096,`, /malformed/],
    ['an attribute without value', `${r},${s},i=4096,x=`, /malformed/],
    ['a NUL', `${r},${s},i=4096,x=a\0b`, /malformed/],
    ['a name of two letters', `${r},${s},i=4096,xy=1`, /malformed/],
    ['bytes that are not UTF-8', Buffer.from([0x72, 0x3d, 0xff]), /not UTF-8/],
    ['a byte order mark', `\ufeff${r},${s},i=4096`, /malformed/],
    ['a space in the nonce', `${r} ,${s},i=4096`, /characters in its nonce/],
    ['letters beyond ASCII in the nonce', `${r}ü,${s},i=4096`, /characters in its nonce/],
    ['an empty salt', `${r},s=,i=4096`, /salt that is not/],
    ['a salt without padding', `${r},s=W22ZaJ0SNY7soEsUEjb6gQ,i=4096`, /salt that is not/],
    ['a salt with bits to spare', `${r},s=W22ZaJ0SNY7soEsUEjb6gR==,i=4096`, /salt that is not/],
    ['a salt in base64url', `${r},s=__==,i=4096`, /salt that is not/],
    ['a salt with a line break', `${r},s=W22Z\naJ0S,i=4096`, /salt that is not/],
    ['a salt of 1025 bytes', `${r},s=${Buffer.alloc(1025).toString('base64')},i=4096`, /salt that is not/],
    ['one iteration too few', `${r},${s},i=4095`, /asks for 4095 iterations, the minimum is 4096/],
    ['one iteration too many', `${r},${s},i=1000001`, /asks for 1000001 iterations, the limit is 1000000/],
    ['a leading zero', `${r},${s},i=04096`, /number of iterations is none/],
    ['a plus sign', `${r},${s},i=+4096`, /number of iterations is none/],
    ['a space before the number', `${r},${s},i= 4096`, /number of iterations is none/],
    ['a line break after the number', `${r},${s},i=4096\n`, /number of iterations is none/],
    ['other digits', `${r},${s},i=٤٠٩٦`, /number of iterations is none/],
    ['ten digits', `${r},${s},i=1000000000`, /number of iterations is none/],
    ['an error', 'e=unknown-user', /does not know this user/],
    ['an error and more', 'e=unknown-user,x=1', /malformed/],
  ])('%s', (_, message, why) => refusesFirst(message, why))

  it('takes as many iterations as the option says', async () => {
    const message = `${r},${s},i=5000`
    const { said } = await converse(login({}, { nonce: vector.clientNonce, maxIterations: 5000 }), [message, ''])
    expect(said).toHaveLength(2)
    const { error } = await converse(login({}, { nonce: vector.clientNonce, maxIterations: 4999 }), [message])
    expect(messageOf(error)).toMatch(/the limit is 4999/)
  })

  it('a salt of 1 and of 1024 bytes is not', async () => {
    for (const bytes of [1, 1024]) {
      const message = `${r},s=${Buffer.alloc(bytes).toString('base64')},i=4096`
      expect((await converse(login({}, { nonce: vector.clientNonce }), [message, ''])).said).toHaveLength(2)
    }
  })
})

/** The right first message; `final` makes the last one out of the right one. */
async function ended(final: (right: string) => string | Uint8Array | Error): Promise<unknown> {
  const server = new ScramServer(USER)
  let proof = ''
  const { error } = await converse(login(), [
    (said) => server.first(said),
    (said) => {
      proof = String(said).replace(/.*,p=/, '')
      return final(server.final(said))
    },
  ])
  expect(leaksIn(error, [CANARY, proof, SALT.toString()])).toEqual([])
  return error
}

describe("the broker's last SCRAM message is refused:", () => {
  it.each(vectors.scram.rejectServerFinal)('$why', async ({ msg }) => {
    const error = await ended(() => msg)
    expect(error).toBeInstanceOf(AuthenticationError)
    expect(messageOf(error)).toMatch(/: (the broker('s)? |the password is wrong)/)
  })

  it.each<[string, (right: string) => string | Uint8Array, RegExp]>([
    [
      'a signature with one bit changed',
      (v) => v.replace(/^v=./, (c) => (c === 'v=A' ? 'v=B' : 'v=A')),
      /could not prove/,
    ],
    [
      'a signature that is too short',
      (v) => `v=${Buffer.from(v.slice(2), 'base64').subarray(1).toString('base64')}`,
      /could not prove/,
    ],
    [
      'a signature that is too long',
      (v) => `v=${Buffer.concat([Buffer.from(v.slice(2), 'base64'), Buffer.of(0)]).toString('base64')}`,
      /could not prove/,
    ],
    ['a signature without padding', (v) => v.replace(/=+$/, ''), /could not prove/],
    ['another attribute first', (v) => `x=1,${v}`, /could not prove/],
    ['the signature twice', (v) => `${v},${v}`, /an attribute twice/],
    ['an unknown error', () => 'e=c0mputer-says-no', /the broker says: c0mputer-says-no/],
    ['no bytes of UTF-8', () => Buffer.from([0xff]), /not UTF-8/],
  ])('%s', async (_, final, why) => {
    expect(messageOf(await ended(final))).toMatch(why)
  })

  it('but not for extensions behind the signature', async () => {
    expect(await ended((right) => `${right},x=1`)).toBeNull()
  })

  it('a broker without resources may be tried again, a wrong password not', async () => {
    expect(await ended(() => 'e=no-resources')).toMatchObject({ retriable: true })
    expect(await ended(() => 'e=invalid-proof')).toMatchObject({ retriable: false })
  })

  it("and Kafka's own refusal is passed on", async () => {
    const text =
      'Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256'
    expect(messageOf(await ended(() => new Refusal(58, text)))).toMatch(
      /\(58\): TEST, user "alice": the broker says: Authent/,
    )
  })
})

describe('whatever a broker answers', () => {
  it('the login fails with a typed error that holds no secret', async () => {
    const piece = fc.constantFrom(
      'r=',
      's=',
      'i=',
      'm=',
      'e=',
      'v=',
      ',',
      '=',
      'NONCE',
      CANARY,
      '4096',
      'QUJD',
      '\0',
      'ü',
      '"',
    )
    const token = fc.oneof(
      fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.uint8Array({ maxLength: 64 }),
    )
    const property = fc.asyncProperty(token, token, async (first, last) => {
      const { error } = await converse(login({}, { nonce: 'NONCE' }), [first, last])
      expect(error).toBeInstanceOf(AuthenticationError)
      expect(leaksIn(error, [CANARY])).toEqual([])
    })
    await fc.assert(property, { numRuns: 1000, examples: [[`e=${CANARY}`, Buffer.alloc(0)]] })
  })
})
