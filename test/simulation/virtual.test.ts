import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { LinkSettings } from './virtual-network.ts'
import { VirtualNetwork } from './virtual-network.ts'
import type { WireSettings } from './wire.ts'
import { World } from './world.ts'

const WIRE: WireSettings = { latencyMs: 1, jitterMs: 0, capacityBytes: 65_536, maxPieceBytes: 65_536 }

function makeNetwork(world: World, up: Partial<WireSettings> = {}): VirtualNetwork {
  const [client, broker] = [world.host('client'), world.host('broker')]
  const settings: LinkSettings = {
    up: { ...WIRE, ...up },
    down: WIRE,
    clientHighWaterMarkBytes: 100,
    serverHighWaterMarkBytes: 100,
  }
  return new VirtualNetwork({ world, client, brokerHost: () => broker, settings: () => settings })
}

/** A connection whose server collects what comes. */
async function connect(
  world: World,
  network: VirtualNetwork,
): Promise<{ client: Duplex; server: Duplex; received: Buffer[]; events: string[] }> {
  const received: Buffer[] = []
  const events: string[] = []
  const servers: Duplex[] = []
  const { port } = await network.transport.listen(1, 'host', 0, (socket) => {
    servers.push(socket)
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    socket.on('end', () => events.push('end'))
    socket.on('error', (error) => events.push(error.message))
    socket.on('close', () => events.push('close'))
  })
  const dialled = network.createSocket({ nodeId: 1, host: 'host', port })
  await world.run(world.nowMs + 10)
  const client = await dialled
  client.on('error', () => undefined)
  const [server] = servers
  if (server === undefined) throw new Error('nobody came')
  return { client, server, received, events }
}

describe('VirtualHost', () => {
  it('runs what is due in the order of Node: timers, sockets, soon', async () => {
    const world = new World({ seed: 1 })
    const host = world.host('client')
    const order: string[] = []
    host.soon(() => order.push('soon'))
    host.io(() => order.push('socket'))
    host.after(1, () => {
      order.push('timer')
      host.soon(() => order.push('soon of the timer'))
      void Promise.resolve().then(() => order.push('microtask of the timer'))
    })
    world.after(1, () => host.io(() => order.push('socket later')))
    host.freeze(10)
    await world.run(world.nowMs + 100)
    expect(order.slice(0, 2)).toEqual(['timer', 'microtask of the timer'])
    expect(order.slice(2, 4).sort()).toEqual(['socket', 'socket later'])
    expect(order.slice(4)).toEqual(['soon', 'soon of the timer'])
  })

  it('a frozen host does nothing while the world goes on; a cancelled timer never fires', async () => {
    const world = new World({ seed: 1 })
    const host = world.host('client')
    const firedMs: number[] = []
    host.after(5, () => firedMs.push(world.nowMs))
    host.after(6, () => firedMs.push(-1)).cancel()
    host.freeze(1000)
    const startMs = world.nowMs
    await world.run(startMs + 5000)
    expect(firedMs.map((ms) => Math.round(ms - startMs))).toEqual([1000])
    expect(host.timerCount).toBe(0)
    expect(world.nowMs).toBe(startMs + 5000)
  })

  it('counts turns that nothing gave cause to', async () => {
    const world = new World({ seed: 1 })
    const host = world.host('client')
    let left = 50
    const again = (): void => {
      if (left-- > 0) host.soon(again)
    }
    again()
    await world.run(world.nowMs + 100)
    expect(host.mostIdleTurns).toBe(50)
  })
})

describe('virtual connections', () => {
  it.each([1, 7, 65_536])('carry bytes in order, in pieces of at most %d', async (maxPieceBytes) => {
    const world = new World({ seed: 2 })
    const { client, received } = await connect(world, makeNetwork(world, { maxPieceBytes, jitterMs: 5 }))
    const sent = Buffer.from(Array.from({ length: 300 }, (_, i) => i % 251))
    client.write(sent.subarray(0, 100))
    client.write(sent.subarray(100))
    await world.run(world.nowMs + 100)
    expect(Buffer.concat(received)).toEqual(sent)
    if (maxPieceBytes === 1) expect(received.length).toBeGreaterThan(10)
  })

  it('call back when the kernel took all, and not before: what is not read holds it up', async () => {
    const world = new World({ seed: 2 })
    const { client, server, received } = await connect(world, makeNetwork(world, { capacityBytes: 50_000 }))
    server.pause()
    let taken = 0
    expect(client.write(Buffer.alloc(500_000), () => taken++)).toBe(false)
    await world.run(world.nowMs + 100)
    expect(taken).toBe(0)
    server.resume()
    await world.run(world.nowMs + 100)
    expect(taken).toBe(1)
    expect(Buffer.concat(received)).toHaveLength(500_000)
  })

  it('what a kernel took is not touched by what happens to the memory; the rest is', async () => {
    const world = new World({ seed: 2 })
    const { client, received } = await connect(world, makeNetwork(world, { capacityBytes: 3 }))
    const bytes = Buffer.from('abcdef')
    client.write(bytes)
    bytes.fill('x')
    await world.run(world.nowMs + 100)
    expect(String(Buffer.concat(received))).toBe('abcxxx')
  })

  it('end after a number of bytes, on both sides', async () => {
    const world = new World({ seed: 2 })
    const network = makeNetwork(world)
    const { client, received, events } = await connect(world, network)
    network.links[0]?.up.cutAfter(10)
    client.on('close', () => events.push('client closed'))
    client.write(Buffer.alloc(25))
    await world.run(world.nowMs + 100)
    expect(Buffer.concat(received)).toHaveLength(10)
    expect(events.sort()).toEqual(['client closed', 'close', 'read ECONNRESET'])
  })

  it('are silent while they are stalled, and late when they are not any more', async () => {
    const world = new World({ seed: 2 })
    const network = makeNetwork(world)
    const { client, received } = await connect(world, network)
    network.links[0]?.up.stall(Infinity)
    client.write('late')
    await world.run(world.nowMs + 60_000)
    expect(received).toEqual([])
    network.links[0]?.up.heal()
    await world.run(world.nowMs + 10)
    expect(String(Buffer.concat(received))).toBe('late')
  })

  it('deliver what was sent before a destroy, then the end', async () => {
    const world = new World({ seed: 2 })
    const { client, received, events } = await connect(world, makeNetwork(world))
    client.write('last words')
    client.destroy()
    await world.run(world.nowMs + 100)
    expect(String(Buffer.concat(received))).toBe('last words')
    expect(events).toEqual(['end', 'close'])
  })

  it('reset whoever writes to a closed end', async () => {
    const world = new World({ seed: 2 })
    const { client, server } = await connect(world, makeNetwork(world))
    const errors: string[] = []
    client.on('error', (error) => errors.push(error.message))
    client.write('hello')
    server.destroy()
    await world.run(world.nowMs + 100)
    expect(errors).toEqual(['read ECONNRESET'])
  })

  it('are refused where nobody listens, and come late where greetings are swallowed', async () => {
    const world = new World({ seed: 2 })
    const network = makeNetwork(world)
    const refused = network.createSocket({ nodeId: 1, host: 'host', port: 9092 }).catch((error: unknown) => error)
    await world.run(world.nowMs + 10)
    expect(await refused).toMatchObject({ code: 'ECONNREFUSED' })
    await network.transport.listen(1, 'host', 0, () => undefined)
    network.setPolicy(1, 'swallow')
    const startMs = world.nowMs
    const connectedMs = network.createSocket({ nodeId: 1, host: 'host', port: 9092 }).then(() => world.nowMs)
    await world.run(startMs + 2000)
    network.setPolicy(1, 'accept')
    await world.run(startMs + 10_000)
    expect(Math.round((await connectedMs) - startMs)).toBe(3002)
  })
})
