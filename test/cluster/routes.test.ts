import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { encodeResponseFrame } from '../../src/protocol/frame.ts'
import { apiVersions } from '../../src/protocol/messages/api-versions.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import type { Script } from '../support/hostile-peer.ts'
import { Client, closeAll, closeLater, count, metadataAnswer, peerOf } from './client.ts'

afterEach(closeAll)

/** Where the brokers are, by node id; a test may change it. */
type Places = Map<number, number>

function tellingOf(places: Places, more?: Script): Script {
  return (request, socket, peer) => {
    const special = more?.(request, socket, peer) ?? null
    if (special !== null || request.api !== 'Metadata') return special
    const brokers = [...places].map(([nodeId, port]) => ({ nodeId, host: '127.0.0.1', port }))
    return metadataAnswer(request, { brokers, topics: [] })
  }
}

/** A port that accepts everybody and hangs up at once: a load balancer without a broker behind it. */
async function revolvingDoor(onVisit: () => void): Promise<number> {
  const server = createServer((socket) => {
    onVisit()
    socket.on('error', () => undefined)
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closeLater(() => server.close())
  return (server.address() as AddressInfo).port
}

describe('N14: brokers are known by their ids', () => {
  it('N14: two of them at one address have a connection each', async () => {
    const places: Places = new Map()
    const peer = await peerOf(tellingOf(places))
    places.set(1, peer.port).set(2, peer.port)
    const { cluster } = new Client(peer.address, systemClock)
    await cluster.refreshNow()
    const both = (): unknown[] => [1, 2].map((nodeId) => cluster.connectionTo(nodeId))
    await until(() => both().every((connection) => connection !== null), 'both connections')
    const [first, second] = both()
    expect(first).not.toBe(second)
    expect(peer.connections).toBe(2)
  })

  it('N14: one that is elsewhere now is reached there, and the others stay where they are', async () => {
    const places: Places = new Map()
    const [peer, elsewhere] = [await peerOf(tellingOf(places)), await peerOf(tellingOf(places))]
    places.set(1, peer.port).set(2, peer.port)
    const { cluster } = new Client(peer.address, systemClock)
    await cluster.refreshNow()
    await until(() => cluster.connectionTo(1) !== null && cluster.connectionTo(2) !== null, 'the connections')
    const first = cluster.connectionTo(1)
    places.set(2, elsewhere.port)
    await cluster.refreshNow()
    await until(() => cluster.connectionTo(2)?.address === elsewhere.address, 'the new connection')
    expect(cluster.connectionTo(1)).toBe(first)
    await until(() => peer.openSockets === 1, 'the old connection is closed')
  })
})

describe('C14: a broker that speaks other versions when it is back', () => {
  it('C14: is asked in those of its connection', async () => {
    const ranges = [11, 3, 13]
    const places: Places = new Map()
    const sockets: Socket[] = []
    const peer = await peerOf(
      tellingOf(places, (request, socket) => {
        if (request.api !== 'ApiVersions') return null
        sockets.push(socket)
        const maxVersion = ranges[sockets.length - 1] ?? 0
        const apiKeys = [
          { apiKey: 0, minVersion: 3, maxVersion },
          { apiKey: 3, minVersion: 0, maxVersion: 12 },
        ]
        const frame = encodeResponseFrame(apiVersions, request.version, request.correlationId, {
          errorCode: 0,
          apiKeys,
        })
        return Buffer.concat(frame.chunks)
      }),
    )
    places.set(1, peer.port)
    const { cluster } = new Client(peer.address, systemClock)
    for (const [i, version] of ranges.entries()) {
      expect(await cluster.refreshNow()).toBeNull()
      expect(cluster.connectionTo(1)?.newestVersion(produce)).toBe(version)
      sockets[i]?.destroy()
      await until(() => cluster.connectionTo(1) === null, 'the connection is lost')
      await until(() => cluster.connectionTo(1) !== null || i === 2, 'the next one')
    }
  })
})

describe('N15: a connection that was not used for nine minutes', () => {
  it('N15: is closed by us, which is no error, and made again when it is wanted', async () => {
    const clock = new FakeClock()
    const places: Places = new Map()
    const [peer, other] = [await peerOf(tellingOf(places)), await peerOf(tellingOf(places))]
    places.set(1, peer.port).set(2, other.port)
    const { cluster, changes } = new Client(peer.address, clock)
    await cluster.refreshNow()
    await until(() => cluster.connectionTo(2) !== null, 'the connection')
    await clock.advance(540_000)
    await until(() => other.openSockets === 0, 'it is closed')
    expect(changes.filter((code) => code !== null)).toEqual([])
    expect(cluster.trouble('t', 0)).toBeNull()
    expect(cluster.connectionTo(2)).toBeNull()
    await until(() => cluster.connectionTo(2) !== null, 'the next one')
    expect(other.connections).toBe(2)
  })

  it('P6: is not used by a process that was frozen meanwhile, before any timer had its turn', async () => {
    const clock = new SleepingClock()
    const peer = await peerOf()
    const { cluster } = new Client(peer.address, clock)
    await cluster.refreshNow()
    const before = cluster.connectionTo(1)
    expect(before?.isReady).toBe(true)
    clock.sleptMs = 600_000
    expect(cluster.connectionTo(1)).toBeNull()
    await until(() => cluster.connectionTo(1) !== null, 'a fresh connection')
    expect(cluster.connectionTo(1)).not.toBe(before)
  })
})

/** Time that went by without any timer, as when the process was stopped. */
class SleepingClock extends FakeClock {
  sleptMs = 0

  override now(): number {
    return super.now() + this.sleptMs
  }
}

describe('N16, N17: a peer that accepts and hangs up', () => {
  /** The times, by the clock, at which there were attempts while the broker was wanted for `ms`. */
  async function attempts(visits: () => number, client: Client, clock: FakeClock, ms: number): Promise<number[]> {
    const times: number[] = []
    let seen = visits()
    const endMs = clock.now() + ms
    while (clock.now() < endMs) {
      client.cluster.refreshSoon()
      client.cluster.connectionTo(2)
      await turns(12)
      if (visits() > seen) times.push(clock.now())
      seen = visits()
      await clock.advance(50)
    }
    return times
  }

  function gaps(times: readonly number[]): number[] {
    return times.slice(1).map((time, i) => time - (times[i] ?? 0))
  }

  it('N17: at once is tried once a second at most after the first three times, one connection each', async () => {
    const clock = new FakeClock()
    let visits = 0
    const places: Places = new Map()
    const peer = await peerOf(tellingOf(places))
    places.set(1, peer.port).set(
      2,
      await revolvingDoor(() => {
        visits++
      }),
    )
    const client = new Client(peer.address, clock)
    await client.cluster.refreshNow()
    const times = await attempts(() => visits, client, clock, 60_000)
    expect(Math.min(...gaps(times).slice(2))).toBeGreaterThanOrEqual(1000)
    expect(times.length).toBeGreaterThan(30)
    expect(visits).toBeLessThanOrEqual(times.length + 3) // the first attempt asks in three versions, and for TLS
  })

  it('N17: is spared as well when it is all there is, whoever wants it', async () => {
    const clock = new FakeClock()
    let visits = 0
    const port = await revolvingDoor(() => {
      visits++
    })
    const places: Places = new Map()
    const peer = await peerOf(tellingOf(places))
    places.set(2, port)
    const client = new Client(`${peer.address},127.0.0.1:${port}`, clock)
    while (client.cluster.metadata.brokers.size === 0) await client.cluster.refreshNow()
    await peer.close()
    const times = await attempts(() => visits, client, clock, 60_000)
    expect(Math.min(...gaps(times).slice(3))).toBeGreaterThanOrEqual(1000)
    expect(times.length).toBeGreaterThan(30)
  })

  it('N16: after the handshake is tried again at once, and then once a second at most', async () => {
    const clock = new FakeClock()
    const places: Places = new Map()
    const peer = await peerOf(tellingOf(places))
    const fickle = await peerOf((request, socket) => {
      if (request.api === 'ApiVersions') setImmediate(() => socket.destroy())
      return null
    })
    places.set(1, peer.port).set(2, fickle.port)
    const client = new Client(peer.address, clock)
    await client.cluster.refreshNow()
    const times = await attempts(() => fickle.connections, client, clock, 30_000)
    const waits = gaps(times)
    expect(waits[0]).toBeLessThanOrEqual(50)
    expect(Math.min(...waits.slice(2))).toBeGreaterThanOrEqual(1000)
    expect(times.length).toBeGreaterThan(15)
  })

  it('N16: after it was good for something is tried again at once, every time', async () => {
    const places: Places = new Map()
    const sockets: Socket[] = []
    const peer = await peerOf(
      tellingOf(places, (request, socket) => {
        if (request.api === 'ApiVersions') sockets.push(socket)
        return null
      }),
    )
    places.set(1, peer.port)
    const { cluster } = new Client(peer.address, new FakeClock()) // which stands still
    for (let life = 0; life < 20; life++) {
      expect(await cluster.refreshNow()).toBeNull()
      sockets[life]?.destroy()
      await until(() => cluster.connectionTo(1) === null, 'it is lost')
      await until(() => cluster.connectionTo(1) !== null, 'it is there again')
    }
    expect(peer.connections).toBe(21)
  })
})

describe('N3: a broker that does not answer at all', () => {
  it('N3: gets more time for each attempt to connect, 30 s at last', async () => {
    const clock = new FakeClock()
    const places: Places = new Map()
    const peer = await peerOf(tellingOf(places))
    places.set(1, peer.port).set(2, 1)
    let attempt: AbortSignal | null = null
    const createSocket = ({
      nodeId,
      signal,
    }: {
      nodeId: number | null
      signal: AbortSignal
    }): Promise<Duplex> | Duplex => {
      if (nodeId !== 2) return connectTo(peer.port)
      attempt = signal
      return new Promise(() => undefined)
    }
    const { cluster } = new Client(peer.address, clock, { createSocket })
    await cluster.refreshNow()
    const waits: number[] = []
    for (let i = 0; i < 4; i++) {
      while (isOver(attempt)) {
        cluster.connectionTo(2)
        await clock.advance(10)
      }
      const beganMs = clock.now()
      while (!isOver(attempt)) await clock.advance(100)
      waits.push(Math.round((clock.now() - beganMs) / 1000))
    }
    expect(waits).toEqual([10, 20, 30, 30])
  })

  it('N3: holds up a question for a second, then the next one is asked', async () => {
    const clock = new FakeClock()
    const brokers = await TestCluster.start({ brokers: 2 })
    closeLater(() => brokers.close())
    const { cluster } = new Client(brokers.bootstrap.split(',')[0]!, clock)
    await cluster.refreshNow()
    brokers.fail({ api: 'Metadata', broker: 1, silent: true, times: Infinity })
    let isAnswered = false
    void cluster.refreshNow().then((failure) => (isAnswered = failure === null))
    await until(() => count(brokers, 'Metadata', 1) === 2, 'the first one is asked')
    await clock.advance(999)
    await turns(20)
    expect([isAnswered, count(brokers, 'Metadata', 2)]).toEqual([false, 0])
    await clock.advance(1)
    await until(() => isAnswered, 'the other one answers')
    expect(cluster.connectionTo(1)?.inFlightCount).toBe(1) // it may still
  })
})

function isOver(attempt: AbortSignal | null): boolean {
  return attempt === null || attempt.aborted
}

async function connectTo(port: number): Promise<Socket> {
  const { connect } = await import('node:net')
  return connect(port, '127.0.0.1')
}

describe('C12: a broker that throttles', () => {
  it('C12: is not asked for metadata while another one is there', async () => {
    const clock = new FakeClock()
    const places: Places = new Map()
    const throttling: Script = (request) =>
      request.api !== 'Metadata'
        ? null
        : metadataAnswer(request, {
            brokers: [...places].map(([nodeId, port]) => ({ nodeId, host: '127.0.0.1', port })),
            topics: [],
            throttleTimeMs: 5000,
          })
    const [slow, other] = [await peerOf(throttling), await peerOf(tellingOf(places))]
    places.set(1, slow.port).set(2, other.port)
    const { cluster } = new Client(slow.address, clock)
    await cluster.refreshNow()
    await until(() => cluster.connectionTo(2) !== null, 'the other connection')
    expect(cluster.connectionTo(1)?.throttledUntilMs).toBe(clock.now() + 5000)
    const asked = (peer: typeof slow): number => peer.requests.filter(({ api }) => api === 'Metadata').length
    for (let i = 0; i < 3; i++) await cluster.refreshNow()
    expect([asked(slow), asked(other)]).toEqual([1, 3])
    await clock.advance(5000)
    expect(cluster.connectionTo(1)?.throttledUntilMs).toBe(-Infinity)
    await cluster.refreshNow()
    expect(asked(slow) + asked(other)).toBe(5)
  })

  it('C12: is not granted more than a minute, and that is said', async () => {
    const clock = new FakeClock()
    const peer = await peerOf((request, _socket, { port }) =>
      request.api !== 'Metadata'
        ? null
        : metadataAnswer(request, {
            brokers: [{ nodeId: 1, host: '127.0.0.1', port }],
            topics: [],
            throttleTimeMs: 3_600_000,
          }),
    )
    const { cluster, notices } = new Client(peer.address, clock)
    await cluster.refreshNow()
    expect(cluster.connectionTo(1)?.throttledUntilMs).toBe(clock.now() + 60_000)
    expect(notices).toEqual([`${peer.address} throttles us for 3600000 ms; it is granted 60000 ms`])
  })
})
