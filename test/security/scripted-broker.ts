import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { Reader } from '../../src/bytes/reader.ts'
import { apiOfKey } from '../../src/protocol/apis.ts'
import { decodeBody } from '../../src/protocol/codec.ts'
import { encodeResponseFrame, FrameReader } from '../../src/protocol/frame.ts'
import { decodeRequestHeader } from '../../src/protocol/request-header.ts'
import { apiVersions } from '../../src/protocol/messages/api-versions.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import { saslAuthenticate } from '../../src/protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../../src/protocol/messages/sasl-handshake.ts'
import type { Input } from '../../src/protocol/schema.ts'
import { ScramServer, type ScramUser } from '../sasl/scram-server.ts'

/** A request as it came; `api` is `token` for a bare SASL token. */
export interface Seen {
  readonly api: string
  readonly version: number
  readonly correlationId: number
  /** Which connection it came on, counted from 1. */
  readonly connection: number
  readonly body: Readonly<Record<string, unknown>>
  /** What a login says: of SaslAuthenticate, or bare. */
  readonly token: Buffer
}

/** One connection, for scripts that deal with it themselves. */
export interface Line {
  readonly socket: Socket
  readonly number: number
}

/** Bytes to answer with; null: what is decent. Empty: nothing at all. */
export type Script = (seen: Seen, line: Line) => Uint8Array | null

export type TokenAnswer = Partial<Input<typeof saslAuthenticate.response>>

/** The broker's side of one login: an answer to each token. */
export type Login = (token: Buffer) => TokenAnswer

export interface ScriptedOptions {
  readonly tls?: TlsOptions
  /** What ApiVersions lists; default: all that a login and a producer need. */
  readonly apiKeys?: readonly number[]
  readonly mechanisms?: readonly string[]
  readonly script?: Script
  /** Default: everybody may come in, and the session has no end. */
  readonly login?: () => Login
}

export const NOTHING = new Uint8Array(0)
export const TOPIC_ID = 'bGVhZGVyIG9mIHRoZSBwYQ'
/** Before SaslAuthenticate came (KIP-152). */
export const OLD_KEYS = [0, 3, 17, 18] as const
const ALL_KEYS = [...OLD_KEYS, 36] as const
const LARGEST_REQUEST = 10_000_000

/** A broker of one node on 127.0.0.1 whose every byte a test may choose; what nobody chooses is decent. */
export class ScriptedBroker {
  readonly seen: Seen[] = []
  connections = 0
  script: Script
  login: () => Login
  /** What comes is left in the socket. */
  isDeaf = false
  readonly #options: ScriptedOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #offset = 0n

  private constructor(options: ScriptedOptions) {
    this.#options = options
    this.script = options.script ?? ((): null => null)
    this.login = options.login ?? ((): Login => () => ({}))
    const { tls } = options
    this.#server = tls === undefined ? createServer() : createTlsServer(tls)
    this.#server.on('connection', (socket: Socket) => this.#keep(socket))
    this.#server.on('tlsClientError', () => undefined) // what this server thinks of its client is not what is tested
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => this.#serve(socket))
  }

  static async start(options: ScriptedOptions = {}): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(options)
    broker.#server.listen(0, '127.0.0.1')
    await once(broker.#server, 'listening')
    return broker
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  get openSockets(): number {
    return this.#sockets.size
  }

  /** The names of what was asked, in order. */
  asked(connection?: number): string[] {
    return this.seen.filter((one) => one.connection === (connection ?? one.connection)).map(({ api }) => api)
  }

  count(api: string): number {
    return this.seen.filter((one) => one.api === api).length
  }

  /** Hangs up on everybody. */
  dropAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.dropAll()
    await closed
  }

  /** What this broker would say if nobody had other plans. */
  decent(seen: Seen, login: Login): Uint8Array {
    const { api, version, correlationId: id } = seen
    switch (api) {
      case 'ApiVersions':
        return frame(encodeResponseFrame(apiVersions, version, id, { errorCode: 0, apiKeys: this.#apiKeys() }))
      case 'SaslHandshake': {
        const { mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] } = this.#options
        const errorCode = mechanisms.includes(seen.body['mechanism'] as string) ? 0 : 33
        return frame(encodeResponseFrame(saslHandshake, version, id, { errorCode, mechanisms: [...mechanisms] }))
      }
      case 'SaslAuthenticate':
        return tokenFrame(seen, login(seen.token))
      case 'token':
        return bare(login(seen.token).authBytes ?? NOTHING)
      case 'Metadata':
        return frame(encodeResponseFrame(metadata, version, id, metadataOf(this.port)))
      case 'Produce': {
        const partitionResponses = [{ index: 0, errorCode: 0, baseOffset: this.#offset++ }]
        const responses = [{ name: 't', topicId: TOPIC_ID, partitionResponses }]
        return frame(encodeResponseFrame(produce, version, id, { responses }))
      }
      default:
        throw new Error(`scripted broker: ${api}`)
    }
  }

  #apiKeys(): { apiKey: number; minVersion: number; maxVersion: number }[] {
    const { apiKeys = ALL_KEYS } = this.#options
    return apiKeys.map((apiKey) => {
      const { minVersion = 0, maxVersion = 0 } = apiOfKey(apiKey) ?? {}
      // Who has no SaslAuthenticate has no SaslHandshake v1 either.
      return { apiKey, minVersion, maxVersion: apiKey === 17 && !apiKeys.includes(36) ? 0 : maxVersion }
    })
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => undefined) // the client resets: that is what it should do
    socket.on('close', () => this.#sockets.delete(socket))
  }

  #serve(socket: Socket): void {
    const line = { socket, number: ++this.connections }
    socket.on('error', () => undefined)
    const reader = new FrameReader(LARGEST_REQUEST)
    let login: Login = () => ({})
    let isBare = false
    const isDone = (answer: TokenAnswer): boolean => answer.authBytes === undefined || isLast(answer)
    socket.on('data', (chunk: Buffer) => {
      if (this.isDeaf) return
      reader.push(chunk)
      reader.minBytes = 0
      for (let bytes = reader.next(); bytes !== null; bytes = reader.next()) {
        const seen = isBare ? bareToken(bytes, line.number) : requestOf(bytes, line.number)
        this.seen.push(seen)
        if (seen.api === 'SaslHandshake') {
          login = this.login()
          isBare = seen.version === 0
        }
        const told = (token: Buffer): TokenAnswer => {
          const answer = login(token)
          if (isDone(answer)) isBare = false
          return answer
        }
        const answer = this.script(seen, line) ?? this.decent(seen, told)
        if (answer.length > 0 && !socket.destroyed) socket.write(answer)
      }
    })
  }
}

/** With this the broker has nothing more to say: what comes next is a request again. */
const last = new WeakSet<TokenAnswer>()
export function lastWord(answer: TokenAnswer): TokenAnswer {
  last.add(answer)
  return answer
}
function isLast(answer: TokenAnswer): boolean {
  return last.has(answer)
}

/** The honest broker's side of SCRAM. `sessionLifetimeMs`: 0, for ever, if it is not given. */
export function scramLogin(user: ScramUser, sessionLifetimeMs = 0n): Login {
  const server = new ScramServer(user)
  let isFirst = true
  return (token) => {
    if (isFirst) {
      isFirst = false
      return { authBytes: Buffer.from(server.first(token)) }
    }
    const final = server.final(token)
    if (!server.isIn) return lastWord({ errorCode: 58, errorMessage: 'no', authBytes: NOTHING })
    return lastWord({ authBytes: Buffer.from(final), sessionLifetimeMs })
  }
}

/** SaslAuthenticate. */
export function tokenFrame({ version, correlationId }: Seen, answer: TokenAnswer): Buffer {
  const body = { errorCode: 0, errorMessage: null, authBytes: NOTHING, sessionLifetimeMs: 0n, ...answer }
  return frame(encodeResponseFrame(saslAuthenticate, version, correlationId, body))
}

/** SaslHandshake. */
export function handshakeFrame({ version, correlationId }: Seen, errorCode: number, mechanisms: string[]): Buffer {
  return frame(encodeResponseFrame(saslHandshake, version, correlationId, { errorCode, mechanisms }))
}

function frame({ chunks }: { chunks: readonly Uint8Array[] }): Buffer {
  return Buffer.concat(chunks)
}

/** A token behind its length. */
export function bare(token: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(token.length)
  return Buffer.concat([length, token])
}

function bareToken(bytes: Buffer, connection: number): Seen {
  return { api: 'token', version: -1, correlationId: -1, connection, body: {}, token: Buffer.from(bytes) }
}

function requestOf(bytes: Buffer, connection: number): Seen {
  const { api, apiVersion: version, correlationId, body: rest } = decodeRequestHeader(bytes)
  const isKnown = version >= api.minVersion && version <= api.maxVersion
  const isSmall = api.name !== 'Produce'
  const body = isKnown && isSmall ? decodeBody(api, 'request', version, new Reader(rest, api.name)) : {}
  const token = Buffer.from(((body as Record<string, unknown>)['authBytes'] as Uint8Array | undefined) ?? [])
  return { api: api.name, version, correlationId, connection, body, token }
}

/** Metadata that says where broker 1, which leads everything, is. */
export function metadataFrame(
  { version, correlationId }: Seen,
  host: string,
  port: number,
  clusterId: string | null = null,
): Buffer {
  return frame(encodeResponseFrame(metadata, version, correlationId, { ...metadataOf(port, host), clusterId }))
}

/** Metadata, and the wish to be left alone for a while (KIP-219). */
export function throttlingFrame({ version, correlationId }: Seen, throttleTimeMs: number): Buffer {
  return frame(encodeResponseFrame(metadata, version, correlationId, { ...metadataOf(0), throttleTimeMs }))
}

function metadataOf(port: number, host = '127.0.0.1'): Input<typeof metadata.response> {
  const partition = { errorCode: 0, partitionIndex: 0, leaderId: 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1] }
  const topic = { errorCode: 0, name: 't', topicId: TOPIC_ID, partitions: [partition] }
  return { brokers: [{ nodeId: 1, host, port }], topics: [topic] }
}
