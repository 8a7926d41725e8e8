import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { apiOfKey } from '../../src/protocol/apis.ts'
import { describePeer, encodeResponseFrame, FrameReader } from '../../src/protocol/frame.ts'
import { decodeRequestHeader } from '../../src/protocol/request-header.ts'
import { apiVersions } from '../../src/protocol/messages/api-versions.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { produce } from '../../src/protocol/messages/produce.ts'

/** A request as a peer sees it that does not care about its body. */
export interface SeenRequest {
  readonly api: string
  readonly version: number
  readonly correlationId: number
}

/** What a peer does about a request: bytes to answer with, or whatever it likes to do to the socket itself. */
export type Script = (request: SeenRequest, socket: Socket, peer: HostilePeer) => Uint8Array | null

const LARGEST_REQUEST = 10_000_000
export const TOPIC_ID = 'bGVhZGVyIG9mIHRoZSBwYQ'

/** A TCP server on 127.0.0.1 that answers what it likes; decent in everything that its script does not touch. */
export class HostilePeer {
  readonly requests: SeenRequest[] = []
  connections = 0
  /** Writes answers byte by byte, each in a turn of its own. */
  isDripping = false
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #script: Script

  private constructor(script: Script) {
    this.#script = script
    this.#server = createServer((socket) => this.#onSocket(socket))
  }

  static async start(script: Script = () => null): Promise<HostilePeer> {
    const peer = new HostilePeer(script)
    peer.#server.listen(0, '127.0.0.1')
    await once(peer.#server, 'listening')
    return peer
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

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #onSocket(socket: Socket): void {
    this.connections++
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => undefined) // the client resets: that is what it should do
    socket.on('close', () => this.#sockets.delete(socket))
    const reader = new FrameReader(LARGEST_REQUEST)
    socket.on('data', (chunk: Buffer) => {
      if (describePeer(chunk) === 'tls') return void socket.destroy() // asked whether it is a TLS port, it is none
      reader.push(chunk)
      for (let frame = reader.next(); frame !== null; frame = reader.next()) this.#onRequest(frame, socket)
    })
  }

  #onRequest(frame: Buffer, socket: Socket): void {
    const { api, apiVersion: version, correlationId } = decodeRequestHeader(frame)
    const request = { api: api.name, version, correlationId }
    this.requests.push(request)
    const answer = this.#script(request, socket, this) ?? decentAnswer(request, this.port)
    if (this.isDripping) drip(socket, answer)
    else if (answer.length > 0) socket.write(answer)
  }
}

/** For a script that has dealt with the socket itself. */
export const NOTHING = new Uint8Array(0)

/** What a one-broker cluster with the one-partition topic `t` would say. */
export function decentAnswer({ api, version, correlationId }: SeenRequest, port: number): Uint8Array {
  const frame =
    api === 'ApiVersions'
      ? encodeResponseFrame(apiVersions, version, correlationId, { errorCode: 0, apiKeys: decentApiKeys() })
      : api === 'Metadata'
        ? encodeResponseFrame(metadata, version, correlationId, decentMetadata(port))
        : encodeResponseFrame(produce, version, correlationId, decentProduce())
  return Buffer.concat(frame.chunks)
}

function decentApiKeys(): { apiKey: number; minVersion: number; maxVersion: number }[] {
  return [0, 3, 18].map((apiKey) => {
    const { minVersion = 0, maxVersion = 0 } = apiOfKey(apiKey) ?? {}
    return { apiKey, minVersion, maxVersion }
  })
}

function decentMetadata(port: number): Parameters<typeof encodeResponseFrame<typeof metadata>>[3] {
  const partition = { errorCode: 0, partitionIndex: 0, leaderId: 1, leaderEpoch: 0 }
  return {
    brokers: [{ nodeId: 1, host: '127.0.0.1', port }],
    topics: [
      {
        ...{ errorCode: 0, name: 't', topicId: TOPIC_ID },
        partitions: [{ ...partition, replicaNodes: [1], isrNodes: [1] }],
      },
    ],
  }
}

function decentProduce(): Parameters<typeof encodeResponseFrame<typeof produce>>[3] {
  const partitionResponses = [{ index: 0, errorCode: 0, baseOffset: 0n }]
  return { responses: [{ name: 't', topicId: TOPIC_ID, partitionResponses }] }
}

/** Byte by byte, as far as the client wants to hear it. */
export function drip(socket: Socket, bytes: Uint8Array): void {
  if (bytes.length === 0 || socket.destroyed) return
  socket.write(bytes.subarray(0, 1), () => setImmediate(() => drip(socket, bytes.subarray(1))))
}

/** Zeros until the client hangs up, at most `totalBytes`. */
export function flood(socket: Socket, totalBytes: number): void {
  const zeros = Buffer.alloc(65_536)
  let sentBytes = 0
  const more = (): void => {
    while (sentBytes < totalBytes && !socket.destroyed) {
      sentBytes += zeros.length
      if (!socket.write(zeros)) {
        socket.once('drain', more)
        return
      }
    }
  }
  more()
}

/** One row of the table of hostile answers: faults-and-security.md section 6, and golden.json `hostileFrames`. */
export interface HostileAnswer {
  readonly name: string
  /** What the error may be called. Bodies are the start of another message to each API, so they fail in more than one way. */
  readonly codes: readonly string[]
  readonly bytes: (correlationId: number) => Buffer
  /** And after that, zeros until the client has had enough. */
  readonly floodBytes?: number
}

const INVALID_FRAME = ['INVALID_FRAME']
const BAD_BODY = ['TRUNCATED', 'INVALID_VALUE', 'TRAILING_BYTES']

export const hostileAnswers: readonly HostileAnswer[] = [
  { name: 'length 0', codes: INVALID_FRAME, bytes: () => hex('00000000') },
  { name: 'length -1', codes: INVALID_FRAME, bytes: () => hex('ffffffff') },
  { name: 'length -2^31', codes: INVALID_FRAME, bytes: () => hex('80000000') },
  { name: 'length 3', codes: INVALID_FRAME, bytes: () => hex('00000003010203') },
  {
    name: 'HTTP 400',
    codes: ['PEER_SPEAKS_HTTP'],
    bytes: () => Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
  },
  {
    name: 'wrong correlation id',
    codes: ['CORRELATION_MISMATCH'],
    bytes: (id) => framed(id ^ 1, '0000000000000000'),
  },
  { name: 'truncated body', codes: BAD_BODY, bytes: (id) => framed(id, '00') },
  { name: 'array count 2^31-1', codes: BAD_BODY, bytes: (id) => framed(id, '00007fffffff0000000000000000') },
  { name: 'compact count 2^32-1', codes: BAD_BODY, bytes: (id) => framed(id, '0000ffffffff0f0000000000') },
  { name: 'endless uvarint', codes: BAD_BODY, bytes: (id) => framed(id, `0000${'ff'.repeat(64)}`) },
  { name: '64 bytes of noise', codes: INVALID_FRAME, bytes: () => hex('9f3c'.repeat(32)) },
  {
    name: 'length 2 GB, then 600 MB',
    codes: INVALID_FRAME,
    bytes: (id) => Buffer.concat([hex('7fffffff'), int32(id)]),
    floodBytes: 600_000_000,
  },
]

/** Sends a row, with all that comes after it. */
export function answerHostile(row: HostileAnswer, { correlationId }: SeenRequest, socket: Socket): Uint8Array {
  const bytes = row.bytes(correlationId)
  if (row.floodBytes === undefined) return bytes
  socket.write(bytes)
  flood(socket, row.floodBytes)
  return NOTHING
}

/** A frame of a correlation id and whatever follows it. */
export function framed(correlationId: number, bodyHex: string): Buffer {
  const body = hex(bodyHex)
  return Buffer.concat([int32(4 + body.length), int32(correlationId), body])
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value | 0)
  return bytes
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex')
}
