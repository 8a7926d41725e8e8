import { afterEach, beforeEach, expect, it } from 'vitest'
import { createVault } from '../../../src/output/key-vault/vault.ts'
import { settings, vaultErrorOf } from '../../output/key-vault/support.ts'
import { canarySecret } from '../../support/canary.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeVault, throttled, vaultError } from '../../support/fake-vault.ts'
import { describeWhere } from '../../support/kafka/require-brokers.ts'
import { azureClient, azureClientAvailable, type AzureClient } from './azure-client.ts'

const VALUE = canarySecret('a value in the vault')

let clock: FakeClock
let fake: FakeVault
let theirs: AzureClient

describeWhere(await azureClientAvailable(), "the vault emulator, before Azure's own client", () => {
  beforeEach(async () => {
    clock = new FakeClock()
    fake = new FakeVault(() => clock.wallNow())
    await fake.listen()
    theirs = azureClient(fake, async () => {
      // One of the emulator's own tokens, as our client gets them.
      const query = 'api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net'
      const url = `http://169.254.169.254/metadata/identity/oauth2/token?${query}`
      const response = await fake.fetch(url, { headers: { Metadata: 'true' } })
      return ((await response.json()) as { access_token: string }).access_token
    })
  })
  afterEach(() => fake.close())

  it('asa-Z8: understands its challenge, and reads from it what we read', async () => {
    const exp = Math.floor(clock.wallNow() / 1000) + 3600
    fake.set('ca', 'an old value')
    const version = fake.set('ca', VALUE, { exp }, 'application/x-pem-file')
    const secret = await theirs.getSecret('ca')
    expect(secret).toMatchObject({
      ...{ name: 'ca', value: VALUE },
      properties: { version, vaultUrl: `https://${fake.host}`, enabled: true, expiresOn: new Date(exp * 1000) },
    })
    // It asks without a token first, and does as the answer says.
    expect(fake.requestsTo().map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      `Bearer ${fake.tokens[0]}`,
    ])
    const ours = await fake.settle(clock, createVault(settings(), { fetch: fake.fetch, clock, env: {} }).secret('ca'))
    expect([ours.value.reveal(), ours.version]).toEqual([VALUE, version])
  })

  it.each<[string, () => void, object, string]>([
    ['a secret that is not there', () => undefined, { statusCode: 404, code: 'SecretNotFound' }, 'SECRET_NOT_FOUND'],
    [
      'a secret that is disabled',
      () => {
        fake.set('ca', VALUE)
        fake.disable('ca')
      },
      // Its model's spelling; what it read is `innererror`.
      { statusCode: 403, code: 'Forbidden', details: { error: { innerError: { code: 'SecretDisabled' } } } },
      'SECRET_DISABLED',
    ],
    ['no role', () => (fake.forbidden = 'ForbiddenByRbac'), { statusCode: 403 }, 'IDENTITY_NOT_ALLOWED'],
    ['a firewall', () => (fake.forbidden = 'ForbiddenByFirewall'), { statusCode: 403 }, 'NETWORK_NOT_ALLOWED'],
  ])('asa-Z8: is refused as we are: %s', async (_, prepare, expected, code) => {
    prepare()
    await expect(theirs.getSecret('ca')).rejects.toMatchObject({ name: 'RestError', ...expected })
    const vault = createVault(settings(), { fetch: fake.fetch, clock, env: {} })
    expect((await vaultErrorOf(fake.settle(clock, vault.secret('ca')))).code).toBe(code)
  })

  it('asa-Z8: finds a deleted secret among the deleted ones', async () => {
    fake.set('ca', VALUE)
    fake.delete('ca')
    await expect(theirs.getSecret('ca')).rejects.toMatchObject({ statusCode: 404, code: 'SecretNotFound' })
    expect(await theirs.getDeletedSecret('ca')).toMatchObject({ recoveryId: expect.stringContaining('ca') as string })
  })

  it('asa-Z8: takes throttling and failures for what they are', async () => {
    fake.set('ca', VALUE)
    await theirs.getSecret('ca')
    fake.faults.vault.push(throttled())
    await expect(theirs.getSecret('ca')).rejects.toMatchObject({ statusCode: 429, code: 'Throttled' })
    fake.faults.vault.push(vaultError(503, 'ServiceUnavailable'))
    await expect(theirs.getSecret('ca')).rejects.toMatchObject({ statusCode: 503 })
  })
})
