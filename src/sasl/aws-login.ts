import type { Clock } from '../clock.ts'
import { VERSION } from '../version.ts'
import { credentialSource, type CredentialSource, type HeldCredentials } from './aws-credentials.ts'
import { awsMskIam } from './aws-msk-iam.ts'
import { chooseRegion } from './aws-region.ts'
import { SaslProblem, type Exchange } from './exchange.ts'
import type { Expiring } from './expiring.ts'
import type { AwsSettings } from './options.ts'
import { roleCredentials, type Fetch } from './sts.ts'

export interface AwsSurroundings {
  readonly clock: Clock
  readonly fetch: Fetch
  readonly env: Readonly<NodeJS.ProcessEnv>
}

/** Logs in to MSK with IAM, as the owner of the credentials or in a role. */
export class AwsLogins {
  readonly #settings: AwsSettings
  readonly #surroundings: AwsSurroundings
  readonly #own: CredentialSource
  /** By region: the brokers of one cluster are in one. */
  readonly #roles = new Map<string, Expiring<HeldCredentials>>()

  constructor(settings: AwsSettings, surroundings: AwsSurroundings) {
    this.#settings = settings
    this.#surroundings = surroundings
    this.#own = credentialSource(settings.credentials, surroundings)
  }

  /** @param host the broker's advertised name, without port. */
  async *begin(host: string): Exchange {
    const { env, clock } = this.#surroundings
    const region = chooseRegion(host, this.#settings.region, env)
    const login = { host, region, clock, userAgent: this.#settings.userAgent ?? `headrace/${VERSION}` }
    const role = this.#roleIn(region)
    if (role === null) return yield* awsMskIam({ ...login, credentials: this.#own })
    let last: { readonly value: HeldCredentials; readonly isReused: boolean } | null = null
    const credentials = async (isAnew: boolean): Promise<HeldCredentials> => {
      if (isAnew && last !== null) role.forget(last.value)
      return (last = await role.get()).value
    }
    try {
      return yield* awsMskIam({ ...login, credentials })
    } catch (error) {
      if (!(error instanceof SaslProblem)) throw error
      throw refused(role, last, error)
    }
  }

  /** Null: no role is to be assumed. */
  #roleIn(region: string): Expiring<HeldCredentials> | null {
    const { roleArn, roleSessionName, roleDurationSeconds: durationSeconds, externalId } = this.#settings
    if (roleArn === undefined) return null
    const role = { roleArn, roleSessionName, durationSeconds, externalId, region }
    const { clock, fetch } = this.#surroundings
    const known = this.#roles.get(region) ?? roleCredentials(role, { credentials: this.#own, clock, fetch })
    this.#roles.set(region, known)
    return known
  }
}

/** The role may have been taken away and given again since it was assumed: the next login assumes it anew. */
function refused(
  role: Expiring<HeldCredentials>,
  used: { readonly value: HeldCredentials; readonly isReused: boolean } | null,
  problem: SaslProblem,
): SaslProblem {
  if (used === null) return problem
  role.forget(used.value)
  const { message, errorCode, cause, retriable } = problem
  return new SaslProblem(message, { errorCode, cause, retriable: retriable || used.isReused })
}
