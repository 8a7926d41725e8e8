import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { toProducerOptions } from '../../../src/destination/settings/producer-options.ts'
import type { SettingsWarning } from '../../../src/destination/settings/settings-warning.ts'
import { Producer } from '../../../src/index.ts'
import { canarySecret, expectNoSecret } from '../../support/canary.ts'
import { aws, plain } from './valid-settings.ts'

const common = { clientId: 'a-client', requestTimeoutMs: 10_000, partitioner: 'round-robin' }

describe('seg-S4: the login', () => {
  test.each(['plain', 'scram-sha-256', 'scram-sha-512'])('%s', (mechanism) => {
    expect(toProducerOptions({ ...plain, mechanism })).toEqual({
      ...common,
      brokers: ['kafka.test:9092'],
      tls: { rejectUnauthorized: true },
      sasl: { mechanism, username: 'ann', password: plain.password },
    })
  })

  test('a password is taken as it is, white space included', () => {
    const { sasl } = toProducerOptions({ ...plain, password: ' x\n' })
    expect(sasl).toMatchObject({ password: ' x\n' })
  })

  test('aws is AWS_MSK_IAM, with the region of the brokers', () => {
    const { accessKeyId, secretAccessKey } = aws
    expect(toProducerOptions({ ...aws, secretAccessKey: `${secretAccessKey}\n` })).toEqual({
      ...common,
      brokers: [aws.brokers],
      tls: { rejectUnauthorized: true },
      sasl: { mechanism: 'aws-msk-iam', credentials: { accessKeyId, secretAccessKey }, region: 'eu-west-1' },
    })
  })

  test('an ARN in authorizationIdentity is a role to assume', () => {
    const authorizationIdentity = 'arn:aws:iam::123456789012:role/writer'
    expect(toProducerOptions({ ...aws, authorizationIdentity }).sasl).toMatchObject({ roleArn: authorizationIdentity })
  })

  test('one broker that tells the region is enough', () => {
    const { sasl } = toProducerOptions({ ...aws, brokers: `kafka.internal:9098,${aws.brokers}` })
    expect(sasl).toMatchObject({ region: 'eu-west-1' })
  })

  test('fields of another mechanism have no effect', () => {
    const { sasl, tls } = toProducerOptions({ ...plain, ...aws, mechanism: 'plain', ssl_cert: 'x', ssl_key: 'y' })
    expect(sasl).toEqual({ mechanism: 'plain', username: 'ann', password: plain.password })
    expect(tls).toEqual({ rejectUnauthorized: true })
  })

  test('brokers lose the spaces and commas around them', () => {
    const { brokers } = toProducerOptions({ ...plain, brokers: ' b:1 , [::1]:9092,,a:2,' })
    expect(brokers).toEqual(['b:1', '[::1]:9092', 'a:2'])
  })
})

describe('seg-S6: TLS', () => {
  test('ssl_enabled left out is on, as the form says', () => {
    expect(toProducerOptions(plain)).toEqual(toProducerOptions({ ...plain, ssl_enabled: true }))
  })

  test('ssl_reject_unauthorized_ca: false is honoured without ssl_ca', () => {
    const { tls } = toProducerOptions({ ...plain, ssl_reject_unauthorized_ca: false })
    expect(tls).toEqual({ rejectUnauthorized: false })
  })

  test.each(['plain', 'scram-sha-512'])('ssl_enabled: false is no TLS, whatever else is set (%s)', (mechanism) => {
    const options = toProducerOptions({ ...plain, mechanism, ssl_enabled: false, ssl_ca: 'x' })
    expect(options).not.toHaveProperty('tls')
    expect(options).toMatchObject({ allowPlaintextCredentials: true, sasl: { mechanism } })
  })

  test('credentials do not travel in plaintext unless TLS is switched off', () => {
    for (const settings of [plain, aws, { ...plain, ssl_enabled: null }]) {
      expect(toProducerOptions(settings)).not.toHaveProperty('allowPlaintextCredentials')
    }
  })
})

describe('the warning of plaintext', () => {
  function listener(): [SettingsWarning[], (warning: SettingsWarning) => void] {
    const heard: SettingsWarning[] = []
    return [heard, (warning) => void heard.push(warning)]
  }

  test('comes once for the same settings', () => {
    const [heard, listen] = listener()
    for (const brokers of ['a:1,b:1', ' b:1, a:1'])
      toProducerOptions({ ...plain, brokers, ssl_enabled: 'false' }, listen)
    expect(heard).toEqual([
      {
        code: 'PLAINTEXT',
        message: 'SSL Enabled is off: whoever is on the way can read the password and every event.',
      },
    ])
    toProducerOptions({ ...plain, brokers: 'c:1', ssl_enabled: false }, listen)
    expect(heard).toHaveLength(2)
  })

  test('comes to each listener', () => {
    const all = [listener(), listener()]
    for (const [, listen] of all)
      toProducerOptions({ ...plain, ssl_enabled: false, mechanism: 'scram-sha-256' }, listen)
    expect(all.map(([heard]) => heard.length)).toEqual([1, 1])
    expect(all[0]?.[0][0]?.message).toContain('can read every event, and passwords can be tried')
  })

  test('does not come with TLS, nor without anybody to hear it', () => {
    const [heard, listen] = listener()
    toProducerOptions(plain, listen)
    toProducerOptions({ ...plain, ssl_enabled: false })
    expect(heard).toEqual([])
  })
})

test('secrets in the options are not printed by accident, and the producer gets them', () => {
  const key = canarySecret('secret access key')
  for (const settings of [plain, { ...plain, ssl_enabled: false }, { ...aws, secretAccessKey: key }]) {
    const options = toProducerOptions(settings)
    const sasl: unknown = options.sasl
    const views = [inspect(options, { depth: null }), JSON.stringify(options), String(sasl)]
    expectNoSecret(views.join('\n'))
    expect(views[0]).toContain('[redacted]')
    expect(new Producer({ ...options }).stats().state).toBe('running')
  }
})
