import type { Clock } from '../clock.ts'
import { Secret } from '../secret.ts'
import { AwsLogins } from './aws-login.ts'
import type { Exchange } from './exchange.ts'
import { oauthBearer, tokenSource } from './oauth-bearer.ts'
import type { MechanismName, SaslSettings } from './options.ts'
import { plain } from './plain.ts'
import type { Exposure } from './plaintext.ts'
import { reveal } from './provided.ts'
import { scram } from './scram.ts'
import type { Fetch } from './sts.ts'

export interface LoginTarget {
  /** The broker's name, without port: the advertised one, which AWS_MSK_IAM signs. */
  readonly host: string
  /** The deadline; what waits in a queue is not begun after it. */
  readonly signal?: AbortSignal | undefined
}

/** A way to log in, with what it remembers between logins: one for all connections of a producer. */
export interface Mechanism {
  /** In the spelling of SaslHandshake. */
  readonly name: MechanismName
  /** Whom errors name; null: there is no name. */
  readonly user: string | null
  readonly exposure: Exposure
  /** No function was given for the credentials: the next login would say the same again. */
  readonly isFixed: boolean
  /** A login, or another one on the same connection; give it to `runExchange`. */
  begin(target: LoginTarget): Exchange
}

/** What a mechanism takes from the process. */
export interface Surroundings {
  readonly clock: Clock
  readonly fetch?: Fetch
  readonly env?: Readonly<NodeJS.ProcessEnv>
}

/** @param settings what `resolveSasl` gave. */
export function createMechanism(settings: SaslSettings, surroundings: Surroundings): Mechanism {
  const { mechanism: name } = settings
  const { clock } = surroundings
  switch (name) {
    case 'PLAIN': {
      const { username, authorizationId } = settings
      const credentials = {
        username,
        authorizationId,
        password: () => reveal('sasl.password', settings.password, clock),
      }
      return {
        name,
        user: username,
        exposure: 'secret',
        isFixed: settings.password instanceof Secret,
        begin: () => plain(credentials),
      }
    }
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512': {
      const { username, authorizationId, maxIterations } = settings
      const credentials = {
        username,
        authorizationId,
        password: () => reveal('sasl.password', settings.password, clock),
      }
      const hash = name === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
      const begin = ({ signal }: LoginTarget): Exchange => scram(hash, credentials, { maxIterations, signal })
      return { name, user: username, exposure: 'none', isFixed: settings.password instanceof Secret, begin }
    }
    case 'OAUTHBEARER': {
      const { token, authorizationId } = settings
      const tokens = tokenSource(typeof token === 'function' ? token : () => token.reveal(), clock)
      const begin = (): Exchange => oauthBearer({ tokens, clock, authorizationId })
      return { name, user: null, exposure: 'secret', isFixed: token instanceof Secret, begin }
    }
    case 'AWS_MSK_IAM': {
      const { fetch = globalThis.fetch, env = process.env } = surroundings
      const logins = new AwsLogins(settings, { clock, fetch, env })
      const { credentials, roleArn } = settings
      const isFixed = typeof credentials === 'object' && roleArn === undefined
      return { name, user: roleArn ?? null, exposure: 'tls', isFixed, begin: ({ host }) => logins.begin(host) }
    }
  }
}
