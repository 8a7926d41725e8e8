import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AuthenticationError } from '../../src/errors.ts'
import { mskBearerToken } from '../../src/sasl/aws-bearer-token.ts'
import { credentialSource, holdCredentials, type AwsCredentialProvider } from '../../src/sasl/aws-credentials.ts'
import { awsMskIam, expiresSeconds, mskPayload, presign } from '../../src/sasl/aws-msk-iam.ts'
import { chooseRegion, regionOfHost, stsHost } from '../../src/sasl/aws-region.ts'
import { Refusal, type Exchange } from '../../src/sasl/exchange.ts'
import { canonicalQueryOf, signingKey, uriEncode } from '../../src/sasl/sig-v4.ts'
import { FakeClock, turns } from '../support/fake-clock.ts'
import { converse, messageOf } from './conversation.ts'
import { canarySecret, leaksIn } from '../support/canary.ts'
import { instantOf, vectors, type SigningInput } from './vectors.ts'

const SECRET = canarySecret('AWS secret key')
const TOKEN = canarySecret('AWS session token', (random) => `c4n4ry//session+${random}==`)
const HOST = 'b-1.demo.abcdef.c2.kafka.eu-west-1.amazonaws.com'
const YES = '{"version":"2020_10_22","request-id":"r-17"}'
const { constants, signing, oauthbearerTokens, wrongFormula } = vectors.awsMskIam

function signingOf({ host, region, date, expires, ...keys }: Omit<SigningInput, 'userAgent' | 'name'>) {
  const credentials = holdCredentials(keys)
  return { host, region, credentials, wallMs: instantOf(date), expiresSeconds: expires }
}

describe('a signature', () => {
  it.each(signing)('is that of $input.name', ({ input, payload, signingKeyHex, ...expected }) => {
    const signed = presign(signingOf(input))
    expect(signed.canonicalQuery).toBe(expected.canonicalQueryString)
    expect(signed.canonicalRequest).toBe(expected.canonicalRequest)
    expect(signed.stringToSign).toBe(expected.stringToSign)
    expect(signed.signature).toBe(expected.signature)
    const key = signingKey(input.secretAccessKey, input.date.slice(0, 8), input.region, 'kafka-cluster')
    expect(key.toString('hex')).toBe(signingKeyHex)
    expect(mskPayload(signingOf(input), input.userAgent)).toEqual(payload)
  })

  it('is not the one of the README of aws-msk-iam-auth', () => {
    const { signature } = presign(signingOf(signing[0]!.input))
    expect(signature).toBe(wrongFormula.mustNotEqual)
    expect(signature).not.toBe(wrongFormula.signatureForKafkaGoVector)
  })

  it.each(oauthbearerTokens)('makes the bearer token of AWS: $input.accessKeyId', ({ input, token, expiryTimeMs }) => {
    const made = mskBearerToken(signingOf(input), 'aws-msk-iam-sasl-signer-js/1.0.3')
    expect(made).toEqual({ value: token, expiresAtMs: expiryTimeMs })
  })

  it('encodes every character but the free ones, in UTF-8 and capitals', () => {
    expect(uriEncode("AZaz09-._~ !'()*/:+=ü\u{1f600}")).toBe(
      'AZaz09-._~%20%21%27%28%29%2A%2F%3A%2B%3D%C3%BC%F0%9F%98%80',
    )
    expect(uriEncode('\ud800')).toBe('%EF%BF%BD')
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => decodeURIComponent(uriEncode(text)) === text))
  })

  it('sorts by encoded name', () => {
    expect(
      canonicalQueryOf([
        ['b', '1'],
        ['a!', '2'],
        ['a', '3'],
        ['B', '4'],
      ]),
    ).toBe('B=4&a=3&a%21=2&b=1')
  })
})

describe('how long a signature is good for', () => {
  it('is 900 seconds, or what the credentials have left, in whole seconds', () => {
    const wallMs = 1_700_000_000_000
    const left = (ms: number): number => expiresSeconds({ expiresAtMs: wallMs + ms }, wallMs)
    expect(expiresSeconds({ expiresAtMs: undefined }, wallMs)).toBe(constants['expiresSeconds'])
    expect([left(3_600_000), left(900_000), left(899_999), left(123_456), left(1000)]).toEqual([900, 900, 899, 123, 1])
  })
})

describe('the region', () => {
  it.each([
    ['b-1.demo.abcdef.c2.kafka.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['B-1.DEMO.abcdef.c2.kafka.EU-WEST-1.amazonaws.com.', 'eu-west-1'],
    ['b-1.us-east-1.abcdef.c2.kafka.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['b-1.demo.scram.abcdef.c2.kafka.ap-southeast-4.amazonaws.com', 'ap-southeast-4'],
    ['boot-abc.c1.kafka-serverless.us-east-1.amazonaws.com', 'us-east-1'],
    ['b-2.c.abc.kafka.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['b-2.c.abc.kafka.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['b-2.c.abc.kafka.us-iso-east-1.c2s.ic.gov', 'us-iso-east-1'],
    ['b-2.c.abc.kafka.us-isob-east-1.sc2s.sgov.gov', 'us-isob-east-1'],
    ['b-2.c.abc.kafka.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1'],
    ['vpce-0abc-1def.kafka.eu-central-1.vpce.amazonaws.com', 'eu-central-1'],
    ['vpce-0abc-1def-us-east-1a.vpce-svc-0123.us-east-1.vpce.amazonaws.com', 'us-east-1'],
    ['localhost', null],
    ['kafka.us-east-1.amazonaws.com.example.org', null],
    ['kafka.us-east-1.example.com', null],
    ['bucket.s3.us-east-1.amazonaws.com', null],
    ['kafka.us-east-1.amazonaws.com', null],
    ['b-1.kafka.moon.amazonaws.com', null],
    ['amazonaws.com', null],
    ['', null],
  ])('of %s is %s', (host, region) => {
    expect(regionOfHost(host)).toBe(region)
  })

  it('is what the option says, then the host, then the environment', () => {
    const env = { AWS_REGION: 'sa-east-1', AWS_DEFAULT_REGION: 'us-west-2' }
    expect(chooseRegion(HOST, 'us-east-2', env)).toBe('us-east-2')
    expect(chooseRegion(HOST, undefined, env)).toBe('eu-west-1')
    expect(chooseRegion('kafka.example.org', undefined, env)).toBe('sa-east-1')
    expect(chooseRegion('kafka.example.org', undefined, { ...env, AWS_REGION: '' })).toBe('us-west-2')
    expect(() => chooseRegion('kafka.example.org', undefined, {})).toThrow(/which AWS region\?.*set sasl.region/)
    expect(() => chooseRegion('kafka.example.org', undefined, { AWS_REGION: 'x/y' })).toThrow(/not the name of one/)
  })

  it('has its own STS', () => {
    const regions = ['us-east-1', 'us-gov-west-1', 'cn-north-1', 'us-iso-east-1', 'us-isob-east-1', 'eusc-de-east-1']
    expect(regions.map(stsHost)).toEqual([
      ...['sts.us-east-1.amazonaws.com', 'sts.us-gov-west-1.amazonaws.com', 'sts.cn-north-1.amazonaws.com.cn'],
      ...['sts.us-iso-east-1.c2s.ic.gov', 'sts.us-isob-east-1.sc2s.sgov.gov', 'sts.eusc-de-east-1.amazonaws.eu'],
    ])
  })
})

function login(
  provider: AwsCredentialProvider | undefined,
  clock = new FakeClock(),
  env: NodeJS.ProcessEnv = {},
): Exchange {
  const credentials = credentialSource(provider, { clock, env })
  return awsMskIam({ host: HOST, region: 'eu-west-1', credentials, userAgent: 'test/1', clock })
}
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET }

describe('AWS_MSK_IAM', () => {
  it('says ten fields, with a session token eleven, all of them text', async () => {
    for (const [given, count] of [
      [keys, 10],
      [{ ...keys, sessionToken: TOKEN }, 11],
    ] as const) {
      const { said, result } = await converse(
        login(() => given),
        [YES],
      )
      const payload = JSON.parse(String(said[0])) as Record<string, unknown>
      expect(Object.values(payload).every((value) => typeof value === 'string')).toBe(true)
      expect(Object.keys(payload)).toHaveLength(count)
      expect(payload).toMatchObject({
        version: '2020_10_22',
        host: HOST,
        'user-agent': 'test/1',
        'x-amz-expires': '900',
      })
      expect(payload['x-amz-security-token']).toBe(count === 11 ? TOKEN : undefined)
      expect(JSON.stringify(payload)).not.toContain(SECRET)
      expect(result).toEqual({ requestId: 'r-17' })
    }
  })

  it('is signed anew each time, by the wall clock', async () => {
    const clock = new FakeClock()
    const dates: unknown[] = []
    for (let i = 0; i < 2; i++) {
      const { said } = await converse(
        login(() => keys, clock),
        [YES],
      )
      dates.push((JSON.parse(String(said[0])) as Record<string, unknown>)['x-amz-date'])
      await clock.advance(61_000)
    }
    expect(dates).toEqual(['20231114T223000Z', '20231114T223101Z'])
  })

  it.each([
    ['nothing', '', /answers nothing/],
    ['no JSON', 'OK', /not answer in JSON/],
    ['an array', '["2020_10_22"]', /not answer in JSON/],
    ['no version', '{"request-id":"x"}', /version none/],
    ['another version', '{"version":"2021_01_01"}', /version 2021_01_01/],
    ['a version by the prototype', '{"__proto__":{"version":"2020_10_22"}}', /version none/],
    ['our own payload', `{"version":"${SECRET}"}`, /version \[redacted\]/],
  ])('takes %s for no', async (_, answer, message) => {
    const { error } = await converse(
      login(() => keys),
      [answer],
    )
    expect(error).toBeInstanceOf(AuthenticationError)
    expect(messageOf(error)).toMatch(message)
    expect(leaksIn(error, [SECRET])).toEqual([])
  })

  it('says with whose keys, for which host and region and at what time it was refused, and no secret', async () => {
    const echo = (said: Buffer) => new Refusal(58, `Access denied: ${String(said).slice(-80)} ${TOKEN}`)
    const { error } = await converse(
      login(() => ({ ...keys, sessionToken: TOKEN })),
      [echo],
    )
    expect(messageOf(error)).toMatch(/the broker says: Access denied/)
    expect(messageOf(error)).toMatch(
      new RegExp(`\\(signed by AKIDEXAMPLE for ${HOST} in eu-west-1 at 2023-11-14T22:30:00.000Z\\)$`),
    )
    expect(leaksIn(error, [SECRET, TOKEN])).toEqual([])
  })
})

describe('credentials', () => {
  it('of the environment are read at each login', async () => {
    const env: NodeJS.ProcessEnv = {}
    const { said, error } = await converse(login(undefined, new FakeClock(), env), [YES])
    expect([said.length, messageOf(error)]).toEqual([
      0,
      expect.stringMatching(/AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/),
    ])
    Object.assign(env, { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: SECRET, AWS_SESSION_TOKEN: TOKEN })
    const second = await converse(login(undefined, new FakeClock(), env), [YES])
    expect(String(second.said[0])).toMatch(/"x-amz-credential":"AKIDENV\/.*"x-amz-security-token":"c4n4ry\/\/session/)
  })

  it('of a function are asked for at each login, once for all at the same time', async () => {
    let calls = 0
    const clock = new FakeClock()
    const credentials = credentialSource(() => (calls++, Promise.resolve(keys)), { clock, env: {} })
    const begin = () =>
      converse(awsMskIam({ host: HOST, region: 'eu-west-1', credentials, userAgent: 'x', clock }), [YES])
    await Promise.all([begin(), begin(), begin()])
    expect(calls).toBe(1)
    await begin()
    expect(calls).toBe(2)
  })

  it('that end in less than a second are asked for anew, instead of signing with them', async () => {
    const clock = new FakeClock()
    const asked: unknown[] = []
    const provider =
      (leftMs: number): AwsCredentialProvider =>
      (options) => {
        asked.push(options?.forceRefresh)
        const isAnew = options?.forceRefresh === true
        return { ...keys, expiration: new Date(clock.wallNow() + (isAnew ? leftMs : 999)) }
      }
    const { said } = await converse(login(provider(123_456), clock), [YES])
    expect(String(said[0])).toContain('"x-amz-expires":"123"')
    expect(asked).toEqual([false, true])
    const { said: nothing, error } = await converse(login(provider(-5000), clock), [YES])
    expect(nothing).toEqual([])
    expect(error).toMatchObject({ retriable: true })
    expect(messageOf(error)).toMatch(/they have expired \(our clock says 2023-11-14T22:30/)
  })

  it('may have null for what is not there, and the date as text, as JSON and the old SDK have it', async () => {
    const given = { ...keys, sessionToken: null, expiration: '2023-11-14T22:31:40Z' } as never
    const { said } = await converse(
      login(() => given),
      [YES],
    )
    expect(String(said[0])).toContain('"x-amz-expires":"100"')
  })

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /got nothing, expected/],
    ['text', SECRET, /got a string, expected/],
    ['no key id', { secretAccessKey: SECRET }, /accessKeyId: expected printable/],
    ['a line break in the key id', { ...keys, accessKeyId: 'AKID\n' }, /accessKeyId: expected printable/],
    ['no secret', { accessKeyId: 'AKID' }, /secretAccessKey: got nothing/],
    ['a secret with a line break', { ...keys, secretAccessKey: `${SECRET}\n` }, /secretAccessKey: begins or ends/],
    ['a token that is a number', { ...keys, sessionToken: 7 }, /sessionToken: got a number/],
    ['a date that is none', { ...keys, expiration: new Date(NaN) }, /expiration: got an object/],
  ])('that are %s are refused by field, without a value', async (_, given, message) => {
    const { said, error } = await converse(
      login(() => given as never),
      [YES],
    )
    expect(said).toEqual([])
    expect(messageOf(error)).toMatch(message)
    expect(leaksIn(error, [SECRET])).toEqual([])
  })

  it('of a function that fails make a failure that may be tried again', async () => {
    const cause = new Error('no IMDS here')
    const { error } = await converse(
      login(() => Promise.reject(cause)),
      [YES],
    )
    expect(error).toMatchObject({ retriable: true, cause })
    expect(messageOf(error)).toMatch(/sasl.credentials: the function failed: no IMDS here/)
  })

  it('of a function that never settles are given up after 30 s', async () => {
    const clock = new FakeClock()
    const failed = converse(
      login(() => new Promise(() => undefined), clock),
      [YES],
    )
    await turns(2)
    await clock.advance(30_000)
    expect(messageOf((await failed).error)).toMatch(/not done after 30000 ms/)
  })
})
