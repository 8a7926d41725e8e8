import { KeyVaultError } from '../../../src/output/key-vault/key-vault-error.ts'
import { checkKeyVault, type KeyVaultSettings } from '../../../src/output/key-vault/settings.ts'

/** The option `keyVault`, checked; it must be fine. */
export function settings(given: object = {}): KeyVaultSettings {
  const checked = checkKeyVault({ vaultName: 'team-vault', truststoreSecret: 'ca', ...given })
  if ('problems' in checked) throw new Error(checked.problems.join('; '))
  return checked.value
}

/** What a promise rejects with, which must be a `KeyVaultError`. */
export async function vaultErrorOf(promise: Promise<unknown>): Promise<KeyVaultError> {
  const settled = await promise.then(
    () => new Error('did not reject'),
    (error: unknown) => error,
  )
  if (settled instanceof KeyVaultError) return settled
  throw new Error('no KeyVaultError', { cause: settled })
}
