import { describe, expect, it } from 'vitest'
import { OptionError } from '../../src/errors.ts'
import { checkSasl, resolveSasl } from '../../src/sasl/options.ts'
import { canarySecret, leaksIn } from '../support/canary.ts'

const CANARY = canarySecret('whatever is given as sasl')
const plain = { mechanism: 'plain', username: 'alice', password: CANARY }
const aws = { mechanism: 'aws-msk-iam', credentials: { accessKeyId: 'AKID', secretAccessKey: CANARY } }

function problemOf(input: unknown): string {
  try {
    resolveSasl(input)
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError)
    expect(leaksIn(error, [CANARY])).toEqual([])
    return (error as OptionError).message
  }
  return 'none'
}

describe('the option sasl', () => {
  it.each([
    ['plain', 'PLAIN'],
    ['PLAIN', 'PLAIN'],
    ['Scram-Sha-256', 'SCRAM-SHA-256'],
    ['SCRAM-SHA-512', 'SCRAM-SHA-512'],
  ])('takes %s for %s', (mechanism, name) => {
    expect(resolveSasl({ ...plain, mechanism }).mechanism).toBe(name)
  })

  it('takes both spellings of the others', () => {
    expect(resolveSasl({ mechanism: 'OAUTHBEARER', token: () => 'x' }).mechanism).toBe('OAUTHBEARER')
    for (const mechanism of ['aws-msk-iam', 'AWS_MSK_IAM']) {
      expect(resolveSasl({ ...aws, mechanism }).mechanism).toBe('AWS_MSK_IAM')
    }
  })

  it('fills in what is not given', () => {
    expect(resolveSasl({ ...plain, mechanism: 'scram-sha-512' })).toMatchObject({
      ...{ username: 'alice', authorizationId: '', maxIterations: 1_000_000 },
    })
    expect(resolveSasl({ mechanism: 'aws-msk-iam' })).toEqual({
      ...{ mechanism: 'AWS_MSK_IAM', credentials: undefined, region: undefined, roleArn: undefined },
      ...{ roleSessionName: 'headrace', roleDurationSeconds: 3600, externalId: undefined, userAgent: undefined },
    })
  })

  it('holds secrets so that they cannot be printed', () => {
    const token = { mechanism: 'oauthbearer', token: CANARY }
    const session = { ...aws, credentials: { ...aws.credentials, sessionToken: `${CANARY}2` } }
    for (const input of [plain, { ...plain, mechanism: 'scram-sha-256' }, token, session]) {
      expect(leaksIn(resolveSasl(input), [CANARY])).toEqual([])
      expect(() => structuredClone(resolveSasl(input))).toThrow(/could not be cloned/)
    }
  })

  it('changes nothing of the caller, and is not changed with it', () => {
    const input = { ...plain }
    const settings = resolveSasl(input)
    input.username = 'bob'
    expect(settings).toMatchObject({ username: 'alice' })
    expect(Object.isFrozen(settings)).toBe(true)
  })

  it.each<[string, unknown, RegExp]>([
    ['text', CANARY, /expected \{ mechanism, ... \}, got a string/],
    ['an array', [plain], /got an array/],
    ['null', null, /got null/],
    [
      'no mechanism',
      { username: 'a', password: CANARY },
      /mechanism: got nothing, expected one of plain, scram-sha-256/,
    ],
    ['a mechanism by the prototype', Object.create({ mechanism: 'plain' }), /mechanism: got nothing/],
    ['a mechanism like a method', { ...plain, mechanism: 'toString' }, /mechanism: got "toString", expected one of/],
    ['a slip', { ...plain, mechanism: 'scram-sha-265' }, /did you mean 'scram-sha-256'/],
    ['half a name', { ...plain, mechanism: 'scram' }, /is it 'scram-sha-256' or 'scram-sha-512'/],
    ['Kerberos', { ...plain, mechanism: 'GSSAPI' }, /Kerberos is not supported/],
    ["kafkajs's aws", { ...plain, mechanism: 'aws' }, /sends the secret key itself.*use 'aws-msk-iam'/],
    ['no user', { mechanism: 'plain', password: CANARY }, /username: required/],
    ['an empty user', { ...plain, username: '' }, /username: got "", expected a string that is not empty/],
    ['NUL in the user', { ...plain, username: 'a\0' }, /username: got/],
    ['no password', { mechanism: 'plain', username: 'a' }, /password: required: a string or a function/],
    ['an empty password', { ...plain, password: '' }, /password: got an empty string, expected/],
    ['a password that is a number', { ...plain, password: 123_456_789 }, /password: got a number, expected/],
    ['a password in an object', { ...plain, password: { value: CANARY } }, /password: got an object/],
    [
      'another name',
      { mechanism: 'plain', user: 'a', username: 'a', password: CANARY },
      /user: unknown option: it is username/,
    ],
    ['a slip in a name', { ...plain, pasword: CANARY }, /pasword: unknown option: did you mean password/],
    ['too few iterations', { ...plain, mechanism: 'scram-sha-256', maxIterations: 4095 }, /maxIterations: got 4095/],
    ['no token', { mechanism: 'oauthbearer' }, /token: required/],
    ['a token for plain', { ...plain, token: CANARY }, /token: unknown option/],
    ['a key beside the credentials', { ...aws, secretAccessKey: CANARY }, /give credentials: \{ accessKeyId/],
    ['an identity of kafkajs', { ...aws, authorizationIdentity: 'x' }, /give a role as roleArn/],
    ['no secret key', { ...aws, credentials: { accessKeyId: 'A' } }, /credentials: secretAccessKey: got nothing/],
    ['credentials as text', { ...aws, credentials: CANARY }, /credentials: got a string/],
    ['a region that is none', { ...aws, region: 'Ireland' }, /region: got "Ireland", expected a region's name/],
    ['a role that is none', { ...aws, roleArn: 'writer' }, /roleArn: got "writer", expected a role's ARN/],
    ['a user as role', { ...aws, roleArn: 'arn:aws:iam::123456789012:user/x' }, /roleArn: got/],
    ['a session name with a slash', { ...aws, roleSessionName: 'a/b' }, /roleSessionName: got "a\/b"/],
    ['a role for a minute', { ...aws, roleDurationSeconds: 60 }, /roleDurationSeconds: got 60/],
    ['a line break in the user agent', { ...aws, userAgent: 'a\nb' }, /userAgent: got/],
  ])('refuses %s', (_, input, message) => {
    expect(problemOf(input)).toMatch(/^sasl: INVALID_OPTIONS: /)
    expect(problemOf(input)).toMatch(message)
  })

  it('names all that is wrong at once', () => {
    expect(problemOf({ mechanism: 'plain', username: 7, passwrd: CANARY })).toBe(
      'sasl: INVALID_OPTIONS: passwrd: unknown option: did you mean password?; username: got 7, expected a string that is not empty and has no NUL character; password: required: a string or a function',
    )
  })

  it('is a row of an option table', () => {
    expect(checkSasl(undefined)).toEqual({ value: undefined })
    expect(checkSasl(plain)).toMatchObject({ value: { mechanism: 'PLAIN' } })
    expect(checkSasl({ ...plain, username: '' })).toEqual({
      problem: 'username: got "", expected a string that is not empty and has no NUL character',
    })
  })
})
