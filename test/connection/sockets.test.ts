import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, Socket, type AddressInfo, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import type { Connection } from '../../src/connection/connection.ts'
import type { ConnectionOptions } from '../../src/connection/connection-options.ts'
import { openConnection } from '../../src/connection/handshake.ts'
import { openSocket, type OpenSocketOptions } from '../../src/connection/open-socket.ts'
import type { ConnectionError } from '../../src/errors.ts'
import { FrameReader } from '../../src/protocol/frame.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { decentAnswer, HostilePeer, NOTHING, type Script } from '../support/hostile-peer.ts'

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function peerOf(script?: Script): Promise<HostilePeer> {
  const peer = await HostilePeer.start(script)
  open.push(() => peer.close())
  return peer
}

function connectionTo(port: number, clock: FakeClock, more: Partial<ConnectionOptions> = {}): Promise<Connection> {
  const options: ConnectionOptions = {
    ...{ nodeId: null, host: '127.0.0.1', port, clientId: 'test', clock },
    ...{ connectTimeoutMs: 10_000, requestTimeoutMs: 30_000, maxIdleMs: 540_000 },
    ...more,
  }
  return openConnection(options, { name: 'headrace', version: '0' }, (begun) => open.push(() => begun.close()))
}

async function listening(server: Server, host: string): Promise<number> {
  server.listen(0, host)
  await once(server, 'listening')
  open.push(() => server.close())
  return (server.address() as AddressInfo).port
}

describe('N6: a peer that does not read', () => {
  it('N6: gets whole frames in the end, however little the socket takes at once', async () => {
    const frames: number[] = []
    const reader = new FrameReader(100_000_000)
    let isPaused = false
    let heldBack: Socket | null = null
    const peer = await peerOf((request, socket) => {
      if (request.api !== 'Metadata') return null
      // From here on nothing is read, and then only what this test takes out itself.
      isPaused = true
      socket.removeAllListeners('data')
      socket.pause()
      heldBack = socket
      return Buffer.from(decentAnswer(request, 1))
    })
    const connection = await connectionTo(peer.port, new FakeClock())
    await connection.request(metadata, { topics: [] })
    expect(isPaused).toBe(true)
    const records = Buffer.alloc(3_000_000, 7)
    const data = { index: 0, records }
    const body = { acks: 0, timeoutMs: 1, topicData: [{ name: 't', partitionData: [data] }] }
    const outcomes = Array.from({ length: 8 }, () => connection.requestWithoutAnswer(produce, body, { maxVersion: 8 }))
    let settled = 0
    for (const outcome of outcomes) void outcome.then(() => settled++)
    await turns(50)
    expect(settled).toBeLessThan(8) // the system's buffers are full: the callers are told nothing yet
    const socket = heldBack as Socket | null
    socket?.on('data', (chunk: Buffer) => {
      reader.push(chunk)
      for (let frame = reader.next(); frame !== null; frame = reader.next()) frames.push(frame.length)
    })
    socket?.resume()
    for (const outcome of await Promise.all(outcomes)) expect('error' in outcome).toBe(false)
    await until(() => frames.length === 8, 'all frames arrive')
    expect(new Set(frames).size).toBe(1)
    expect(frames[0]).toBeGreaterThan(3_000_000)
  })
})

describe('N13: names and addresses', () => {
  /** The time is a fake one: what takes none settles without it. */
  function socketOf(clock: FakeClock, more: Partial<OpenSocketOptions>): Promise<unknown> {
    const signal = new AbortController().signal
    return openSocket({
      ...{ nodeId: 1, host: 'kafka.example', port: 9092, clock, connectTimeoutMs: 10_000, signal },
      ...more,
    }).then((socket) => {
      open.push(() => socket.destroy())
      return socket
    })
  }

  const failureOf = (promise: Promise<unknown>): Promise<ConnectionError> =>
    promise.then(
      () => Promise.reject(new Error('it did not fail')),
      (error: unknown) => error as ConnectionError,
    )

  it.each(['ENOTFOUND', 'EAI_AGAIN', 'ESERVFAIL', 'EAI_FAIL'])('N13: a name that gives %s is named', async (code) => {
    const lookup = (): Promise<never> => Promise.reject(Object.assign(new Error('lookup failed'), { code }))
    const error = await failureOf(socketOf(new FakeClock(), { lookup }))
    expect(error).toMatchObject({ code: 'HOST_NOT_FOUND', retriable: true })
    expect(error.message).toContain('kafka.example')
    expect(error.message).toContain(code)
  })

  it('N13: a name without an address fails at once', async () => {
    const error = await failureOf(socketOf(new FakeClock(), { lookup: () => Promise.resolve([]) }))
    expect(error).toMatchObject({ code: 'CONNECTION_FAILED', retriable: true })
  })

  it('N13: a resolver that does not answer takes connectTimeoutMs, no longer', async () => {
    const clock = new FakeClock()
    const failed = failureOf(socketOf(clock, { lookup: () => new Promise(() => undefined) }))
    await clock.advance(9999)
    expect(clock.pendingMs).toEqual([1])
    await clock.advance(1)
    expect((await failed).code).toBe('CONNECT_TIMEOUT')
  })

  it('N13: addresses that refuse cost no time', async () => {
    const port = await listening(createServer(), '127.0.0.3')
    const dialled: string[] = []
    const dial = (address: string, to: number): Socket => {
      dialled.push(address)
      return connect(to, address)
    }
    // Nothing listens at the first one (IPv6, which is common) nor at the second one.
    const lookup = (): Promise<string[]> => Promise.resolve(['::1', '127.0.0.2', '127.0.0.3'])
    await socketOf(new FakeClock(), { port, lookup, dial })
    expect(dialled).toEqual(['::1', '127.0.0.2', '127.0.0.3'])
  })

  it('N13: an address that is silent costs 250 ms, and is let go of', async () => {
    const clock = new FakeClock()
    const port = await listening(createServer(), '127.0.0.1')
    const silent: Socket[] = []
    const dial = (address: string, to: number): Socket => {
      if (address === '127.0.0.1') return connect(to, address)
      silent.push(new Socket())
      return silent[0]!
    }
    let isThere = false
    const lookup = (): Promise<string[]> => Promise.resolve(['10.255.255.1', '127.0.0.1'])
    void socketOf(clock, { port, lookup, dial }).then(() => (isThere = true))
    await turns(10)
    await clock.advance(249)
    await turns(10)
    expect(isThere).toBe(false)
    await clock.advance(1)
    await until(() => isThere, 'the second one')
    expect(silent[0]?.destroyed).toBe(true)
  })

  it('N13: the name is asked for anew at each attempt', async () => {
    const port = await listening(createServer(), '127.0.0.1')
    const answers = [['127.0.0.2'], ['127.0.0.1']]
    let asked = 0
    const lookup = (): Promise<string[]> => Promise.resolve(answers[asked++] ?? [])
    expect((await failureOf(socketOf(new FakeClock(), { port, lookup }))).code).toBe('CONNECTION_REFUSED')
    await socketOf(new FakeClock(), { port, lookup })
    expect(asked).toBe(2)
  })
})

describe('P6: a process that was stopped for a minute', () => {
  it('P6: uses the answers that lie in its sockets, and then gives up those that are missing', async () => {
    const clock = new FakeClock()
    const answers: Buffer[] = []
    const sockets: Socket[] = []
    const peer = await peerOf((request, socket) => {
      if (request.api !== 'Metadata') return null
      sockets.push(socket)
      answers.push(Buffer.from(decentAnswer(request, 1)))
      return NOTHING
    })
    const connection = await connectionTo(peer.port, clock)
    const outcomes = [1, 2, 3].map(() => connection.request(metadata, { topics: [] }))
    await until(() => answers.length === 3, 'the requests arrive')
    // Written now, read in the next turn: the timers of the minute that has passed have theirs before that.
    sockets[0]?.write(Buffer.concat(answers.slice(0, 2)))
    await clock.advance(60_000)
    const codes = (await Promise.all(outcomes)).map((outcome) => ('error' in outcome ? outcome.error.code : 'answered'))
    expect(codes).toEqual(['answered', 'answered', 'REQUEST_TIMEOUT'])
    expect(connection.closedBy?.code).toBe('REQUEST_TIMEOUT')
  })

  it('P6: notices at once a socket that was closed meanwhile', async () => {
    const clock = new FakeClock()
    const sockets: Socket[] = []
    const peer = await peerOf((request, socket) => {
      if (request.api === 'Metadata') sockets.push(socket)
      return request.api === 'Metadata' ? NOTHING : null
    })
    const connection = await connectionTo(peer.port, clock)
    const outcome = connection.request(metadata, { topics: [] })
    await until(() => sockets.length === 1, 'the request arrives')
    sockets[0]?.destroy()
    await clock.advance(20_000) // shorter than its timeout
    expect(await outcome).toMatchObject({ error: { code: 'CONNECTION_CLOSED', retriable: true }, wasWritten: true })
  })
})

describe('P7: a wall clock that jumps', () => {
  it('P7: is not looked at by connections', async () => {
    class NoWallClock extends FakeClock {
      override wallNow(): number {
        throw new Error('nobody may ask')
      }
    }
    const clock = new NoWallClock()
    const peer = await peerOf()
    const connection = await connectionTo(peer.port, clock)
    expect(await connection.request(metadata, { topics: [] })).toHaveProperty('response')
    await clock.advance(540_000)
    expect(connection.closedBy).toMatchObject({ code: 'CLOSED_BY_CLIENT' })
  })
})

describe('P13: a machine that has run out of something', () => {
  it('P13: no file descriptor left: said so, and over when there is one again', async () => {
    const port = await listening(createServer(), '127.0.0.1')
    const script = fileURLToPath(new URL('exhausted.ts', import.meta.url))
    const command = `ulimit -n 96; exec "${process.execPath}" --import tsx "${script}" ${port}`
    const { stdout } = await promisify(execFile)('sh', ['-c', command])
    const { first, exhausted, recovered } = JSON.parse(stdout) as Record<string, { message?: string }>
    expect([first, recovered]).toEqual([{ isConnected: true }, { isConnected: true }])
    expect(exhausted).toMatchObject({ name: 'ConnectionError', code: 'CONNECTION_FAILED', retriable: true })
    expect(exhausted?.message).toContain('this process has no file descriptor left')
  })

  it('a program that only connects lives until it is told that the port speaks TLS', async () => {
    const cluster = await TestCluster.start({ topics: {}, tls: true })
    const script = fileURLToPath(new URL('only-connects.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, cluster.bootstrap])
    expect(stdout).toBe(`${cluster.bootstrap}: PEER_SPEAKS_TLS: this port speaks TLS: set tls\n`)
    await cluster.close()
  })

  it('P13: no local port left: said so', async () => {
    const dial = (): Socket => {
      const socket = new Socket()
      const error = Object.assign(new Error('connect EADDRNOTAVAIL 127.0.0.1:9092'), { code: 'EADDRNOTAVAIL' })
      setImmediate(() => socket.destroy(error))
      return socket
    }
    const signal = new AbortController().signal
    const options = { nodeId: 1, host: '127.0.0.1', port: 9092, clock: new FakeClock(), connectTimeoutMs: 1000, signal }
    await expect(openSocket({ ...options, dial })).rejects.toMatchObject({
      ...{ code: 'CONNECTION_FAILED', retriable: true },
      message: expect.stringContaining('no local port or address left') as string,
    })
  })
})
