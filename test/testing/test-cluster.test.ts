import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { KafkaError, Producer, type ProducerOptions } from '../../src/index.ts'
import { decodeApiVersionsFrame } from '../../src/protocol/negotiate.ts'
import { apiVersions } from '../../src/protocol/messages/api-versions.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import { loadCodec } from '../../src/compression/load-codec.ts'
import { encodeMessageSet } from '../../src/protocol/message-set.ts'
import { encodeRecordBatch, stampRecordBatch } from '../../src/protocol/record-batch.ts'
import type { Api } from '../../src/protocol/schema.ts'
import { TestCluster, type FaultOptions, type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
import { javaFormats } from '../support/java-record-formats.ts'
import { batchOf, errorOf, frameOf, offsetOf, RawClient, writeTo } from './raw-client.ts'

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function clusterOf(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await TestCluster.start(options)
  open.push(() => cluster.close())
  return cluster
}

/** Tries again soon: these tests are about what comes of a retry, not about its wait. */
const SOON = { retryBackoffMs: 1, retryBackoffMaxMs: 2, reconnectBackoffMs: 1, reconnectBackoffMaxMs: 2 }

function producerOf(cluster: TestCluster, options: Partial<ProducerOptions> = {}, clock?: FakeClock): Producer {
  const all = { brokers: cluster.bootstrap, ...SOON, ...options }
  const producer = clock === undefined ? new Producer(all) : new Producer(all, clock)
  open.push(() => producer.close({ timeoutMs: 0 }).catch(() => undefined)) // gives up what a test left unsettled
  return producer
}

function valuesOf(cluster: TestCluster, topic: string): string[] {
  return cluster.records(topic).map(({ value }) => String(value))
}

async function failureOf(work: Promise<unknown>): Promise<KafkaError> {
  const outcome: unknown = await work.then(
    () => 'success',
    (error: unknown) => error,
  )
  if (outcome instanceof KafkaError) return outcome
  throw new Error(`expected a KafkaError, got ${String(outcome)}`)
}

describe('TestCluster', () => {
  it('gives back what was produced: text, bytes, null, headers, time', async () => {
    const cluster = await clusterOf({ topics: { orders: 3 } })
    const producer = producerOf(cluster, { idempotent: false })
    const headers = [
      ['grüße', 'žluťoučký 🐟'],
      ['none', null],
      ['twice', 'a'],
      ['twice', Buffer.from([0, 255])],
    ] as const
    const sent = await producer.send({
      ...{ topic: 'orders', key: 'kľúč', value: '漢字\u0000', headers, partition: 1, timestamp: 1_700_000_000_123 },
    })
    await producer.send({ topic: 'orders', value: null, partition: 1 })
    await producer.send({ topic: 'orders', key: '', value: Buffer.alloc(0), partition: 1 })

    expect(sent).toMatchObject({ partition: 1, offset: 0n })
    const [first, tombstone, empty] = cluster.records('orders')
    expect(first).toEqual({
      ...{ partition: 1, offset: 0n, key: Buffer.from('kľúč'), value: Buffer.from('漢字\u0000') },
      headers: headers.map(([name, value]) => [name, value === null ? null : Buffer.from(value)]),
      timestamp: 1_700_000_000_123,
      ...{ producerId: -1n, epoch: -1, sequence: -1, compression: 'none' },
    })
    expect(tombstone).toMatchObject({ offset: 1n, key: null, value: null, headers: [] })
    expect(empty).toMatchObject({ offset: 2n, key: Buffer.alloc(0), value: Buffer.alloc(0) })
    expect(cluster.recordCount('orders')).toBe(3)
    expect(cluster.violations).toEqual([])
  })

  it('counts offsets per partition, without a gap', async () => {
    const cluster = await clusterOf({ brokers: 2, topics: { t: 4 } })
    const producer = producerOf(cluster, { batchBytes: 200 })
    const records = Array.from({ length: 400 }, (_, i) => ({ topic: 't', value: `${i}`, partition: i % 4 }))
    const report = await producer.sendAll(records)
    for (let partition = 0; partition < 4; partition++) {
      const stored = cluster.records('t').filter((record) => record.partition === partition)
      expect(stored.map(({ offset }) => offset)).toEqual(Array.from({ length: 100 }, (_, i) => BigInt(i)))
      expect(stored.map(({ value }) => Number(value))).toEqual(Array.from({ length: 100 }, (_, i) => 4 * i + partition))
    }
    for (let i = 0; i < 400; i++) expect(report.metadata(i)).toMatchObject({ partition: i % 4, offset: BigInt(i >> 2) })
    expect(new Set(cluster.requests.filter(({ api }) => api === 'Produce').map(({ broker }) => broker)).size).toBe(2)
    expect(cluster.violations).toEqual([])
  })

  it('logs the requests', async () => {
    const cluster = await clusterOf({ topics: { t: 1 } })
    await producerOf(cluster, { clientId: 'me', idempotent: false }).send({ topic: 't', value: '' })
    expect(cluster.requests.map(({ api, version, clientId, broker }) => [api, version, clientId, broker])).toEqual([
      ['ApiVersions', 4, 'me', 1],
      ['Metadata', 13, 'me', 1],
      ['Produce', 13, 'me', 1],
    ])
    const ids = cluster.requests.map(({ correlationId }) => correlationId)
    expect(ids).toEqual([ids[0], ids[0]! + 1, ids[0]! + 2])
  })

  it.each([1, 0] as const)('takes acks %i', async (acks) => {
    const cluster = await clusterOf({ topics: { t: 1 } })
    const producer = producerOf(cluster, { acks })
    const { offset } = await producer.send({ topic: 't', value: 'a' })
    expect(offset).toBe(acks === 0 ? -1n : 0n)
    await until(() => cluster.recordCount('t') === 1, 'the record arrives')
    await producer.send({ topic: 't', value: 'b' })
    await until(() => cluster.recordCount('t') === 2, 'the second one, too')
    expect(valuesOf(cluster, 't')).toEqual(['a', 'b'])
  })

  it('lets the broker set the time, where a topic says so', async () => {
    const clock = new FakeClock()
    const cluster = await clusterOf({ topics: { t: { partitions: 1, timestampType: 'LogAppendTime' } }, clock })
    const { timestamp } = await producerOf(cluster).send({ topic: 't', value: 'v', timestamp: 5 })
    expect(timestamp).toBe(clock.wallNow())
    expect(cluster.records('t')[0]?.timestamp).toBe(clock.wallNow())
  })

  it('makes topics that are asked for, unless it should not', async () => {
    const cluster = await clusterOf({ defaultPartitions: 3 })
    await producerOf(cluster).send({ topic: 'new', value: 'v', partition: 2 })
    expect(cluster.topics).toEqual(['new'])

    const strict = await clusterOf({ autoCreateTopics: false, topics: { old: 1 } })
    const error = await failureOf(producerOf(strict, { maxBlockMs: 50 }).send({ topic: 'odl', value: 'v' }))
    expect(error.code).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(error.message).toContain('did you mean "old"?')

    const asked = await clusterOf()
    const modest = producerOf(asked, { maxBlockMs: 50, allowAutoTopicCreation: false })
    expect(await failureOf(modest.send({ topic: 'new', value: 'v' }))).toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
    const illegal = await failureOf(producerOf(asked).send({ topic: 'no spaces', value: 'v' }))
    expect(illegal.code).toBe('INVALID_TOPIC_EXCEPTION')
  })

  it.each(versions(produce).filter((version) => version >= 3))('speaks Produce v%i', async (version) => {
    const cluster = await clusterOf({ topics: { t: 1 }, apiVersions: { Produce: [3, version] } })
    const { offset } = await producerOf(cluster).send({ topic: 't', value: 'v' })
    expect(offset).toBe(0n)
    expect(cluster.requests.filter(({ api }) => api === 'Produce')).toMatchObject([{ version }])
    expect(cluster.violations).toEqual([])
  })

  it.each([0, 1, 2])('is sent message sets where Produce v%i is the newest', async (newest) => {
    const cluster = await clusterOf({ topics: { t: 1 }, apiVersions: { Produce: [0, newest] } })
    await producerOf(cluster).send({ topic: 't', key: 'k', value: 'v' })
    expect(cluster.records('t')).toMatchObject([{ key: Buffer.from('k'), value: Buffer.from('v'), producerId: -1n }])
    expect(cluster.requests.filter(({ api }) => api === 'Produce').map(({ version }) => version)).toEqual([newest])
    expect(cluster.violations).toEqual([])
  })

  it.each(versions(metadata).filter((version) => version >= 4))('speaks Metadata v%i', async (version) => {
    const cluster = await clusterOf({ topics: { t: 2, u: 1 }, apiVersions: { Metadata: [version, version] } })
    const producer = producerOf(cluster)
    await producer.send({ topic: 't', value: 'v', partition: 1 })
    expect(await producer.topics()).toEqual([
      { name: 't', partitions: 2, isInternal: false },
      { name: 'u', partitions: 1, isInternal: false },
    ])
    expect(valuesOf(cluster, 't')).toEqual(['v'])
    expect(cluster.violations).toEqual([])
  })

  it.each([1, 2, 3])('speaks Metadata v%i, which cannot forbid to make a topic, and makes none', async (version) => {
    const cluster = await clusterOf({ topics: { t: 2 }, apiVersions: { Metadata: [version, version] } })
    const producer = producerOf(cluster)
    await producer.send({ topic: 't', value: 'v', partition: 1 })
    expect(await producer.topics()).toEqual([{ name: 't', partitions: 2, isInternal: false }])
    expect(await failureOf(producer.partitionsFor('other'))).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
    expect(await producer.partitionsFor('t')).toHaveLength(2)
    expect(cluster.topics).toEqual(['t'])
    expect(cluster.violations).toEqual([])
  })

  it('speaks Metadata v0, which has no question for all topics but an empty one that later means none', async () => {
    const cluster = await clusterOf({ topics: { t: 2 }, apiVersions: { Metadata: [0, 0] } })
    const producer = producerOf(cluster)
    await producer.send({ topic: 't', value: 'v', partition: 1 })
    expect(await failureOf(producer.topics())).toMatchObject({ code: 'NOT_REPRESENTABLE', retriable: false })
  })

  it.each(versions(apiVersions))('speaks ApiVersions up to v%i', async (version) => {
    const cluster = await clusterOf({ topics: { t: 1 }, apiVersions: { ApiVersions: [0, version] } })
    await producerOf(cluster).send({ topic: 't', value: 'v' })
    const asked = cluster.requests.filter(({ api }) => api === 'ApiVersions').map((request) => request.version)
    expect(asked).toEqual(version === 4 ? [4] : [4, version === 3 ? 3 : 0]) // before KIP-511 nobody says which
  })

  it('refuses batches over maxMessageBytes', async () => {
    const topics = { t: 1, wide: { partitions: 1, maxMessageBytes: 5000 } }
    const cluster = await clusterOf({ topics, maxMessageBytes: 1000 })
    const producer = producerOf(cluster)
    const error = await failureOf(producer.send({ topic: 't', value: 'x'.repeat(1000) }))
    expect(error).toMatchObject({ code: 'MESSAGE_TOO_LARGE', errorCode: 10, maybeWritten: false })
    await producer.send({ topic: 'wide', value: 'x'.repeat(1000) })
    expect(cluster.violations).toEqual([])
  })

  it('counts what it does not keep', async () => {
    const cluster = await clusterOf({ topics: { t: 1 }, keepRecords: false })
    const producer = producerOf(cluster)
    await producer.sendAll(Array.from({ length: 50 }, () => ({ topic: 't', value: 'v' })))
    expect((await producer.send({ topic: 't', value: 'v' })).offset).toBe(50n)
    expect([cluster.recordCount('t'), cluster.records('t')]).toEqual([51, []])
  })

  it('refuses options that make no sense, all at once', async () => {
    const options = { brokers: 0, topic: {}, topics: { 'a b': 1 }, apiVersions: { Produce: [1, 99] } }
    const error = await failureOf(TestCluster.start(options as unknown as TestClusterOptions))
    for (const part of ['brokers', 'topic: unknown option: did you mean topics?', '"a b"', 'Produce must be']) {
      expect(error.message).toContain(part)
    }
    await expect(TestCluster.start({ ports: [0, 0] })).rejects.toThrow('ports: 2 for 1 brokers')
  })

  it('takes the ports that it is given, and says so when one is taken', async () => {
    const cluster = await clusterOf({ brokers: 2 })
    const ports = [...cluster.ports]
    await expect(TestCluster.start({ brokers: 2, ports })).rejects.toThrow('EADDRINUSE')
    await cluster.close()
    const again = await clusterOf({ brokers: 2, ports })
    expect(again.bootstrap).toBe(ports.map((port) => `127.0.0.1:${port}`).join(','))
  })

  it('ends everything at once when it is closed', async () => {
    const before = process.getActiveResourcesInfo().filter(isNetwork).length
    const cluster = await TestCluster.start({ brokers: 3 })
    const client = await RawClient.to(cluster.ports[0]!)
    cluster.fail({ api: 'ApiVersions', delayMs: 1e9 })
    client.write(frameOf(apiVersions, 0, {}))
    await until(() => cluster.requests.length === 1, 'the request arrives')
    await cluster.close()
    await client.closed
    await until(
      () => process.getActiveResourcesInfo().filter(isNetwork).length <= before,
      'no socket and no timer left',
    )
    await cluster.close()
  })

  it('can be disposed of', async () => {
    const cluster = await TestCluster.start()
    await cluster[Symbol.asyncDispose]()
    await expect(RawClient.to(cluster.ports[0]!)).rejects.toThrow('ECONNREFUSED')
  })
})

function isNetwork(resource: string): boolean {
  return resource.startsWith('TCP') || resource === 'Timeout'
}

function versions({ minVersion, maxVersion }: Api): number[] {
  return Array.from({ length: maxVersion - minVersion + 1 }, (_, i) => minVersion + i)
}

describe('a fault', () => {
  it('answers with an error as often as it should', async () => {
    const cluster = await clusterOf({ topics: { t: 1 } })
    const rule = cluster.fail({ api: 'Produce', topic: 't', times: 2, error: 'NOT_ENOUGH_REPLICAS' })
    const { offset } = await producerOf(cluster).send({ topic: 't', value: 'v' })
    expect([offset, rule.hits, valuesOf(cluster, 't')]).toEqual([0n, 2, ['v']])
  })

  it('can append and still say that it went wrong', async () => {
    const cluster = await clusterOf({ topics: { t: 1 } })
    cluster.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', isWritten: true })
    expect((await producerOf(cluster, { idempotent: false }).send({ topic: 't', value: 'v' })).offset).toBe(1n)
    expect(valuesOf(cluster, 't')).toEqual(['v', 'v'])
  })

  it('hits the partition that it names, and no other', async () => {
    const cluster = await clusterOf({ topics: { t: 2, u: 1 } })
    const producer = producerOf(cluster)
    await producer.connect()
    const rule = cluster.fail({ api: 'Produce', topic: 't', partition: 1, error: 'TOPIC_AUTHORIZATION_FAILED' })
    const sent = [
      producer.send({ topic: 't', partition: 0, value: 'a' }),
      producer.send({ topic: 't', partition: 1, value: 'b' }),
      producer.send({ topic: 'u', value: 'c' }),
    ]
    const outcomes = await Promise.allSettled(sent)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: { code: 'TOPIC_AUTHORIZATION_FAILED', topic: 't', partition: 1 } })
    expect(rule.hits).toBe(1)
  })

  it('says what it was told to say', async () => {
    const cluster = await clusterOf({ topics: { t: 1 } })
    cluster.fail({ api: 'Produce', error: 44, errorMessage: 'not on a Sunday' })
    const error = await failureOf(producerOf(cluster).send({ topic: 't', value: 'v' }))
    expect(error.code).toBe('POLICY_VIOLATION')
    expect(error.message).toContain('not on a Sunday')
  })

  it('hits the broker that it names, and no other', async () => {
    const cluster = await clusterOf({ brokers: 2, topics: { t: 2 } })
    const rule = cluster.fail({ api: 'Produce', broker: 2, times: Infinity, error: 'TOPIC_AUTHORIZATION_FAILED' })
    const producer = producerOf(cluster)
    await producer.send({ topic: 't', partition: 0, value: 'v' })
    expect(await failureOf(producer.send({ topic: 't', partition: 1, value: 'v' }))).toBeInstanceOf(KafkaError)
    expect(rule.hits).toBe(1)
    rule.remove()
    await producer.send({ topic: 't', partition: 1, value: 'v' })
    expect(rule.hits).toBe(1)
  })

  it('goes first that was asked for first', async () => {
    const cluster = await clusterOf({ topics: { t: 1 } })
    const first = cluster.fail({ api: 'Produce', error: 'REQUEST_TIMED_OUT' })
    const second = cluster.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED' })
    expect(await failureOf(producerOf(cluster).send({ topic: 't', value: 'v' }))).toMatchObject({
      code: 'TOPIC_AUTHORIZATION_FAILED',
      maybeWritten: true, // the first attempt may have been
    })
    expect([first.hits, second.hits]).toEqual([1, 1])
  })

  it('can be in Metadata and in ApiVersions', async () => {
    const cluster = await clusterOf({ topics: { t: 1 } })
    const topic = cluster.fail({ api: 'Metadata', topic: 't', error: 'LEADER_NOT_AVAILABLE', times: 2 })
    const version = cluster.fail({ api: 'ApiVersions', error: 'UNSUPPORTED_VERSION' })
    await producerOf(cluster).send({ topic: 't', value: 'v' })
    expect([topic.hits, version.hits]).toEqual([2, 1])
    expect(cluster.violations).toEqual([])
  })

  it('delays an answer, and all answers behind it, but not the work', async () => {
    const clock = new FakeClock()
    const cluster = await clusterOf({ topics: { t: 1 }, clock })
    const client = await RawClient.to(cluster.ports[0]!)
    open.push(() => client.destroy())
    cluster.fail({ api: 'Produce', delayMs: 1000 })
    const late = client.ask(produce, 9, writeTo('t', batchOf('a')))
    const next = client.ask(produce, 9, writeTo('t', batchOf('b')))
    await until(() => cluster.recordCount('t') === 2, 'both are written')
    await clock.advance(999)
    await turns(20)
    expect(client.answered).toBe(0)
    await clock.advance(1)
    expect(offsetOf(await late)).toBe(0n)
    expect(offsetOf(await next)).toBe(1n)
    expect(client.answered).toBe(2)
  })

  it('never answers, and the record is there all the same', async () => {
    const clock = new FakeClock()
    const cluster = await clusterOf({ topics: { t: 1 } })
    const producer = producerOf(cluster, { idempotent: false, requestTimeoutMs: 5000 }, clock)
    await producer.connect()
    const rule = cluster.fail({ api: 'Produce', silent: true })
    const sent = producer.send({ topic: 't', value: 'v' })
    await until(() => rule.hits === 1 && cluster.recordCount('t') === 1, 'the request arrives')
    await clock.advance(5000)
    for (let i = 0; i < 20 && cluster.recordCount('t') === 1; i++) {
      await turns(20)
      await clock.advance(10) // reconnect and retry
    }
    expect((await sent).offset).toBe(1n)
  })

  it.each([0, 1, 7, 20])('closes the connection after %i bytes of the answer', async (closeAfterBytes) => {
    const cluster = await clusterOf({ topics: { t: 1 } })
    const rule = cluster.fail({ api: 'Produce', closeAfterBytes, isWritten: false })
    expect((await producerOf(cluster).send({ topic: 't', value: 'v' })).offset).toBe(0n)
    expect(rule.hits).toBe(1)
    expect(cluster.recordCount('t')).toBe(1)
  })

  it('splits answers into single bytes', async () => {
    const cluster = await clusterOf({ topics: { t: 1 } })
    for (const api of ['ApiVersions', 'Metadata', 'Produce'] as const) cluster.fail({ api, splitBytes: 1 })
    expect((await producerOf(cluster).send({ topic: 't', value: 'v' })).offset).toBe(0n)
  })

  it.each<[string, Partial<FaultOptions>]>([
    ['a wrong correlation id', { wrongCorrelationId: true }],
    ['any bytes', { answer: () => Buffer.from('00000002ffff', 'hex') }],
  ])('answers with %s', async (_what, effect) => {
    const cluster = await clusterOf({ topics: { t: 1 } })
    const rule = cluster.fail({ api: 'Produce', ...effect, isWritten: false })
    await producerOf(cluster).send({ topic: 't', value: 'v' })
    expect([rule.hits, cluster.recordCount('t')]).toEqual([1, 1])
  })

  it('that cannot be is refused', async () => {
    const cluster = await clusterOf()
    expect(() => cluster.fail({ api: 'Produce', error: 'NO_SUCH_ERROR' })).toThrow('Kafka has no error NO_SUCH_ERROR')
    expect(() => cluster.fail({ api: 'Produce' })).toThrow('nothing goes wrong')
    expect(() => cluster.fail({ api: 'Produce', delay: 5 } as FaultOptions)).toThrow('did you mean delayMs?')
  })
})

describe('brokers of a TestCluster', () => {
  it('move a leader: the old one refuses and names the new one', async () => {
    const cluster = await clusterOf({ brokers: 2, topics: { t: 1 } })
    const producer = producerOf(cluster)
    await producer.send({ topic: 't', value: 'a' })
    cluster.moveLeader('t', 0, 2)
    expect(cluster.leader('t', 0)).toBe(2)
    expect((await producer.send({ topic: 't', value: 'b' })).offset).toBe(1n)
    const produced = cluster.requests.filter(({ api }) => api === 'Produce').map(({ broker }) => broker)
    expect(produced).toEqual([1, 1, 2])
    expect(valuesOf(cluster, 't')).toEqual(['a', 'b'])
  })

  it.each([9, 10])('hint at the new leader from Produce v10 on (v%i)', async (version) => {
    const cluster = await clusterOf({ brokers: 2, topics: { t: 1 } })
    cluster.moveLeader('t', 0, 2)
    const client = await RawClient.to(cluster.ports[0]!)
    const { responses, nodeEndpoints } = await client.ask(produce, version, writeTo('t', batchOf('a')))
    client.destroy()
    const [answer] = responses[0]!.partitionResponses
    expect(answer?.errorCode).toBe(6)
    expect(answer?.currentLeader).toEqual(
      version < 10 ? { leaderId: -1, leaderEpoch: -1 } : { leaderId: 2, leaderEpoch: 1 },
    )
    const endpoint = { nodeId: 2, host: '127.0.0.1', port: cluster.ports[1], rack: null }
    expect(nodeEndpoints).toEqual(version < 10 ? [] : [endpoint])
  })

  it('stop and start again, at the same port', async () => {
    const cluster = await clusterOf({ topics: { t: 1 } })
    const producer = producerOf(cluster)
    await producer.send({ topic: 't', value: 'a' })
    const port = cluster.ports[0]!
    await cluster.stopBroker(1)
    await expect(RawClient.to(port)).rejects.toThrow('ECONNREFUSED')
    expect(cluster.leader('t', 0)).toBe(-1)
    const sent = producer.send({ topic: 't', value: 'b' })
    await cluster.startBroker(1)
    expect((await sent).offset).toBe(1n)
    expect(cluster.ports[0]).toBe(port)
  })

  it('take over for each other, where a topic has replicas', async () => {
    const cluster = await clusterOf({ brokers: 3, topics: { t: { partitions: 3, replicationFactor: 2 } } })
    const producer = producerOf(cluster)
    await producer.send({ topic: 't', value: 'a', partition: 1 })
    expect([0, 1, 2].map((partition) => cluster.leader('t', partition))).toEqual([1, 2, 3])
    await cluster.stopBroker(2)
    expect([0, 1, 2].map((partition) => cluster.leader('t', partition))).toEqual([1, 3, 3])
    expect((await producer.send({ topic: 't', value: 'b', partition: 1 })).offset).toBe(1n)
    expect((await producer.partitionsFor('t'))[1]).toEqual({
      ...{ partition: 1, leader: 3, replicas: [2, 3], inSyncReplicas: [3], offlineReplicas: [2] },
    })
  })

  it('have another topic id for each life of a topic', async () => {
    const cluster = await clusterOf({ topics: { t: 1 } })
    const producer = producerOf(cluster)
    await producer.send({ topic: 't', value: 'old' })
    cluster.deleteTopic('t')
    cluster.createTopic('t', { partitions: 2 })
    expect((await producer.send({ topic: 't', value: 'new' })).offset).toBe(0n)
    expect(valuesOf(cluster, 't')).toEqual(['new'])
    expect(() => cluster.createTopic('t')).toThrow('exists already')
    expect(() => cluster.deleteTopic('u')).toThrow('there is no topic "u"')
    expect(() => cluster.moveLeader('t', 0, 9)).toThrow('broker 9 is not up')
  })
})

describe('a TestCluster is strict', () => {
  it('answers an unknown version of ApiVersions in the v0 form, with the versions that it has', async () => {
    const { client } = await rawTo()
    client.write(request(18, 99, '00'))
    const answer = decodeApiVersionsFrame(99, await client.frame())
    expect(answer).toMatchObject({ errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] })
  })

  it.each([
    ['a length of 3', '00000003000000'],
    ['a negative length', 'ffffffff'],
    ['a length over 100 MB', '7fffffff'],
    ['text', Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex')],
    ['an unknown API', request(999, 0, '').toString('hex')],
    ['an unknown version of Metadata', request(3, 99, '').toString('hex')],
    ['a body that ends too early', request(3, 1, '00000001').toString('hex')],
    ['a body with more behind it', request(18, 0, 'ff').toString('hex')],
    ['an array that cannot be', request(3, 1, '7fffffff').toString('hex')],
    ['a header that ends too early', '00000006001200000001'],
  ])('hangs up on %s', async (_what, bytes) => {
    const { cluster, client } = await rawTo()
    client.write(Buffer.from(bytes, 'hex'))
    await client.closed
    expect(client.answered).toBe(0)
    expect(cluster.violations).toHaveLength(1)
    expect(cluster.violations[0]).toMatch(/^broker 1: /)
  })

  it('hangs up on a Produce that names a partition twice', async () => {
    const { cluster, client } = await rawTo()
    const partition = { index: 0, records: batchOf('a') }
    const topicData = [{ name: 't', partitionData: [partition, partition] }]
    client.write(frameOf(produce, 9, { acks: -1, timeoutMs: 1000, topicData }))
    await client.closed
    expect(cluster.violations[0]).toContain('names a partition twice')
  })

  it('refuses a client that does not say properly what it is', async () => {
    const { cluster, client } = await rawTo()
    const answer = await client.ask(apiVersions, 3, { clientSoftwareName: 'a b', clientSoftwareVersion: '1' })
    expect(answer.errorCode).toBe(42)
    expect(cluster.violations).toHaveLength(1)
  })

  it('refuses acks that do not exist', async () => {
    const { cluster, client } = await rawTo()
    const answer = await client.ask(produce, 9, { ...writeTo('t', batchOf('a')), acks: 2 })
    expect(errorOf(answer)).toBe(21)
    expect(cluster.violations[0]).toContain('acks 2')
  })

  it('says which topic or partition it does not have', async () => {
    const { cluster, client } = await rawTo()
    expect(errorOf(await client.ask(produce, 9, writeTo('nope', batchOf('a'))))).toBe(3)
    expect(errorOf(await client.ask(produce, 9, writeTo('t', batchOf('a'), 7)))).toBe(3)
    expect(errorOf(await client.ask(produce, 13, writeTo('t', batchOf('a'))))).toBe(100)
    const byId = { topics: [{ name: null, topicId: 'bGVhZGVyIG9mIHRoZSBwYQ' }], allowAutoTopicCreation: true }
    expect((await client.ask(metadata, 12, byId)).topics).toMatchObject([{ errorCode: 100, name: null }])
    expect(cluster.violations).toEqual([])
  })

  it('hangs up when something goes wrong that nobody waits to hear (acks 0)', async () => {
    const { cluster, client } = await rawTo()
    client.write(frameOf(produce, 9, { ...writeTo('nope', batchOf('a')), acks: 0 }))
    await client.closed
    expect(cluster.violations).toEqual([])
  })

  it.each<[string, number, (batch: Buffer) => Uint8Array | null]>([
    ['no batch', 87, () => null],
    ['no bytes', 87, () => Buffer.alloc(0)],
    ['half a batch', 87, (batch) => batch.subarray(0, -1)],
    ['two batches', 87, (batch) => Buffer.concat([batch, batch])],
    ['magic 1', 87, (batch) => edit(batch, (b) => b.writeInt8(1, 16))],
    ['a flipped bit', 2, (batch) => edit(batch, (b) => b.writeUInt8(b.readUInt8(70) ^ 1, 70))],
    ['batchLength 0', 2, (batch) => edit(batch, (b) => b.writeInt32BE(0, 8))],
    ['a base offset', 87, (batch) => edit(batch, (b) => b.writeInt32BE(1, 4))],
    ['a record too many', 87, (batch) => sealed(batch, (b) => b.writeInt32BE(4, 57))],
    ['a record too few', 87, (batch) => sealed(batch, (b) => counts(b, 2))],
    ['counts that differ', 87, (batch) => sealed(batch, (b) => b.writeInt32BE(5, 23))],
    ['no records', 87, (batch) => sealed(batch, (b) => counts(b, 0))],
    ['a billion records', 87, (batch) => sealed(batch, (b) => counts(b, 2 ** 30))],
    ['offset deltas with a gap', 87, (batch) => sealed(batch, (b) => b.writeUInt8(8, 61 + 10 + 3))],
    ['a control batch', 87, (batch) => sealed(batch, (b) => b.writeInt16BE(0x20, 21))],
    ['codec 5', 76, (batch) => sealed(batch, (b) => b.writeInt16BE(5, 21))],
    ['gzip that is none', 87, (batch) => sealed(batch, (b) => b.writeInt16BE(1, 21))],
  ])('refuses %s with %i', async (_what, errorCode, spoil) => {
    const { cluster, client } = await rawTo()
    const answer = await client.ask(produce, 9, writeTo('t', spoil(batchOf('a', 'b', 'c'))))
    expect(errorOf(answer)).toBe(errorCode)
    expect(cluster.recordCount('t')).toBe(0)
    expect(cluster.violations).toHaveLength(1)
    expect(offsetOf(await client.ask(produce, 9, writeTo('t', batchOf('good'))))).toBe(0n)
  })

  it('notes a maxTimestamp that the records do not have', async () => {
    const { cluster, client } = await rawTo()
    const wrong = sealed(batchOf('a'), (b) => b.writeBigInt64BE(99n, 35))
    expect(errorOf(await client.ask(produce, 9, writeTo('t', wrong)))).toBe(0)
    expect(cluster.violations).toEqual(['broker 1: Produce v9: t-0: maxTimestamp 99, the records have 1700000000000'])
  })

  it('never lets any flipped bit of a batch into the log', async () => {
    const { cluster, client } = await rawTo()
    const good = batchOf('a', 'b')
    const bits = fc.integer({ min: 21 * 8, max: good.length * 8 - 1 })
    await fc.assert(
      fc.asyncProperty(bits, async (bit) => {
        const bad = edit(good, (b) => b.writeUInt8(b.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3))
        expect(errorOf(await client.ask(produce, 9, writeTo('t', bad)))).toBe(2)
      }),
      { numRuns: 200 },
    )
    expect(cluster.recordCount('t')).toBe(0)
  })

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('reads %s back', async (name) => {
    const { cluster, client } = await rawTo()
    const codec = loadCodec(name)
    const values = Array.from({ length: 50 }, (_, i) => `the same again and again ${i}`)
    const records = values.map((value) => ({ key: null, value, timestamp: 7 }))
    let raw: Uint8Array = Buffer.alloc(0)
    encodeRecordBatch(records, { codec: codec.id, compress: (bytes) => (raw = Uint8Array.from(bytes)) })
    const compressed = await codec.compress(raw)
    const batch = encodeRecordBatch(records, { codec: codec.id, compress: () => compressed })
    expect(errorOf(await client.ask(produce, 9, writeTo('t', batch)))).toBe(0)
    expect(valuesOf(cluster, 't')).toEqual(values)
    expect(cluster.records('t').every(({ compression }) => compression === name)).toBe(true)

    const half = encodeRecordBatch(records, { codec: codec.id, compress: () => compressed.subarray(0, -3) })
    expect(errorOf(await client.ask(produce, 9, writeTo('t', half)))).toBe(87)
    expect(cluster.violations[0]).toContain('cannot be decompressed')
  })

  it.each([
    ['zstd in Produce v6', 6, 4, 76],
    ['zstd in Produce v7', 7, 4, 0],
  ] as const)('answers %s with the code of a broker', async (_what, version, codec, errorCode) => {
    const { client } = await rawTo()
    const compressed = await loadCodec('zstd').compress(batchOf('a').subarray(61))
    const batch = encodeRecordBatch([{ key: null, value: 'a', timestamp: 1_700_000_000_000 }], {
      ...{ codec, compress: () => compressed },
    })
    expect(errorOf(await client.ask(produce, version, writeTo('t', batch)))).toBe(errorCode)
  })

  it.each([0, 1, 2])('takes message sets in Produce v%i, as they come', async (version) => {
    const { cluster, client } = await rawTo({ apiVersions: { Produce: [0, 13] } })
    const magic = version === 2 ? 1 : 0
    const given = [
      { key: 'k', value: 'a', timestamp: 5 },
      { key: null, value: null, timestamp: 7 },
    ]
    const gzip = loadCodec('gzip')
    const sets = [
      encodeMessageSet(given, { magic }),
      encodeMessageSet(given, { magic, codec: 1, compress: gzip.compressSync! }),
    ]
    for (const [i, set] of sets.entries()) {
      const answer = await client.ask(produce, version, writeTo('t', set))
      expect([errorOf(answer), offsetOf(answer)]).toEqual([0, BigInt(2 * i)])
    }
    const times = magic === 1 ? [5, 7, 5, 7] : [-1, -1, -1, -1]
    expect(cluster.records('t').map(({ timestamp }) => timestamp)).toEqual(times)
    const base = { headers: [], producerId: -1n, epoch: -1, sequence: -1 }
    expect(cluster.records('t')).toMatchObject([
      { ...base, offset: 0n, key: Buffer.from('k'), value: Buffer.from('a'), compression: 'none' },
      { ...base, offset: 1n, key: null, value: null, compression: 'none' },
      { ...base, offset: 2n, key: Buffer.from('k'), value: Buffer.from('a'), compression: 'gzip' },
      { ...base, offset: 3n, key: null, value: null, compression: 'gzip' },
    ])
    expect(cluster.violations).toEqual([])
  })

  it.each(javaFormats.messageSets)(
    "takes Kafka's own message set of magic $magic, $codec",
    async ({ magic, hex, records }) => {
      const { cluster, client } = await rawTo({ apiVersions: { Produce: [0, 13] } })
      const answer = await client.ask(produce, magic === 0 ? 0 : 2, writeTo('t', Buffer.from(hex, 'hex')))
      expect(errorOf(answer)).toBe(0)
      expect(valuesOf(cluster, 't')).toEqual(records.map(({ value }) => String(value)))
      expect(cluster.violations).toEqual([])
    },
  )

  it.each<[string, number, (set: Uint8Array) => Uint8Array | null]>([
    ['nothing', 2, () => null],
    ['no bytes', 2, () => Buffer.alloc(0)],
    ['half a message', 2, (set) => set.subarray(0, -1)],
    ['a flipped bit', 2, (set) => edit(set, (b) => b.writeUInt8(b.readUInt8(30) ^ 1, 30))],
    ['an offset that is not the next', 2, (set) => edit(set, (b) => b.writeInt32BE(1, 4))],
    ['a record batch', 2, () => batchOf('a')],
    [
      'a message over max.message.bytes',
      10,
      () => encodeMessageSet([{ key: null, value: Buffer.alloc(2_000_000), timestamp: 1 }], { magic: 1 }),
    ],
  ])('refuses %s for a message set with %i', async (what, errorCode, spoil) => {
    const { cluster, client } = await rawTo({ apiVersions: { Produce: [0, 13] } })
    const set = encodeMessageSet([{ key: null, value: 'a', timestamp: 1 }], { magic: 1 })
    expect(errorOf(await client.ask(produce, 2, writeTo('t', spoil(set))))).toBe(errorCode)
    expect(cluster.violations).toHaveLength(what.includes('over') ? 0 : 1)
    expect(cluster.recordCount('t')).toBe(0)
  })

  it('refuses messages with timestamps in Produce v1, which has none', async () => {
    const { cluster, client } = await rawTo({ apiVersions: { Produce: [0, 13] } })
    const set = encodeMessageSet([{ key: null, value: 'a', timestamp: 1 }], { magic: 1 })
    expect(errorOf(await client.ask(produce, 1, writeTo('t', set)))).toBe(2)
    expect(cluster.violations[0]).toContain('magic 1 in Produce v1')
  })

  it('reads gzip back, and knows the producer of a batch', async () => {
    const { cluster, client } = await rawTo()
    const records = ['a', 'b'].map((value) => ({ key: null, value, timestamp: 7 }))
    const batch = encodeRecordBatch(records, {
      ...{ codec: 1, compress: (bytes) => gzipSync(bytes) },
      ...{ producerId: 5n, producerEpoch: 3, baseSequence: 2 ** 31 - 1 },
    })
    expect(errorOf(await client.ask(produce, 9, writeTo('t', batch)))).toBe(0)
    const base = { producerId: 5n, epoch: 3, compression: 'gzip', timestamp: 7 }
    expect(cluster.records('t')).toMatchObject([
      { ...base, value: Buffer.from('a'), sequence: 2 ** 31 - 1 },
      { ...base, value: Buffer.from('b'), sequence: 0 },
    ])
    expect(cluster.violations).toEqual([])
  })
})

async function rawTo(options: TestClusterOptions = {}): Promise<{ cluster: TestCluster; client: RawClient }> {
  const cluster = await clusterOf({ topics: { t: 1 }, autoCreateTopics: false, ...options })
  const client = await RawClient.to(cluster.ports[0]!)
  open.push(() => client.destroy())
  return { cluster, client }
}

/** A request of any kind with header v1 (v2 where `bodyHex` begins with tags). */
function request(apiKey: number, version: number, bodyHex: string): Buffer {
  const header = Buffer.from(`0000000000000000000000070000`, 'hex')
  header.writeInt16BE(apiKey, 4)
  header.writeInt16BE(version, 6)
  const frame = Buffer.concat([header, Buffer.from(bodyHex, 'hex')])
  frame.writeInt32BE(frame.length - 4)
  return frame
}

function edit(batch: Uint8Array, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(batch)
  change(copy)
  return copy
}

/** Changed, and with a CRC that fits. */
function sealed(batch: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = edit(batch, change)
  stampRecordBatch(copy, null)
  return copy
}

function counts(batch: Buffer, recordCount: number): void {
  batch.writeInt32BE(recordCount - 1, 23)
  batch.writeInt32BE(recordCount, 57)
}
