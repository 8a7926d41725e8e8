import type { Socket } from 'node:net'
import { ProtocolError } from '../errors.ts'
import { decodeRequestHeader, FrameReader, type DecodedRequestHeader } from '../protocol/frame.ts'
import { AnswerQueue } from './answer-queue.ts'
import type { ApiHandler, ClusterContext, Reply } from './api-handler.ts'
import { handleApiVersions, refuseApiVersions } from './handle-api-versions.ts'
import { handleMetadata } from './handle-metadata.ts'
import { handleProduce } from './handle-produce.ts'
import type { ServedApi } from './options.ts'

/** Kafka's socket.request.max.bytes. */
const MAX_REQUEST_BYTES = 104_857_600

const handlers: Readonly<Record<ServedApi, ApiHandler>> = {
  ApiVersions: handleApiVersions,
  Metadata: handleMetadata,
  Produce: handleProduce,
}

/**
 * The broker's end of one connection. Requests are handled as they arrive; a fault may hold the answer back, not the
 * work. Whatever is not the protocol is a violation, and the end of the connection.
 */
export class BrokerConnection {
  readonly #socket: Socket
  readonly #nodeId: number
  readonly #cluster: ClusterContext
  readonly #reader = new FrameReader(MAX_REQUEST_BYTES)
  readonly #answers: AnswerQueue

  constructor(socket: Socket, nodeId: number, cluster: ClusterContext) {
    this.#socket = socket
    this.#nodeId = nodeId
    this.#cluster = cluster
    this.#answers = new AnswerQueue(socket, cluster.clock)
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('error', clientWentAway)
    socket.on('close', () => this.#answers.clear())
  }

  #onData(chunk: Buffer): void {
    try {
      this.#reader.push(chunk)
      for (let frame = this.#reader.next(); frame !== null; frame = this.#reader.next()) {
        this.#take(frame)
        if (this.#socket.destroyed) return
      }
    } catch (error) {
      this.#cluster.journal.violation(this.#nodeId, error instanceof Error ? error.message : String(error))
      this.#socket.destroy()
    }
  }

  #take(frame: Buffer): void {
    const header = decodeRequestHeader(frame)
    const { api, apiVersion, correlationId, clientId } = header
    const { state, journal } = this.#cluster
    journal.request({ api: api.name, version: apiVersion, clientId, broker: this.#nodeId, correlationId })
    const [min, max] = state.options.apiVersions.get(api.key) ?? [0, -1]
    if (apiVersion < min || apiVersion > max) return this.#refuseVersion(header)
    const { body } = header
    const handler = handlers[api.name as ServedApi]
    this.#reply(
      handler({ nodeId: this.#nodeId, version: apiVersion, correlationId, body }, this.#cluster),
      correlationId,
    )
  }

  /** Kafka answers an unknown version of ApiVersions, and hangs up on that of anything else. */
  #refuseVersion({ api, apiVersion, correlationId }: DecodedRequestHeader): void {
    if (api.name !== 'ApiVersions') {
      const what = `${api.name} v${apiVersion}, which this broker does not speak`
      throw new ProtocolError('UNSUPPORTED_VERSION', `TestCluster: UNSUPPORTED_VERSION: ${what}`)
    }
    const chunks = refuseApiVersions(this.#cluster.state, correlationId)
    this.#answers.push({ chunks, delayMs: 0, closeAfterBytes: null, splitBytes: null })
  }

  #reply({ answer, faults }: Reply, correlationId: number): void {
    const closeAfterBytes = faults.effect('closeAfterBytes') ?? null
    if (answer === 'close' || (answer === 'none' && closeAfterBytes !== null)) {
      this.#socket.destroy()
    } else if (answer !== 'none') {
      const delayMs = faults.effect('silent') === true ? Infinity : (faults.effect('delayMs') ?? 0)
      const splitBytes = faults.effect('splitBytes') ?? null
      const scripted = faults.effect('answer')?.(correlationId)
      let chunks = scripted === undefined ? answer : [scripted]
      if (faults.effect('wrongCorrelationId') === true) chunks = [withCorrelationId(chunks, correlationId ^ 0x5a5a)]
      this.#answers.push({ chunks, delayMs, closeAfterBytes, splitBytes })
    }
  }
}

function withCorrelationId(chunks: readonly Uint8Array[], correlationId: number): Buffer {
  const frame = Buffer.concat(chunks)
  frame.writeInt32BE(correlationId, 4)
  return frame
}

/** Clients may reset a connection whenever they like; `close` follows. */
function clientWentAway(): void {
  return undefined
}
