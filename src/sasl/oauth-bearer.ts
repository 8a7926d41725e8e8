import type { Clock } from '../clock.ts'
import { say, SaslProblem, type Exchange } from './exchange.ts'
import { Expiring } from './expiring.ts'
import { checkToken, clientInitialResponse, readErrorDocument, type OAuthToken } from './oauth-messages.ts'
import { askProvider, PROVIDER_TIMEOUT_MS } from './provided.ts'
import { renewTokenAfterMs } from './renewal.ts'

/** How a broker is told that its error document was read. */
const ACKNOWLEDGED = Uint8Array.of(1)

/** Asks `provide` for tokens, once for all connections that log in at the same time. */
export function tokenSource(provide: () => unknown, clock: Clock): Expiring<OAuthToken> {
  return new Expiring({
    clock,
    fetch: async () => {
      const value = checkToken(await askProvider('sasl.token', provide, clock))
      return { value, expiresAtMs: value.expiresAtMs }
    },
    renewAfterMs: renewTokenAfterMs,
    // The function has this long; its own message is the better one.
    timeoutMs: PROVIDER_TIMEOUT_MS + 1000,
  })
}

export interface OAuthBearerOptions {
  readonly tokens: Expiring<OAuthToken>
  readonly clock: Clock
  readonly authorizationId?: string
}

/**
 * OAUTHBEARER: the token, and an empty answer if it is taken.
 *
 * Source: RFC 7628; KIP-255 and KIP-768.
 */
export async function* oauthBearer({ tokens, clock, authorizationId }: OAuthBearerOptions): Exchange {
  const { value: token, isReused } = await tokens.get()
  const secrets = [token.value]
  try {
    const document = yield* say(clientInitialResponse(token, authorizationId), secrets)
    if (document.length === 0) return {}
    throw yield* refused(readErrorDocument(document, secrets), secrets)
  } catch (error) {
    if (!(error instanceof SaslProblem)) throw error
    tokens.forget(token)
    // It may have been revoked since it was fetched; the next one is a new one.
    const details = { errorCode: error.errorCode, cause: error.cause, retriable: error.retriable || isReused }
    throw new SaslProblem(`${error.message}${expiry(token, clock)}`, details)
  }
}

/** The broker has said why; now it wants to be told that it was heard, and refuses. Whatever it does, this is the end. */
function* refused(why: string, secrets: readonly string[]): Generator<Uint8Array, SaslProblem, Uint8Array> {
  try {
    yield* say(ACKNOWLEDGED, secrets)
    return new SaslProblem(why)
  } catch (error) {
    if (!(error instanceof SaslProblem)) throw error
    return new SaslProblem(`${why}; ${error.message}`, { errorCode: error.errorCode })
  }
}

function expiry({ expiresAtMs }: OAuthToken, clock: Clock): string {
  if (expiresAtMs === undefined || expiresAtMs > clock.wallNow()) return ''
  return ` (by our clock the token has expired at ${new Date(expiresAtMs).toISOString()})`
}
