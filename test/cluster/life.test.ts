import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import type { DiagnosticEvents } from '../../src/diagnostics.ts'
import { describeCluster } from '../../src/protocol/messages/describe-cluster.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import type { Script } from '../support/hostile-peer.ts'
import { producerHarness, realTime } from '../support/producer-harness.ts'
import {
  addressesOf,
  Client,
  closeAll,
  closeLater,
  count,
  deadAddress,
  metadataAnswer,
  peerOf,
  topicAnswer,
} from './client.ts'

const harness = producerHarness()

afterEach(closeAll)

const brokersOf = (options?: TestClusterOptions): Promise<TestCluster> => harness.startCluster(options)

/** What a diagnostics channel tells from now on. */
function heard<Name extends keyof DiagnosticEvents>(name: Name): DiagnosticEvents[Name][] {
  const events: DiagnosticEvents[Name][] = []
  const listener = (event: unknown): void => void events.push(event as DiagnosticEvents[Name])
  subscribe(name, listener)
  closeLater(() => unsubscribe(name, listener))
  return events
}

/** Lets time pass in steps, each with room for what sockets have to say, while somebody wants metadata. */
async function pass(clock: FakeClock, { cluster }: Client, ms: number, stepMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
    cluster.refreshSoon()
    await clock.advance(stepMs)
    await turns(2)
  }
}

describe('C13: all brokers gone', () => {
  it('C13: for ten minutes, and back at another address: reached within two seconds', async () => {
    const clock = new FakeClock()
    const first = await peerOf()
    let place = first.address
    const client = new Client('', clock, { brokers: () => Promise.resolve(addressesOf(place)) })
    expect(await client.cluster.refreshNow()).toBeNull()
    await first.close()
    await pass(clock, client, 600_000, 500)
    const second = await peerOf()
    place = second.address
    const backAtMs = clock.now()
    while (client.cluster.connectionTo(1)?.address !== second.address) {
      expect(clock.now() - backAtMs).toBeLessThanOrEqual(2000)
      await pass(clock, client, 50, 50)
    }
    expect(client.cluster.metadata.brokers.get(1)?.port).toBe(second.port)
    expect(client.failures.every(({ isHopeless }) => !isHopeless)).toBe(true)
  })

  it('C13: begins again at the bootstrap addresses after five minutes without metadata (KIP-1102)', async () => {
    const clock = new FakeClock()
    let isBroken = false
    // Connected, and of no use: an answer without brokers.
    const peer = await peerOf((request) =>
      isBroken && request.api === 'Metadata' ? metadataAnswer(request, { brokers: [], topics: [] }) : null,
    )
    const client = new Client('', clock, {
      brokers: () => (isBroken ? Promise.reject(new Error('no registry')) : Promise.resolve(addressesOf(peer.address))),
    })
    const begun = heard('headrace:cluster:rebootstrap')
    expect(await client.cluster.refreshNow()).toBeNull()
    isBroken = true
    await pass(clock, client, 299_000, 500)
    expect(client.cluster.connectionTo(1)?.isReady).toBe(true)
    expect(begun).toEqual([])
    await pass(clock, client, 3000, 500)
    expect(begun).toEqual([{ reason: 'no metadata for 300 s' }])
    expect(client.notices).toEqual(['beginning again at the bootstrap addresses: no metadata for 300 s'])
    expect(client.cluster.metadata.brokers.size).toBe(0)
    await until(() => peer.openSockets === 0, 'the connections are closed')
    isBroken = false
    await pass(clock, client, 2000, 100)
    expect(client.cluster.connectionTo(1)?.isReady).toBe(true)
  })

  it('C13: begins again when a broker asks for it (REBOOTSTRAP_REQUIRED), and keeps what it knows of topics', async () => {
    let isStale = false
    const script: Script = (request, _socket, { port }) =>
      request.api !== 'Metadata'
        ? null
        : metadataAnswer(request, {
            brokers: [{ nodeId: 1, host: '127.0.0.1', port }],
            topics: isStale ? [] : [topicAnswer('t', [1, 1])],
            errorCode: isStale && port === old.port ? 129 : 0,
          })
    const [old, fresh] = [await peerOf(script), await peerOf(script)]
    const begun = heard('headrace:cluster:rebootstrap')
    const { cluster } = new Client('', new FakeClock(), {
      brokers: () => Promise.resolve(addressesOf(isStale ? fresh.address : old.address)),
    })
    cluster.watch('t')
    expect(await cluster.refreshNow()).toBeNull()
    isStale = true
    expect(await cluster.refreshNow()).toBeNull()
    expect(begun).toEqual([{ reason: `${old.address} asks for it` }])
    expect(cluster.metadata.brokers.get(1)?.port).toBe(fresh.port)
    expect(cluster.metadata.topic('t')?.leaders).toHaveLength(2)
    await until(() => old.openSockets === 0, 'the old connection is closed')
  })

  it('C13: an answer without brokers, or with an error, is not taken for the cluster', async () => {
    let errorCode = 0
    const peer = await peerOf((request) =>
      request.api === 'Metadata' ? metadataAnswer(request, { brokers: [], topics: [], errorCode }) : null,
    )
    const { cluster } = new Client(peer.address, new FakeClock())
    expect(await cluster.refreshNow()).toMatchObject({ code: 'INVALID_VALUE', retriable: true })
    errorCode = -1
    expect(await cluster.refreshNow()).toMatchObject({ code: 'UNKNOWN_SERVER_ERROR', retriable: true })
  })
})

describe('C16: two clusters in one bootstrap list', () => {
  it('C16: the first one counts, the other one is reported with both ids and not used', async () => {
    const [ours, other] = [await brokersOf({ topics: { t: 1 } }), await brokersOf({ topics: { t: 1 } })]
    const mismatches = heard('headrace:cluster:mismatch')
    const otherId = await idOf(other)
    let places = ours.bootstrap
    const client = new Client('', new FakeClock(), { brokers: () => Promise.resolve(addressesOf(places)) })
    await client.cluster.refreshNow()
    const { clusterId } = client.cluster.metadata
    places = `${ours.bootstrap},${other.bootstrap}`
    await ours.close()
    await until(() => client.cluster.connectionTo(1) === null, 'the connection is lost')
    const failure = await client.cluster.refreshNow()
    for (const said of [clusterId, otherId, `${other.bootstrap}: CLUSTER_MISMATCH`]) {
      expect(failure?.message).toContain(said)
    }
    expect(mismatches).toEqual([{ address: other.bootstrap, clusterId: otherId, expectedClusterId: clusterId }])
    expect(client.changes).toContain('CLUSTER_MISMATCH')
    expect(client.failures.map(({ isHopeless }) => isHopeless)).toEqual([false])
    expect(client.cluster.metadata.clusterId).toBe(clusterId)
    expect(client.cluster.metadata.brokers.get(1)?.port).toBe(ours.ports[0])
  })

  it('C16: the other one is noticed a second after the start, while all is well', async () => {
    const [ours, other] = [await brokersOf({ topics: { t: 1 } }), await brokersOf({ topics: { t: 1 } })]
    const clock = new FakeClock()
    const mismatches = heard('headrace:cluster:mismatch')
    const client = new Client(`${ours.bootstrap},${other.bootstrap}`, clock)
    expect(await client.cluster.refreshNow()).toBeNull()
    const second = client.cluster.metadata.brokers.get(1)?.port === ours.ports[0] ? other : ours
    await turns(20)
    expect(second.requests).toEqual([])
    await clock.advance(1000)
    await until(() => client.changes.includes('CLUSTER_MISMATCH'), 'it is told')
    expect(mismatches).toMatchObject([{ address: second.bootstrap }])
    expect(client.cluster.trouble('t', 0)).toBeNull() // of no matter to any record
    await clock.advance(3_600_000)
    await turns(20)
    expect(count(second, 'Metadata')).toBe(1)
  })

  it('C16: addresses that are those of brokers, or lead to our cluster, are no matter', async () => {
    const brokers = await brokersOf({ brokers: 3 })
    const clock = new FakeClock()
    const client = new Client(`${brokers.bootstrap},localhost:${brokers.ports[0] ?? 0},${await deadAddress()}`, clock)
    expect(await client.cluster.refreshNow()).toBeNull()
    await clock.advance(1000)
    await until(() => client.changes.includes('CONNECTION_REFUSED'), 'the dead one was tried')
    await turns(20)
    expect(client.changes).not.toContain('CLUSTER_MISMATCH')
    expect(
      client.cluster.connectionTo(1) ?? client.cluster.connectionTo(2) ?? client.cluster.connectionTo(3),
    ).not.toBeNull()
  })

  it('C16: no record goes astray', async () => {
    const [ours, other] = [await brokersOf({ topics: { t: 1 } }), await brokersOf({ topics: { t: 1 } })]
    let places = ours.bootstrap
    const brokers = (): Promise<string> => Promise.resolve(places)
    const producer = harness.newProducer({ brokers, deliveryTimeoutMs: 400, retryBackoffMs: 5 }, realTime)
    await producer.send({ topic: 't', value: 'a' })
    places = other.bootstrap
    await ours.close()
    await expect(producer.send({ topic: 't', value: 'b' })).rejects.toMatchObject({ code: 'DELIVERY_TIMEOUT' })
    expect([other.recordCount('t'), count(other, 'Produce')]).toEqual([0, 0])
    expect(count(other, 'Metadata')).toBeGreaterThan(0)
  })

  it('C16: a question that is not about metadata goes to nobody whose cluster is not known', async () => {
    const brokers = await brokersOf({ topics: { t: 1 } })
    const { cluster } = new Client(brokers.bootstrap, new FakeClock())
    // This broker does not have the API; what counts is what it was asked before.
    await expect(cluster.ask(describeCluster, { includeClusterAuthorizedOperations: false })).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
    })
    expect(count(brokers, 'Metadata')).toBe(1)
  })
})

async function idOf(brokers: TestCluster): Promise<string> {
  const { cluster } = new Client(brokers.bootstrap, new FakeClock())
  await cluster.refreshNow()
  return cluster.metadata.clusterId ?? ''
}

describe('topics', () => {
  it('are left alone after five minutes without a record, unless something is queued for them', async () => {
    const clock = new FakeClock()
    const brokers = await brokersOf({ topics: { used: 1, queued: 1, idle: 1 } })
    const client = new Client(brokers.bootstrap, clock)
    const { cluster } = client
    for (const topic of ['used', 'queued', 'idle']) cluster.watch(topic)
    await until(() => cluster.metadata.topicCount === 3, 'all are known')
    client.inUse.add('queued')
    const known = (): string[] => ['used', 'queued', 'idle'].filter((topic) => cluster.metadata.topic(topic))
    for (let minutes = 0; minutes < 4; minutes++) {
      cluster.use('used')
      await clock.advance(60_000)
      await turns(20)
    }
    expect(known()).toEqual(['used', 'queued', 'idle'])
    for (let minutes = 0; minutes < 7; minutes++) {
      cluster.use('used')
      await clock.advance(60_000)
      await turns(20)
    }
    expect(known()).toEqual(['used', 'queued'])
    cluster.watch('idle')
    await until(() => cluster.metadata.topic('idle') !== undefined, 'it is asked for again')
  })

  it('C8: a topic that was made anew is told of, and has another id', async () => {
    const brokers = await brokersOf({ topics: { t: 4 } })
    const { cluster } = new Client(brokers.bootstrap, new FakeClock())
    const recreated = heard('headrace:topic:recreated')
    cluster.watch('t')
    await until(() => cluster.metadata.topic('t') !== undefined, 'it is known')
    const formerTopicId = cluster.metadata.topicId('t')
    brokers.deleteTopic('t')
    brokers.createTopic('t', 2)
    await cluster.refreshNow()
    const topicId = cluster.metadata.topicId('t')
    expect(topicId).not.toBe(formerTopicId)
    expect(recreated).toEqual([{ topic: 't', topicId, formerTopicId }])
    expect(cluster.metadata.topic('t')?.leaders).toHaveLength(2)
  })

  it('C17: that are new are asked about alone', async () => {
    const brokers = await brokersOf({ topics: { a: 1, b: 1, c: 1 } })
    const rule = brokers.fail({ api: 'Metadata', topic: 'a', delayMs: 0, times: Infinity })
    const { cluster } = new Client(brokers.bootstrap, systemClock)
    for (const topic of ['a', 'b', 'c']) {
      cluster.watch(topic)
      await until(() => cluster.metadata.topic(topic) !== undefined, 'it is known')
    }
    expect([rule.hits, count(brokers, 'Metadata')]).toEqual([1, 3])
    await cluster.refreshNow()
    expect(rule.hits).toBe(2)
  })

  it('C4: however often they move, metadata is asked for twice a second at most', async () => {
    const clock = new FakeClock()
    const brokers = await brokersOf({ topics: { t: 1 } })
    const client = new Client(brokers.bootstrap, clock)
    client.cluster.watch('t')
    await until(() => client.cluster.metadata.topic('t') !== undefined, 'it is known')
    await pass(clock, client, 60_000, 100)
    expect(count(brokers, 'Metadata')).toBeLessThanOrEqual(2 * 60 + 5) // 100, 200, 400 ms at first
    expect(count(brokers, 'Metadata')).toBeGreaterThan(60)
  })
})

/** Counts what wakes the process up. */
class CountingClock extends FakeClock {
  fired = 0

  override after(delayMs: number, fn: () => void): ReturnType<FakeClock['after']> {
    return super.after(delayMs, () => {
      this.fired++
      fn()
    })
  }
}

describe('an idle cluster', () => {
  it('wakes the process up less than once a minute', async () => {
    const clock = new CountingClock()
    const brokers = await brokersOf({ brokers: 3, topics: { t: 3 } })
    const { cluster } = new Client(brokers.bootstrap, clock)
    cluster.watch('t')
    await until(() => cluster.metadata.topic('t') !== undefined, 'it is known')
    await until(() => [1, 2, 3].every((id) => cluster.connectionTo(id) !== null), 'the connections')
    clock.fired = 0
    for (let minute = 0; minute < 60; minute++) {
      await clock.advance(60_000)
      await turns(20)
    }
    expect(clock.fired).toBeLessThan(60)
    expect(clock.fired).toBeGreaterThan(10) // it lives: metadata is kept fresh
  })

  it('asks for metadata again after a refresh that failed', async () => {
    const clock = new FakeClock()
    const peer = await peerOf()
    let place = peer.address
    const client = new Client('', clock, { brokers: () => Promise.resolve(addressesOf(place)) })
    await client.cluster.refreshNow()
    place = await deadAddress()
    await peer.close()
    await until(() => client.cluster.connectionTo(1) === null, 'the connection is lost')
    const second = await peerOf()
    await clock.advance(300_000)
    await until(() => client.failures.length === 1, 'the refresh fails')
    place = second.address
    await clock.advance(300_000)
    await until(() => client.cluster.metadata.brokers.get(1)?.port === second.port, 'the next one succeeds')
  })
})
