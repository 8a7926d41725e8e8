import type { Duplex } from 'node:stream'
import type { Timer } from '../clock.ts'
import { ProtocolError } from '../errors.ts'
import { decodeRequestHeader, type DecodedRequestHeader } from '../protocol/request-header.ts'
import { produce } from '../protocol/messages/produce.ts'
import { AnswerQueue, AT_ONCE } from './answer-queue.ts'
import type { ClusterContext, Reply } from './api-handler.ts'
import { Refusal, type Faults } from './faults.ts'
import { refuseApiVersions } from './handle-api-versions.ts'
import { answerRawToken } from './handle-sasl.ts'
import { handlers } from './handlers.ts'
import { Inbox } from './inbox.ts'
import { Session } from './sasl/session.ts'
import type { ServedApi } from './served-apis.ts'

/** What does not get through: nothing from the client, no answers to it, or everything gets through. */
export type BlackHole = 'all' | 'answers' | 'none'

/** From here on brokers answer before they make a client wait (KIP-219). */
const FIRST_PRODUCE_THAT_ANSWERS_FIRST = 6

const ILLEGAL_SASL_STATE = 34

/**
 * The broker's end of one connection. Requests are handled as they arrive; a fault may hold the answer back, not the
 * work. Whatever is not the protocol is a violation, and the end of the connection.
 */
export class BrokerConnection {
  readonly #socket: Duplex
  readonly #nodeId: number
  readonly #cluster: ClusterContext
  readonly #inbox = new Inbox()
  readonly #session: Session
  readonly #answers: AnswerQueue
  #blackHole: BlackHole = 'none'
  #throttleTimer: Timer | null = null
  #idleTimer: Timer | null = null
  #lastUsedMs: number

  /** @param transportPrincipal who is there, by the client's certificate. */
  constructor(socket: Duplex, nodeId: number, transportPrincipal: string, cluster: ClusterContext) {
    const { sasl, clock, journal, logins } = cluster
    this.#socket = socket
    this.#nodeId = nodeId
    this.#cluster = cluster
    this.#session = new Session({
      ...{ sasl, clock, transportPrincipal },
      note: (event) => logins.note(nodeId, event),
      violation: (what) => journal.violation(nodeId, what),
    })
    this.#answers = new AnswerQueue(socket, cluster.clock)
    this.#lastUsedMs = cluster.clock.now()
    this.#watchIdle()
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('error', clientWentAway)
    socket.on('close', () => this.#onClose())
  }

  setBlackHole(what: BlackHole): void {
    this.#blackHole = what
    this.#answers.hold(what !== 'none')
    this.#readOrNot()
  }

  #onData(chunk: Buffer): void {
    if (this.#session.isOver) return
    this.#lastUsedMs = this.#cluster.clock.now()
    this.#inbox.push(chunk)
    this.#work()
  }

  #onClose(): void {
    this.#answers.clear()
    this.#throttleTimer?.cancel()
    this.#idleTimer?.cancel()
  }

  get #isReading(): boolean {
    return this.#blackHole !== 'all' && this.#throttleTimer === null && !this.#session.isOver
  }

  /** What was read before, but not looked at, comes first. */
  #readOrNot(): void {
    if (this.#isReading) this.#work()
    if (this.#isReading) this.#socket.resume()
    else this.#socket.pause()
  }

  #work(): void {
    try {
      while (this.#isReading && !this.#socket.destroyed) {
        if (this.#session.isIn) this.#inbox.open()
        const frame = this.#inbox.next()
        if (frame === null) return
        if (this.#session.takesRawTokens) this.#takeToken(frame)
        else this.#take(frame)
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
    const session = this.#session
    const request = { api: api.name, version: apiVersion, clientId, broker: this.#nodeId, correlationId }
    journal.request({ ...request, principal: session.principal })
    const admission = session.admit(api.name)
    if (admission === 'close') {
      this.#socket.destroy()
      return
    }
    const range = state.served.get(api.key)
    if (range === undefined) return this.#refuseApi(api.name)
    const [min, max] = range
    if (apiVersion < min || apiVersion > max) return this.#refuseVersion(header)
    const { body } = header
    const handler = handlers[api.name as ServedApi]
    const refusal = admission === 'refuse' ? new Refusal(ILLEGAL_SASL_STATE) : undefined
    const incoming = { nodeId: this.#nodeId, version: apiVersion, correlationId, body, session, refusal }
    this.#reply(handler(incoming, this.#cluster), correlationId)
  }

  #takeToken(token: Buffer): void {
    const { principal } = this.#session
    const unknown = { version: -1, clientId: null, correlationId: -1 }
    this.#cluster.journal.request({ api: 'SaslAuthenticate', ...unknown, broker: this.#nodeId, principal })
    this.#reply(answerRawToken(token, this.#nodeId, this.#session, this.#cluster), null)
  }

  /** Whoever asks for what was not listed is to blame; ApiVersions is how one learns that. */
  #refuseApi(name: string): void {
    if (name !== 'ApiVersions') {
      throw new ProtocolError(
        'UNSUPPORTED_VERSION',
        `TestCluster: UNSUPPORTED_VERSION: ${name}, which this broker lacks`,
      )
    }
    this.#socket.destroy()
  }

  /** Kafka answers an unknown version of ApiVersions, and hangs up on that of anything else. */
  #refuseVersion({ api, apiVersion, correlationId }: DecodedRequestHeader): void {
    if (api.name !== 'ApiVersions') {
      const what = `${api.name} v${apiVersion}, which this broker does not speak`
      throw new ProtocolError('UNSUPPORTED_VERSION', `TestCluster: UNSUPPORTED_VERSION: ${what}`)
    }
    const chunks = refuseApiVersions(this.#cluster.state, correlationId)
    this.#answers.push({ chunks, ...AT_ONCE })
  }

  /** @param correlationId null: a raw token, which has none. */
  #reply({ answer, faults }: Reply, correlationId: number | null): void {
    const closeAfterBytes = faults.effect('closeAfterBytes') ?? (this.#session.isOver ? Infinity : null)
    const throttleMs = faults.effect('throttleMs') ?? 0
    if (answer === 'close' || (answer === 'none' && closeAfterBytes !== null)) {
      this.#socket.destroy()
      return
    }
    if (answer !== 'none') {
      const scripted = faults.effect('answer')?.(correlationId ?? -1)
      let chunks = scripted === undefined ? answer : [scripted]
      const isWrong = correlationId !== null && faults.effect('wrongCorrelationId') === true
      if (isWrong) chunks = [withCorrelationId(chunks, correlationId ^ 0x5a5a)]
      this.#answers.push({
        ...{ chunks, closeAfterBytes, splitBytes: faults.effect('splitBytes') ?? null },
        delayMs: this.#delayMs(faults, throttleMs),
        isLate: faults.effect('late') === true,
      })
      if (faults.effect('duplicateAnswer') === true) this.#answers.push({ chunks, ...AT_ONCE })
    }
    if (throttleMs > 0) this.#throttle(throttleMs)
  }

  #delayMs(faults: Faults, throttleMs: number): number {
    if (faults.effect('silent') === true) return Infinity
    const [, newest] = this.#cluster.state.served.get(produce.key) ?? [0, 0]
    return (faults.effect('delayMs') ?? 0) + (newest < FIRST_PRODUCE_THAT_ANSWERS_FIRST ? throttleMs : 0)
  }

  /** Reads nothing for so long. */
  #throttle(throttleMs: number): void {
    this.#throttleTimer = this.#cluster.clock.after(throttleMs, () => {
      this.#throttleTimer = null
      this.#readOrNot()
    })
    this.#readOrNot()
  }

  #watchIdle(): void {
    const { clock, state } = this.#cluster
    const { connectionsMaxIdleMs } = state.options
    if (connectionsMaxIdleMs === Infinity) return
    const leftMs = this.#lastUsedMs + connectionsMaxIdleMs - clock.now()
    if (leftMs <= 0) this.#socket.destroy()
    else this.#idleTimer = clock.after(leftMs, () => this.#watchIdle())
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
