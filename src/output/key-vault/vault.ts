import { ask, type Answer, type Silence, type VaultFetch } from './ask.ts'
import type { Environment } from './identity-endpoint.ts'
import { KeyVaultError } from './key-vault-error.ts'
import { problem, readSecret, type SecretPlace, type VaultSecret } from './secret-answer.ts'
import type { KeyVaultSettings } from './settings.ts'
import { TokenSource } from './token-source.ts'
import { systemVaultClock, type VaultClock } from './vault-clock.ts'
import { Deadline, withRetries } from './with-retries.ts'

const API_VERSION = '7.4'
const TRY_TIMEOUT_MS = 10_000
/** For a token, a secret, and all tries of both. */
const DEADLINE_MS = 30_000

export interface VaultDependencies {
  readonly fetch?: VaultFetch | undefined
  readonly clock?: VaultClock | undefined
  readonly env?: Environment | undefined
}

export interface Vault {
  /**
   * The current version of a secret, asked for anew at each call; those who ask at the same time share one answer.
   * Settles within 30 s.
   *
   * @throws {KeyVaultError} its `code` says why, its message what to do.
   */
  secret(name: string): Promise<VaultSecret>
}

/** An Azure Key Vault, read with the managed identity of this machine. It keeps a token, and no secrets. */
export function createVault(
  settings: Pick<KeyVaultSettings, 'host' | 'resource' | 'clientId'>,
  { fetch = globalThis.fetch, clock = systemVaultClock, env = process.env }: VaultDependencies = {},
): Vault {
  return new KeyVault(settings, { fetch, clock, env })
}

class KeyVault implements Vault {
  readonly #place: Omit<SecretPlace, 'name'>
  readonly #fetch: VaultFetch
  readonly #clock: VaultClock
  readonly #tokens: TokenSource
  readonly #flights = new Map<string, Promise<VaultSecret>>()

  constructor(
    { host, resource, clientId }: Pick<KeyVaultSettings, 'host' | 'resource' | 'clientId'>,
    { fetch, clock, env }: { fetch: VaultFetch; clock: VaultClock; env: Environment },
  ) {
    this.#place = { host, resource }
    this.#fetch = fetch
    this.#clock = clock
    this.#tokens = new TokenSource({ fetch, clock, env, resource, clientId })
  }

  async secret(name: string): Promise<VaultSecret> {
    const flight = this.#flights.get(name) ?? this.#read(name).finally(() => this.#flights.delete(name))
    this.#flights.set(name, flight)
    return await flight
  }

  async #read(name: string): Promise<VaultSecret> {
    const place = { ...this.#place, name }
    const deadline = new Deadline(this.#clock, DEADLINE_MS)
    const path = `secrets/${encodeURIComponent(name)}`
    try {
      return await withRetries(this.#clock, deadline, async () =>
        readSecret(await this.#ask(path, deadline), place, this.#clock.wallNow()),
      )
    } catch (error) {
      if (!(error instanceof KeyVaultError) || error.code !== 'SECRET_NOT_FOUND') throw error
      throw (await this.#isDeleted(name, deadline)) ? deleted(place) : error
    }
  }

  /** A token that is refused may have been taken back: with a new one it is tried once more. */
  async #ask(path: string, deadline: Deadline): Promise<Answer | Silence> {
    const token = await this.#tokens.get(deadline)
    const answer = await this.#askWith(token.reveal(), path, deadline)
    if ('kind' in answer || answer.status !== 401) return answer
    this.#tokens.forget(token)
    const next = await this.#tokens.get(deadline)
    return await this.#askWith(next.reveal(), path, deadline)
  }

  async #askWith(token: string, path: string, deadline: Deadline): Promise<Answer | Silence> {
    const url = `https://${this.#place.host}/${path}?api-version=${API_VERSION}`
    const timeoutMs = Math.min(TRY_TIMEOUT_MS, deadline.leftMs)
    return await ask(url, { authorization: `Bearer ${token}` }, { fetch: this.#fetch, clock: this.#clock, timeoutMs })
  }

  /** One try: whoever may read secrets need not be allowed to see deleted ones, and then it is just not found. */
  async #isDeleted(name: string, deadline: Deadline): Promise<boolean> {
    try {
      const answer = await this.#ask(`deletedsecrets/${encodeURIComponent(name)}`, deadline)
      return 'status' in answer && answer.status === 200
    } catch (error) {
      if (error instanceof KeyVaultError) return false // no token any more; that it is not there is known
      throw error
    }
  }
}

function deleted(place: SecretPlace): KeyVaultError {
  const what = `it was deleted, and can be recovered: az keyvault secret recover --vault-name ${place.host.split('.')[0]} --name ${place.name}`
  return problem('SECRET_DELETED', place, what, { status: 404 })
}
