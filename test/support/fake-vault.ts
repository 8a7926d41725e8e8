import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { canarySecret } from './canary.ts'
import { turns, type FakeClock } from './fake-clock.ts'

export interface VaultRequest {
  /** Whom the request was meant for: a vault's host, `169.254.169.254`, or that of IDENTITY_ENDPOINT. */
  readonly host: string
  readonly protocol: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
}

export interface VaultReply {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

interface StoredSecret {
  readonly versions: string[]
  value: string
  contentType?: string
  attributes: Record<string, unknown>
  isDeleted: boolean
}

/** What goes wrong instead of an answer: a reply, or silence. */
export type VaultFault = VaultReply | 'silence'

/**
 * An Azure Key Vault and both token endpoints on a loopback address. `fetch` brings every host here, so what is tested is
 * what a client asks, of whom, and with which headers. It checks them as Azure does: token, api version, header `Metadata`,
 * resource, client id.
 */
export class FakeVault {
  readonly requests: VaultRequest[] = []
  readonly host: string
  /** The name and header of the App Service endpoint. */
  readonly identityEnv: Readonly<Record<string, string>>
  /** Identities: `''` is the system-assigned one. */
  identities = new Set([''])
  tokenLifetimeSeconds = 86_400
  /** Who may read secrets; the code is an inner error of Key Vault, `ForbiddenByRbac`. */
  forbidden: string | null = null
  /** Whether the identity may see deleted secrets, too. */
  maySeeDeleted = true
  /** Answers to give first, one for each request of that kind. */
  readonly faults: { readonly token: VaultFault[]; readonly vault: VaultFault[] } = { token: [], vault: [] }
  /** Hosts that nobody is behind, with the system's word for it. */
  readonly unreachable = new Map<string, string>()
  /** Every token that it gave, in order; those in `revoked` are refused. */
  readonly tokens: string[] = []
  readonly revoked = new Set<string>()
  readonly identityHeader = canarySecret('IDENTITY_HEADER', (random) => `header-${random}`)
  /** One secret for all tokens: those of a run are searched for in all that it prints. */
  readonly #tokenStart = canarySecret('token of a managed identity', (random) => `eyJ0.${random}`)
  readonly #resource: string
  readonly #wallNow: () => number
  readonly #secrets = new Map<string, StoredSecret>()
  /** Requests that are on their way; not those that get silence. */
  readonly #busy = new Set<string>()
  #count = 0
  readonly #server = createServer((request, response) => this.#serve(request, response))

  constructor(wallNow: () => number, host = 'team-vault.vault.azure.net') {
    this.host = host
    this.#resource = `https://${host.slice(host.indexOf('.') + 1)}`
    this.#wallNow = wallNow
    this.identityEnv = { IDENTITY_ENDPOINT: 'http://127.0.0.1:41741/msi/token/', IDENTITY_HEADER: this.identityHeader }
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** As `az keyvault secret set`: a new version. Gives it. */
  set(name: string, value: string, attributes: Record<string, unknown> = {}, contentType?: string): string {
    const versions = this.#secrets.get(name)?.versions ?? []
    const version = (versions.length + 1).toString(16).padStart(32, 'a')
    const stored = { versions: [...versions, version], value, attributes: { enabled: true, ...attributes } }
    this.#secrets.set(name, { ...stored, isDeleted: false, ...(contentType === undefined ? {} : { contentType }) })
    return version
  }

  delete(name: string): void {
    this.#secrets.get(name)!.isDeleted = true
  }

  disable(name: string): void {
    this.#secrets.get(name)!.attributes['enabled'] = false
  }

  /** Requests to a host, the vault's by default. */
  requestsTo(host = this.host): VaultRequest[] {
    return this.requests.filter((request) => request.host === host)
  }

  /** `fetch`, but every name leads here, without TLS. */
  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { protocol, hostname, host, pathname, search } = new URL(url)
    const code = this.unreachable.get(hostname)
    if (code !== undefined) throw new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) })
    const id = String(this.#count++)
    const { port } = this.#server.address() as AddressInfo
    const own = { 'x-test-id': id, 'x-test-host': host, 'x-test-protocol': protocol }
    this.#busy.add(id)
    try {
      const headers = { ...(init.headers as Record<string, string>), ...own }
      const response = await fetch(`http://127.0.0.1:${port}${pathname}${search}`, { ...init, headers })
      const { status, headers: answered } = response
      return new Response(await response.arrayBuffer(), { status, headers: answered })
    } finally {
      this.#busy.delete(id)
    }
  }

  /** Waits for a promise, and lets time pass whenever nothing but time can bring it further. */
  async settle<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
    const state = { isDone: false }
    const isDone = (): boolean => state.isDone
    const watched = promise.finally(() => (state.isDone = true))
    watched.catch(() => undefined) // it is awaited below
    while (!isDone()) {
      await turns(4)
      const [pauseMs] = clock.pendingMs
      if (!isDone() && this.#busy.size === 0 && pauseMs !== undefined) await clock.advance(pauseMs)
    }
    return await watched
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const { 'x-test-host': host, 'x-test-protocol': protocol, 'x-test-id': id, ...headers } = request.headers
    const seen: VaultRequest = {
      ...{ host: String(host), protocol: String(protocol), path: pathname },
      ...{ query: Object.fromEntries(searchParams), headers },
    }
    this.requests.push(seen)
    const isVault = /^\/(deleted)?secrets\//.test(pathname)
    const reply = (isVault ? this.faults.vault : this.faults.token).shift() ?? this.#reply(seen, isVault)
    if (reply === 'silence') return void this.#busy.delete(String(id))
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers }).end(reply.body)
  }

  #reply(request: VaultRequest, isVault: boolean): VaultReply {
    if (isVault) return this.#vaultReply(request)
    if (request.host === '169.254.169.254') return this.#imdsReply(request)
    return request.path === '/msi/token/' ? this.#appServiceReply(request) : json(404, {})
  }

  #imdsReply({ path, query, headers, protocol }: VaultRequest): VaultReply {
    const isAsked = path === '/metadata/identity/oauth2/token' && query['api-version'] === '2018-02-01'
    if (!isAsked || protocol !== 'http:') return json(404, {})
    if (headers['metadata'] !== 'true') return json(400, { error: 'bad_request_102' })
    if (query['resource'] !== this.#resource) return json(400, { error: 'invalid_resource' })
    if (!this.identities.has(query['client_id'] ?? '')) {
      return json(400, { error: 'invalid_request', error_description: 'Identity not found' })
    }
    return this.#token({ expires_in: String(this.tokenLifetimeSeconds) })
  }

  #appServiceReply({ query, headers }: VaultRequest): VaultReply {
    if (headers['x-identity-header'] !== this.identityHeader) return json(401, { statusCode: 401 })
    const isAsked = query['api-version'] === '2019-08-01' && query['resource'] === this.#resource
    if (!isAsked || !this.identities.has(query['client_id'] ?? '')) {
      return json(400, { statusCode: 400, message: 'Unable to load the proper Managed Identity.' })
    }
    return this.#token({})
  }

  #token(more: object): VaultReply {
    const token = `${this.#tokenStart}.${this.tokens.length}`
    this.tokens.push(token)
    const expiresOn = String(Math.floor(this.#wallNow() / 1000) + this.tokenLifetimeSeconds)
    return json(200, { access_token: token, expires_on: expiresOn, ...more, token_type: 'Bearer' })
  }

  #vaultReply({ host, path, query, headers, protocol }: VaultRequest): VaultReply {
    if (host !== this.host || protocol !== 'https:') return json(404, {})
    if (query['api-version'] !== '7.4') return vaultError(400, 'BadParameter')
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? ''
    if (!this.tokens.includes(token) || this.revoked.has(token)) return this.unauthorized()
    if (this.forbidden !== null) return vaultError(403, 'Forbidden', this.forbidden)
    const [, folder, name = ''] = path.split('/')
    const secret = this.#secrets.get(name)
    if (folder === 'deletedsecrets') {
      if (!this.maySeeDeleted) return vaultError(403, 'Forbidden', 'ForbiddenByRbac')
      return secret?.isDeleted === true ? this.#deletedBundle(name, secret) : vaultError(404, 'SecretNotFound')
    }
    if (secret === undefined || secret.isDeleted) return vaultError(404, 'SecretNotFound')
    if (secret.attributes['enabled'] === false) return vaultError(403, 'Forbidden', 'SecretDisabled')
    return json(200, { value: secret.value, ...this.#bundle(name, secret) })
  }

  #bundle(name: string, { versions, attributes, contentType }: StoredSecret): object {
    return { contentType, id: `https://${this.host}/secrets/${name}/${versions.at(-1)}`, attributes }
  }

  #deletedBundle(name: string, secret: StoredSecret): VaultReply {
    const recoveryId = `https://${this.host}/deletedsecrets/${name}`
    return json(200, { ...this.#bundle(name, secret), recoveryId, deletedDate: Math.floor(this.#wallNow() / 1000) })
  }

  /** 401, with the challenge of a vault of that cloud. */
  unauthorized(resource = this.#resource, message = 'AKV10000: Request is missing a Bearer or PoP token.'): VaultReply {
    const challenge = `Bearer authorization="https://login.windows.net/00000000-0000-0000-0000-000000000000", resource="${resource}"`
    return { ...vaultError(401, 'Unauthorized', undefined, message), headers: { 'www-authenticate': challenge } }
  }
}

export function json(status: number, body: unknown): VaultReply {
  return { status, body: JSON.stringify(body) }
}

/** As Key Vault writes it. */
export function vaultError(status: number, code: string, inner?: string, message = 'A sentence.'): VaultReply {
  const innererror = inner === undefined ? {} : { innererror: { code: inner } }
  return json(status, { error: { code, message, ...innererror } })
}

export function throttled(retryAfter?: string): VaultReply {
  const reply = vaultError(429, 'Throttled', undefined, 'Reason: VaultRequestTypeLimitReached')
  return retryAfter === undefined ? reply : { ...reply, headers: { 'retry-after': retryAfter } }
}
