import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { decodeResponseFrame, encodeRequestFrame, FrameReader } from '../../src/protocol/frame.ts'
import type { produce } from '../../src/protocol/messages/produce.ts'
import { encodeRecordBatch } from '../../src/protocol/record-batch.ts'
import type { Api, RequestInput, ResponseOf } from '../../src/protocol/schema.ts'

/** A client that sends whatever it is told to. */
export class RawClient {
  readonly closed: Promise<unknown>
  answered = 0
  readonly #socket: Socket
  readonly #reader = new FrameReader(10_000_000)
  readonly #waiting: ((frame: Buffer) => void)[] = []

  private constructor(socket: Socket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => socket.once('close', resolve)) // `once` of events would fail for a reset
    socket.on('error', () => undefined) // a reset is how a broker hangs up
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk)
      for (let frame = this.#reader.next(); frame !== null; frame = this.#reader.next()) {
        this.answered++
        this.#waiting.shift()?.(frame)
      }
    })
  }

  static async to(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** What the broker's end has left no room for. */
  get unsentBytes(): number {
    return this.#socket.writableLength
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  frame(): Promise<Buffer> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async ask<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    this.write(frameOf(api, version, body))
    return decodeResponseFrame(api, version, await this.frame())
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

export function frameOf<A extends Api>(api: A, version: number, body: RequestInput<A>): Buffer {
  return Buffer.concat(encodeRequestFrame(api, version, { correlationId: 1, clientId: 'raw' }, body).chunks)
}

export function writeTo(name: string, records: Uint8Array | null, index = 0): RequestInput<typeof produce> {
  return { acks: -1, timeoutMs: 1000, topicData: [{ name, partitionData: [{ index, records }] }] }
}

export function batchOf(...values: string[]): Buffer {
  const records = values.map((value) => ({ key: null, value, timestamp: 1_700_000_000_000 }))
  return Buffer.from(encodeRecordBatch(records))
}

export function errorOf({ responses }: ResponseOf<typeof produce>): number | undefined {
  return responses[0]?.partitionResponses[0]?.errorCode
}

export function offsetOf({ responses }: ResponseOf<typeof produce>): bigint | undefined {
  return responses[0]?.partitionResponses[0]?.baseOffset
}
