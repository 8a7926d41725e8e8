import { OptionError } from '../../errors.ts'
import { malformed, NOTHING, Refused, refused, type ServerExchange } from './server-exchange.ts'

/** A token that is good, and whose. */
export interface TakenToken {
  readonly principal: string
  /** Wall clock, milliseconds since the Unix epoch; the session ends with it. Default: never. */
  readonly expiresAtMs?: number | undefined
}

/** A token that is not: what the error document says. */
export interface RefusedToken {
  /** As in RFC 6750: `invalid_token`, `insufficient_scope`, `invalid_request`. */
  readonly status: string
  readonly scope?: string | undefined
}

/** Judges a token: whose it is, or why it is not taken. What it throws is a token that is not taken, too. */
export type VerifyToken = (
  token: string,
  extensions: Readonly<Record<string, string>>,
) => string | TakenToken | RefusedToken

/** OAuthBearerClientInitialResponse of Apache Kafka. */
const NAME = '(?:[\\x01-\\x2b\\x2d-\\x3c\\x3e-\\x7f]|=2C|=3D)+'
const PAIRS = '(?:[A-Za-z]+=[\\x21-\\x7e \\t\\r\\n]+\\x01)*'
const INITIAL_RESPONSE = new RegExp(`^n,(?:a=(?<authorizationId>${NAME}))?,\\x01(?<pairs>${PAIRS})\\x01$`)
const BEARER = /^bearer +(?<token>[-_~+/.a-zA-Z0-9]+=*)$/i
const ACKNOWLEDGED = '\x01'

/**
 * OAUTHBEARER. A token that is not taken is answered with an error document, and after the client has read it with an
 * error that says the same.
 *
 * Source: RFC 7628; OAuthBearerSaslServer of Apache Kafka.
 */
export function* oauthBearerServer(verify: VerifyToken, first: Buffer): ServerExchange {
  for (let said = first; ;) {
    const { token, authorizationId, extensions } = readInitialResponse(said)
    const verdict = judge(verify, token, extensions)
    if ('principal' in verdict) {
      const { principal, expiresAtMs } = verdict
      checkAuthorizationId(authorizationId, principal)
      return { name: principal, answer: NOTHING, expiresAtMs }
    }
    const { status, scope } = verdict
    const document = JSON.stringify(scope === undefined ? { status } : { status, scope })
    said = yield Buffer.from(document)
    if (said.toString() === ACKNOWLEDGED) throw refused(document)
  }
}

/** @throws {OptionError} `verify` gave something else, a promise for example: a mistake in the test. */
function judge(
  verify: VerifyToken,
  token: string,
  extensions: Readonly<Record<string, string>>,
): TakenToken | RefusedToken {
  let verdict: unknown
  try {
    verdict = verify(token, extensions)
  } catch {
    // Documented: whoever throws does not take it. What was thrown may hold the token.
    return { status: 'invalid_token' }
  }
  if (typeof verdict === 'string') return { principal: verdict }
  const isVerdict = typeof verdict === 'object' && verdict !== null && ('principal' in verdict || 'status' in verdict)
  if (isVerdict) return verdict as TakenToken | RefusedToken
  const what = 'sasl.verifyToken must give a principal or a status, at once'
  throw new OptionError('INVALID_ARGUMENT', `TestCluster: INVALID_ARGUMENT: ${what}`)
}

interface InitialResponse {
  readonly token: string
  readonly authorizationId: string
  readonly extensions: Readonly<Record<string, string>>
}

function readInitialResponse(said: Buffer): InitialResponse {
  const { authorizationId = '', pairs } = INITIAL_RESPONSE.exec(said.toString())?.groups ?? {}
  if (pairs === undefined) throw malformed('the OAUTHBEARER message is malformed')
  const entries = pairs
    .split('\x01')
    .filter((pair) => pair !== '')
    .map((pair): [string, string] => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
  const { auth, ...extensions } = Object.fromEntries(entries) as Record<string, string>
  const token = BEARER.exec(auth ?? '')?.groups?.['token']
  if (token === undefined) throw malformed('the OAUTHBEARER message holds no bearer token')
  return { token, authorizationId, extensions }
}

function checkAuthorizationId(authorizationId: string, principal: string): void {
  const id = authorizationId.replaceAll('=2C', ',').replaceAll('=3D', '=')
  if (id === '' || id === principal) return
  throw refused(
    `Authentication failed: Client requested an authorization id (${id}) that is different from the token's principal name (${principal})`,
  )
}

/**
 * What a broker does that was told nothing else: takes JSON web tokens without a signature, which say in `sub` whose they
 * are and in `exp` until when. For tests only, there as here.
 *
 * Source: OAuthBearerUnsecuredValidatorCallbackHandler of Apache Kafka.
 */
export function unsecuredTokens(wallNow: () => number): VerifyToken {
  return (token) => {
    const [header = '', body = '', signature] = token.split('.')
    const { alg } = claimsOf(header)
    const { sub, exp } = claimsOf(body)
    if (alg !== 'none' || signature !== '' || typeof sub !== 'string' || sub === '' || typeof exp !== 'number') {
      return { status: 'invalid_token' }
    }
    const expiresAtMs = exp * 1000
    return expiresAtMs > wallNow() ? { principal: sub, expiresAtMs } : { status: 'invalid_token' }
  }
}

/** @throws SyntaxError for what is no JSON: a token that is not taken. */
function claimsOf(part: string): Readonly<Record<string, unknown>> {
  const claims: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
  if (typeof claims !== 'object' || claims === null) throw new Refused('a token whose parts are no objects')
  return claims as Record<string, unknown>
}
