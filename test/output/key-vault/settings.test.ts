import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkKeyVault } from '../../../src/output/key-vault/settings.ts'
import { settings } from './support.ts'

function problems(given: unknown): readonly string[] {
  const checked = checkKeyVault(given)
  return 'problems' in checked ? checked.problems : []
}

function problemsOf(given: object): readonly string[] {
  return problems({ vaultName: 'team-vault', truststoreSecret: 'ca', ...given })
}

describe('keyVault', () => {
  it('leads to the vault of that name in the public cloud', () => {
    expect(settings()).toEqual({
      ...{ host: 'team-vault.vault.azure.net', resource: 'https://vault.azure.net' },
      ...{ truststoreSecret: 'ca', clientCertificateSecret: undefined, clientId: undefined, refreshIntervalMs: 0 },
    })
  })

  it.each([
    ['https://team-vault.vault.azure.net', 'team-vault.vault.azure.net', 'https://vault.azure.net'],
    ['https://Team-Vault.vault.azure.cn/', 'team-vault.vault.azure.cn', 'https://vault.azure.cn'],
    ['https://t-1.vault.usgovcloudapi.net:443', 't-1.vault.usgovcloudapi.net', 'https://vault.usgovcloudapi.net'],
  ])('takes %s, and asks for a token for the same cloud', (vaultUrl, host, resource) => {
    expect(settings({ vaultName: undefined, vaultUrl })).toMatchObject({ host, resource })
  })

  it.each([
    'http://team-vault.vault.azure.net',
    'https://team-vault.vault.azure.net:8443',
    'https://team-vault.vault.azure.net/secrets/ca',
    'https://team-vault.vault.azure.net.evil.example',
    'https://evil.example/team-vault.vault.azure.net',
    'https://evil.example#.vault.azure.net',
    'https://a.b.vault.azure.net',
    'https://vault.azure.net',
    'https://evilvault.azure.net',
    'https://team-vault.managedhsm.azure.net',
    'https://169.254.169.254/',
    'file:///etc/passwd',
    'team-vault.vault.azure.net',
    '',
    7,
  ])('refuses the address %s', (vaultUrl) => {
    const [problem, ...others] = problemsOf({ vaultName: undefined, vaultUrl })
    expect(problem).toMatch(/^keyVault\.vaultUrl: got .*, expected one of https:\/\/<name>\.vault\.azure\.net, /)
    expect(others).toEqual([])
  })

  it('does not show what may be a password in an address', () => {
    const found = problemsOf({ vaultName: undefined, vaultUrl: 'https://me:hunter2@x.vault.azure.net/?sig=hunter3' })
    expect(found).toHaveLength(1)
    expect(found[0]).not.toMatch(/hunter/)
    expect(problemsOf({ truststoreSecret: '-----BEGIN PRIVATE KEY-----\nhunter2' })[0]).not.toMatch(/hunter/)
  })

  it('never leads to another host than a vault, whatever the name', () => {
    const piece = fc.constantFrom('a', 'vault', '.', '-', '/', '@', '#', '?', ':', '\\', '%2e', '9', '\n', 'azure.net')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.boolean(), (pieces, isUrl) => {
        const text = pieces.join('')
        const where = isUrl ? { vaultUrl: `https://${text}.vault.azure.net` } : { vaultName: text }
        const checked = checkKeyVault({ ...where, truststoreSecret: 'ca' })
        if ('problems' in checked) return
        expect(checked.value.host).toMatch(/^[a-z][a-z0-9-]*\.vault\.azure\.net$/)
        expect(new URL(`https://${checked.value.host}/`).hostname).toBe(checked.value.host)
      }),
    )
  })

  it.each(['ab', '9lives', 'has--two', 'ends-', 'a'.repeat(25), 'under_score', 'team-vault.vault.azure.net', null])(
    'refuses the name %s',
    (vaultName) => {
      expect(problemsOf({ vaultName })).toEqual([expect.stringMatching(/^keyVault\.vaultName: got /)])
    },
  )

  it.each(['', 'a/b', 'under_score', 'x'.repeat(128), '../keys', 5])('refuses the secret %s', (truststoreSecret) => {
    expect(problemsOf({ truststoreSecret })).toEqual([expect.stringMatching(/^keyVault\.truststoreSecret: got /)])
  })

  it('knows both kinds of identities, in any spelling', () => {
    const clientId = '12345678-1234-1234-1234-1234567890AB'
    expect(settings({ identity: { type: 'userassigned', clientId } }).clientId).toBe(clientId)
    expect(settings({ identity: { type: 'SYSTEMASSIGNED' } }).clientId).toBeUndefined()
    const wrong = [
      { type: 'UserAssigned' },
      { type: 'UserAssigned', clientId: 'me' },
      { type: 'SystemAssigned', clientId },
      { type: 'Other' },
      'UserAssigned',
    ]
    for (const identity of wrong) {
      expect(problemsOf({ identity })).toEqual([expect.stringMatching(/^keyVault\.identity(\.\w+)?: got /)])
    }
  })

  it('says all that is wrong at once', () => {
    const found = problems({ vaultName: '!', truststoreSecret: '', vaultname: 'x', refreshIntervalMs: 5, identity: {} })
    expect(found.map((problem) => problem.split(':')[0])).toEqual([
      ...['keyVault', 'keyVault.vaultName', 'keyVault.truststoreSecret', 'keyVault.identity.type'],
      'keyVault.refreshIntervalMs',
    ])
    expect(problems({})).toEqual([expect.stringContaining('names no vault')])
    expect(problems({ vaultName: 'abc' })).toEqual([expect.stringContaining('names no secret')])
    expect(problems(null)).toHaveLength(1)
  })
})
