import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import type { Producer } from '../../src/index.ts'
import { type ProducerOptions } from '../../src/index.ts'
import { metadata as metadataApi } from '../../src/protocol/messages/metadata.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { producerHarness, realTime } from '../support/producer-harness.ts'
import { addressesOf, Client, closeAll, count, deadAddress, peerOf } from './client.ts'

const harness = producerHarness()

afterEach(closeAll)

const brokersOf = (options?: TestClusterOptions): Promise<TestCluster> => harness.startCluster(options)

describe('bootstrap', () => {
  it('goes on to the next address when one is dead, in whatever order they are tried', async () => {
    const brokers = await brokersOf({ topics: { t: 1 } })
    const dead = await deadAddress()
    for (const nextRandom of [0, 0.999]) {
      const clock = new FakeClock()
      clock.nextRandom = nextRandom
      const { cluster } = new Client(`${dead},${brokers.bootstrap}`, clock)
      expect(await cluster.refreshNow()).toBeNull()
      expect(cluster.metadata.brokers.size).toBe(1)
    }
  })

  it('says why for each address when none can be used', async () => {
    const [a, b] = [await deadAddress(), await deadAddress()]
    const { cluster, failures } = new Client(`${a},${b}`, new FakeClock())
    const failure = await cluster.refreshNow()
    expect(failure).toMatchObject({ name: 'ConnectionError', code: 'BOOTSTRAP_FAILED', retriable: true })
    for (const address of [a, b]) expect(failure?.message).toContain(`${address}: CONNECTION_REFUSED`)
    expect(failures).toMatchObject([{ isHopeless: false }])
  })

  it('gives the one reason itself when there is one address', async () => {
    const { cluster } = new Client(await deadAddress(), new FakeClock())
    expect(await cluster.refreshNow()).toMatchObject({ code: 'CONNECTION_REFUSED' })
  })

  it('asks anew where to begin, whenever nobody that it knows answers', async () => {
    const brokers = await brokersOf()
    let asked = 0
    const places = [await deadAddress(), brokers.bootstrap]
    const { cluster } = new Client('', new FakeClock(), {
      brokers: () => Promise.resolve(addressesOf(places[asked++] ?? '')),
    })
    expect(await cluster.refreshNow()).toMatchObject({ code: 'CONNECTION_REFUSED' })
    expect(await cluster.refreshNow()).toBeNull()
    expect(await cluster.refreshNow()).toBeNull()
    expect(asked).toBe(2)
  })

  it('fails when the function that knows where to begin fails', async () => {
    const brokers = (): Promise<never> => Promise.reject(new Error('no registry'))
    const { cluster, failures } = new Client('', new FakeClock(), { brokers })
    const failure = await cluster.refreshNow()
    expect(failure).toMatchObject({ name: 'ConnectionError', code: 'BOOTSTRAP_FAILED', retriable: true })
    expect(failure?.message).toContain('no registry')
    expect(failures).toMatchObject([{ isHopeless: false }])
  })

  it('uses the connection to a bootstrap address as the one to that broker', async () => {
    const brokers = await brokersOf()
    const { cluster } = new Client(brokers.bootstrap, new FakeClock())
    await cluster.refreshNow()
    expect(cluster.connectionTo(1)?.isReady).toBe(true)
    expect(count(brokers, 'ApiVersions')).toBe(1)
  })
})

describe('metadata', () => {
  it('is asked for in one round at a time, whoever wants it', async () => {
    const brokers = await brokersOf()
    const { cluster } = new Client(brokers.bootstrap, new FakeClock())
    await Promise.all([cluster.refreshNow(), cluster.refreshNow(), cluster.refreshNow()])
    expect(count(brokers, 'Metadata')).toBe(1)
  })

  it('is asked for again, once, when a topic is watched during a round', async () => {
    const brokers = await brokersOf({ topics: { t: 1, u: 1 } })
    const { cluster } = new Client(brokers.bootstrap, systemClock)
    cluster.watch('t')
    cluster.watch('u')
    cluster.watch('u')
    await until(() => cluster.metadata.topic('u') !== undefined, 'the second round')
    expect(cluster.metadata.leader('t', 0)).toBe(1)
    expect(count(brokers, 'Metadata')).toBe(2)
  })

  it('is not asked for again before the backoff has passed', async () => {
    const clock = new FakeClock()
    const brokers = await brokersOf()
    const { cluster } = new Client(brokers.bootstrap, clock)
    await cluster.refreshNow()
    cluster.refreshSoon()
    cluster.refreshSoon()
    await clock.advance(99)
    expect(count(brokers, 'Metadata')).toBe(1)
    await clock.advance(1)
    await until(() => count(brokers, 'Metadata') === 2, 'the second round')
    await turns(20)
    expect(count(brokers, 'Metadata')).toBe(2)
  })

  it('is asked for less and less often while nobody answers', async () => {
    const clock = new FakeClock()
    const { cluster, failures } = new Client(await deadAddress(), clock)
    await cluster.refreshNow()
    for (const [i, waitMs] of [100, 200, 400, 800, 1000, 1000].entries()) {
      cluster.refreshSoon()
      expect(clock.pendingMs).toEqual([waitMs])
      await clock.advance(waitMs - 1)
      expect(failures).toHaveLength(i + 1)
      await clock.advance(1)
      await until(() => failures.length === i + 2, 'the next round fails')
    }
  })

  it('is asked for again when it is old', async () => {
    const clock = new FakeClock()
    const brokers = await brokersOf()
    const { cluster } = new Client(brokers.bootstrap, clock)
    await cluster.refreshNow()
    await clock.advance(299_999)
    expect(count(brokers, 'Metadata')).toBe(1)
    await clock.advance(1)
    await until(() => count(brokers, 'Metadata') === 2, 'the refresh')
  })

  it('comes from another broker when the one that is connected is lost', async () => {
    const brokers = await brokersOf({ brokers: 2 })
    const { cluster } = new Client(brokers.bootstrap.split(',')[0]!, new FakeClock())
    await cluster.refreshNow()
    await brokers.stopBroker(1)
    await until(() => cluster.connectionTo(1) === null, 'the connection is lost')
    expect(await cluster.refreshNow()).toBeNull()
    expect(count(brokers, 'Metadata', 2)).toBe(1)
    expect([...cluster.metadata.brokers.keys()]).toEqual([2])
  })

  it('can be asked for by anybody who has a question of his own', async () => {
    const brokers = await brokersOf({ topics: { t: 2 } })
    const { cluster } = new Client(brokers.bootstrap, new FakeClock())
    const { topics } = await cluster.ask(metadataApi, { topics: null, allowAutoTopicCreation: false })
    expect(topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([['t', 2]])
  })
})

describe('connections', () => {
  it('are made when they are wanted, told of when they are there, and told of when they are lost', async () => {
    const brokers = await brokersOf({ brokers: 2 })
    const { cluster, changes } = new Client(brokers.bootstrap.split(',')[0]!, systemClock)
    await cluster.refreshNow()
    expect(cluster.connectionTo(2)).toBeNull()
    await until(() => cluster.connectionTo(2) !== null, 'the connection')
    await brokers.stopBroker(2)
    await until(() => changes.includes('CONNECTION_CLOSED'), 'the loss')
    expect(cluster.connectionTo(2)).toBeNull()
    await brokers.startBroker(2)
    await until(() => cluster.connectionTo(2) !== null, 'the connection again')
    expect(count(brokers, 'ApiVersions', 2)).toBe(2)
  })

  it('are not tried again before their backoff has passed', async () => {
    const clock = new FakeClock()
    const brokers = await brokersOf({ brokers: 2 })
    const { cluster, changes } = new Client(brokers.bootstrap.split(',')[0]!, clock)
    await cluster.refreshNow()
    await brokers.stopBroker(2)
    for (const [failures, waitMs] of [50, 100, 200, 400, 800, 1000, 1000].entries()) {
      expect(cluster.connectionTo(2)).toBeNull()
      const isOver = (): boolean => changes.filter((code) => code === 'CONNECTION_REFUSED').length === failures + 1
      await until(isOver, 'the attempt fails')
      expect(cluster.retryAtMs(2) - clock.now()).toBe(waitMs)
      cluster.connectionTo(2)
      await clock.advance(waitMs)
    }
    expect(cluster.trouble('t', 0)).toBeNull() // nothing is known to be led by it
  })

  it('to a broker that moved go to its new address', async () => {
    const [old, moved] = [await peerOf(), await peerOf()]
    let place = old.address
    const { cluster } = new Client('', systemClock, { brokers: () => Promise.resolve(addressesOf(place)) })
    await cluster.refreshNow()
    place = moved.address
    await old.close()
    await until(() => cluster.connectionTo(1) === null, 'the connection is lost')
    expect(await cluster.refreshNow()).toBeNull()
    await until(() => cluster.connectionTo(1) !== null, 'the connection')
    expect(cluster.connectionTo(1)?.address).toBe(moved.address)
  })

  it('and timers end when it is closed', async () => {
    const clock = new FakeClock()
    const brokers = await brokersOf()
    const { cluster } = new Client(brokers.bootstrap, clock)
    await cluster.refreshNow()
    cluster.refreshSoon()
    cluster.close()
    expect(clock.pendingMs).toEqual([])
    expect(await cluster.refreshNow()).toMatchObject({ code: 'CLOSED_BY_CLIENT' })
  })
})

describe('a producer whose cluster changes', () => {
  const SOON = { retryBackoffMs: 1, retryBackoffMaxMs: 2, reconnectBackoffMs: 1, reconnectBackoffMaxMs: 2 }

  const producerOf = ({ bootstrap }: TestCluster, options: Partial<ProducerOptions> = {}): Producer =>
    harness.newProducer({ brokers: bootstrap, ...SOON, ...options }, realTime)

  function valuesOf(brokers: TestCluster): string[] {
    return brokers.records('t').map(({ value }) => String(value))
  }

  it('follows the hint of a broker that is no longer the leader, before any new metadata (KIP-951)', async () => {
    const brokers = await brokersOf({ brokers: 2, topics: { t: 1 } })
    const producer = producerOf(brokers)
    await producer.send({ topic: 't', value: 'a' })
    await until(() => count(brokers, 'Metadata') > 0, 'the first metadata')
    brokers.fail({ api: 'Metadata', silent: true, times: Infinity }) // the hint is all there is
    brokers.moveLeader('t', 0, 2)
    expect((await producer.send({ topic: 't', value: 'b' })).offset).toBe(1n)
    expect(valuesOf(brokers)).toEqual(['a', 'b'])
  })

  it('is not kept from a partition by a hint that leads nowhere, whatever epoch it names', async () => {
    const brokers = await brokersOf({ topics: { t: 1 } })
    const { cluster, changes } = new Client(brokers.bootstrap, new FakeClock())
    cluster.watch('t')
    await cluster.refreshNow()
    const [endpoint = null] = addressesOf(await deadAddress())
    expect(cluster.hintLeader({ topic: 't', partition: 0, leader: 9, leaderEpoch: 1000, endpoint })).toBe(true)
    await cluster.refreshNow()
    expect(cluster.metadata.leader('t', 0)).toBe(9) // nothing speaks against it yet
    expect(cluster.connectionTo(9)).toBeNull()
    await until(() => changes.includes('CONNECTION_REFUSED'), 'the attempt to connect fails')
    await cluster.refreshNow()
    expect(cluster.metadata.leader('t', 0)).toBe(1)
  })

  it('asks for metadata when there is no hint', async () => {
    const brokers = await brokersOf({ brokers: 2, topics: { t: 1 }, apiVersions: { Produce: [3, 9] } })
    const producer = producerOf(brokers)
    await producer.send({ topic: 't', value: 'a' })
    brokers.moveLeader('t', 0, 2)
    const before = count(brokers, 'Metadata')
    expect((await producer.send({ topic: 't', value: 'b' })).offset).toBe(1n)
    expect(count(brokers, 'Metadata')).toBeGreaterThan(before)
    expect(valuesOf(brokers)).toEqual(['a', 'b'])
  })

  it('keeps the order of a partition while its leader moves to and fro', async () => {
    const brokers = await brokersOf({ brokers: 3, topics: { t: 1 } })
    const producer = producerOf(brokers)
    const sent: Promise<unknown>[] = []
    for (let i = 0; i < 60; i++) {
      sent.push(producer.send({ topic: 't', value: `${i}` }))
      if (i % 10 === 0) brokers.moveLeader('t', 0, 1 + ((i / 10) % 3))
      await turns(3)
    }
    await Promise.all(sent)
    expect(valuesOf(brokers)).toEqual(Array.from({ length: 60 }, (_, i) => `${i}`))
    expect(brokers.violations).toEqual([])
  })

  it('waits for a broker that is down and comes back', async () => {
    const brokers = await brokersOf({ topics: { t: 1 } })
    const producer = producerOf(brokers)
    await producer.send({ topic: 't', value: 'a' })
    await brokers.stopBroker(1)
    const sent = producer.send({ topic: 't', value: 'b' })
    await turns(50)
    await brokers.startBroker(1)
    expect((await sent).offset).toBe(1n)
    expect(valuesOf(brokers)).toEqual(['a', 'b'])
  })

  it('goes on with the healthy broker while another one is down', async () => {
    const brokers = await brokersOf({ brokers: 2, topics: { t: 2 } })
    const producer = producerOf(brokers)
    await producer.send({ topic: 't', value: 'a', partition: 0 })
    await brokers.stopBroker(2)
    const stuck = producer.send({ topic: 't', value: 'stuck', partition: 1 })
    await producer.send({ topic: 't', value: 'b', partition: 0 })
    await brokers.startBroker(2)
    expect((await stuck).offset).toBe(0n)
  })

  it('starts before its cluster does', async () => {
    const ports = [Number((await deadAddress()).split(':')[1])]
    const producer = harness.newProducer({ brokers: `127.0.0.1:${ports[0] ?? 0}`, ...SOON }, realTime)
    const sent = producer.send({ topic: 't', value: 'early' })
    await turns(50)
    const brokers = await brokersOf({ ports, topics: { t: 1 } })
    await sent
    expect(valuesOf(brokers)).toEqual(['early'])
  })

  it('shares the cluster with another one', async () => {
    const brokers = await brokersOf({ brokers: 2, topics: { t: 2 } })
    const clients = ['x', 'y'].map((clientId) => producerOf(brokers, { clientId }))
    const values = Array.from({ length: 200 }, (_, i) => `${i}`)
    const all = clients.flatMap((client, c) =>
      values.map((value, i) => client.send({ topic: 't', value: `${c}-${value}`, partition: i % 2 })),
    )
    const offsets = (await Promise.all(all)).map(({ partition, offset }) => `${partition}:${offset}`)
    expect(new Set(offsets).size).toBe(400)
    for (const c of [0, 1]) {
      for (const partition of [0, 1]) {
        const mine = brokers
          .records('t')
          .filter((r) => r.partition === partition && String(r.value).startsWith(`${c}-`))
        const order = mine.map(({ value }) => Number(String(value).slice(2)))
        expect(order).toEqual(values.map(Number).filter((i) => i % 2 === partition))
      }
    }
    expect(brokers.violations).toEqual([])
  })
})
