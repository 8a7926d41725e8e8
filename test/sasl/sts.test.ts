import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AwsLogins } from '../../src/sasl/aws-login.ts'
import { Refusal } from '../../src/sasl/exchange.ts'
import { resolveSasl } from '../../src/sasl/options.ts'
import { readAssumedRole, readLeaves, readStsError } from '../../src/sasl/sts-response.ts'
import { FakeClock, until } from '../support/fake-clock.ts'
import { converse, messageOf, type Conversation } from './conversation.ts'
import { canarySecret, leaksIn } from '../support/canary.ts'
import { assumed, FakeSts, refused, ROLE_SECRET, ROLE_TOKEN } from './fake-sts.ts'

const SECRET = canarySecret('own secret key')
const TOKEN = canarySecret('own session token')
const CANARIES = [SECRET, TOKEN, ROLE_SECRET, ROLE_TOKEN]
const HOST = 'b-1.demo.abcdef.c2.kafka.eu-west-1.amazonaws.com'
const YES = '{"version":"2020_10_22","request-id":"r"}'
const keys = { accessKeyId: 'AKIDOWN', secretAccessKey: SECRET, sessionToken: TOKEN }

let sts: FakeSts
let clock: FakeClock
let logins: AwsLogins

function loginsWith(rest: object = {}): AwsLogins {
  const roleArn = 'arn:aws:iam::123456789012:role/team/writer'
  const settings = resolveSasl({ mechanism: 'aws-msk-iam', credentials: keys, roleArn, ...rest })
  if (settings.mechanism !== 'AWS_MSK_IAM') throw new Error('another mechanism')
  return new AwsLogins(settings, { clock, fetch: sts.fetch, env: {} })
}

/** Moves time whenever something waits for it, so that pauses between tries pass; never a try's own deadline. */
async function login(answer: string | Error = YES): Promise<Conversation> {
  const state = { isDone: false }
  const talk = converse(logins.begin(HOST), [answer]).finally(() => (state.isDone = true))
  while (!state.isDone) {
    const before = sts.requests.length
    await until(() => state.isDone || clock.pendingMs.length > 0, 'a timer')
    const [pauseMs = Infinity] = clock.pendingMs
    if (pauseMs <= 2500) await clock.advance(pauseMs)
    else await until(() => state.isDone || sts.requests.length > before || clock.pendingMs[0] !== pauseMs, 'STS')
  }
  return talk
}

beforeEach(async () => {
  clock = new FakeClock()
  sts = new FakeSts(SECRET)
  await sts.listen()
  logins = loginsWith()
})
afterEach(() => sts.close())

describe('a role', () => {
  it('is assumed at the STS of the region, and signs', async () => {
    const { said, error } = await login()
    expect(error).toBeNull()
    expect(sts.requests).toMatchObject([
      {
        host: 'sts.eu-west-1.amazonaws.com',
        form: {
          ...{ Action: 'AssumeRole', Version: '2011-06-15', DurationSeconds: '3600', RoleSessionName: 'headrace' },
          RoleArn: 'arn:aws:iam::123456789012:role/team/writer',
        },
        headers: { 'x-amz-security-token': TOKEN },
      },
    ])
    const payload = JSON.parse(String(said[0])) as Record<string, string>
    expect(payload['x-amz-credential']).toMatch(/^ASIAROLE1\/20231114\/eu-west-1\//)
    expect(payload['x-amz-security-token']).toBe(ROLE_TOKEN)
  })

  it('is assumed with the external id, name and duration of the options', async () => {
    logins = loginsWith({ externalId: 'a=b/c', roleSessionName: 'me@here', roleDurationSeconds: 900 })
    await login()
    const { form } = sts.requests[0]!
    expect(form).toMatchObject({ ExternalId: 'a=b/c', RoleSessionName: 'me@here', DurationSeconds: '900' })
  })

  it('is assumed once for all who log in at the same time, and later, under the same name', async () => {
    await Promise.all([login(), login(), login()])
    await login()
    expect(sts.requests).toHaveLength(1)
  })

  it('is assumed anew five minutes before its end, each time under the same session name', async () => {
    await login()
    // The fake says 23:46:40; the clock begins at 22:30:00.
    const leftMs = Date.parse('2023-11-14T23:46:40Z') - clock.wallNow()
    await clock.advance(leftMs - 300_001)
    await login()
    expect(sts.requests).toHaveLength(1)
    await clock.advance(1)
    sts.reply = () => ({ status: 200, body: assumed(2, '2023-11-15T00:46:40Z') })
    // Whoever logs in now may still get the old one, which is good, if the new one takes its time.
    while (!String((await login()).said[0]).includes('ASIAROLE2')) expect(sts.requests.length).toBeLessThanOrEqual(2)
    expect(sts.requests.map(({ form }) => form['RoleSessionName'])).toEqual(['headrace', 'headrace'])
  })

  it('goes on to be used while STS is down, to its end', async () => {
    await login()
    const leftMs = Date.parse('2023-11-14T23:46:40Z') - clock.wallNow()
    sts.reply = () => ({ status: 503, body: 'down' })
    await clock.advance(leftMs - 200_000)
    expect((await login()).error).toBeNull()
    while (sts.requests.length < 1 + 3) expect((await login()).error).toBeNull()
    await clock.advance(200_000)
    const { error } = await login()
    expect(error).toMatchObject({ retriable: true })
    expect(messageOf(error)).toMatch(/sts.eu-west-1.amazonaws.com refuses AssumeRole with 503/)
  })

  it('that a broker refuses is assumed anew at the next login', async () => {
    expect((await login(new Refusal(58, 'no'))).error).toMatchObject({ retriable: false })
    expect((await login()).error).toBeNull()
    expect((await login(new Refusal(58, 'no'))).error).toMatchObject({ retriable: true })
    expect(sts.requests).toHaveLength(2)
  })
})

describe('STS', () => {
  it('is asked three times, while it has trouble', async () => {
    for (const reply of [
      { status: 500, body: '' },
      { status: 429, body: '' },
      { status: 400, body: refused('Throttling', 'x') },
    ]) {
      sts.requests.length = 0
      sts.reply = () => reply
      expect((await login()).error).toMatchObject({ retriable: true })
      expect(sts.requests).toHaveLength(3)
      sts.reply = () => (sts.requests.length < 6 ? reply : { status: 200, body: assumed(1) })
      expect((await login()).error).toBeNull()
      logins = loginsWith()
    }
  })

  it('is asked once if it refuses, and quoted', async () => {
    sts.reply = () => ({
      status: 403,
      body: refused('AccessDenied', 'User: x is not authorized\nto perform sts:AssumeRole'),
    })
    const { error } = await login()
    expect(messageOf(error)).toMatch(/with 403, AccessDenied, User: x is not authorized to perform sts:AssumeRole$/)
    expect(error).toMatchObject({ retriable: false })
    expect(sts.requests).toHaveLength(1)
  })

  it('is not quoted with our secrets, which it repeats for a wrong signature', async () => {
    await sts.close()
    sts = new FakeSts('another secret')
    await sts.listen()
    logins = loginsWith()
    const { error } = await login()
    expect(messageOf(error)).toMatch(/with 403, SignatureDoesNotMatch, The Canonical String was/)
    expect(leaksIn(error, CANARIES)).toEqual([])
  })

  it('does not lead us anywhere else', async () => {
    sts.reply = () => ({ status: 307, body: '', headers: { location: 'https://example.invalid/' } })
    const { error } = await login()
    expect(messageOf(error)).toMatch(/AssumeRole failed: unexpected redirect/)
    expect(leaksIn(error, CANARIES)).toEqual([])
  })

  it('says no more than 64 KiB', async () => {
    sts.reply = () => ({ status: 200, body: assumed(1) + ' '.repeat(65_536) })
    const { error } = await login()
    expect(messageOf(error)).toMatch(/an answer over 65536 bytes/)
    expect(leaksIn(error, CANARIES)).toEqual([])
  })

  it('that answers something else is tried again, and not quoted', async () => {
    sts.reply = () => ({ status: 200, body: `{"${ROLE_SECRET}":1}` })
    const { error } = await login()
    expect(messageOf(error)).toMatch(/what it answers to AssumeRole cannot be read/)
    expect(sts.requests).toHaveLength(3)
    expect(leaksIn(error, CANARIES)).toEqual([])
  })

  it('that does not answer is given up after 5 s, three times', async () => {
    sts.reply = () => null
    const state = { isDone: false }
    const talk = converse(logins.begin(HOST), [YES]).finally(() => (state.isDone = true))
    for (let tries = 1; tries <= 3; tries++) {
      await until(() => sts.requests.length === tries, 'a request')
      await clock.advance(5000)
      await until(() => state.isDone || (clock.pendingMs[0] ?? Infinity) <= 2500, 'a pause')
      if (!state.isDone) await clock.advance(clock.pendingMs[0]!)
    }
    expect(messageOf((await talk).error)).toMatch(/AssumeRole failed: no answer in 5000 ms/)
    expect(clock.pendingMs).toEqual([])
  })

  it('that is not there makes a failure that may be tried again, and says why', async () => {
    await sts.close()
    const talk = login()
    const { error } = await talk
    expect(error).toMatchObject({ retriable: true })
    expect(messageOf(error)).toMatch(/sts.eu-west-1.amazonaws.com: AssumeRole failed: /)
    expect(leaksIn(error, CANARIES)).toEqual([])
    await sts.listen()
  })
})

describe('the XML of STS', () => {
  it('is read as AWS writes it, with or without declaration, attributes and line breaks', () => {
    const expected = {
      ...{ accessKeyId: 'ASIAROLE1', secretAccessKey: ROLE_SECRET, sessionToken: ROLE_TOKEN },
      expiration: '2023-11-14T23:46:40Z',
    }
    expect(readAssumedRole(assumed(1))).toEqual(expected)
    expect(readAssumedRole(`<?xml version="1.0" encoding="UTF-8"?>\n${assumed(1).replaceAll(/>\s+</g, '><')}`)).toEqual(
      expected,
    )
  })

  it('knows the five entities', () => {
    expect(readStsError(refused('A', '<"&">')).message).toBe('<"&">')
    expect(readLeaves('<a>&lt;&gt;&amp;&quot;&apos;</a>')?.get('a')).toBe('<>&"\'')
  })

  it.each([
    ['', '<a>', '</a>', '<a></b>', '<a></a><b></b>', 'text', '<a>x</a>y', '<a>&x;</a>', '<a>&amp</a>', '<a>&#65;</a>'],
    ['<!DOCTYPE a [<!ENTITY x "y">]><a>x</a>', '<a><![CDATA[x]]></a>', '<a><!-- x --></a>', '<a>x<b>y</b></a>'],
    [
      '<a><b>1</b><b>2</b></a>',
      '<a><b>1</b>x</a>',
      '<a b=c>x</a>',
      "<a b='c'>x</a>",
      '<a',
      '<a>&toString;</a>',
      '<a/>',
    ],
    [`${'<a>'.repeat(9)}x${'</a>'.repeat(9)}`, '<?xml version="1.0"?>', '<?php x ?><a>x</a>', '<a:b>x</a:b>'],
  ])('is refused where it is anything but elements with text: %s', (...documents) => {
    expect(documents.filter((xml) => readLeaves(xml) !== null)).toEqual([])
  })

  it('never throws', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      '="',
      '"',
      '&',
      ';',
      'amp',
      ' ',
      '<a>',
      '</a>',
      '<b>',
      '</b>',
      '<a/>',
      'x',
      '!',
    )
    const document = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(document, (xml) => (readLeaves(xml), readAssumedRole(xml), readStsError(xml), true)),
      { numRuns: 2000 },
    )
  })
})
