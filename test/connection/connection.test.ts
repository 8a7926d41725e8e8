import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { ConnectionError } from '../../src/errors.ts'
import type { ConnectionOptions } from '../../src/connection/connection-options.ts'
import { Connection } from '../../src/connection/connection.ts'
import { openConnection } from '../../src/connection/handshake.ts'
import type { Outcome } from '../../src/connection/answers.ts'
import { FrameReader } from '../../src/protocol/frame.ts'
import { decodeRequestHeader } from '../../src/protocol/request-header.ts'
import { metadata, type MetadataResponse } from '../../src/protocol/messages/metadata.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { decentAnswer, framed, HostilePeer, int32, NOTHING, type Script } from '../support/hostile-peer.ts'

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const QUESTION = { topics: [{ name: 't' }] }

function optionsOf(port: number, clock: FakeClock, more: Partial<ConnectionOptions> = {}): ConnectionOptions {
  return {
    ...{ nodeId: null, host: '127.0.0.1', port, clientId: 'test', clock },
    ...{ connectTimeoutMs: 10_000, requestTimeoutMs: 30_000, maxIdleMs: 540_000 },
    ...more,
  }
}

async function connectionTo(port: number, clock: FakeClock, more?: Partial<ConnectionOptions>): Promise<Connection> {
  const software = { name: 'headrace', version: '0.0.0' }
  const connection = await openConnection(optionsOf(port, clock, more), software, (begun) => {
    open.push(() => begun.close())
  })
  return connection
}

async function peerOf(script?: Script): Promise<HostilePeer> {
  const peer = await HostilePeer.start(script)
  open.push(() => peer.close())
  return peer
}

function ask(connection: Connection): Promise<Outcome<MetadataResponse>> {
  return connection.request(metadata, QUESTION)
}

function codeOf(outcome: Outcome<unknown>): string {
  return 'error' in outcome ? outcome.error.code : 'answered'
}

/** Collects the answers to Metadata instead of sending them. */
function hoarding(answers: Buffer[], sockets: Socket[] = []): Script {
  return (request, socket, peer) => {
    if (request.api !== 'Metadata') return null
    sockets.push(socket)
    answers.push(Buffer.from(decentAnswer(request, peer.port)))
    return NOTHING
  }
}

describe('Connection', () => {
  it('N5, N7: understands answers however their bytes are cut', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), sizes, async (count, cuts) => {
        const wire = new FakeWire()
        const connection = await connectionTo(1, new FakeClock(), { createSocket: () => wire })
        wire.isHolding = true
        const outcomes = Array.from({ length: count }, () => ask(connection))
        await until(() => wire.held.length === count, 'the requests are written')
        wire.give(Buffer.concat(wire.held), cuts)
        for (const outcome of await Promise.all(outcomes)) expect(codeOf(outcome)).toBe('answered')
        connection.close()
      }),
      { numRuns: 200 },
    )
  })

  it('matches answers to requests in order', async () => {
    const peer = await peerOf()
    const connection = await connectionTo(peer.port, new FakeClock())
    const order: number[] = []
    await Promise.all([0, 1, 2, 3, 4].map((i) => ask(connection).then(() => order.push(i))))
    expect(order).toEqual([0, 1, 2, 3, 4])
    const ids = peer.requests.map(({ correlationId }) => correlationId)
    expect(ids).toEqual(ids.map((_, i) => 0x0d0a0d0a + i))
  })

  it('N8: gives up everything in flight when an answer comes out of order, and completes nothing with it', async () => {
    const answers: Buffer[] = []
    const sockets: Socket[] = []
    const peer = await peerOf(hoarding(answers, sockets))
    const connection = await connectionTo(peer.port, new FakeClock())
    const outcomes = [ask(connection), ask(connection), ask(connection)]
    await until(() => answers.length === 3, 'the requests arrive')
    sockets[0]?.write(answers[1]!)
    expect((await Promise.all(outcomes)).map(codeOf)).toEqual(Array(3).fill('CORRELATION_MISMATCH'))
    expect(connection.isReady).toBe(false)
    await until(() => peer.openSockets === 0, 'the client hangs up')
  })

  it('N2: uses answers that came before the peer hung up', async () => {
    const answers: Buffer[] = []
    const sockets: Socket[] = []
    const peer = await peerOf(hoarding(answers, sockets))
    const connection = await connectionTo(peer.port, new FakeClock())
    const outcomes = [ask(connection), ask(connection), ask(connection)]
    await until(() => answers.length === 3, 'the requests arrive')
    sockets[0]?.end(Buffer.concat([answers[0]!, answers[1]!, answers[2]!.subarray(0, 9)]))
    expect((await Promise.all(outcomes)).map(codeOf)).toEqual(['answered', 'answered', 'CONNECTION_CLOSED'])
  })

  it('N9: is closed by a request that times out; its late answer harms nobody', async () => {
    const clock = new FakeClock()
    const answers: Buffer[] = []
    const sockets: Socket[] = []
    let isHoarding = true
    const hoard = hoarding(answers, sockets)
    const peer = await peerOf((...request) => (isHoarding ? hoard(...request) : null))
    const connection = await connectionTo(peer.port, clock)
    const first = ask(connection)
    await clock.advance(10_000)
    const second = ask(connection)
    await until(() => answers.length === 2, 'the requests arrive')
    await clock.advance(19_999)
    expect(connection.isReady).toBe(true)
    await clock.advance(1)
    expect(await first).toMatchObject({ error: { code: 'REQUEST_TIMEOUT', retriable: true }, wasWritten: true })
    expect(codeOf(await second)).toBe('REQUEST_TIMEOUT')
    expect(connection.closedBy?.message).toBe(
      `127.0.0.1:${peer.port}: REQUEST_TIMEOUT: no answer to Metadata within requestTimeoutMs (30000 ms)`,
    )
    sockets[0]?.write(Buffer.concat(answers))
    isHoarding = false
    expect(codeOf(await ask(await connectionTo(peer.port, clock)))).toBe('answered')
  })

  it('N3: measures the timeout of each request from its own beginning', async () => {
    const clock = new FakeClock()
    const answers: Buffer[] = []
    const sockets: Socket[] = []
    const peer = await peerOf(hoarding(answers, sockets))
    const connection = await connectionTo(peer.port, clock)
    const first = ask(connection)
    await clock.advance(20_000)
    const second = ask(connection)
    await until(() => answers.length === 2, 'the requests arrive')
    sockets[0]?.write(answers[0]!)
    expect(codeOf(await first)).toBe('answered')
    await clock.advance(29_999)
    expect(connection.isReady).toBe(true)
    await clock.advance(1)
    expect(codeOf(await second)).toBe('REQUEST_TIMEOUT')
  })

  it('P6: reads what lies in the socket before it judges a deadline', async () => {
    const clock = new FakeClock()
    const wire = new FakeWire()
    const connection = await connectionTo(1, clock, { createSocket: () => wire })
    wire.isHolding = true
    const outcome = ask(connection)
    await until(() => wire.held.length === 1, 'the request is written')
    const passed = clock.advance(30_000) // the timer fires; the verdict waits for the end of the turn
    wire.give(wire.held[0]!, [])
    await passed
    expect(codeOf(await outcome)).toBe('answered')
  })

  it('N9: is closed in time although a byte comes in every turn', async () => {
    const clock = new FakeClock()
    const wire = new FakeWire()
    const connection = await connectionTo(1, clock, { createSocket: () => wire })
    wire.isHolding = true
    const outcome = ask(connection)
    await until(() => wire.held.length === 1, 'the request is written')
    wire.give(Buffer.concat([int32(1_000_000), wire.held[0]!.subarray(4, 8)]), [])
    let drops = 0
    const drip = (): void => {
      if (connection.closedBy !== null || drops === 1000) return
      wire.give(Buffer.alloc(1), [])
      drops++
      setImmediate(drip)
    }
    drip()
    await clock.advance(30_000)
    expect(codeOf(await outcome)).toBe('REQUEST_TIMEOUT')
    expect(drops).toBeLessThan(10)
  })

  describe('with a Duplex that takes bytes and does not say so', () => {
    const body = { acks: 0, timeoutMs: 1, topicData: [] }

    async function stuck(clock: FakeClock): Promise<{ connection: Connection; wire: FakeWire; settled: string[] }> {
      const wire = new FakeWire()
      const connection = await connectionTo(1, clock, { createSocket: () => wire })
      wire.isStuck = true
      const settled: string[] = []
      for (const name of ['first', 'second']) {
        void connection.requestWithoutAnswer(produce, body, { maxVersion: 8 }).then((outcome) => {
          settled.push(`${name}: ${codeOf(outcome)}, ${'error' in outcome ? outcome.wasWritten : 'taken'}`)
        })
      }
      await turns(2)
      expect(settled).toEqual([])
      return { connection, wire, settled }
    }

    it('N6: gives up what it was given a second after requestTimeoutMs', async () => {
      const clock = new FakeClock()
      const { connection, wire, settled } = await stuck(clock)
      await clock.advance(30_000)
      expect([connection.closedBy?.code, settled]).toEqual(['REQUEST_TIMEOUT', []])
      await clock.advance(1000)
      expect(settled.sort()).toEqual(['first: REQUEST_TIMEOUT, true', 'second: REQUEST_TIMEOUT, true'])
      wire.unstick?.() // too late, and no matter
      await turns(2)
      expect([settled.length, wire.destroyed, clock.pendingMs]).toEqual([2, true, []])
    })

    it('N6: gives it up at once when the Duplex is destroyed', async () => {
      const { wire, settled } = await stuck(new FakeClock())
      wire.destroy()
      await turns(2)
      expect(settled.sort()).toEqual(['first: CONNECTION_CLOSED, true', 'second: CONNECTION_CLOSED, true'])
    })

    it('N6: does not give up what is taken in that second: it would be sent twice', async () => {
      const clock = new FakeClock()
      const { wire, settled } = await stuck(clock)
      await clock.advance(30_000)
      wire.isStuck = false
      wire.unstick?.()
      await turns(2)
      expect(settled).toEqual(['first: answered, taken', 'second: answered, taken'])
    })
  })

  it('N15: is closed when nothing was asked for maxIdleMs, and not while a question is out', async () => {
    const clock = new FakeClock()
    const answers: Buffer[] = []
    const sockets: Socket[] = []
    const peer = await peerOf(hoarding(answers, sockets))
    const connection = await connectionTo(peer.port, clock, { maxIdleMs: 1000 })
    await clock.advance(900)
    const outcome = ask(connection)
    await until(() => answers.length === 1, 'the request arrives')
    await clock.advance(5000)
    expect(connection.isReady).toBe(true)
    sockets[0]?.write(answers[0]!)
    expect(codeOf(await outcome)).toBe('answered')
    await clock.advance(1000)
    expect(connection.closedBy).toMatchObject({ code: 'CLOSED_BY_CLIENT' })
    await until(() => peer.openSockets === 0, 'the client hangs up')
  })

  it('leaves no timer behind when it is closed', async () => {
    const clock = new FakeClock()
    const peer = await peerOf(hoarding([]))
    const connection = await connectionTo(peer.port, clock)
    const outcome = ask(connection)
    expect(clock.pendingMs).toEqual([10_000, 540_000]) // what was set for the connect serves the request, too
    connection.close()
    expect(codeOf(await outcome)).toBe('CLOSED_BY_CLIENT')
    expect(clock.pendingMs).toEqual([])
    expect(await ask(connection)).toMatchObject({ error: { code: 'CLOSED_BY_CLIENT' }, wasWritten: false })
  })

  it('tells once that it is over', async () => {
    const peer = await peerOf()
    const connection = await connectionTo(peer.port, new FakeClock())
    const heard: string[] = []
    connection.onClosed = ({ code }) => heard.push(code)
    await peer.close()
    open.length = 0
    await until(() => heard.length > 0, 'the connection is lost')
    connection.close()
    await turns(5)
    expect(heard).toEqual(['CONNECTION_CLOSED'])
  })

  it('tells diagnostics what becomes of it', async () => {
    const states: unknown[] = []
    const hear = (event: unknown): void => void states.push(event)
    subscribe('headrace:connection:state', hear)
    open.push(() => unsubscribe('headrace:connection:state', hear))
    const peer = await peerOf()
    const connection = await connectionTo(peer.port, new FakeClock(), { nodeId: 5 })
    connection.close()
    const where = { nodeId: 5, host: '127.0.0.1', port: peer.port }
    expect(states).toEqual([
      { ...where, state: 'connecting', error: null },
      { ...where, state: 'ready', error: null },
      { ...where, state: 'closed', error: connection.closedBy },
    ])
  })

  it('says which versions both sides have, when there is none', async () => {
    const peer = await peerOf(({ api, correlationId }) =>
      // No error, one API: Metadata, versions 90 to 99.
      api === 'ApiVersions' ? framed(correlationId, '0000' + '02' + '0003005a006300' + '00000000' + '00') : null,
    )
    const connection = await connectionTo(peer.port, new FakeClock())
    const outcome = await ask(connection)
    expect(outcome).toMatchObject({ error: { code: 'UNSUPPORTED_VERSION', retriable: false }, wasWritten: false })
    expect(connection.isReady).toBe(true)
  })

  it.each([
    ['before', 'ApiVersions', 1_048_577],
    ['after', 'Metadata', 100_000_001],
  ])('refuses a frame over its cap %s the handshake', async (_when, api, length) => {
    const peer = await peerOf((request) =>
      request.api === api ? Buffer.concat([int32(length), int32(request.correlationId)]) : null,
    )
    const failed = connectionTo(peer.port, new FakeClock()).then(ask)
    expect(
      await failed.then(codeOf, (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error)),
    ).toBe('INVALID_FRAME')
  })
})

describe('dialling', () => {
  async function failureOf(connection: Connection): Promise<ConnectionError> {
    const outcome: unknown = await connection.dial().catch((error: unknown) => error)
    if (outcome instanceof ConnectionError) return outcome
    throw new Error(`expected a ConnectionError, got ${String(outcome)}`)
  }

  it('names the address that refuses', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    const error = await failureOf(new Connection(optionsOf(port, new FakeClock())))
    expect(error.code).toBe('CONNECTION_REFUSED')
    expect(error.message).toContain(`127.0.0.1:${port}`)
  })

  it('N3: gives up after connectTimeoutMs', async () => {
    const clock = new FakeClock()
    const never = new Promise<Duplex>(() => undefined)
    const failed = failureOf(new Connection(optionsOf(9092, clock, { createSocket: () => never })))
    await clock.advance(9999)
    expect(clock.pendingMs).toEqual([1])
    await clock.advance(1)
    const error = await failed
    expect(error).toMatchObject({ code: 'CONNECT_TIMEOUT', retriable: true })
    expect(error.message).toContain('127.0.0.1:9092')
    expect(clock.pendingMs).toEqual([])
  })

  it('is ended by close()', async () => {
    const never = new Promise<Duplex>(() => undefined)
    const connection = new Connection(optionsOf(9092, new FakeClock(), { createSocket: () => never }))
    const failed = failureOf(connection)
    connection.close()
    expect(await failed).toMatchObject({ code: 'CLOSED_BY_CLIENT' })
  })

  it('is not dialled once it was closed', async () => {
    const connection = new Connection(optionsOf(9092, new FakeClock()))
    connection.close()
    expect(await failureOf(connection)).toMatchObject({ code: 'CLOSED_BY_CLIENT' })
  })

  it('goes where mapAddress says, and keeps the name', async () => {
    const peer = await peerOf()
    const mapAddress = (): { host: string; port: number } => ({ host: '127.0.0.1', port: peer.port })
    const connection = await connectionTo(1, new FakeClock(), { host: 'kafka.invalid', mapAddress })
    expect(connection.address).toBe('kafka.invalid:1')
    expect(codeOf(await ask(connection))).toBe('answered')
  })

  it('asks connectGuard about every address, and obeys', async () => {
    const peer = await peerOf()
    const seen: unknown[] = []
    const connectGuard = (target: object): void => {
      seen.push(target)
      throw new Error('not this one')
    }
    const error = await failureOf(new Connection(optionsOf(peer.port, new FakeClock(), { connectGuard })))
    expect(error.message).toContain('not this one')
    expect(seen).toEqual([{ host: '127.0.0.1', port: peer.port, address: '127.0.0.1' }])
    expect(peer.connections).toBe(0)
  })
})

/** A broker without a network: what it says arrives in exactly the pieces that a test chooses. */
class FakeWire extends Duplex {
  readonly held: Buffer[] = []
  isHolding = false
  /** What is written is not called taken. */
  isStuck = false
  /** Calls it taken. */
  unstick: (() => void) | null = null
  readonly #requests = new FrameReader(1_000_000)

  override _read(): void {
    // `give` pushes
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.isStuck) return void (this.unstick = done)
    if (this.unstick !== null) return done() // what is written after that has no answer
    this.#requests.push(chunk)
    for (let frame = this.#requests.next(); frame !== null; frame = this.#requests.next()) {
      const { api, apiVersion, correlationId } = decodeRequestHeader(frame)
      const answer = Buffer.from(decentAnswer({ api: api.name, version: apiVersion, correlationId }, 1))
      if (this.isHolding) this.held.push(answer)
      else this.push(answer)
    }
    done()
  }

  give(bytes: Buffer, cuts: readonly number[]): void {
    let at = 0
    for (const size of cuts) {
      const piece = bytes.subarray(at, (at += size))
      if (piece.length > 0) this.push(Buffer.from(piece))
    }
    if (at < bytes.length) this.push(Buffer.from(bytes.subarray(at)))
  }
}
