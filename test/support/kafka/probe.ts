import { connect } from 'node:net'

/**
 * Asks a broker for its metadata with bytes made by hand: the harness judges headrace, so it must not lean on
 * headrace's own protocol code, and starting a JVM to ask "are you up?" takes longer than the broker.
 *
 * Source: MetadataRequest.json and MetadataResponse.json of Apache Kafka, versions 1 and 4,
 * and version 0 of ApiVersionsResponse.json.
 */
export interface ClusterView {
  readonly brokerIds: readonly number[]
  readonly controllerId: number
  readonly topics: readonly TopicView[]
}

export interface TopicView {
  readonly errorCode: number
  readonly name: string
  readonly partitions: readonly { readonly errorCode: number; readonly partition: number; readonly leader: number }[]
}

const METADATA_KEY = 3
const API_VERSIONS_KEY = 18

/** @throws when nothing answers at the address in `timeoutMs`, or what answers is not a plain-text Kafka listener. */
export async function askMetadata(
  address: string,
  topics: readonly string[] = [],
  timeoutMs = 2_000,
): Promise<ClusterView> {
  // Version 4 can say "do not create the topic because I asked", but brokers before 0.11 do not have it; version 1 is
  // the oldest that can ask about none, and every broker of 0.10.0 to 4.x has it.
  const version = topics.length > 0 && (await newestMetadata(address, timeoutMs)) >= 4 ? 4 : 1
  return readMetadata(await exchange(address, metadataRequest(version, topics), timeoutMs), version)
}

async function newestMetadata(address: string, timeoutMs: number): Promise<number> {
  const cursor = new Cursor(await exchange(address, request(API_VERSIONS_KEY, 0, Buffer.alloc(0)), timeoutMs))
  cursor.int32() // correlation id
  cursor.int16() // error code
  const apis = cursor.list(() => ({ key: cursor.int16(), oldest: cursor.int16(), newest: cursor.int16() }))
  return apis.find(({ key }) => key === METADATA_KEY)?.newest ?? 0
}

/** Whether something accepts TCP connections at `host:port`. */
export async function accepts(address: string, timeoutMs = 2_000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...hostAndPort(address), timeout: timeoutMs })
    const answer = (isOpen: boolean) => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.once('connect', () => answer(true))
    socket.once('timeout', () => answer(false))
    socket.once('error', () => answer(false))
  })
}

export function hostAndPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
}

function exchange(address: string, message: Buffer, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    const socket = connect(hostAndPort(address), () => socket.write(message))
    const fail = (error: Error) => {
      socket.destroy()
      clearTimeout(timer)
      reject(error)
    }
    const timer = setTimeout(() => fail(new Error(`${address}: no answer in ${timeoutMs} ms`)), timeoutMs)
    socket.once('error', fail)
    socket.once('close', () => fail(new Error(`${address}: closed without an answer`)))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return
      clearTimeout(timer)
      resolve(received.subarray(4))
      socket.destroy()
    })
  })
}

function metadataRequest(version: number, topics: readonly string[]): Buffer {
  const count = Buffer.alloc(4)
  count.writeInt32BE(topics.length)
  const allowCreation = version >= 4 ? Buffer.from([0]) : Buffer.alloc(0)
  return request(METADATA_KEY, version, Buffer.concat([count, ...topics.map(string), allowCreation]))
}

function request(key: number, version: number, body: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeInt16BE(key, 0)
  header.writeInt16BE(version, 2)
  const message = Buffer.concat([header, string('headrace-probe'), body])
  const size = Buffer.alloc(4)
  size.writeInt32BE(message.length)
  return Buffer.concat([size, message])
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text)
  const size = Buffer.alloc(2)
  size.writeInt16BE(bytes.length)
  return Buffer.concat([size, bytes])
}

function readMetadata(bytes: Buffer, version: number): ClusterView {
  const cursor = new Cursor(bytes)
  cursor.int32() // correlation id
  if (version >= 3) cursor.int32() // throttle time
  const brokerIds = cursor.list(() => {
    const id = cursor.int32()
    cursor.text() // host
    cursor.int32() // port
    cursor.text() // rack
    return id
  })
  if (version >= 2) cursor.text() // cluster id
  const controllerId = cursor.int32()
  return { brokerIds, controllerId, topics: cursor.list(() => readTopic(cursor)) }
}

function readTopic(cursor: Cursor): TopicView {
  const errorCode = cursor.int16()
  const name = cursor.text()
  cursor.int8() // is internal
  const partitions = cursor.list(() => {
    const row = { errorCode: cursor.int16(), partition: cursor.int32(), leader: cursor.int32() }
    cursor.list(() => cursor.int32()) // replicas
    cursor.list(() => cursor.int32()) // in-sync replicas
    return row
  })
  return { errorCode, name, partitions }
}

/** Reads past the end throw a RangeError, which the callers take as "not ready". */
class Cursor {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int8(): number {
    return this.#bytes.readInt8((this.#at += 1) - 1)
  }

  int16(): number {
    return this.#bytes.readInt16BE((this.#at += 2) - 2)
  }

  int32(): number {
    return this.#bytes.readInt32BE((this.#at += 4) - 4)
  }

  text(): string {
    const length = Math.max(0, this.int16())
    return this.#bytes.toString('utf8', this.#at, (this.#at += length))
  }

  list<T>(element: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, element)
  }
}
