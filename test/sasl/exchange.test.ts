/* eslint-disable @typescript-eslint/require-await -- mechanisms that never wait for anything but the broker */
import { describe, expect, it } from 'vitest'
import { AuthenticationError, ConnectionError } from '../../src/errors.ts'
import { brokerText } from '../../src/sasl/broker-text.ts'
import {
  MAX_ROUND_TRIPS,
  MAX_TOKEN_BYTES,
  Refusal,
  runExchange,
  say,
  SaslProblem,
  type Exchange,
} from '../../src/sasl/exchange.ts'
import { turns } from '../support/fake-clock.ts'
import { converse, messageOf, PLACE } from './conversation.ts'
import { canarySecret, leaksIn } from '../support/canary.ts'

async function* talk(count: number, secrets: readonly string[] = []): Exchange {
  for (let i = 0; i < count; i++) yield* say(Buffer.of(i), secrets)
  return {}
}

describe('an exchange', () => {
  it('says its tokens in order and gives its result', async () => {
    const exchange = (async function* (): Exchange {
      const answer = yield* say(Buffer.from('a'), [])
      return { requestId: answer.toString() }
    })()
    expect(await converse(exchange, ['id'])).toMatchObject({ said: [Buffer.from('a')], result: { requestId: 'id' } })
  })

  it('ends after four round trips', async () => {
    const answers = new Array<string>(10).fill('')
    expect((await converse(talk(MAX_ROUND_TRIPS), answers)).error).toBeNull()
    const { said, error } = await converse(talk(MAX_ROUND_TRIPS + 1), answers)
    expect(said).toHaveLength(MAX_ROUND_TRIPS)
    expect(messageOf(error)).toMatch(/no end after 4 round trips/)
  })

  it('takes 64 KiB of an answer and no byte more', async () => {
    expect((await converse(talk(1), [Buffer.alloc(MAX_TOKEN_BYTES)])).error).toBeNull()
    const { error } = await converse(talk(1), [Buffer.alloc(MAX_TOKEN_BYTES + 1)])
    expect(messageOf(error)).toMatch(/an answer of 65537 bytes, the limit is 65536/)
  })

  it('fails with address, code, mechanism, user and the sentence of the broker', async () => {
    const { error } = await converse(talk(1), [new Refusal(58, 'Authentication failed: Invalid username or password')])
    expect(error).toBeInstanceOf(AuthenticationError)
    expect(error).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', retriable: false, maybeWritten: false })
    expect(messageOf(error)).toBe(
      '127.0.0.1:9092: SASL_AUTHENTICATION_FAILED (58): TEST, user "alice": the broker says: Authentication failed: Invalid username or password',
    )
  })

  it('fails with the number where the broker says nothing', async () => {
    const { error } = await converse(talk(1), [new Refusal(34, null)], { user: null })
    expect(messageOf(error)).toBe(
      '127.0.0.1:9092: SASL_AUTHENTICATION_FAILED (34): TEST: the broker answers with error 34',
    )
  })

  it('fails with a refusal that the mechanism did not look at', async () => {
    const raw = (async function* (): Exchange {
      yield Buffer.of(1)
      return {}
    })()
    expect(messageOf((await converse(raw, [new Refusal(58, 'no')])).error)).toMatch(/the broker says: no$/)
  })

  it('passes on what is no matter of authentication', async () => {
    const closed = new ConnectionError('CONNECTION_CLOSED', 'closed')
    expect((await converse(talk(1), [closed])).error).toBe(closed)
  })

  it('keeps the cause and whether trying again helps', async () => {
    const cause = new Error('why')
    const exchange = (async function* (): Exchange {
      yield* say(Buffer.of(1), [])
      throw new SaslProblem('what', { retriable: true, cause })
    })()
    expect((await converse(exchange, [''])).error).toMatchObject({ retriable: true, cause })
  })

  it('lets the mechanism clean up, however it ends', async () => {
    for (const answer of ['', new Error('gone'), new Refusal(58, 'no')]) {
      let isClean = false
      const exchange = (async function* (): Exchange {
        try {
          yield* say(Buffer.of(1), [])
          yield* say(Buffer.of(2), [])
        } finally {
          isClean = true
        }
        return {}
      })()
      await converse(exchange, [answer, new Error('gone')])
      expect(isClean).toBe(true)
    }
  })

  it('ends at its deadline, whatever it waits for, and says nothing more', async () => {
    const ending = new AbortController()
    let answer: (token: Uint8Array) => void = () => undefined
    const said: Uint8Array[] = []
    const send = (token: Uint8Array): Promise<Uint8Array> => {
      said.push(token)
      return new Promise((resolve) => (answer = resolve))
    }
    const run = runExchange(talk(3), send, { ...PLACE, signal: ending.signal })
    await turns(2)
    const reason = new Error('deadline')
    ending.abort(reason)
    await expect(run).rejects.toBe(reason)
    answer(Buffer.alloc(0))
    await turns(3)
    expect(said).toHaveLength(1)
  })

  it('says nothing at all when its deadline has passed before', async () => {
    const { said, error } = await converse(talk(1), [''], { signal: AbortSignal.abort(new Error('late')) })
    expect([said.length, String(error)]).toEqual([0, 'Error: late'])
  })
})

describe('what a broker says', () => {
  it('is one line without control or invisible characters', () => {
    expect(brokerText('a\r\nb\u0000c\u001b[31md\u202ee\u2028f\ud800g')).toBe('a b c [31md e f g')
  })

  it('is at most 256 characters', () => {
    expect(brokerText('x'.repeat(1000))).toBe(`${'x'.repeat(253)}...`)
    expect(brokerText('x'.repeat(256))).toBe('x'.repeat(256))
    expect(brokerText(`${'x'.repeat(252)}${'\u{1f600}'.repeat(5)}`)).toBe(`${'x'.repeat(252)}...`)
  })

  it('holds no secret of ours, however it is written', async () => {
    const secret = canarySecret('a password that is repeated', (random) => `${random}/Wq+8ü=x`)
    const bytes = Buffer.from(secret)
    const echoes = [secret, bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')]
    echoes.push(encodeURIComponent(secret), Array.from(secret).reverse().join(''))
    for (const echo of echoes) {
      const { error } = await converse(talk(1, [secret]), [new Refusal(58, `got ${echo}!`)])
      expect(messageOf(error)).toMatch(/the broker says: got \[redacted\]!$/)
      expect(leaksIn(error, [secret])).toEqual([])
    }
  })

  it('holds no secret that control characters hide', () => {
    expect(brokerText('my\u0000secret', ['my secret'])).toBe('[redacted]')
    expect(brokerText('my\tsecret', ['my\tsecret'])).toBe('[redacted]')
  })
})
