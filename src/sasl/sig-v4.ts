import { createHash, createHmac } from 'node:crypto'

/** SHA-256 of nothing. */
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
export const ALGORITHM = 'AWS4-HMAC-SHA256'

export type Pairs = readonly (readonly [name: string, value: string])[]

export interface RequestToSign {
  readonly method: 'GET' | 'POST'
  readonly query: Pairs
  /** Names in lower case. */
  readonly headers: Pairs
  readonly bodySha256: string
  readonly region: string
  readonly service: string
  /** `yyyymmddThhmmssZ`. */
  readonly date: string
  readonly secretAccessKey: string
}

export interface Signed {
  readonly canonicalQuery: string
  readonly canonicalRequest: string
  readonly stringToSign: string
  readonly signedHeaders: string
  /** Lower-case hex. */
  readonly signature: string
}

/**
 * Signature Version 4 for the path `/`.
 *
 * Source: AWS Signature Version 4 for API requests; AWS4SignedPayloadGenerator of aws-msk-iam-auth. What the README of the
 * latter calls "String To Sign" (a date without time, a scope without date) is another signature.
 */
export function sign(request: RequestToSign): Signed {
  const { method, headers, bodySha256, region, service, date, secretAccessKey } = request
  const sorted = [...headers].sort(([a], [b]) => (a < b ? -1 : 1))
  const signedHeaders = sorted.map(([name]) => name).join(';')
  const lines = sorted.map(([name, value]) => `${name}:${value.trim()}\n`).join('')
  const canonicalQuery = canonicalQueryOf(request.query)
  const canonicalRequest = [method, '/', canonicalQuery, lines, signedHeaders, bodySha256].join('\n')
  const scope = scopeOf(request)
  const stringToSign = [ALGORITHM, date, scope, sha256Hex(canonicalRequest)].join('\n')
  const key = signingKey(secretAccessKey, date.slice(0, 8), region, service)
  const signature = hmac(key, stringToSign).toString('hex')
  key.fill(0)
  return { canonicalQuery, canonicalRequest, stringToSign, signedHeaders, signature }
}

/** The day, region and service that a signature is good for. */
export function scopeOf({ date, region, service }: Pick<RequestToSign, 'date' | 'region' | 'service'>): string {
  return `${date.slice(0, 8)}/${region}/${service}/aws4_request`
}

export function signingKey(secretAccessKey: string, day: string, region: string, service: string): Buffer {
  let key: Buffer = Buffer.from(`AWS4${secretAccessKey}`)
  for (const part of [day, region, service, 'aws4_request']) {
    const next = hmac(key, part)
    key.fill(0)
    key = next
  }
  return key
}

/** Sorted by encoded name. */
export function canonicalQueryOf(query: Pairs): string {
  const encoded = query.map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
  return encoded
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** By RFC 3986: everything but letters, digits and `-._~`, as upper-case hex of UTF-8. */
export function uriEncode(text: string): string {
  // Through bytes, because half a surrogate pair would make encodeURIComponent throw.
  const encoded = encodeURIComponent(Buffer.from(text).toString())
  return encoded.replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** `yyyymmddThhmmssZ`, in UTC, whatever the zone of the process. */
export function amzDate(wallMs: number): string {
  return new Date(wallMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
}

export function sha256Hex(data: string): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: Uint8Array, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}
