import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it } from 'vitest'
import { KafkaError, Producer, type DiagnosticEvents, type ProducerOptions } from '../../src/index.ts'
import { FakeClock, until } from '../support/fake-clock.ts'
import { golden } from '../support/golden.ts'
import {
  answerHostile,
  drip,
  framed,
  hostileAnswers,
  HostilePeer,
  int32,
  NOTHING,
  type HostileAnswer,
  type SeenRequest,
} from '../support/hostile-peer.ts'
import { producerHarness } from '../support/producer-harness.ts'

// Every Producer here lives on a clock that stands still: what settles, settles without a timer.

const harness = producerHarness()
const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

const producerOf = (brokers: string, options: Partial<ProducerOptions> = {}): Producer =>
  harness.newProducer({ brokers, ...options })

async function peerOf(...script: Parameters<typeof HostilePeer.start>): Promise<HostilePeer> {
  const peer = await HostilePeer.start(...script)
  open.push(() => peer.close())
  return peer
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(async () => {
    const closed = once(server, 'close')
    server.close()
    await closed
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function failureOf(work: Promise<unknown>): Promise<KafkaError> {
  const outcome: unknown = await work.then(
    () => 'success',
    (error: unknown) => error,
  )
  if (outcome instanceof KafkaError) return outcome
  throw new Error(`expected a KafkaError, got ${String(outcome)}`)
}

function expectFault(error: KafkaError, row: HostileAnswer, address: string): void {
  const isHttp = row.codes[0] === 'PEER_SPEAKS_HTTP'
  expect(error.name).toBe(isHttp ? 'ConnectionError' : 'ProtocolError')
  expect(row.codes).toContain(error.code)
  expect(error.message).toContain(address)
  expect(error.retriable).toBe(!isHttp)
}

/** After its first answer a peer is no web server, whatever the bytes look like. */
function later(row: HostileAnswer): HostileAnswer {
  return row.codes[0] === 'PEER_SPEAKS_HTTP' ? { ...row, codes: ['INVALID_FRAME'] } : row
}

function answerTo(api: string, row: HostileAnswer) {
  return (request: SeenRequest, socket: Socket): Uint8Array | null =>
    request.api === api ? answerHostile(row, request, socket) : null
}

describe.each(hostileAnswers)('a peer that answers with $name', (row) => {
  it('fails connect() at once, when it is the answer to ApiVersions', async () => {
    const peer = await peerOf(answerTo('ApiVersions', row))
    expectFault(await failureOf(producerOf(peer.address).connect()), row, peer.address)
    expect(peer.connections).toBe(1)
    await until(() => peer.openSockets === 0, 'the client hangs up')
  })

  it('fails the first send() at once, instead of after maxBlockMs', async () => {
    const peer = await peerOf(answerTo('ApiVersions', row))
    const error = await failureOf(producerOf(peer.address).send({ topic: 't', value: 'v' }))
    expectFault(error, row, peer.address)
    expect(error.maybeWritten).toBe(false)
  })

  it('fails connect() and send() at once, when it is the answer to Metadata', async () => {
    const peer = await peerOf(answerTo('Metadata', row))
    const producer = producerOf(peer.address)
    expectFault(await failureOf(producer.connect()), later(row), peer.address)
    const fresh = producerOf(peer.address)
    expectFault(await failureOf(fresh.send({ topic: 't', value: 'v' })), later(row), peer.address)
  })

  it('fails the attempt at once, when it is the answer to Produce, and the record is not called unwritten', async () => {
    const peer = await peerOf(answerTo('Produce', row))
    const producer = producerOf(peer.address)
    const retry = nextRetry()
    const sent = failureOf(producer.send({ topic: 't', value: 'v' }))
    expectFault((await retry).error, later(row), peer.address)
    await producer.close({ timeoutMs: 0 }).catch(() => undefined)
    expect(await sent).toMatchObject({ code: 'CLOSED', maybeWritten: true })
  })

  it('gives the same error byte by byte', async () => {
    const peer = await peerOf((request, socket) => {
      if (request.api !== 'ApiVersions') return null
      drip(socket, row.bytes(request.correlationId))
      return NOTHING
    })
    expectFault(await failureOf(producerOf(peer.address).connect()), row, peer.address)
  })
})

function nextRetry(): Promise<DiagnosticEvents['headrace:batch:retry']> {
  return new Promise((resolve) => {
    const onRetry = (event: unknown): void => {
      unsubscribe('headrace:batch:retry', onRetry)
      resolve(event as DiagnosticEvents['headrace:batch:retry'])
    }
    subscribe('headrace:batch:retry', onRetry)
  })
}

describe('hostile answers', () => {
  const vectors = golden.hostileFrames.vectors.map(({ name, hex }) => [name, hex] as const)
  it.each(vectors)('golden frame %s gives a typed error', async (name, hex) => {
    const peer = await peerOf(({ correlationId }) => goldenFrame(hex, correlationId))
    const error = await failureOf(producerOf(peer.address).connect())
    expect(error.name).toBe(name.startsWith('HTTP') ? 'ConnectionError' : 'ProtocolError')
    expect(error.message).toContain(peer.address)
  })

  it('refuses an int32 array count of 2^31-1 in the v0 format that the peer asked for', async () => {
    const peer = await peerOf(({ version, correlationId }) =>
      framed(correlationId, version > 0 ? '002300000000' : '00007fffffff0000000000000000'),
    )
    const error = await failureOf(producerOf(peer.address).connect())
    expect(error).toMatchObject({ name: 'ProtocolError', code: 'INVALID_VALUE' })
    expect(peer.requests.map(({ version }) => version)).toEqual([4, 0])
  })

  it('C15: stops asking when a broker refuses every version of ApiVersions', async () => {
    const peer = await peerOf(({ correlationId }) => framed(correlationId, '002300000000'))
    const error = await failureOf(producerOf(peer.address).connect())
    expect(error).toMatchObject({ name: 'ProtocolError', code: 'UNSUPPORTED_VERSION' })
    expect(peer.requests.length).toBeLessThanOrEqual(3)
  })

  it('reads less than 1 MB of a stream that says it is 2 GB long', async () => {
    const row = rowNamed('length 2 GB, then 600 MB')
    const peer = await peerOf(answerTo('ApiVersions', row))
    const sockets: Socket[] = []
    const createSocket = ({ host, port }: { host: string; port: number }): Socket => {
      const socket = connect(port, host)
      sockets.push(socket)
      return socket
    }
    expectFault(await failureOf(producerOf(peer.address, { createSocket }).connect()), row, peer.address)
    await until(() => peer.openSockets === 0, 'the client hangs up')
    expect(sockets).toHaveLength(1)
    expect(sockets[0]?.bytesRead).toBeLessThan(1_000_000)
  })

  it('works with a peer that sends every byte on its own', async () => {
    const peer = await peerOf()
    peer.isDripping = true
    const producer = producerOf(peer.address)
    await producer.connect()
    expect(await producer.send({ topic: 't', value: 'v' })).toMatchObject({ partition: 0, offset: 0n })
  })

  it('N8: calls bytes that nobody asked for a mismatch, and closes', async () => {
    const peer = await peerOf(({ api }, socket) => {
      if (api === 'Metadata') setImmediate(() => socket.write(int32(9)))
      return null
    })
    const closed = nextClosed()
    await producerOf(peer.address).connect()
    expect((await closed).error).toMatchObject({ name: 'ProtocolError', code: 'CORRELATION_MISMATCH' })
  })

  it('says what each of several bootstrap addresses is, and fails at once if none can ever help', async () => {
    const [http, noise] = [await peerOf(always(rowNamed('HTTP 400'))), await peerOf(always(rowNamed('length 0')))]
    const error = await failureOf(producerOf(`${http.address},${noise.address}`).send({ topic: 't', value: 'v' }))
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'BOOTSTRAP_FAILED', retriable: false })
    expect(error.message).toContain(`${http.address}: PEER_SPEAKS_HTTP`)
    expect(error.message).toContain(`${noise.address}: frame: INVALID_FRAME`)
  })
})

function always(row: HostileAnswer) {
  return (request: SeenRequest, socket: Socket): Uint8Array => answerHostile(row, request, socket)
}

function rowNamed(name: string): HostileAnswer {
  const row = hostileAnswers.find((candidate) => candidate.name === name)
  if (row === undefined) throw new Error(`no row ${name}`)
  return row
}

/** `<len>` and `<C>` stand for the frame's length and the correlation id. */
function goldenFrame(text: string, correlationId: number): Buffer {
  if (!text.includes('<C>')) return Buffer.from(text, 'hex')
  return framed(correlationId, text.slice(text.indexOf('<C>') + '<C>'.length))
}

function nextClosed(): Promise<DiagnosticEvents['headrace:connection:closed']> {
  return new Promise((resolve) => {
    const onClosed = (event: unknown): void => {
      unsubscribe('headrace:connection:closed', onClosed)
      resolve(event as DiagnosticEvents['headrace:connection:closed'])
    }
    subscribe('headrace:connection:closed', onClosed)
  })
}

describe('a port that is not Kafka', () => {
  it('is named when it is a web server', async () => {
    const address = await listening(createHttpServer())
    const error = await failureOf(producerOf(address).send({ topic: 't', value: 'v' }))
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'PEER_SPEAKS_HTTP', retriable: false })
    expect(error.message).toBe(`${address}: PEER_SPEAKS_HTTP: this port answers HTTP, not Kafka`)
  })

  it.each([
    ['the end of a request line', '\n'],
    ['the end of the headers', '\r\n\r\n'],
  ])('is named when it is a web server that waits for %s', async (_what, end) => {
    const server = createServer((socket) => {
      let seen = ''
      socket.on('error', () => undefined) // the client hangs up on us
      socket.on('data', (chunk: Buffer) => {
        seen += chunk.toString('latin1')
        if (seen.includes(end)) socket.end('HTTP/1.0 400 Bad request syntax\r\n\r\n')
      })
    })
    const error = await failureOf(producerOf(await listening(server)).connect())
    expect(error).toMatchObject({ code: 'PEER_SPEAKS_HTTP' })
  })

  it('is named when it answers with a TLS alert', async () => {
    const peer = await peerOf((_request, socket) => {
      socket.end(Buffer.from('15030300020246', 'hex'))
      return NOTHING
    })
    const error = await failureOf(producerOf(peer.address).send({ topic: 't', value: 'v' }))
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'PEER_SPEAKS_TLS', retriable: false })
    expect(error.message).toBe(`${peer.address}: PEER_SPEAKS_TLS: this port speaks TLS: set tls`)
  })

  it('is named when it is a TLS server, which hangs up on plaintext without a word', async () => {
    const server = createTlsServer({})
    server.on('tlsClientError', () => undefined) // that is us
    const address = await listening(server)
    const error = await failureOf(producerOf(address).send({ topic: 't', value: 'v' }))
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'PEER_SPEAKS_TLS', retriable: false })
    expect(error.message).toBe(`${address}: PEER_SPEAKS_TLS: this port speaks TLS: set tls`)
  })
})

describe('a peer that hangs up', () => {
  it('at once gives CONNECTION_CLOSED, after three tries with older versions', async () => {
    const peer = await peerOf((_request, socket) => {
      socket.end()
      return NOTHING
    })
    const error = await failureOf(producerOf(peer.address).connect())
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'CONNECTION_CLOSED', retriable: true })
    expect(error.message).toContain(peer.address)
    expect(peer.requests.map(({ version }) => version)).toEqual([4, 3, 0])
  })

  it('after ApiVersions gives CONNECTION_CLOSED', async () => {
    const peer = await peerOf(({ api }, socket) => {
      if (api === 'ApiVersions') return null
      socket.destroy()
      return NOTHING
    })
    const error = await failureOf(producerOf(peer.address).connect())
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'CONNECTION_CLOSED' })
    expect(error.message).toContain(peer.address)
  })

  it('within an answer gives CONNECTION_CLOSED', async () => {
    const peer = await peerOf(({ correlationId }, socket) => {
      socket.end(Buffer.concat([int32(100), int32(correlationId)]))
      return NOTHING
    })
    const error = await failureOf(producerOf(peer.address).connect())
    expect(error).toMatchObject({ name: 'ConnectionError', code: 'CONNECTION_CLOSED' })
    expect(peer.connections).toBe(1)
  })
})

describe('memory', () => {
  const ROUNDS = 200
  const LIMIT_BYTES = 1_048_576

  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void

  async function retainedBytes(): Promise<number> {
    for (let i = 0; i < 4; i++) {
      await new Promise((resolve) => setImmediate(resolve))
      collect()
    }
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }

  it.each(hostileAnswers)(`grows by less than 1 MB in ${ROUNDS} rounds of $name`, async (row) => {
    harness.except({ secrecy: 'whoever hears everything keeps it, which is what is measured here' })
    const peer = await peerOf(answerTo('ApiVersions', row))
    const round = async (): Promise<void> => {
      const producer = new Producer({ brokers: peer.address }, new FakeClock())
      await failureOf(producer.connect())
      await producer.close()
      await until(() => peer.openSockets === 0, 'the client hangs up')
    }
    for (let i = 0; i < 20; i++) await round()
    const before = await retainedBytes()
    for (let i = 0; i < ROUNDS; i++) await round()
    peer.requests.length = 0
    expect((await retainedBytes()) - before).toBeLessThan(LIMIT_BYTES)
  })
})
