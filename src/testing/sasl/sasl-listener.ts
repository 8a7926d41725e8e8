import type { Clock } from '../../clock.ts'
import { oauthBearerServer, unsecuredTokens, type VerifyToken } from './oauth-bearer-server.ts'
import { plainServer } from './plain-server.ts'
import type { ResolvedSasl, SaslMechanismName } from './sasl-options.ts'
import { scramServer } from './scram-server.ts'
import type { ServerExchange } from './server-exchange.ts'
import { Users } from './users.ts'

/** What the brokers' listeners with SASL share: who may come in, how, and for how long. Can be changed at any time. */
export class SaslListener {
  readonly mechanisms: readonly SaslMechanismName[]
  readonly users: Users
  /** 0: for ever. */
  sessionLifetimeMs: bigint
  readonly #verifyToken: VerifyToken

  constructor({ users, mechanisms, sessionLifetimeMs, verifyToken, iterations }: ResolvedSasl, clock: Clock) {
    this.mechanisms = mechanisms
    this.sessionLifetimeMs = sessionLifetimeMs
    this.#verifyToken = verifyToken ?? unsecuredTokens(() => clock.wallNow())
    this.users = new Users(iterations)
    for (const [name, password] of users) this.users.set(name, password)
  }

  /** @param said what the client says first. */
  begin(mechanism: SaslMechanismName, said: Buffer): ServerExchange {
    switch (mechanism) {
      case 'PLAIN':
        return plainServer(this.users, said)
      case 'SCRAM-SHA-256':
        return scramServer('sha256', this.users, said)
      case 'SCRAM-SHA-512':
        return scramServer('sha512', this.users, said)
      case 'OAUTHBEARER':
        return oauthBearerServer(this.#verifyToken, said)
    }
  }
}
