import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { VaultSecret } from '../../../src/output/key-vault/secret-answer.ts'
import { sleep, systemVaultClock } from '../../../src/output/key-vault/vault-clock.ts'
import { createVault, type Vault } from '../../../src/output/key-vault/vault.ts'
import type { KeyVaultError } from '../../../src/output/key-vault/key-vault-error.ts'
import { canarySecret, expectNoSecret } from '../../support/canary.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeVault, json, throttled, vaultError, type VaultFault } from '../../support/fake-vault.ts'
import { settings, vaultErrorOf } from './support.ts'

const CLIENT_ID = '12345678-1234-1234-1234-123456789012'
const VALUE = canarySecret('a value in the vault')
const IMDS = '169.254.169.254'
const APP_SERVICE = '127.0.0.1:41741'

let clock: FakeClock
let fake: FakeVault
let vault: Vault

beforeEach(async () => {
  clock = new FakeClock()
  fake = new FakeVault(() => clock.wallNow())
  await fake.listen()
  fake.set('ca', VALUE)
  vault = vaultWith()
})
afterEach(() => fake.close())

function vaultWith(given: object = {}, env: Readonly<Record<string, string>> = {}): Vault {
  return createVault(settings(given), { fetch: fake.fetch, clock, env })
}

function read(name = 'ca'): Promise<VaultSecret> {
  return fake.settle(clock, vault.secret(name))
}

/** What reading fails with; nothing secret may be in it. */
async function failure(name = 'ca'): Promise<KeyVaultError> {
  const error = await vaultErrorOf(read(name))
  expectNoSecret(error)
  return error
}

async function codeAfter(...faults: VaultFault[]): Promise<string> {
  fake.faults.vault.push(...faults)
  return (await failure()).code
}

describe('a secret', () => {
  it('is read with a token of the system-assigned identity, from the metadata service', async () => {
    const version = fake.set('ca', VALUE)
    const secret = await read()
    expect(secret.value.reveal()).toBe(VALUE)
    expect(secret.version).toBe(version)
    expectNoSecret(secret)
    expectNoSecret(vault)
    expect(fake.requests).toMatchObject([
      {
        ...{ host: IMDS, protocol: 'http:', path: '/metadata/identity/oauth2/token', headers: { metadata: 'true' } },
        query: { 'api-version': '2018-02-01', resource: 'https://vault.azure.net' },
      },
      {
        ...{ host: fake.host, protocol: 'https:', path: '/secrets/ca', query: { 'api-version': '7.4' } },
        headers: { authorization: `Bearer ${fake.tokens[0]}` },
      },
    ])
    expect(fake.requests[0]!.query).not.toHaveProperty('client_id')
  })

  it('is read with a user-assigned identity', async () => {
    fake.identities = new Set([CLIENT_ID])
    vault = vaultWith({ identity: { type: 'UserAssigned', clientId: CLIENT_ID } })
    expect((await read()).value.reveal()).toBe(VALUE)
    expect(fake.requestsTo(IMDS)[0]!.query['client_id']).toBe(CLIENT_ID)
  })

  it.each([undefined, CLIENT_ID])('is read through the endpoint of App Service, client id %s', async (clientId) => {
    fake.identities = new Set([clientId ?? ''])
    vault = vaultWith(clientId === undefined ? {} : { identity: { type: 'UserAssigned', clientId } }, fake.identityEnv)
    expect((await read()).value.reveal()).toBe(VALUE)
    expect(fake.requestsTo(IMDS)).toEqual([])
    expect(fake.requestsTo(APP_SERVICE)).toMatchObject([
      {
        path: '/msi/token/',
        query: { 'api-version': '2019-08-01' },
        headers: { 'x-identity-header': fake.identityHeader },
      },
    ])
    expect(fake.requestsTo()[0]!.headers).not.toHaveProperty('x-identity-header')
  })

  it('is read from another cloud with a token for that cloud', async () => {
    await fake.close()
    fake = new FakeVault(() => clock.wallNow(), 'team-vault.vault.azure.cn')
    await fake.listen()
    fake.set('ca', VALUE)
    vault = vaultWith({ vaultName: undefined, vaultUrl: 'https://team-vault.vault.azure.cn' })
    expect((await read()).value.reveal()).toBe(VALUE)
    expect(fake.requestsTo(IMDS)[0]!.query['resource']).toBe('https://vault.azure.cn')
  })
})

describe('a token', () => {
  it('is asked for once by all who need it at the same time, and kept', async () => {
    fake.set('own', VALUE)
    await fake.settle(clock, Promise.all([vault.secret('ca'), vault.secret('own'), vault.secret('ca')]))
    await read()
    expect(fake.tokens).toHaveLength(1)
    expect(fake.requestsTo().map(({ path }) => path)).toEqual(['/secrets/ca', '/secrets/own', '/secrets/ca'])
  })

  it('is renewed five minutes before it expires', async () => {
    fake.tokenLifetimeSeconds = 3600
    await read()
    await clock.advance(3_299_000)
    await read()
    expect(fake.tokens).toHaveLength(1)
    await clock.advance(2000)
    await read()
    expect(fake.tokens).toHaveLength(2)
    expect(fake.requestsTo().at(-1)!.headers.authorization).toBe(`Bearer ${fake.tokens[1]}`)
  })

  it('is used to its end if there is no other one', async () => {
    fake.tokenLifetimeSeconds = 3600
    await read()
    await clock.advance(3_400_000)
    fake.unreachable.set(IMDS, 'EHOSTUNREACH')
    expect((await read()).value.reveal()).toBe(VALUE)
    await clock.advance(201_000)
    expect((await failure()).code).toBe('IDENTITY_UNREACHABLE')
  })

  it('that the vault does not take any more is replaced, once', async () => {
    await read()
    fake.revoked.add(fake.tokens[0]!)
    expect((await read()).value.reveal()).toBe(VALUE)
    expect(fake.tokens).toHaveLength(2)
    const error = await vaultErrorOf(fake.settle(clock, refusedTwice()))
    expect(error).toMatchObject({ code: 'TOKEN_REFUSED', status: 401, retriable: false })
    expect(fake.tokens).toHaveLength(3)
  })

  function refusedTwice(): Promise<unknown> {
    fake.faults.vault.push(fake.unauthorized(), fake.unauthorized())
    return vault.secret('ca')
  }

  it('for another cloud or tenant is said to be one', async () => {
    const other = fake.unauthorized('https://vault.azure.cn')
    fake.faults.vault.push(other, other)
    expect((await failure()).message).toContain("https://vault.azure.cn, which is another cloud's")
    const tenant = fake.unauthorized(undefined, 'AKV10032: Invalid issuer. Expected one of ...')
    fake.faults.vault.push(tenant, tenant)
    expect((await failure()).message).toContain('another tenant')
  })
})

describe('no token', () => {
  it('without an identity: what to switch on is said, and nobody tries again', async () => {
    fake.identities.clear()
    expect(await failure()).toMatchObject({ code: 'IDENTITY_NOT_FOUND', retriable: false })
    expect(fake.requests).toHaveLength(1)
    vault = vaultWith({ identity: { type: 'UserAssigned', clientId: CLIENT_ID } }, fake.identityEnv)
    const error = await failure()
    expect(error.code).toBe('IDENTITY_NOT_FOUND')
    expect(error.message).toContain('keyVault.identity.clientId')
  })

  it.each(['EHOSTUNREACH', 'ECONNREFUSED', 'EQUITEUNKNOWN'])('outside of Azure (%s)', async (code) => {
    fake.unreachable.set(IMDS, code)
    const error = await failure()
    expect(error).toMatchObject({ code: 'IDENTITY_UNREACHABLE', retriable: true })
    expect(error.message).toContain('exist in Azure only')
    expect(error.message).toContain(code === 'EQUITEUNKNOWN' ? 'unknown' : code)
    expect(error.message).not.toContain('EQUITE')
  })

  it('from an endpoint that says nothing, within 30 seconds', async () => {
    fake.faults.token.push(...Array<VaultFault>(9).fill('silence'))
    const startMs = clock.now()
    expect((await failure()).code).toBe('IDENTITY_UNREACHABLE')
    expect(clock.now() - startMs).toBeLessThanOrEqual(30_000)
  })

  it.each([404, 410, 429, 500, 503])('while the metadata service answers %i, which passes', async (status) => {
    fake.faults.token.push(json(status, {}), json(status, {}))
    expect((await read()).value.reveal()).toBe(VALUE)
    expect(fake.requestsTo(IMDS)).toHaveLength(3)
  })

  it.each([401, 403, 418])('if it answers %i, at once', async (status) => {
    fake.faults.token.push(json(status, {}))
    expect(await failure()).toMatchObject({ code: 'IDENTITY_FAILED', status, retriable: false })
    expect(fake.requests).toHaveLength(1)
  })

  it.each([
    ['{"access_token":'],
    ['[]'],
    ['{"access_token":7}'],
    ['{"access_token":"two\\r\\nlines"}'],
    ['{"access_token":""}'],
    ['null'],
  ])('in the answer %s', async (body) => {
    fake.faults.token.push(...Array<VaultFault>(5).fill({ status: 200, body }))
    expect((await failure()).code).toBe('IDENTITY_FAILED')
    expect(fake.requestsTo()).toEqual([])
  })

  it.each([
    [{ IDENTITY_ENDPOINT: 'http://evil.example/token', IDENTITY_HEADER: 'h' }],
    [{ IDENTITY_ENDPOINT: 'file:///etc/passwd', IDENTITY_HEADER: 'h' }],
    [{ IDENTITY_ENDPOINT: 'http://10.evil.example/', IDENTITY_HEADER: 'h' }],
    [{ IDENTITY_ENDPOINT: 'http://a:b@127.0.0.1/', IDENTITY_HEADER: 'h' }],
    [{ IDENTITY_ENDPOINT: 'nothing', IDENTITY_HEADER: 'h' }],
    [{ IDENTITY_ENDPOINT: 'http://127.0.0.1/token' }],
    [{ IDENTITY_ENDPOINT: 'http://127.0.0.1/token', IDENTITY_HEADER: 'a\r\nb' }],
    [{ IDENTITY_ENDPOINT: 'https://127.0.0.1/', IDENTITY_HEADER: 'h', IDENTITY_SERVER_THUMBPRINT: 'x' }],
  ])('from the environment %j, to which nothing is sent', async (env) => {
    vault = vaultWith({}, env)
    expect(await failure()).toMatchObject({ code: 'IDENTITY_ENDPOINT_INVALID', retriable: false })
    expect(fake.requests).toEqual([])
  })
})

describe('the vault', () => {
  it.each([
    ['ForbiddenByRbac', 'IDENTITY_NOT_ALLOWED', 'the role "Key Vault Secrets User"'],
    ['AccessDenied', 'IDENTITY_NOT_ALLOWED', 'the secret permission Get'],
    ['SomethingNew', 'IDENTITY_NOT_ALLOWED', 'Key Vault Secrets User'],
    ['ForbiddenByFirewall', 'NETWORK_NOT_ALLOWED', 'network rules'],
    ['ForbiddenByConnection', 'NETWORK_NOT_ALLOWED', 'private endpoint'],
  ])('says %s: %s', async (inner, code, words) => {
    fake.forbidden = inner
    const error = await failure()
    expect(error).toMatchObject({ code, status: 403, retriable: false })
    expect(error.message).toContain(words)
    expect(fake.requestsTo()).toHaveLength(1)
  })

  it('is not there', async () => {
    fake.unreachable.set(fake.host, 'ENOTFOUND')
    expect((await failure()).code).toBe('VAULT_NOT_FOUND')
    fake.unreachable.set(fake.host, 'ECONNRESET')
    expect((await failure()).code).toBe('VAULT_UNREACHABLE')
  })

  it('has no such secret, or had one, or does not give it out', async () => {
    expect((await failure('none')).code).toBe('SECRET_NOT_FOUND')
    fake.delete('ca')
    const error = await failure()
    expect(error.code).toBe('SECRET_DELETED')
    expect(error.message).toContain('az keyvault secret recover --vault-name team-vault --name ca')
    fake.maySeeDeleted = false
    expect((await failure()).code).toBe('SECRET_NOT_FOUND')
    fake.set('ca', VALUE)
    fake.disable('ca')
    expect((await failure()).code).toBe('SECRET_DISABLED')
  })

  it('keeps the dates of its secrets, and so do we', async () => {
    const seconds = Math.floor(clock.wallNow() / 1000)
    fake.set('ca', VALUE, { exp: seconds + 60, nbf: seconds - 60 })
    expect((await read()).value.reveal()).toBe(VALUE)
    await clock.advance(61_000)
    expect((await failure()).code).toBe('SECRET_EXPIRED')
    fake.set('ca', VALUE, { nbf: seconds + 600 })
    expect((await failure()).code).toBe('SECRET_NOT_YET_VALID')
  })

  it('is asked again when it is throttled, not before it said', async () => {
    await read()
    fake.faults.vault.push(throttled('7'), throttled())
    const startMs = clock.now()
    expect((await read()).value.reveal()).toBe(VALUE)
    expect(clock.now() - startMs).toBeGreaterThanOrEqual(7000)
    expect(clock.now() - startMs).toBeLessThan(9000)
  })

  it('is not waited for longer than 30 seconds', async () => {
    const startMs = clock.now()
    fake.faults.vault.push(throttled('31'))
    expect(await failure()).toMatchObject({ code: 'THROTTLED', retryAfterMs: 31_000, retriable: true })
    expect(clock.now()).toBe(startMs)
    fake.faults.vault.push(...Array<VaultFault>(9).fill('silence'))
    expect((await failure()).code).toBe('VAULT_UNREACHABLE')
    expect(clock.now() - startMs).toBeLessThanOrEqual(30_000)
  })

  it('is asked five times when it fails, with growing pauses', async () => {
    const error = vaultError(503, 'ServiceUnavailable')
    fake.faults.vault.push(error, error, error, error)
    expect((await read()).value.reveal()).toBe(VALUE)
    expect(await codeAfter(error, error, error, error, error)).toBe('VAULT_FAILED')
    expect(fake.requestsTo()).toHaveLength(10)
  })

  it('leads elsewhere: nothing follows', async () => {
    for (const status of [301, 302, 307, 308]) {
      expect(await codeAfter({ status, body: '', headers: { location: 'https://evil.example/' } })).toBe(
        'UNEXPECTED_REDIRECT',
      )
    }
    expect(fake.requests.map(({ host }) => host).filter((host) => host !== IMDS && host !== fake.host)).toEqual([])
    expect(fake.requestsTo()).toHaveLength(4)
    fake.faults.token.push({ status: 302, body: '', headers: { location: 'https://evil.example/' } })
    vault = vaultWith()
    expect((await failure()).code).toBe('UNEXPECTED_REDIRECT')
  })

  it('is not believed if a fetch of others has followed a redirect', async () => {
    const following = async (url: string, init: RequestInit): Promise<Response> =>
      Object.defineProperty(await fake.fetch(url, init), 'redirected', { value: true })
    vault = createVault(settings(), { fetch: following, clock, env: {} })
    expect((await failure()).code).toBe('UNEXPECTED_REDIRECT')
  })

  it('answers garbage, or without end', async () => {
    const garbage = ['<html>', '{}', '{"value":"x"}', '{"value":7,"id":"https://x/secrets/ca/1"}', 'null'].map(
      (body) => ({ status: 200, body }),
    )
    expect(await codeAfter(...garbage)).toBe('VAULT_FAILED')
    fake.faults.vault.push({ status: 200, body: `{"value":"${'x'.repeat(300_000)}"}` })
    expect((await failure()).message).toContain('too large')
  })

  it('is read with a fetch that throws, rejects or hangs, and takes no notice of the signal', async () => {
    const fetches = [
      (): Promise<Response> => {
        throw new Error(VALUE)
      },
      (): Promise<Response> => Promise.reject(Object.assign(new Error(VALUE), { code: VALUE })),
      (): Promise<Response> => new Promise<Response>(() => undefined),
    ]
    for (const fetch of fetches) {
      vault = createVault(settings(), { fetch, clock, env: {} })
      expect((await failure()).code).toBe('IDENTITY_UNREACHABLE')
    }
  })

  it('has a clock of its own that runs', async () => {
    const [startMs, startWallMs] = [systemVaultClock.now(), systemVaultClock.wallNow()]
    systemVaultClock.after(0, () => expect.unreachable('it was cancelled')).cancel()
    await sleep(systemVaultClock, 1)
    expect(systemVaultClock.now()).toBeGreaterThan(startMs)
    expect(systemVaultClock.wallNow()).toBeGreaterThanOrEqual(startWallMs)
    expect(systemVaultClock.random()).toBeLessThan(1)
  })

  it('leaves no timer behind', async () => {
    await read()
    await failure('none')
    expect(clock.pendingMs).toEqual([])
  })
})
