import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, describe, expect, it } from 'vitest'
import type { Connection } from '../../src/connection/connection.ts'
import { openConnection } from '../../src/connection/handshake.ts'
import { shouldClientThrottle } from '../../src/connection/throttle.ts'
import { apis } from '../../src/protocol/apis.ts'
import { encodeResponseFrame } from '../../src/protocol/frame.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import { FakeClock, until } from '../support/fake-clock.ts'
import { HostilePeer, NOTHING, type SeenRequest } from '../support/hostile-peer.ts'

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** A broker that asks for this much in each of its answers to Metadata, in turn, and the connection to it. */
async function throttledBy(timesMs: readonly number[], clock: FakeClock): Promise<Connection> {
  let answers = 0
  const peer = await HostilePeer.start((request) =>
    request.api === 'Metadata' ? answer(request, timesMs[answers++] ?? 0) : null,
  )
  open.push(() => peer.close())
  const options = {
    ...{ nodeId: 1, host: '127.0.0.1', port: peer.port, clientId: 'test', clock },
    ...{ connectTimeoutMs: 10_000, requestTimeoutMs: 30_000, maxIdleMs: 540_000 },
  }
  return openConnection(options, { name: 'headrace', version: '0' }, (begun) => open.push(() => begun.close()))
}

function answer({ version, correlationId }: SeenRequest, throttleTimeMs: number): Buffer {
  const body = { throttleTimeMs, brokers: [], topics: [] }
  return Buffer.concat(encodeResponseFrame(metadata, version, correlationId, body).chunks)
}

async function ask(connection: Connection, maxVersion = 13): Promise<void> {
  await connection.request(metadata, { topics: [] }, { maxVersion })
}

describe('C12: throttledUntilMs', () => {
  it('C12: is the end of the longest of the windows that overlap', async () => {
    const clock = new FakeClock()
    const connection = await throttledBy([5000, 1000, 0, 2000], clock)
    expect(connection.throttledUntilMs).toBe(-Infinity)
    const startMs = clock.now()
    await ask(connection)
    expect(connection.throttledUntilMs).toBe(startMs + 5000)
    await ask(connection)
    await ask(connection)
    expect(connection.throttledUntilMs).toBe(startMs + 5000)
    await clock.advance(4999)
    expect(connection.throttledUntilMs).toBe(startMs + 5000)
    await ask(connection)
    expect(connection.throttledUntilMs).toBe(clock.now() + 2000)
    await clock.advance(2000)
    expect(connection.throttledUntilMs).toBe(-Infinity)
  })

  it('C12: is not set by versions in which the broker has waited itself', async () => {
    const connection = await throttledBy([5000, 5000], new FakeClock())
    await ask(connection, 5)
    expect(connection.throttledUntilMs).toBe(-Infinity)
    await ask(connection, 6)
    expect(connection.throttledUntilMs).toBeGreaterThan(0)
  })

  it('C12: is told of, with what was asked for and what was granted', async () => {
    const events: unknown[] = []
    const hear = (event: unknown): void => void events.push(event)
    subscribe('headrace:connection:throttled', hear)
    open.push(() => unsubscribe('headrace:connection:throttled', hear))
    const connection = await throttledBy([100_000], new FakeClock())
    await ask(connection)
    expect(events).toMatchObject([{ nodeId: 1, host: '127.0.0.1', throttleMs: 60_000, askedMs: 100_000 }])
  })

  it('C12: does not count against the time that a request has', async () => {
    const clock = new FakeClock()
    let isSilent = false
    const peer = await HostilePeer.start((request) =>
      request.api !== 'Metadata' ? null : isSilent ? NOTHING : answer(request, 20_000),
    )
    open.push(() => peer.close())
    const options = {
      ...{ nodeId: 1, host: '127.0.0.1', port: peer.port, clientId: 'test', clock },
      ...{ connectTimeoutMs: 10_000, requestTimeoutMs: 30_000, maxIdleMs: 540_000 },
    }
    const connection = await openConnection(options, { name: 'headrace', version: '0' }, () => undefined)
    open.push(() => connection.close())
    await ask(connection)
    isSilent = true
    const outcome = connection.request(metadata, { topics: [] })
    await until(() => peer.requests.length === 3, 'it is asked')
    await clock.advance(49_999)
    expect(connection.isReady).toBe(true)
    await clock.advance(1)
    expect(await outcome).toMatchObject({ error: { code: 'REQUEST_TIMEOUT' } })
  })

  it('C12: knows the versions as Kafka does', () => {
    // From shouldClientThrottle of every response class of Kafka 4.3.1, asked for every version.
    const kafka: Record<string, string> = {
      ...{ Produce: '00000011111111', Metadata: '00000011111111', ApiVersions: '00111', InitProducerId: '0111111' },
      ...{ FindCoordinator: '0011111', AddPartitionsToTxn: '011111', AddOffsetsToTxn: '01111', EndTxn: '011111' },
      ...{ TxnOffsetCommit: '011111', CreateTopics: '00011111', DescribeConfigs: '00111', DescribeCluster: '000' },
      ...{ SaslHandshake: '00', SaslAuthenticate: '000' },
    }
    for (const api of apis) {
      const versions = Array.from({ length: api.maxVersion - api.minVersion + 1 }, (_, i) => api.minVersion + i)
      const ours = versions.map((version) => Number(shouldClientThrottle(api, version))).join('')
      expect([api.name, ours]).toEqual([api.name, kafka[api.name]?.slice(api.minVersion, api.maxVersion + 1)])
    }
    expect(shouldClientThrottle(produce, 6)).toBe(true)
  })
})
