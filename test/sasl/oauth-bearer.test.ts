import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AuthenticationError } from '../../src/errors.ts'
import { Refusal, type Exchange } from '../../src/sasl/exchange.ts'
import { checkToken, clientInitialResponse, readErrorDocument } from '../../src/sasl/oauth-messages.ts'
import { oauthBearer, tokenSource } from '../../src/sasl/oauth-bearer.ts'
import { reauthenticateAfterMs, renewTokenAfterMs } from '../../src/sasl/renewal.ts'
import { FakeClock, turns } from '../support/fake-clock.ts'
import { converse, messageOf } from './conversation.ts'
import { canarySecret, leaksIn } from '../support/canary.ts'
import { vectors } from './vectors.ts'

const CANARY = canarySecret('bearer token', (random) => `${random}.eyJhbGciOiJub25lIn0.x`)

/** A function for tokens that counts, and fails while it is told to. */
class Tokens {
  readonly clock = new FakeClock()
  calls = 0
  lifetimeMs: number | undefined = 100_000
  failure: unknown = null
  readonly #source = tokenSource(() => this.#give(), this.clock)

  #give(): unknown {
    this.calls++
    if (this.failure !== null) throw this.failure as Error
    const value = `${CANARY}${this.calls}`
    return this.lifetimeMs === undefined ? { value } : { value, expiresAtMs: this.clock.wallNow() + this.lifetimeMs }
  }

  login(): Exchange {
    return oauthBearer({ tokens: this.#source, clock: this.clock })
  }
}

describe('OAUTHBEARER', () => {
  it.each(vectors.oauthbearer.clientInitialResponse)(
    'says what Kafka says: $hex',
    ({ token, authzid, extensions, hex }) => {
      const read = checkToken({ value: token, extensions })
      expect(clientInitialResponse(read, authzid).toString('hex')).toBe(hex)
    },
  )

  it('takes an empty answer for yes', async () => {
    const { said, error } = await converse(new Tokens().login(), [''])
    expect([said.map(String), error]).toEqual([[`n,,\x01auth=Bearer ${CANARY}1\x01\x01`], null])
  })

  it('answers an error document with 0x01, and fails with its status and the refusal', async () => {
    const document = JSON.stringify({ status: 'invalid_token', scope: 'kafka', 'openid-configuration': 'x' })
    const { said, error } = await converse(new Tokens().login(), [document, new Refusal(58, 'no')])
    expect(said[1]?.toString('hex')).toBe(vectors.oauthbearer.afterServerErrorChallengeClientSendsHex)
    expect(error).toBeInstanceOf(AuthenticationError)
    expect(messageOf(error)).toBe(
      '127.0.0.1:9092: SASL_AUTHENTICATION_FAILED (58): TEST, user "alice": the broker refuses the token: invalid_token; it asks for the scope kafka; the broker says: no',
    )
  })

  it('fails even if the broker is content after its error document', async () => {
    for (const answer of ['', '{"status":"ok"}']) {
      const { error } = await converse(new Tokens().login(), ['{"status":"invalid_token"}', answer])
      expect(messageOf(error)).toMatch(/refuses the token: invalid_token$/)
    }
  })

  it('does not repeat the token that a broker repeats', async () => {
    const document = JSON.stringify({ status: `bad ${CANARY}1`, scope: Buffer.from(`${CANARY}1`).toString('hex') })
    const { error } = await converse(new Tokens().login(), [document, new Refusal(58, `${CANARY}1 is bad`)])
    expect(messageOf(error)).toMatch(/\[redacted\]/)
    expect(leaksIn(error, [`${CANARY}1`])).toEqual([])
  })

  it('fails with a typed error, whatever the document is', async () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '"',
      'status',
      ':',
      ',',
      '[',
      'null',
      `${CANARY}1`,
      '__proto__',
      '\u0000',
      '1e9',
    )
    const text = fc.array(piece, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(''))
    const property = fc.asyncProperty(fc.oneof(text, fc.json(), fc.uint8Array({ minLength: 1 })), async (document) => {
      const { error } = await converse(new Tokens().login(), [document, new Refusal(58, null)])
      expect(error).toBeInstanceOf(AuthenticationError)
      expect(leaksIn(error, [`${CANARY}1`])).toEqual([])
    })
    await fc.assert(property, { numRuns: 300 })
  })
})

describe('an error document', () => {
  const read = (text: string): string => readErrorDocument(Buffer.from(text))

  it('is read by its own fields only', () => {
    expect(read('{"__proto__":{"status":"x"}}')).toBe('the broker refuses the token')
    expect(read('["status"]')).toBe('the broker refuses the token')
    expect(read('{"status":{"toString":1}}')).toBe('the broker refuses the token')
    expect(read('{"status":"a\\u0000\\nb"}')).toBe('the broker refuses the token: a b')
  })

  it('is read up to 8 KiB', () => {
    const document = (bytes: number): string => `{"status":"s"${' '.repeat(bytes - 14)}}`
    expect(read(document(8192))).toBe('the broker refuses the token: s')
    expect(read(document(8193))).toBe('the broker refuses the token, and says why in 8193 bytes')
  })
})

describe('a token', () => {
  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /gave nothing/],
    ['a number', 7, /gave a number/],
    ['no value', {}, /gave nothing as value/],
    ['an empty value', { value: '' }, /empty or has characters/],
    ['a space', { value: 'c4n4ry x' }, /empty or has characters/],
    ['a ^A', { value: 'c4n4ry\x01a=b' }, /empty or has characters/],
    ['a line break at its end', { value: 'c4n4ry\n' }, /empty or has characters/],
    ['= in the middle', { value: 'a=b' }, /empty or has characters/],
    ['expiresAtMs as text', { value: 'a', expiresAtMs: '2026' }, /a string as expiresAtMs/],
    ['expiresAtMs NaN', { value: 'a', expiresAtMs: NaN }, /a number as expiresAtMs/],
    ['expiresAtMs in seconds', { value: 'a', expiresAtMs: 1_800_000_000 }, /looks like seconds/],
    ['extensions as text', { value: 'a', extensions: 'x' }, /a string as extensions/],
    ['the extension auth', { value: 'a', extensions: { auth: 'x' } }, /an extension named auth/],
    ['a digit in the name of an extension', { value: 'a', extensions: { x1: 'y' } }, /letters only/],
    ['an empty name', { value: 'a', extensions: { '': 'y' } }, /letters only/],
    ['an empty extension', { value: 'a', extensions: { x: '' } }, /not printable/],
    ['a ^A in an extension', { value: 'a', extensions: { x: 'c4n4ry\x01' } }, /not printable/],
    ['ü in an extension', { value: 'a', extensions: { x: 'ü' } }, /not printable/],
    ['a number as extension', { value: 'a', extensions: { x: 1 } }, /not printable/],
  ])('with %s is refused before anything is sent', async (_, given, message) => {
    const clock = new FakeClock()
    const { said, error } = await converse(oauthBearer({ tokens: tokenSource(() => given, clock), clock }), [''])
    expect(said).toEqual([])
    expect(messageOf(error)).toMatch(message)
    expect(leaksIn(error, ['c4n4ry'])).toEqual([])
  })

  it('may be a plain string, and extensions may hold spaces and line breaks', () => {
    expect(checkToken('abc-._~+/==')).toMatchObject({ value: 'abc-._~+/==' })
    expect(checkToken({ value: 'a', extensions: { proto: 'a b\t\r\nc' } }).extensions).toEqual({ proto: 'a b\t\r\nc' })
  })

  it('is fetched once for all who log in at the same time', async () => {
    const tokens = new Tokens()
    await Promise.all([1, 2, 3].map(() => converse(tokens.login(), [''])))
    expect(tokens.calls).toBe(1)
  })

  it('that nobody knows the end of is fetched for each login', async () => {
    const tokens = new Tokens()
    tokens.lifetimeMs = undefined
    for (let i = 0; i < 3; i++) await converse(tokens.login(), [''])
    expect(tokens.calls).toBe(3)
  })

  it('is used again for four fifths of its life', async () => {
    const tokens = new Tokens()
    await converse(tokens.login(), [''])
    await tokens.clock.advance(79_999)
    await converse(tokens.login(), [''])
    expect(tokens.calls).toBe(1)
    await tokens.clock.advance(1)
    await converse(tokens.login(), [''])
    expect(tokens.calls).toBe(2)
  })

  it('is renewed before any session that ends with it is: sessions do not become shorter', () => {
    const property = fc.property(
      fc.double({ min: 0, max: 0.9999, noNaN: true }),
      fc.double({ min: 0, max: 0.9999, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (a, b, loggedInAt) => {
        const lifetimeMs = 3_600_000
        const renewMs = renewTokenAfterMs(lifetimeMs, a)
        const loginMs = loggedInAt * renewMs
        const session = { sessionLifetimeMs: lifetimeMs - loginMs, authenticationMs: 0 }
        const againMs = loginMs + reauthenticateAfterMs(session, { random: () => b })
        expect(againMs).toBeGreaterThanOrEqual(renewMs - 1)
      },
    )
    fc.assert(property)
  })

  it('that was refused is not used again, and the failure says that trying again may help', async () => {
    const tokens = new Tokens()
    const refused = [new Refusal(58, 'no')]
    expect((await converse(tokens.login(), refused)).error).toMatchObject({ retriable: false })
    await converse(tokens.login(), [''])
    expect(tokens.calls).toBe(2)
    expect((await converse(tokens.login(), refused)).error).toMatchObject({ retriable: true })
    await converse(tokens.login(), [''])
    expect(tokens.calls).toBe(3)
  })

  it('is used until its end while there is no other, which is asked for ever more rarely', async () => {
    const tokens = new Tokens()
    await converse(tokens.login(), [''])
    tokens.failure = new Error('endpoint down')
    await tokens.clock.advance(80_000)
    const asked: number[] = []
    for (let ms = 80_000; ms < 100_000; ms += 500) {
      const { calls } = tokens
      expect((await converse(tokens.login(), [''])).error).toBeNull()
      if (tokens.calls > calls) asked.push(ms)
      await tokens.clock.advance(500)
    }
    expect(asked).toEqual([80_000, 81_000, 83_000, 87_000, 95_000])
    expect(messageOf((await converse(tokens.login(), [''])).error)).toMatch(
      /sasl.token: the function failed: endpoint down/,
    )
    tokens.failure = null
    expect((await converse(tokens.login(), [''])).error).toBeNull()
  })

  it('ends by the wall clock too, if that jumps', async () => {
    const tokens = new Tokens()
    await converse(tokens.login(), [''])
    const wallNow = tokens.clock.wallNow.bind(tokens.clock)
    tokens.clock.wallNow = () => wallNow() + 3_600_000
    await converse(tokens.login(), [''])
    expect(tokens.calls).toBe(2)
  })

  it('that has expired by our clock is sent, and the failure says so', async () => {
    const tokens = new Tokens()
    tokens.lifetimeMs = -1000
    const { said, error } = await converse(tokens.login(), [new Refusal(58, 'expired')])
    expect(said).toHaveLength(1)
    expect(messageOf(error)).toMatch(/by our clock the token has expired at 2023-11-14T22:29:59/)
  })
})

describe('a function for tokens', () => {
  it('that throws makes a failure that may be tried again, with its error as cause', async () => {
    const tokens = new Tokens()
    tokens.failure = new Error('endpoint down')
    const { said, error } = await converse(tokens.login(), [''])
    expect(said).toEqual([])
    expect(error).toMatchObject({ retriable: true, cause: tokens.failure })
    expect(messageOf(error)).toMatch(/sasl.token: the function failed: endpoint down$/)
  })

  it('that throws something else is not quoted', async () => {
    const tokens = new Tokens()
    tokens.failure = CANARY
    const { error } = await converse(tokens.login(), [''])
    expect(messageOf(error)).toMatch(/the function failed: it threw a string$/)
    expect(leaksIn(error, [CANARY])).toEqual([])
  })

  it('that never settles fails after 30 s, and the next login asks again', async () => {
    const clock = new FakeClock()
    let calls = 0
    const never = { then: () => undefined }
    const tokens = tokenSource(() => (++calls === 1 ? never : 'abc'), clock)
    const login = () => converse(oauthBearer({ tokens, clock }), [''])
    const [first, second] = [login(), login()]
    await turns(2)
    await clock.advance(30_000)
    for (const { error } of [await first, await second]) {
      expect(messageOf(error)).toMatch(/the function failed: not done after 30000 ms/)
    }
    expect((await login()).error).toBeNull()
    expect(calls).toBe(2)
    expect(clock.pendingMs).toEqual([])
  })
})
