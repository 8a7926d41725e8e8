import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readClientCertificate, readTruststore } from '../../../src/output/key-vault/secret-pem.ts'
import type { KeyVaultError } from '../../../src/output/key-vault/key-vault-error.ts'
import { createVault, type Vault } from '../../../src/output/key-vault/vault.ts'
import { canarySecret, leaksIn } from '../../support/canary.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeVault, type VaultReply } from '../../support/fake-vault.ts'
import { settings } from './support.ts'

const VALUE = canarySecret('a value in the vault')
const WORD = canarySecret('a secret of letters', (random) => `Code${random.replace(/[^A-Za-z]/g, 'x')}`)

let clock: FakeClock
let fake: FakeVault

beforeEach(async () => {
  clock = new FakeClock()
  fake = new FakeVault(() => clock.wallNow())
  await fake.listen()
})
afterEach(() => fake.close())

type Shape = (secret: string) => unknown

/** Everywhere that an answer has room for a text. */
const shapes: readonly Shape[] = [
  (secret) => secret,
  (secret) => ({ error: secret, error_description: secret }),
  (secret) => ({ error: { code: secret, message: secret, innererror: { code: secret } } }),
  (secret) => ({ error: { code: 'Forbidden', message: `AKV10032 ${secret}`, innerError: { code: secret } } }),
  ...['ForbiddenByRbac', 'AccessDenied', 'ForbiddenByFirewall', 'SecretDisabled'].map((code): Shape => (secret) => ({
    error: { code: secret, message: secret, innererror: { code, message: secret } },
  })),
  (secret) => ({ value: secret, id: secret, attributes: { exp: secret, nbf: secret, enabled: secret } }),
  (secret) => ({ value: secret, id: `https://x/secrets/ca/${secret}`, contentType: secret }),
  (secret) => ({ value: `-----BEGIN ${secret}-----\n${secret}\n-----END ${secret}-----`, id: ID }),
  (secret) => ({ value: `-----BEGIN CERTIFICATE-----\n${secret}\n-----END CERTIFICATE-----`, id: ID }),
  (secret) => ({ value: secret, id: ID }),
  (secret) => ({ [secret]: secret, message: secret, statusCode: secret }),
  (secret) => ({ access_token: `${secret}\r\n${secret}`, expires_on: secret }),
]
const ID = `https://x/secrets/ca/${'a'.repeat(32)}`
const statuses = [200, 204, 302, 400, 401, 403, 404, 408, 410, 418, 429, 500, 503]
const forms: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => Buffer.from(text).toString('base64'),
  (text) => Buffer.from(text).toString('hex'),
  (text) => encodeURIComponent(text),
]

function reply(code: number, body: unknown, secret: string): VaultReply {
  const inHeader = encodeURIComponent(secret)
  const headers = {
    'www-authenticate': `Bearer resource="https://${inHeader}", error="${inHeader}"`,
    ...{ 'retry-after': inHeader, location: `https://evil.example/${inHeader}`, 'x-ms-request-id': inHeader },
  }
  return { status: code, body: code === 204 ? '' : JSON.stringify(body), headers }
}

describe('whatever an answer repeats', () => {
  it('no token, identity header or secret is in an error', async () => {
    const outcomes = new Set<string>()
    const cases = shapes.flatMap((shape) =>
      statuses.flatMap((status) => [true, false].map((isToken) => ({ shape, status, isToken }))),
    )
    for (const [i, { shape, status, isToken }] of cases.entries()) {
      fake.set('ca', VALUE)
      fake.faults.token.length = fake.faults.vault.length = 0
      const vault = createVault(settings(), { fetch: fake.fetch, clock, env: i % 3 === 0 ? fake.identityEnv : {} })
      // So that there is a token which the answer can repeat.
      await fake.settle(clock, vault.secret('ca'))
      if (isToken) await clock.advance(fake.tokenLifetimeSeconds * 1000)
      const secret = [fake.tokens.at(-1), fake.identityHeader, VALUE, WORD].join(i % 2 === 0 ? ' ' : '')
      const form = forms[i % forms.length]!
      const answer = reply(status, shape(form(secret)), secret)
      fake.faults[isToken ? 'token' : 'vault'].push(...Array<VaultReply>(12).fill(answer))
      outcomes.add(await outcome(vault))
    }
    // It would be no proof if all went the same way.
    expect(outcomes.size, [...outcomes].join()).toBeGreaterThan(9)
  })

  /** What reading a secret and its PEM comes to. */
  async function outcome(vault: Vault): Promise<string> {
    try {
      const read = await fake.settle(clock, vault.secret('ca'))
      expect(leaksIn(read)).toEqual([])
      const checking = { host: fake.host, nowMs: clock.wallNow() }
      expect(() => readTruststore(read, checking)).toThrow()
      readClientCertificate(read, checking)
    } catch (error) {
      expect(leaksIn(error)).toEqual([])
      expect(error).toMatchObject({ name: 'KeyVaultError' })
      return (error as KeyVaultError).code
    }
    return 'read'
  }

  it('nothing of what a fetch throws is kept', async () => {
    const error = Object.assign(new TypeError(`Headers: ${VALUE}`), { code: VALUE, cause: new Error(VALUE) })
    const fetch = (): Promise<Response> => Promise.reject(error)
    const vault = createVault(settings(), { fetch, clock, env: {} })
    const thrown = await fake.settle(
      clock,
      vault.secret('ca').catch((reason: unknown) => reason),
    )
    expect(thrown).toMatchObject({ code: 'IDENTITY_UNREACHABLE' })
    expect(leaksIn(thrown)).toEqual([])
  })
})
