import { readClientCertificate, readTruststore } from './secret-pem.ts'
import type { VaultSecret } from './secret-answer.ts'
import type { KeyVaultSettings } from './settings.ts'
import type { Vault } from './vault.ts'
import { systemVaultClock, type VaultClock } from './vault-clock.ts'

/** How long a connection waits for a newer version while it has one that it can use. */
const PATIENCE_MS = 2000

/** What goes into a producer's option `tls`. */
export interface VaultTlsOptions {
  readonly ca?: readonly string[]
  readonly cert?: string
  readonly key?: string
}

/** What became of a refresh; nothing is told while versions stay the same. */
export type VaultRefresh =
  | { readonly kind: 'renewed'; readonly versions: Versions; readonly previous: Versions }
  /** What was there before is used further. */
  | { readonly kind: 'failed'; readonly error: unknown }

/** Version by name of secret. */
export type Versions = Readonly<Record<string, string>>

export interface VaultTlsDependencies {
  readonly clock?: VaultClock | undefined
  readonly onRefresh?: ((refresh: VaultRefresh) => void) | undefined
}

interface Held {
  readonly options: VaultTlsOptions
  readonly versions: Versions
}

/**
 * Certificates and key from the vault, for a producer's option `tls`: `tls: () => vaultTls.options()`.
 *
 * A producer asks at each new connection, so a new version of a secret takes effect without a restart, on connections that
 * are made after it was seen. There is no timer: whoever asks later than `refreshIntervalMs` after the last look has the
 * vault looked at. What cannot be read then leaves the old one in place, however often it fails.
 */
export class VaultTls {
  readonly #settings: KeyVaultSettings
  readonly #vault: Vault
  readonly #clock: VaultClock
  readonly #onRefresh: (refresh: VaultRefresh) => void
  #held: Held | null = null
  #lookedAtMs = 0
  #flight: Promise<Held> | null = null

  constructor(settings: KeyVaultSettings, vault: Vault, dependencies: VaultTlsDependencies = {}) {
    this.#settings = settings
    this.#vault = vault
    this.#clock = dependencies.clock ?? systemVaultClock
    this.#onRefresh = dependencies.onRefresh ?? (() => undefined)
  }

  /** @throws {KeyVaultError} the first time: a secret cannot be had, or is not what it should be. The next call asks anew. */
  async options(): Promise<VaultTlsOptions> {
    const held = this.#held
    if (held === null) return (await this.#look()).options
    if (!this.#isDue()) return held.options
    return (await this.#soonOr(held)).options
  }

  #isDue(): boolean {
    const { refreshIntervalMs } = this.#settings
    return refreshIntervalMs > 0 && this.#clock.now() - this.#lookedAtMs >= refreshIntervalMs
  }

  #soonOr(held: Held): Promise<Held> {
    return new Promise((resolve) => {
      const useHeld = (): void => resolve(held)
      const timer = this.#clock.after(PATIENCE_MS, useHeld)
      void this.#look()
        .then(resolve, useHeld)
        .finally(() => timer.cancel())
    })
  }

  #look(): Promise<Held> {
    this.#flight ??= this.#refresh().finally(() => (this.#flight = null))
    return this.#flight
  }

  async #refresh(): Promise<Held> {
    const previous = this.#held
    this.#held = await this.#read(previous).catch((error: unknown) => {
      if (previous === null) throw error
      this.#tell({ kind: 'failed', error })
      return previous
    })
    this.#lookedAtMs = this.#clock.now()
    if (previous !== null && this.#held !== previous) {
      this.#tell({ kind: 'renewed', versions: this.#held.versions, previous: previous.versions })
    }
    return this.#held
  }

  /** Both secrets together, or none: a certificate may have changed with the authority. */
  async #read(previous: Held | null): Promise<Held> {
    const { truststoreSecret, clientCertificateSecret, host } = this.#settings
    const secret = async (name: string | undefined): Promise<VaultSecret | null> =>
      name === undefined ? null : await this.#vault.secret(name)
    const [truststore, client] = await Promise.all([secret(truststoreSecret), secret(clientCertificateSecret)])
    const read = [truststore, client].filter((secret) => secret !== null)
    const versions = Object.fromEntries(read.map(({ name, version }) => [name, version]))
    if (previous !== null && read.every(({ name, version }) => previous.versions[name] === version)) return previous
    const checking = { host, nowMs: this.#clock.wallNow() }
    const ca = truststore === null ? {} : { ca: readTruststore(truststore, checking) }
    const own = client === null ? {} : readClientCertificate(client, checking)
    return { options: { ...ca, ...own }, versions }
  }

  #tell(refresh: VaultRefresh): void {
    try {
      this.#onRefresh(refresh)
    } catch {
      // What a listener throws is not the connection's business, which waits for its certificates.
    }
  }
}
