import { isIP } from 'node:net'
import { KeyVaultError } from './key-vault-error.ts'

/** Environment variables; the process's own, or a test's. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Where a managed identity's tokens come from, and how they are asked for. */
export interface IdentityEndpoint {
  readonly kind: 'imds' | 'app-service'
  /** For messages: without the path, which may be secret. */
  readonly where: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export interface TokenRequest {
  readonly resource: string
  /** Of a user-assigned identity. */
  readonly clientId: string | undefined
}

const IMDS = 'http://169.254.169.254/metadata/identity/oauth2/token'
const HEADER_VALUE = /^[\x21-\x7e]{1,4096}$/

/**
 * App Service, Functions and Container Apps name their endpoint in `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`; on virtual
 * machines and in AKS it is the instance metadata service.
 *
 * Source: api versions, parameters and headers as in `@azure/identity` 4.14.1.
 *
 * @throws {KeyVaultError} `IDENTITY_ENDPOINT_INVALID`.
 */
export function identityEndpoint(env: Environment, request: TokenRequest): IdentityEndpoint {
  const endpoint = env['IDENTITY_ENDPOINT'] ?? ''
  const header = env['IDENTITY_HEADER'] ?? ''
  if (endpoint === '') {
    const url = withQuery(new URL(IMDS), '2018-02-01', request)
    return { kind: 'imds', where: '169.254.169.254', url, headers: { Metadata: 'true' } }
  }
  if (header === '') {
    throw invalid('is set and IDENTITY_HEADER is not: Azure Arc and Service Fabric identities are not supported')
  }
  if ((env['IDENTITY_SERVER_THUMBPRINT'] ?? '') !== '')
    throw invalid('is that of Service Fabric, which is not supported')
  if (!HEADER_VALUE.test(header)) throw invalid('is fine, but IDENTITY_HEADER is no value of a header')
  const url = checkEndpoint(endpoint)
  const headers = { 'X-IDENTITY-HEADER': header }
  return { kind: 'app-service', where: url.host, url: withQuery(url, '2019-08-01', request), headers }
}

function withQuery(url: URL, apiVersion: string, { resource, clientId }: TokenRequest): string {
  url.searchParams.set('api-version', apiVersion)
  url.searchParams.set('resource', resource)
  if (clientId !== undefined) url.searchParams.set('client_id', clientId)
  return url.href
}

/** The header is as good as a token: by http it goes nowhere but to this machine and its host. */
function checkEndpoint(endpoint: string): URL {
  if (!URL.canParse(endpoint)) throw invalid('is no address')
  const url = new URL(endpoint)
  if (url.username !== '' || url.password !== '') throw invalid('has a user name or password in it')
  const isLocal = url.protocol === 'http:' && isNear(url.hostname)
  if (url.protocol === 'https:' || isLocal) return url
  throw invalid('is neither https nor http to a local address')
}

/** Loopback, link-local and private addresses (RFC 6890), which platforms use for this. */
function isNear(hostname: string): boolean {
  if (hostname === 'localhost') return true
  const address = hostname.replace(/^\[|\]$/g, '')
  if (isIP(address) === 6) return address === '::1' || /^(fe[89ab]|f[cd])/.test(address)
  if (isIP(address) !== 4) return false
  return /^(127\.|169\.254\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(address)
}

function invalid(what: string): KeyVaultError {
  return new KeyVaultError('IDENTITY_ENDPOINT_INVALID', 'IDENTITY_ENDPOINT', `the environment variable ${what}`)
}
