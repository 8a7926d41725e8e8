import { ask, type VaultFetch } from './ask.ts'
import { identityEndpoint, type Environment } from './identity-endpoint.ts'
import type { SecretText } from './secret-text.ts'
import { readToken, type Token } from './token-answer.ts'
import type { VaultClock } from './vault-clock.ts'
import type { Deadline } from './with-retries.ts'

/** Before its end a token is renewed; Azure's own clients take the same. */
const RENEW_BEFORE_MS = 300_000
/** The endpoints are on this machine, or next to it. */
const TRY_TIMEOUT_MS = 3000

export interface TokenSourceOptions {
  readonly fetch: VaultFetch
  readonly clock: VaultClock
  readonly env: Environment
  readonly resource: string
  readonly clientId: string | undefined
}

/** Tokens of the managed identity: one for all who ask at the same time, kept until it is about to expire. */
export class TokenSource {
  readonly #options: TokenSourceOptions
  #held: (Token & { readonly expiresAtMs: number }) | null = null
  #flight: Promise<SecretText> | null = null

  constructor(options: TokenSourceOptions) {
    this.#options = options
  }

  /** @throws {KeyVaultError} there is no token, and none left that is still good. */
  async get(deadline: Deadline): Promise<SecretText> {
    const leftMs = this.#leftMs()
    if (this.#held !== null && leftMs > RENEW_BEFORE_MS) return this.#held.token
    this.#flight ??= this.#renew(deadline, leftMs > 0).finally(() => (this.#flight = null))
    return await this.#flight
  }

  /** It was refused: the next who asks gets another one. */
  forget(token: SecretText): void {
    if (this.#held?.token === token) this.#held = null
  }

  #leftMs(): number {
    return this.#held === null ? 0 : this.#held.expiresAtMs - this.#options.clock.wallNow()
  }

  /** One try: whoever needs the token tries again, together with the secret that it is for. */
  async #renew(deadline: Deadline, isHeldGood: boolean): Promise<SecretText> {
    const held = this.#held
    try {
      const { token, expiresAtMs } = await this.#fetch(deadline)
      this.#held = expiresAtMs === null ? null : { token, expiresAtMs }
      return token
    } catch (error) {
      if (isHeldGood && held !== null) return held.token
      throw error
    }
  }

  async #fetch(deadline: Deadline): Promise<Token> {
    const { fetch, clock, env, resource, clientId } = this.#options
    const endpoint = identityEndpoint(env, { resource, clientId })
    const timeoutMs = Math.min(TRY_TIMEOUT_MS, deadline.leftMs)
    const answer = await ask(endpoint.url, endpoint.headers, { fetch, clock, timeoutMs })
    return readToken(answer, endpoint, clientId !== undefined, clock.wallNow())
  }
}
