import type { Clock } from '../clock.ts'
import { Secret } from '../secret.ts'
import { askProvider, kindOf } from './provided.ts'
import { CredentialsProblem } from './exchange.ts'

/** What AWS's SDKs call an identity. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  /** With temporary credentials: when they end. */
  readonly expiration?: Date | undefined
}

/** The same, held so that it cannot be printed. */
export interface HeldCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
  readonly sessionToken: Secret | undefined
  readonly expiresAtMs: number | undefined
}

/** A credential provider of AWS's SDK takes this: `forceRefresh` asks it not to give what it has kept. */
export type AwsCredentialProvider = (options?: { forceRefresh?: boolean }) => AwsCredentials | Promise<AwsCredentials>

export type CredentialSource = (isAnew: boolean) => Promise<HeldCredentials>

/** Under this much life left, credentials are asked for anew instead of being used. */
export const MIN_LIFE_MS = 1000

/** What is wrong with credentials, naming the field but not the value; null: nothing. */
export function credentialsProblem(given: unknown): string | null {
  if (typeof given !== 'object' || given === null)
    return `got ${kindOf(given)}, expected { accessKeyId, secretAccessKey }`
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = given as Record<keyof AwsCredentials, unknown>
  if (!isText(accessKeyId) || /[^\x21-\x7e]/.test(accessKeyId))
    return 'accessKeyId: expected printable text without spaces'
  if (!isText(secretAccessKey)) return `secretAccessKey: got ${kindOf(secretAccessKey)}, expected text`
  if (/^\s|\s$/.test(secretAccessKey)) return 'secretAccessKey: begins or ends with white space'
  if (sessionToken !== undefined && sessionToken !== null && !isText(sessionToken)) {
    return `sessionToken: got ${kindOf(sessionToken)}, expected text, or nothing`
  }
  if (expiration !== undefined && expiration !== null && Number.isNaN(instantOf(expiration))) {
    return `expiration: got ${kindOf(expiration)}, expected a Date`
  }
  return null
}

/** JSON and version 2 of the SDK have null for what is not there. */
type LooseCredentials = Pick<AwsCredentials, 'accessKeyId' | 'secretAccessKey'> & {
  readonly sessionToken?: string | null | undefined
  readonly expiration?: Date | string | null | undefined
}

/** @param given what `credentialsProblem` finds nothing wrong with. */
export function holdCredentials(given: LooseCredentials): HeldCredentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = given
  return {
    accessKeyId,
    secretAccessKey: new Secret(secretAccessKey),
    sessionToken: sessionToken === undefined || sessionToken === null ? undefined : new Secret(sessionToken),
    expiresAtMs: expiration === undefined || expiration === null ? undefined : instantOf(expiration),
  }
}

export function secretsOf({ secretAccessKey, sessionToken }: HeldCredentials): string[] {
  return sessionToken === undefined ? [secretAccessKey.reveal()] : [secretAccessKey.reveal(), sessionToken.reveal()]
}

/** Asks for credentials at each login, once for all that log in at the same time, and again if they are about to end. */
export function credentialSource(
  given: HeldCredentials | AwsCredentialProvider | undefined,
  { clock, env }: { readonly clock: Clock; readonly env: Readonly<NodeJS.ProcessEnv> },
): CredentialSource {
  if (given === undefined) return () => Promise.resolve().then(() => fromEnvironment(env))
  if (typeof given !== 'function') return () => Promise.resolve(given)
  const flights = new Map<boolean, Promise<HeldCredentials>>()
  return (isAnew) => {
    const flight = flights.get(isAnew) ?? fromProvider(given, isAnew, clock).finally(() => flights.delete(isAnew))
    flights.set(isAnew, flight)
    return flight
  }
}

/** @throws {CredentialsProblem} `retriable`: what can be had has less than a second left. */
export async function lastingCredentials(source: CredentialSource, clock: Clock): Promise<HeldCredentials> {
  for (const isAnew of [false, true]) {
    const held = await source(isAnew)
    if (held.expiresAtMs === undefined || held.expiresAtMs - clock.wallNow() >= MIN_LIFE_MS) return held
  }
  const now = new Date(clock.wallNow()).toISOString()
  throw new CredentialsProblem(`sasl.credentials: they have expired (our clock says ${now})`, { retriable: true })
}

async function fromProvider(provide: AwsCredentialProvider, isAnew: boolean, clock: Clock): Promise<HeldCredentials> {
  const given: unknown = await askProvider('sasl.credentials', () => provide({ forceRefresh: isAnew }), clock)
  const problem = credentialsProblem(given)
  if (problem !== null) throw new CredentialsProblem(`sasl.credentials: the function gave something else: ${problem}`)
  return holdCredentials(given as AwsCredentials)
}

function fromEnvironment(env: Readonly<NodeJS.ProcessEnv>): HeldCredentials {
  const accessKeyId = env['AWS_ACCESS_KEY_ID'] ?? ''
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'] ?? ''
  const given = { accessKeyId, secretAccessKey, sessionToken: env['AWS_SESSION_TOKEN'] || undefined }
  if (accessKeyId === '' || secretAccessKey === '') {
    throw new CredentialsProblem(
      'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set: set them, or sasl.credentials',
    )
  }
  const problem = credentialsProblem(given)
  if (problem !== null) throw new CredentialsProblem(`credentials of the environment: ${problem}`)
  return holdCredentials(given)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** NaN: it is none. The SDK of version 2 and JSON have it as text. */
function instantOf(value: unknown): number {
  if (value instanceof Date) return value.getTime()
  return typeof value === 'string' ? Date.parse(value) : NaN
}
