import type { VaultClock } from './vault-clock.ts'

/** `fetch` of Node, or one that goes through a proxy. */
export type VaultFetch = (url: string, init: RequestInit) => Promise<Response>

/** A secret has at most 25 600 bytes; in JSON each may be six. A token has a few thousand. */
const MAX_BODY_BYTES = 256 * 1024

export interface Answer {
  readonly status: number
  /** From the header Retry-After. */
  readonly retryAfterMs: number | undefined
  readonly authenticate: string
  /** The body; undefined if it is no JSON. It may repeat what we sent: never show it. */
  readonly json: unknown
}

/** Why there is no answer, in words that are ours. */
export type Silence =
  | { readonly kind: 'timeout' }
  | { readonly kind: 'too-large' }
  /** `code` is the system's, `ENOTFOUND`; or `unknown`. */
  | { readonly kind: 'network'; readonly code: string }

export interface AskOptions {
  readonly fetch: VaultFetch
  readonly clock: VaultClock
  /** For the whole answer. */
  readonly timeoutMs: number
}

/**
 * One GET. Redirects are given as what they are, not followed. Never rejects, and settles in time even where `fetch` takes
 * no notice of its signal.
 */
export async function ask(
  url: string,
  headers: Readonly<Record<string, string>>,
  { fetch, clock, timeoutMs }: AskOptions,
): Promise<Answer | Silence> {
  const ending = new AbortController()
  let cancel = (): void => undefined
  const timeout = new Promise<Silence>((resolve) => {
    const timer = clock.after(timeoutMs, () => {
      resolve({ kind: 'timeout' })
      ending.abort(new Error('no answer in time'))
    })
    cancel = () => timer.cancel()
  })
  try {
    return await Promise.race([timeout, exchange(url, headers, { fetch, clock, ending })])
  } finally {
    cancel()
  }
}

async function exchange(
  url: string,
  headers: Readonly<Record<string, string>>,
  { fetch, clock, ending }: { fetch: VaultFetch; clock: VaultClock; ending: AbortController },
): Promise<Answer | Silence> {
  try {
    const response = await fetch(url, { headers, redirect: 'manual', signal: ending.signal })
    // A `fetch` that was given to us may follow all the same; what it brings is not from where we asked.
    if (response.redirected) return { status: 302, retryAfterMs: undefined, authenticate: '', json: undefined }
    const text = await limitedText(response)
    if (text === null) {
      ending.abort(new Error('too large'))
      return { kind: 'too-large' }
    }
    return {
      status: response.status,
      retryAfterMs: retryAfter(response.headers.get('retry-after'), clock),
      authenticate: response.headers.get('www-authenticate') ?? '',
      json: parse(text),
    }
  } catch (error) {
    return { kind: 'network', code: systemCode(error) }
  }
}

async function limitedText(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > MAX_BODY_BYTES) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // No JSON: whoever reads it says so, without the text, which a SyntaxError would quote.
    return undefined
  }
}

/** Seconds, or a date. */
function retryAfter(header: string | null, clock: VaultClock): number | undefined {
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  const dateMs = Date.parse(header)
  return Number.isNaN(dateMs) ? undefined : Math.max(dateMs - clock.wallNow(), 0)
}

/** `fetch` says "fetch failed", and why in its cause, or in one of several causes. Only what looks like a code is kept. */
function systemCode(error: unknown, depth = 0): string {
  if (typeof error !== 'object' || error === null || depth > 3) return 'unknown'
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown }
  if (typeof code === 'string' && SYSTEM_CODES.test(code)) return code
  return systemCode(cause ?? (Array.isArray(errors) ? (errors as unknown[])[0] : undefined), depth + 1)
}

/** A list, not a pattern: a `fetch` of others might put anything there. */
const SYSTEM_CODES = new RegExp(
  `^(${[
    ...['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN'],
    ...['ETIMEDOUT', 'EPIPE', 'EACCES', 'EPERM', 'EADDRNOTAVAIL', 'EPROTO', 'CERT_HAS_EXPIRED'],
    ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_SOCKET'],
    ...['SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ...['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_SSL_WRONG_VERSION_NUMBER'],
  ].join('|')})$`,
)
