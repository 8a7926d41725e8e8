import type { Clock } from '../clock.ts'
import {
  holdCredentials,
  lastingCredentials,
  secretsOf,
  type CredentialSource,
  type HeldCredentials,
} from './aws-credentials.ts'
import { stsHost } from './aws-region.ts'
import { brokerText } from './broker-text.ts'
import { CredentialsProblem, SaslProblem } from './exchange.ts'
import { Expiring } from './expiring.ts'
import { renewRoleAfterMs } from './renewal.ts'
import { ALGORITHM, amzDate, scopeOf, sha256Hex, sign } from './sig-v4.ts'
import { readAssumedRole, readStsError } from './sts-response.ts'

const MAX_RESPONSE_BYTES = 64 * 1024
const CONTENT_TYPE = 'application/x-www-form-urlencoded; charset=utf-8'
/** Tries, and the longest pauses between them. Source: aws-msk-iam-auth. */
const MAX_TRIES = 3
const BACKOFF_MS = 500
const MAX_BACKOFF_MS = 5000
const TRY_TIMEOUT_MS = 5000
/** Three tries, and what is between them. */
const TIMEOUT_MS = MAX_TRIES * TRY_TIMEOUT_MS + 2 * MAX_BACKOFF_MS
const RETRIABLE_CODES = /^(Throttl\w*|RequestLimitExceeded|ServiceUnavailable|InternalFailure|IDPCommunicationError)$/

/** `fetch` of Node; tests lead it to a server of their own. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface RoleToAssume {
  readonly roleArn: string
  /** The same for as long as the process lives: MSK takes another name for another principal, and refuses the login. */
  readonly roleSessionName: string
  readonly externalId: string | undefined
  readonly durationSeconds: number
  readonly region: string
}

export interface StsOptions {
  /** Who assumes the role. */
  readonly credentials: CredentialSource
  readonly clock: Clock
  readonly fetch: Fetch
}

/** The credentials of a role: fetched once for all, renewed 5 minutes before their end, and used until then if STS is down. */
export function roleCredentials(role: RoleToAssume, options: StsOptions): Expiring<HeldCredentials> {
  return new Expiring({
    clock: options.clock,
    fetch: async () => {
      const value = await assumeRole(role, options)
      return { value, expiresAtMs: value.expiresAtMs }
    },
    renewAfterMs: renewRoleAfterMs,
    timeoutMs: TIMEOUT_MS,
  })
}

/** @throws {CredentialsProblem} STS refuses, or (`retriable`) could not be reached in three tries. */
export async function assumeRole(role: RoleToAssume, options: StsOptions): Promise<HeldCredentials> {
  const { clock } = options
  for (let tries = 1; ; tries++) {
    try {
      return await tryOnce(role, options)
    } catch (error) {
      if (!(error instanceof SaslProblem) || !error.retriable || tries >= MAX_TRIES) throw error
    }
    await new Promise<void>((resolve) => {
      clock.after(clock.random() * Math.min(BACKOFF_MS * 2 ** (tries - 1), MAX_BACKOFF_MS), resolve)
    })
  }
}

async function tryOnce(role: RoleToAssume, { credentials, clock, fetch }: StsOptions): Promise<HeldCredentials> {
  const held = await lastingCredentials(credentials, clock)
  const host = stsHost(role.region)
  const ending = new AbortController()
  const timer = clock.after(TRY_TIMEOUT_MS, () => ending.abort(new Error(`no answer in ${TRY_TIMEOUT_MS} ms`)))
  try {
    const request = { ...requestFor(role, held, host, clock.wallNow()), signal: ending.signal }
    const response = await fetch(`https://${host}/`, request)
    const text = await limitedText(response)
    if (!response.ok) throw refusal(host, response.status, text, held)
    const assumed = readAssumedRole(text)
    if (assumed === null)
      throw new CredentialsProblem(`${host}: what it answers to AssumeRole cannot be read`, { retriable: true })
    return holdCredentials({ ...assumed, expiration: new Date(assumed.expiration) })
  } catch (cause) {
    if (cause instanceof SaslProblem) throw cause
    const why = brokerText(reasonOf(cause), secretsOf(held))
    throw new CredentialsProblem(`${host}: AssumeRole failed: ${why}`, { retriable: true, cause })
  } finally {
    timer.cancel()
  }
}

/** Signed in a header; with the keys in its body it is no URL that a proxy would write into its log. */
function requestFor(role: RoleToAssume, held: HeldCredentials, host: string, wallMs: number): RequestInit {
  const body = new URLSearchParams({
    ...{ Action: 'AssumeRole', Version: '2011-06-15', RoleArn: role.roleArn, RoleSessionName: role.roleSessionName },
    DurationSeconds: String(role.durationSeconds),
    ...(role.externalId === undefined ? {} : { ExternalId: role.externalId }),
  }).toString()
  const scope = { date: amzDate(wallMs), region: role.region, service: 'sts' }
  const token = held.sessionToken === undefined ? {} : { 'x-amz-security-token': held.sessionToken.reveal() }
  const headers = { 'content-type': CONTENT_TYPE, 'x-amz-date': scope.date, ...token }
  const { signedHeaders, signature } = sign({
    ...{
      method: 'POST',
      query: [],
      headers: Object.entries({ ...headers, host }),
      bodySha256: sha256Hex(body),
      ...scope,
    },
    secretAccessKey: held.secretAccessKey.reveal(),
  })
  const authorization = `${ALGORITHM} Credential=${held.accessKeyId}/${scopeOf(scope)}, SignedHeaders=${signedHeaders}, Signature=${signature}`
  // Another place than STS must not get a signed request, nor be believed.
  return { method: 'POST', headers: { ...headers, authorization }, body, redirect: 'error' }
}

function refusal(host: string, status: number, text: string, held: HeldCredentials): CredentialsProblem {
  // For a wrong signature STS repeats what it would have signed, token included.
  const secrets = secretsOf(held)
  const { code, message } = readStsError(text)
  const says = [code, message].map((part) => brokerText(part, secrets)).filter((part) => part !== '')
  const retriable = status >= 500 || status === 429 || RETRIABLE_CODES.test(code)
  return new CredentialsProblem(`${host} refuses AssumeRole with ${[status, ...says].join(', ')}`, { retriable })
}

async function limitedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > MAX_RESPONSE_BYTES) throw new CredentialsProblem(`an answer over ${MAX_RESPONSE_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** `fetch` says "fetch failed", and why in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'for no reason that was given'
  return error.cause instanceof Error ? error.cause.message : error.message
}
