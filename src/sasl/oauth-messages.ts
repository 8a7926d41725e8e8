import { brokerText } from './broker-text.ts'
import { kindOf } from './provided.ts'
import { SaslProblem } from './exchange.ts'
import { saslName } from './scram-messages.ts'

/** What the option `token` gives. */
export interface OAuthToken {
  readonly value: string
  /** Wall clock, milliseconds since the Unix epoch. With it a token is used again until four fifths of its life are over. */
  readonly expiresAtMs?: number | undefined
  /** What the broker gets to know beside the token. */
  readonly extensions?: Readonly<Record<string, string>> | undefined
}

const TOKEN = /^[-_~+/.a-zA-Z0-9]+=*$/
const EXTENSION_KEY = /^[A-Za-z]+$/
const EXTENSION_VALUE = /^[\x21-\x7e \t\r\n]+$/
/** Ends every part of the message: nothing that holds one is taken. */
const SEPARATOR = '\x01'
/** Longer error documents are not read. */
const MAX_DOCUMENT_BYTES = 8 * 1024
/** Times before 1973 are seconds that were taken for milliseconds, as `exp` of a JWT is. */
const MIN_EXPIRES_AT_MS = 1e11

/**
 * The client's message: `n,[a=...],` ^A `auth=Bearer ...` ^A then each extension ^A, and ^A.
 *
 * Source: RFC 7628, section 3.1; OAuthBearerClientInitialResponse of Apache Kafka, whose order this is.
 */
export function clientInitialResponse({ value, extensions = {} }: OAuthToken, authorizationId = ''): Buffer {
  if (/[\0\x01]/.test(authorizationId)) throw new SaslProblem('authorizationId holds a control character')
  const gs2Header = authorizationId === '' ? 'n,,' : `n,a=${saslName(authorizationId)},`
  const parts = Object.entries(extensions).map(([key, text]) => `${key}=${text}`)
  return Buffer.from([gs2Header, `auth=Bearer ${value}`, ...parts, '', ''].join(SEPARATOR))
}

/** Checks what a function has given; a string is a token about which nothing else is known. */
export function checkToken(given: unknown): OAuthToken {
  if (typeof given === 'string') return checkToken({ value: given })
  if (typeof given !== 'object' || given === null)
    throw problem(`gave ${kindOf(given)}, expected { value, expiresAtMs? }`)
  const { value, expiresAtMs, extensions } = given as Readonly<Record<keyof OAuthToken, unknown>>
  if (typeof value !== 'string') throw problem(`gave ${kindOf(value)} as value, expected the token as a string`)
  if (!TOKEN.test(value)) throw problem('gave a value that is empty or has characters that no bearer token has')
  const read = checkExtensions(extensions)
  if (expiresAtMs === undefined) return { value, extensions: read }
  if (typeof expiresAtMs !== 'number' || !Number.isFinite(expiresAtMs)) {
    throw problem(`gave ${kindOf(expiresAtMs)} as expiresAtMs, expected milliseconds since the Unix epoch`)
  }
  if (expiresAtMs < MIN_EXPIRES_AT_MS) throw problem('gave an expiresAtMs that looks like seconds, not milliseconds')
  return { value, expiresAtMs, extensions: read }
}

function checkExtensions(extensions: unknown): Readonly<Record<string, string>> {
  if (extensions === undefined) return {}
  if (typeof extensions !== 'object' || extensions === null) throw problem(`gave ${kindOf(extensions)} as extensions`)
  const read: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [key, value] of Object.entries(extensions)) {
    if (!EXTENSION_KEY.test(key)) throw problem('gave an extension whose name is not letters only')
    if (key === 'auth') throw problem('gave an extension named auth, which is the token itself')
    if (typeof value !== 'string' || !EXTENSION_VALUE.test(value)) {
      throw problem(`gave a value for the extension ${key} that is not printable text`)
    }
    read[key] = value
  }
  return read
}

function problem(what: string): SaslProblem {
  return new SaslProblem(`sasl.token: the function ${what}`)
}

/**
 * What the broker finds wrong with a token, out of its error document; it is untrusted, and cannot fail.
 *
 * Source: RFC 7628, section 3.2.2.
 */
export function readErrorDocument(document: Uint8Array, secrets: readonly string[] = []): string {
  if (document.length > MAX_DOCUMENT_BYTES)
    return `the broker refuses the token, and says why in ${document.length} bytes`
  const fields = parseObject(Buffer.from(document).toString())
  const [status, scope] = ['status', 'scope'].map((name) => {
    const value = fields?.get(name)
    return typeof value === 'string' ? brokerText(value, secrets) : ''
  })
  const needs = scope === '' ? '' : `; it asks for the scope ${scope}`
  return `the broker refuses the token${status === '' ? '' : `: ${status}`}${needs}`
}

/** A JSON object's own fields; null: it is none. */
export function parseObject(text: string): Map<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null
    return new Map(Object.entries(parsed))
  } catch {
    // Not JSON: the same as JSON of another shape.
    return null
  }
}
