import type { Clock } from '../clock.ts'
import { lastingCredentials, secretsOf, type CredentialSource, type HeldCredentials } from './aws-credentials.ts'
import { brokerText } from './broker-text.ts'
import { say, SaslProblem, type Exchange } from './exchange.ts'
import { parseObject } from './oauth-messages.ts'
import { ALGORITHM, amzDate, EMPTY_SHA256, scopeOf, sign, type Pairs, type Signed } from './sig-v4.ts'

const VERSION = '2020_10_22'
export const ACTION = 'kafka-cluster:Connect'
export const SERVICE = 'kafka-cluster'
/** A signature is good for so many seconds, if the credentials are. */
const MAX_EXPIRES_SECONDS = 900

export interface MskSigning {
  /** Without port: the name that is dialled. */
  readonly host: string
  readonly region: string
  readonly credentials: HeldCredentials
  /** Wall clock, milliseconds since the Unix epoch. */
  readonly wallMs: number
  readonly expiresSeconds: number
}

/** The parameters of a presigned request to connect, in the order of their names, and its signature. */
export function presign(signing: MskSigning): Signed & { readonly query: Pairs } {
  const { host, region, credentials, wallMs, expiresSeconds } = signing
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const scope = { date: amzDate(wallMs), region, service: SERVICE }
  const query: Pairs = [
    ['Action', ACTION],
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${accessKeyId}/${scopeOf(scope)}`],
    ['X-Amz-Date', scope.date],
    ['X-Amz-Expires', String(expiresSeconds)],
    ...(sessionToken === undefined ? [] : [['X-Amz-Security-Token', sessionToken.reveal()] as const]),
    ['X-Amz-SignedHeaders', 'host'],
  ]
  const request = { method: 'GET', query, headers: [['host', host]], bodySha256: EMPTY_SHA256, ...scope } as const
  return { ...sign({ ...request, secretAccessKey: secretAccessKey.reveal() }), query }
}

/**
 * What goes to the broker: JSON with the names in lower case and the values as they are.
 *
 * Source: AWS4SignedPayloadGenerator and AuthenticationRequestParams of aws-msk-iam-auth.
 */
export function mskPayload(signing: MskSigning, userAgent: string): Record<string, string> {
  const { query, signature } = presign(signing)
  const parameters = query.map(([name, value]) => [name.toLowerCase(), value] as const)
  const head = { version: VERSION, host: signing.host, 'user-agent': userAgent }
  return { ...head, ...Object.fromEntries(parameters), 'x-amz-signature': signature }
}

/** 15 minutes, or what the credentials still have, if that is less; whole seconds. */
export function expiresSeconds({ expiresAtMs }: Pick<HeldCredentials, 'expiresAtMs'>, wallMs: number): number {
  if (expiresAtMs === undefined) return MAX_EXPIRES_SECONDS
  return Math.floor(Math.min(MAX_EXPIRES_SECONDS, (expiresAtMs - wallMs) / 1000))
}

export interface AwsMskIamOptions {
  readonly host: string
  readonly region: string
  readonly credentials: CredentialSource
  /** Not signed; policies of IAM may look at it. */
  readonly userAgent: string
  readonly clock: Clock
}

/** AWS_MSK_IAM: a request to AWS that is signed, but sent to the broker, which has it judged. Signed anew each time. */
export async function* awsMskIam({ host, region, credentials, userAgent, clock }: AwsMskIamOptions): Exchange {
  const held = await lastingCredentials(credentials, clock)
  const wallMs = clock.wallNow()
  const signing = { host, region, credentials: held, wallMs, expiresSeconds: expiresSeconds(held, wallMs) }
  const payload = mskPayload(signing, userAgent)
  const secrets = [...secretsOf(held), payload['x-amz-signature'] ?? '']
  try {
    return readMskAnswer(yield* say(Buffer.from(JSON.stringify(payload)), secrets), secrets)
  } catch (error) {
    if (!(error instanceof SaslProblem)) throw error
    // A wrong clock and a wrong region look like a wrong secret to AWS.
    const signed = `signed by ${held.accessKeyId} for ${host} in ${region} at ${new Date(wallMs).toISOString()}`
    throw new SaslProblem(`${error.message} (${signed})`, { errorCode: error.errorCode, cause: error.cause })
  }
}

/** Only this means success: an empty answer is what a broker gives that knows nothing of AWS. */
export function readMskAnswer(answer: Uint8Array, secrets: readonly string[] = []): { readonly requestId: string } {
  if (answer.length === 0) throw new SaslProblem('the broker answers nothing, which is not how MSK lets anybody in')
  const fields = parseObject(Buffer.from(answer).toString())
  if (fields === null) throw new SaslProblem('the broker does not answer in JSON, as MSK does')
  const version = fields.get('version')
  if (version !== VERSION) {
    const shown = typeof version === 'string' ? brokerText(version, secrets) : 'none'
    throw new SaslProblem(`the broker answers in version ${shown} of this mechanism, not ${VERSION}`)
  }
  const requestId = fields.get('request-id')
  return { requestId: typeof requestId === 'string' ? brokerText(requestId, secrets) : '' }
}
