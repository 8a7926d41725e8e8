import { createServer, connect, Socket, type AddressInfo, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ChaosProxy, type Disturbance } from '../support/chaos/proxy.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { Random } from '../fuzz/random.ts'

/** One end of a connection, and what it saw. */
class End {
  readonly socket: Socket
  received: Buffer = Buffer.alloc(0)
  chunks = 0
  hasEnded = false
  error = ''
  isClosed = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk])
      this.chunks++
    })
    socket.on('end', () => (this.hasEnded = true))
    socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error.code ?? error.message))
    socket.on('close', () => (this.isClosed = true))
  }
}

const BYTES = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 31) % 251))

describe('a chaos proxy', () => {
  const clock = new FakeClock()
  let broker: Server
  let brokerEnds: End[]
  let clients: End[]
  let proxy: ChaosProxy

  beforeEach(async () => {
    brokerEnds = []
    clients = []
    broker = createServer({ allowHalfOpen: true }, (socket) => void brokerEnds.push(new End(socket)))
    await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve))
    proxy = await startProxy()
  })

  afterEach(async () => {
    for (const { socket } of [...clients, ...brokerEnds]) socket.destroy()
    await proxy.close()
    if (broker.listening) await new Promise((resolve) => broker.close(resolve))
  })

  function startProxy(livesMs?: readonly [number, number]): Promise<ChaosProxy> {
    const { port } = broker.address() as AddressInfo
    return ChaosProxy.start({ host: '127.0.0.1', port, clock, random: new Random(1), livesMs })
  }

  /** A connection through the proxy, when its broker has it. */
  async function open(): Promise<{ client: End; end: End }> {
    const client = new End(connect({ host: '127.0.0.1', port: proxy.port, allowHalfOpen: true }))
    clients.push(client)
    const place = brokerEnds.length
    await until(() => brokerEnds.length > place, 'the broker has the connection')
    return { client, end: brokerEnds[place]! }
  }

  it('passes bytes both ways, unchanged, and the end of each way', async () => {
    const { client, end } = await open()
    client.socket.end(BYTES)
    await until(() => end.hasEnded, 'the broker hears the end')
    expect(end.received.equals(BYTES)).toBe(true)
    end.socket.end('answer')
    await until(() => client.isClosed, 'the client has closed')
    expect([String(client.received), client.error]).toEqual(['answer', ''])
    await until(() => proxy.open === 0, 'nothing is open')
    expect(proxy).toMatchObject({ accepted: 1, broken: 0 })
  })

  it('drips: small pieces, and the same bytes', async () => {
    const { client, end } = await open()
    proxy.disturb({ kind: 'drip' })
    client.socket.write(BYTES)
    await until(() => end.received.length === BYTES.length, 'all has arrived')
    expect(end.received.equals(BYTES)).toBe(true)
    expect(end.chunks).toBeGreaterThan(5)
  })

  it('delays: nothing before its time, and in order when the delay ends first', async () => {
    const { client, end } = await open()
    proxy.disturb({ kind: 'delay', delayMs: 100 })
    client.socket.write('first ')
    await until(() => clock.pendingMs.length === 1, 'the proxy holds it')
    await clock.advance(99)
    expect(end.received).toHaveLength(0)
    proxy.calm()
    client.socket.write('second')
    await turns(20)
    await clock.advance(1)
    await until(() => end.received.length === 12, 'both have arrived')
    expect(String(end.received)).toBe('first second')
  })

  it.each(['requests', 'answers'] as const)(
    'mutes %s: the other way goes on, and calm resets what has lost bytes',
    async (direction) => {
      const { client, end } = await open()
      const other = await open()
      proxy.disturb({ kind: 'mute', direction })
      const [from, to] = direction === 'requests' ? [client, end] : [end, client]
      from.socket.write('lost')
      to.socket.write('heard')
      await until(() => String(from.received) === 'heard', 'the other way goes on')
      await turns(20)
      expect(to.received).toHaveLength(0)
      proxy.calm()
      await until(() => client.isClosed && end.isClosed, 'both ends see the reset')
      expect([client.error, other.client.isClosed, proxy.broken]).toEqual(['ECONNRESET', false, 1])
    },
  )

  it('holds: everything arrives, late', async () => {
    const { client, end } = await open()
    proxy.disturb({ kind: 'hold' })
    client.socket.write(BYTES)
    end.socket.write('answer')
    await turns(20)
    expect([end.received.length, client.received.length]).toEqual([0, 0])
    proxy.calm()
    await until(() => end.received.equals(BYTES) && String(client.received) === 'answer', 'it has arrived')
  })

  it('holds what was on its way already', async () => {
    const { client, end } = await open()
    proxy.disturb({ kind: 'delay', delayMs: 50 })
    client.socket.write('late')
    await until(() => clock.pendingMs.length === 1, 'the proxy has it')
    proxy.disturb({ kind: 'hold' })
    await clock.advance(100)
    await turns(20)
    expect(end.received).toHaveLength(0)
    proxy.calm()
    await until(() => String(end.received) === 'late', 'it has arrived')
  })

  it.each([0, 1, 1234, 4999])('resets after %i bytes, no more and no less', async (afterBytes) => {
    const { client, end } = await open()
    proxy.disturb({ kind: 'reset', direction: 'requests', afterBytes })
    client.socket.write(BYTES)
    // libuv calls it an end when the reset is there before the bytes are read.
    await until(() => client.isClosed && (end.isClosed || end.hasEnded), 'both ends see the reset')
    expect(end.received.equals(BYTES.subarray(0, afterBytes))).toBe(true)
    expect(client.error).toBe('ECONNRESET')
  })

  it('refuses: open connections are reset, new ones too', async () => {
    const { client } = await open()
    proxy.disturb({ kind: 'refuse' })
    await until(() => client.error === 'ECONNRESET', 'the old one is reset')
    const late = new End(connect({ host: '127.0.0.1', port: proxy.port }))
    clients.push(late)
    await until(() => late.isClosed, 'the new one is reset')
    proxy.calm()
    await open()
  })

  it('cuts all connections of the moment, and no later one', async () => {
    const [one, two] = [await open(), await open()]
    proxy.cut()
    await until(() => one.client.isClosed && two.client.isClosed && two.end.isClosed, 'both are reset')
    const { client, end } = await open()
    client.socket.write('x')
    await until(() => end.received.length === 1, 'a new one works')
  })

  it('leaves no socket behind when it cuts a connection that it is just ending one way', async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length
    const before = sockets()
    const { client, end } = await open()
    client.socket.end()
    // The next one that ends is the proxy's own socket to the broker; its FIN is not out yet when the cut comes.
    const spy = vi.spyOn(Socket.prototype, 'end').mockImplementationOnce(function (this: Socket) {
      spy.mockRestore()
      this.end()
      proxy.cut()
      return this
    })
    await until(() => client.isClosed, 'the client is cut off')
    end.socket.destroy()
    await until(() => sockets() <= before, 'no socket is left')
  })

  it('lets connections live as long as it shall', async () => {
    await proxy.close()
    proxy = await startProxy([50, 500])
    const { client, end } = await open()
    await clock.advance(49)
    await turns(5)
    expect(client.isClosed).toBe(false)
    await clock.advance(451)
    await until(() => end.hasEnded || end.isClosed, 'its time is over')
    expect(proxy).toMatchObject({ open: 0, broken: 1 })
  })

  it('resets the client when the broker resets, or is not there', async () => {
    const { client, end } = await open()
    end.socket.resetAndDestroy()
    await until(() => client.isClosed, 'the client sees it')
    expect(client.error).toBe('ECONNRESET')
    await new Promise((resolve) => broker.close(resolve))
    const late = new End(connect({ host: '127.0.0.1', port: proxy.port }))
    clients.push(late)
    await until(() => late.isClosed, 'a connection to nobody ends')
    expect(proxy).toMatchObject({ open: 0, broken: 0 })
  })

  it('keeps order when the weather changes all the time', async () => {
    const { client, end } = await open()
    const changes: Disturbance[] = [{ kind: 'drip' }, { kind: 'delay', delayMs: 5 }, { kind: 'hold' }]
    const sent: Buffer[] = []
    for (let round = 0; round < 60; round++) {
      const bytes = BYTES.subarray(0, 1 + ((round * 97) % 900))
      sent.push(bytes)
      client.socket.write(bytes)
      if (round % 4 === 3) proxy.calm()
      else proxy.disturb(changes[round % 4]!)
      await turns(1 + (round % 3))
      await clock.advance(round % 7)
    }
    proxy.calm()
    const all = Buffer.concat(sent)
    await clock.advance(10)
    await until(() => end.received.length === all.length, 'all has arrived')
    expect(end.received.equals(all)).toBe(true)
  })
})
