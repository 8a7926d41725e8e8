import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { vi } from 'vitest'
import { canarySecret } from '../support/canary.ts'
import type { Fetch } from '../../src/sasl/sts.ts'

export interface StsRequest {
  readonly host: string
  readonly form: Readonly<Record<string, string>>
  readonly headers: IncomingMessage['headers']
}

export interface StsReply {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

/** STS on a loopback address: it recomputes the signature, and answers as it is told to. */
export class FakeSts {
  readonly requests: StsRequest[] = []
  /** What it answers to a request that is signed by the right secret; null: nothing, ever. */
  reply: (request: StsRequest) => StsReply | null = () => ({ status: 200, body: assumed(this.requests.length) })
  readonly #secretAccessKey: string
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  constructor(secretAccessKey: string) {
    this.#secretAccessKey = secretAccessKey
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** `fetch`, but every name leads here, without TLS. Refuses addresses that are not https. */
  readonly fetch: Fetch = (url, init) => {
    const { protocol, host, pathname, search } = new URL(url)
    if (protocol !== 'https:') throw new Error(`${protocol} is not https`)
    const { port } = this.#server.address() as AddressInfo
    const headers = { ...(init.headers as Record<string, string>), 'x-test-host': host }
    return fetch(`http://127.0.0.1:${port}${pathname}${search}`, { ...init, headers })
  }

  /** The global `fetch` leads here, too, but for plain http: that is what goes on from here. `vi.unstubAllGlobals()` ends it. */
  takeOver(): void {
    const { fetch: real } = globalThis
    const led: Fetch = (url, init) => (url.startsWith('https:') ? this.fetch(url, init) : real(url, init))
    vi.stubGlobal('fetch', led)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const host = String(request.headers['x-test-host'])
    const form = Object.fromEntries(new URLSearchParams(body))
    const seen = { host, form, headers: request.headers }
    this.requests.push(seen)
    const reply = this.#isSigned(seen, body)
      ? this.reply(seen)
      : {
          status: 403,
          body: refused('SignatureDoesNotMatch', `The Canonical String was ${JSON.stringify(request.headers)}`),
        }
    if (reply !== null)
      response.writeHead(reply.status, { 'content-type': 'text/xml', ...reply.headers }).end(reply.body)
  }

  #isSigned({ host, headers }: StsRequest, body: string): boolean {
    const pattern =
      /^AWS4-HMAC-SHA256 Credential=[^/]+\/(\d{8})\/([^/]+)\/sts\/aws4_request, SignedHeaders=([^,]+), Signature=(\w+)$/
    const [, day = '', region = '', names = '', signature] = pattern.exec(headers.authorization ?? '') ?? []
    const values: Record<string, unknown> = { ...headers, host }
    const lines = names.split(';').map((name) => `${name}:${String(values[name])}\n`)
    const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
    const canonical = `POST\n/\n\n${lines.join('')}\n${names}\n${sha256(body)}`
    const toSign = `AWS4-HMAC-SHA256\n${String(headers['x-amz-date'])}\n${day}/${region}/sts/aws4_request\n${sha256(canonical)}`
    let key: string | Buffer = `AWS4${this.#secretAccessKey}`
    for (const part of [day, region, 'sts', 'aws4_request', toSign])
      key = createHmac('sha256', key).update(part).digest()
    return (key as Buffer).toString('hex') === signature && host.includes(`.${region}.`)
  }
}

/** While `use` runs, STS is here for the whole process, and gives roles for an hour. */
export async function withSts(secretAccessKey: string, use: (sts: FakeSts) => Promise<void>): Promise<void> {
  const sts = new FakeSts(secretAccessKey)
  await sts.listen()
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString()
  sts.reply = () => ({ status: 200, body: assumed(sts.requests.length, inAnHour) })
  sts.takeOver()
  try {
    await use(sts)
  } finally {
    vi.unstubAllGlobals()
    await sts.close()
  }
}

export const ROLE_SECRET = canarySecret('secret key of a role')
export const ROLE_TOKEN = canarySecret('session token of a role')

/** As AWS writes it. */
export function assumed(number: number, expiration = '2023-11-14T23:46:40Z'): string {
  return `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser>
      <AssumedRoleId>AROAEXAMPLE:headrace</AssumedRoleId>
      <Arn>arn:aws:sts::123456789012:assumed-role/writer/headrace</Arn>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIAROLE${number}</AccessKeyId>
      <SecretAccessKey>${ROLE_SECRET}</SecretAccessKey>
      <SessionToken>${ROLE_TOKEN}</SessionToken>
      <Expiration>${expiration}</Expiration>
    </Credentials>
  </AssumeRoleResult>
  <ResponseMetadata>
    <RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId>
  </ResponseMetadata>
</AssumeRoleResponse>
`
}

export function refused(code: string, message: string): string {
  const escaped = message.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
  return `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${escaped}</Message></Error><RequestId>x</RequestId></ErrorResponse>`
}
