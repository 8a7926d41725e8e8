import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { settingsFields } from '../../../src/destination/settings/fields.ts'
import { Producer } from '../../../src/index.ts'
import { SettingsError } from '../../../src/destination/settings/problem.ts'
import { toProducerOptions } from '../../../src/destination/settings/producer-options.ts'
import { settingsKey } from '../../../src/destination/settings/settings-key.ts'
import { validateSettings } from '../../../src/destination/settings/validate-settings.ts'
import { canarySecret, expectNoSecret } from '../../support/canary.ts'
import { aws, plain, without } from './valid-settings.ts'

const PASSWORD_MISSING = 'Username and Password are required for PLAIN and SCRAM authentication mechanisms'
const AWS_MISSING = 'AWS Access Key ID and AWS Secret Key are required for AWS authentication mechanism'
const CERT_MISSING =
  'SSL Client Key and SSL Client Certificate are required for Client Certificate authentication mechanism'
const NOT_HOST_PORT = 'Brokers must be in the format host:port'
const MECHANISMS =
  'Authentication Mechanism must be one of: "plain", "scram-sha-256", "scram-sha-512", "aws", or "client-cert-auth".'

function messagesFor(settings: unknown): string[] {
  return validateSettings(settings).map(({ message }) => message)
}

describe('seg-S1: the schema of the settings', () => {
  test.each(['plain', 'scram-sha-256', 'scram-sha-512'])('%s with user and password is fine', (mechanism) => {
    expect(validateSettings({ ...plain, mechanism })).toEqual([])
  })

  test.each(['clientId', 'brokers', 'mechanism'] as const)('%s is required', (field) => {
    const message = `The root value is missing the required field '${field}'.`
    const problem = { code: 'INVALID_SETTINGS', message, status: 400, field }
    expect(validateSettings(without(plain, field))).toEqual([problem])
    expect(validateSettings({ ...plain, [field]: undefined })).toEqual([problem])
  })

  test.each(['', null])('a client id must not be %j, which upstream takes', (clientId) => {
    expect(messagesFor({ ...plain, clientId })).toEqual(["The root value is missing the required field 'clientId'."])
  })

  test.each(['gssapi', 'PLAIN', '', null, 5])('a mechanism that does not exist: %j', (mechanism) => {
    const problem = { code: 'INVALID_SETTINGS', message: MECHANISMS, status: 400, field: 'mechanism' }
    expect(validateSettings({ ...plain, mechanism })).toEqual([problem])
  })

  test.each([
    [null, 'null'],
    [undefined, 'undefined'],
    [[], 'an array'],
    [[{}], 'an array'],
    ['text', 'a string'],
    [7, 'a number'],
  ])('settings are an object, not %j', (settings, kind) => {
    expect(messagesFor(settings)).toEqual([`The root value must be an object but it was ${kind}.`])
  })

  test.each([
    ['clientId', {}, 'Client ID must be a string but it was an object.'],
    ['brokers', ['a:1', 'b:2'], 'Brokers must be a string but it was an array.'],
    ['ssl_enabled', 'yes', 'SSL Enabled must be a boolean but it was a string.'],
    ['ssl_ca', { pem: '' }, 'SSL Certificate Authority must be a string but it was an object.'],
    [
      'ssl_reject_unauthorized_ca',
      2,
      'SSL - Reject Unauthorized Certificate Authority must be a boolean but it was a number.',
    ],
  ])('%s of the wrong type', (field, value, message) => {
    expect(validateSettings({ ...plain, [field]: value })).toContainEqual({
      ...{ code: 'INVALID_SETTINGS', message, status: 400, field },
    })
  })

  test('values are coerced as the framework does it', () => {
    const text = { clientId: 42, brokers: ['kafka.test:9092'], username: true, password: [7] }
    expect(validateSettings({ ...plain, ...text, ssl_enabled: 'false', ssl_reject_unauthorized_ca: 0 })).toEqual([])
    const { clientId, brokers, sasl, tls } = toProducerOptions({ ...plain, ...text, ssl_enabled: 'false' })
    expect({ clientId, brokers, tls }).toEqual({ clientId: '42', brokers: ['kafka.test:9092'], tls: undefined })
    expect(sasl).toEqual({ mechanism: 'plain', username: 'true', password: '7' })
  })

  test.each([true, 'true', 1, [true], ['true'], undefined])('%j is on', (on) => {
    expect(toProducerOptions({ ...plain, ssl_enabled: on })).toHaveProperty('tls')
  })

  test.each([false, 'false', 0, [0], ['false']])('%j is off', (off) => {
    expect(toProducerOptions({ ...plain, ssl_enabled: off })).not.toHaveProperty('tls')
  })

  test('a switch that is null is as if left out, not off', () => {
    const { tls } = toProducerOptions({ ...plain, ssl_enabled: null, ssl_reject_unauthorized_ca: null })
    expect(tls).toEqual({ rejectUnauthorized: true })
  })

  test('unknown settings, and those of a prototype, count for nothing', () => {
    const foreign = JSON.parse('{"__proto__": {"clientId": "x"}, "constructor": 5, "partitionerType": "D"}') as object
    expect(validateSettings({ ...plain, ...foreign, subscription: {} })).toEqual([])
    const inherited = Object.assign(Object.create({ clientId: 'x' }) as object, without(plain, 'clientId'))
    expect(messagesFor(inherited)).toEqual(["The root value is missing the required field 'clientId'."])
  })

  test('every problem is told at once', () => {
    expect(messagesFor({ mechanism: 'plain', brokers: 'nowhere', ssl_ca: 'x', ssl_enabled: {} })).toEqual([
      "The root value is missing the required field 'clientId'.",
      'SSL Enabled must be a boolean but it was an object.',
      PASSWORD_MISSING,
      NOT_HOST_PORT,
      'SSL Certificate Authority: is neither PEM nor base64 of a certificate or key.',
    ])
  })
})

describe('seg-S2: what each mechanism needs', () => {
  const missing = (code: string, message: string, field: string): object[] => [{ code, message, status: 400, field }]

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'])('%s: user and password', (mechanism) => {
    for (const empty of [undefined, null, '']) {
      const settings = { ...plain, mechanism }
      const lost = (field: string): object[] => missing('SASL_PARAMS_MISSING', PASSWORD_MISSING, field)
      expect(validateSettings({ ...settings, username: empty })).toEqual(lost('username'))
      expect(validateSettings({ ...settings, password: empty })).toEqual(lost('password'))
    }
  })

  test.each(['accessKeyId', 'secretAccessKey'])('aws: %s', (field) => {
    for (const empty of [undefined, null, '', ' \n']) {
      const lost = missing('SASL_AWS_PARAMS_MISSING', AWS_MISSING, field)
      expect(validateSettings({ ...aws, [field]: empty })).toEqual(lost)
    }
  })

  test('client-cert-auth: key and certificate', () => {
    const settings = { ...without(plain, 'username', 'password'), mechanism: 'client-cert-auth' }
    const code = 'SSL_CLIENT_CERT_AUTH_PARAMS_MISSING'
    expect(validateSettings({ ...settings, ssl_cert: 'x' })).toEqual(missing(code, CERT_MISSING, 'ssl_key'))
    expect(validateSettings({ ...settings, ssl_key: 'x' })).toEqual(missing(code, CERT_MISSING, 'ssl_cert'))
    expect(validateSettings(settings)).toEqual(missing(code, CERT_MISSING, 'ssl_key'))
  })

  test('a user name that no broker can be told', () => {
    expect(validateSettings({ ...plain, username: 'a\0b' })).toEqual([
      {
        code: 'CREDENTIALS_INVALID',
        message: 'Username must not have NUL characters.',
        status: 400,
        field: 'username',
      },
    ])
  })

  test.each(['aws', 'client-cert-auth'])('%s does not go without TLS', (mechanism) => {
    const problems = validateSettings({ ...aws, mechanism, ssl_enabled: false, ssl_cert: 'x', ssl_key: 'x' })
    expect(problems).toMatchObject([{ code: 'SSL_REQUIRED', status: 400, field: 'ssl_enabled' }])
  })

  test('an empty mechanism does not ask for the fields of another', () => {
    expect(messagesFor({ clientId: 'a', brokers: 'a:1', mechanism: 'none' })).toEqual([MECHANISMS])
  })
})

describe('seg-S3: brokers', () => {
  test.each([
    ...[' a:1 , b:2,', '[::1]:9092', 'localhost:9092', 'kafka-broker:0', 'kafka.internal.local:65535'],
    ...[' valid1:9092 , valid2:1234,valid3:65535 ', ',a:1', 'a:1,,b:2', '[fe80::1%eth0]:9092', 'UPPER_case:09092'],
  ])('%j is fine', (brokers) => {
    expect(validateSettings({ ...plain, brokers })).toEqual([])
  })

  test.each([
    ...['', ',', ' , ,', 'h:9092:77', 'h:0x10', 'https://h:1', 'localhost', ':9092', 'broker:', 'broker:not-a-number'],
    ...['broker:-1', 'broker:70000', 'https://broker1:9092', 'valid-host:9092, invalid-host', 'h: 9092', 'h :9092'],
    ...['h:+5', 'h:0b11', 'h:-0', '[a]:1', 'h:1e3', 'h:9092.0', '::1:9092', '[::1]', '[::1', 'a b:1', 'u@h:1', 'h/x:1'],
    ...['[]:1', '[127.0.0.1]:1', 'h:123456', 'h:٣', 'a:1;b:2', 'a:1 b:2', 'h\0:1', '0', null],
  ])('%j is not', (brokers) => {
    const [problem, ...others] = validateSettings({ ...plain, brokers })
    expect(others).toEqual([])
    expect(problem).toMatchObject({
      code: 'BROKER_FORMAT_INVALID',
      message: NOT_HOST_PORT,
      status: 400,
      field: 'brokers',
    })
    expect(problem?.detail).not.toBe('')
  })

  test('detail says which one and why', () => {
    const detailOf = (brokers: string): string | undefined => validateSettings({ ...plain, brokers })[0]?.detail
    expect(detailOf('a:1,,https://h:1')).toBe('item 2 of 2 has a scheme; write host:port without it')
    expect(detailOf('a:1,::1:9092')).toBe(
      'item 2 of 2 is not host:port; an IPv6 address goes in brackets, such as [::1]:9092',
    )
    expect(detailOf('localhost')).toBe('item 1 of 1 has no port')
    expect(detailOf(',')).toContain('there is none')
  })

  test('what passes is taken by headrace, but for port 0', () => {
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((ip) => `[${ip}]`),
      fc.string({ unit: 'grapheme' }),
    )
    const port = fc.oneof(fc.integer({ min: -5, max: 70_000 }).map(String), fc.string({ maxLength: 6 }))
    const item = fc.tuple(host, port).map(([h, p]) => `${h}:${p}`)
    let passed = 0
    fc.assert(
      fc.property(fc.array(item, { maxLength: 3 }), (items) => {
        const brokers = items.join(' , ')
        if (validateSettings({ ...plain, brokers }).length > 0) return
        passed++
        if (/:0+( |,|$)/.test(brokers)) return
        expectTaken({ ...plain, brokers })
      }),
      { numRuns: 300 },
    )
    expect(passed).toBeGreaterThan(5)
  })
})

describe('seg-S2: AWS IAM', () => {
  test.each([undefined, null, '', ' ', 'arn:aws:iam::123456789012:role/a/b', 'arn:aws-cn:iam::123456789012:role/x\n'])(
    'authorizationIdentity %j is fine',
    (authorizationIdentity) => {
      expect(validateSettings({ ...aws, authorizationIdentity })).toEqual([])
    },
  )

  test.each(['AIDAEXAMPLE:ann', 'arn:aws:iam::123456789012:user/ann', 'arn:aws:iam::12:role/x', 'role/x', 5])(
    'authorizationIdentity %j is not a role',
    (authorizationIdentity) => {
      expect(validateSettings({ ...aws, authorizationIdentity })).toEqual([
        {
          ...{ code: 'AWS_ROLE_INVALID', status: 400, field: 'authorizationIdentity' },
          message:
            "AWS Authorization Identity must be empty or the ARN of a role, such as 'arn:aws:iam::123456789012:role/name'.",
        },
      ])
    },
  )

  test.each(['127.0.0.1:9098', 'kafka.example.com:9098', 'b-1.kafka.eu-west-1.amazonaws.com.evil.test:9098'])(
    'the region cannot be told from %s',
    (brokers) => {
      expect(validateSettings({ ...aws, brokers })).toMatchObject([
        { code: 'AWS_REGION_UNKNOWN', status: 400, field: 'brokers' },
      ])
    },
  )

  test('brokers of two regions are no cluster', () => {
    const brokers = `${aws.brokers},b-2.demo.abc123.c2.kafka.us-east-1.amazonaws.com:9098`
    const [problem] = validateSettings({ ...aws, brokers })
    expect(problem).toMatchObject({ code: 'AWS_REGION_UNKNOWN', field: 'brokers' })
    expect(problem?.message).toContain('several AWS regions: eu-west-1, us-east-1')
  })

  test('an access key that is none', () => {
    expect(validateSettings({ ...aws, accessKeyId: 'AK IA' })).toMatchObject([
      { code: 'CREDENTIALS_INVALID', status: 400, field: 'accessKeyId' },
    ])
  })
})

describe('whatever the settings are', () => {
  const keys = settingsFields.map(({ key }) => key)
  const like = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
    fc
      .tuple(fc.subarray(keys), fc.array(value, { minLength: keys.length, maxLength: keys.length }))
      .map(([some, values]) => ({
        ...plain,
        mechanism: 'aws',
        ...Object.fromEntries(some.map((key, i) => [key, values[i]])),
      }))
  const mechanisms = fc.constantFrom('plain', 'scram-sha-256', 'aws', 'client-cert-auth')
  const anything = fc.oneof(fc.jsonValue(), like(fc.jsonValue()), like(fc.oneof(mechanisms, fc.string(), fc.boolean())))

  test('there are problems or options, and never another error', () => {
    fc.assert(
      fc.property(anything, (settings) => {
        const problems = validateSettings(settings)
        for (const one of problems) {
          expect(one).toMatchObject({
            status: 400,
            code: expect.stringMatching(/^[A-Z_]+$/),
            message: expect.stringMatching(/./),
          })
        }
        expect(settingsKey(settings)).toMatch(/^[\w-]{43}$/)
        if (problems.length === 0) return void toProducerOptions(settings)
        expect(() => toProducerOptions(settings)).toThrow(SettingsError)
      }),
      { numRuns: 300 },
    )
  })

  test('nothing is connected to', async () => {
    const sockets: unknown[] = []
    const onSocket = (message: unknown): void => void sockets.push(message)
    subscribe('net.client.socket', onSocket)
    try {
      for (const settings of [plain, aws, { ...plain, brokers: '127.0.0.1:9', ssl_ca: 'x' }]) validateSettings(settings)
      toProducerOptions(plain)
      for (let turn = 0; turn < 5; turn++) await setImmediate()
      expect(sockets).toEqual([])
      connect({ host: '127.0.0.1', port: 9 })
        .on('error', () => {})
        .destroy()
      expect(sockets).toHaveLength(1) // it would have been heard
    } finally {
      unsubscribe('net.client.socket', onSocket)
    }
  })

  test('no problem, error or key repeats a secret, whichever field it was pasted into', () => {
    const secret = canarySecret('pasted into a field')
    for (const mechanism of ['plain', 'scram-sha-512', 'aws', 'client-cert-auth', secret]) {
      for (const key of keys) {
        for (const value of [secret, { a: secret }, [secret, secret], `\0${secret}`, `${secret}:1,${secret}`]) {
          const settings = { ...plain, ...aws, ssl_key: 'x', ssl_cert: 'x', ssl_ca: 'y', mechanism, [key]: value }
          expectNoSecret([validateSettings(settings), settingsKey(settings)])
          expectNoSecret(errorOf(settings))
        }
      }
    }
  })
})

test('a SettingsError has all problems, and the code of the first', () => {
  const error = errorOf({ ...plain, brokers: 'valid-host:9092, invalid-host' })
  expect(error).toMatchObject({ message: NOT_HOST_PORT, code: 'BROKER_FORMAT_INVALID', status: 400 })
  const several = errorOf({ ...plain, brokers: ',', username: '' })
  expect(several).toMatchObject({ code: 'SASL_PARAMS_MISSING', message: `${PASSWORD_MISSING}. ${NOT_HOST_PORT}.` })
})

function errorOf(settings: unknown): unknown {
  try {
    toProducerOptions(settings)
  } catch (error) {
    return error
  }
  return null
}

function expectTaken(settings: unknown): void {
  const producer = new Producer(toProducerOptions(settings))
  expect(producer.stats().state).toBe('running')
}
