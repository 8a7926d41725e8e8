import { afterEach, describe, expect, it } from 'vitest'
import { decodeApiVersionsFrame } from '../../src/protocol/negotiate.ts'
import { apiVersions } from '../../src/protocol/messages/api-versions.ts'
import { initProducerId } from '../../src/protocol/messages/init-producer-id.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import { encodeRecordBatch } from '../../src/protocol/record-batch.ts'
import type { ResponseOf } from '../../src/protocol/schema.ts'
import { TestCluster, type PlayedKafka, type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { batchOf, errorOf, frameOf, offsetOf, RawClient, writeTo } from './raw-client.ts'

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function clusterOf(options: TestClusterOptions = {}): Promise<TestCluster> {
  const cluster = await TestCluster.start({ topics: { t: 1 }, ...options })
  open.push(() => cluster.close())
  return cluster
}

async function clientOf(cluster: TestCluster, broker = 1): Promise<RawClient> {
  const client = await RawClient.to(cluster.ports[broker - 1]!)
  open.push(() => client.destroy())
  return client
}

const OUT_OF_ORDER = 45
const ID = { transactionalId: null, transactionTimeoutMs: 1000 }

/** A batch of producer 7 in epoch 0: its error, or where it is. */
async function write(client: RawClient, sequence: number, count = 1, epoch = 0): Promise<bigint | number | undefined> {
  const records = Array.from({ length: count }, (_, i) => ({ key: null, value: `${sequence + i}`, timestamp: 5 }))
  const stamp = { producerId: 7n, producerEpoch: epoch, baseSequence: sequence }
  const answer = await client.ask(produce, 9, writeTo('t', Buffer.from(encodeRecordBatch(records, stamp))))
  return errorOf(answer) === 0 ? offsetOf(answer) : errorOf(answer)
}

async function partitionOf(client: RawClient): Promise<ResponseOf<typeof metadata>['topics'][number]['partitions']> {
  const body = { topics: [{ name: 't' }], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false }
  return (await client.ask(metadata, 12, body)).topics[0]?.partitions ?? []
}

describe('producers of a TestCluster', () => {
  it('have ids that no other has, at any broker', async () => {
    const cluster = await clusterOf({ brokers: 2 })
    const clients = [await clientOf(cluster), await clientOf(cluster, 2), await clientOf(cluster)]
    const answers = await Promise.all(clients.map((client) => client.ask(initProducerId, 4, ID)))
    expect(new Set(answers.map(({ producerId }) => producerId)).size).toBe(3)
    expect(answers.every(({ errorCode, producerEpoch }) => errorCode === 0 && producerEpoch === 0)).toBe(true)
  })

  it.each([0, 1, 2, 3, 4, 5])('get them with InitProducerId v%i', async (version) => {
    const client = await clientOf(await clusterOf())
    expect(await client.ask(initProducerId, version, ID)).toMatchObject({ errorCode: 0, producerId: 0n })
  })

  it('cannot have transactions yet, and are told so', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    const answer = await client.ask(initProducerId, 4, { ...ID, transactionalId: 'payments' })
    expect(answer).toMatchObject({ errorCode: 105, producerId: -1n })
    expect(cluster.violations).toEqual([])
  })

  it('are known to the next leader, and to a broker that comes back', async () => {
    const cluster = await clusterOf({ brokers: 2 })
    const [first, second] = [await clientOf(cluster), await clientOf(cluster, 2)]
    expect([await write(first, 0), await write(first, 1)]).toEqual([0n, 1n])
    cluster.moveLeader('t', 0, 2)
    expect(await write(second, 1)).toBe(1n)
    expect(await write(second, 3)).toBe(OUT_OF_ORDER)
    expect(await write(second, 2)).toBe(2n)
    await cluster.stopBroker(2)
    await cluster.startBroker(2)
    cluster.moveLeader('t', 0, 2)
    const again = await clientOf(cluster, 2)
    expect([await write(again, 2), await write(again, 3)]).toEqual([2n, 3n])
  })

  it('are forgotten when they expire: then even what they wrote before is new', async () => {
    const cluster = await clusterOf({ topics: { t: 1, other: 1 } })
    const client = await clientOf(cluster)
    expect([await write(client, 0), await write(client, 1)]).toEqual([0n, 1n])
    cluster.expireProducers('other')
    expect(await write(client, 1)).toBe(1n)
    cluster.expireProducers()
    expect([await write(client, 1), await write(client, 2), await write(client, 4)]).toEqual([2n, 3n, OUT_OF_ORDER])
  })

  it('begin anew in a topic that was made anew', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    expect([await write(client, 0), await write(client, 1)]).toEqual([0n, 1n])
    cluster.deleteTopic('t')
    cluster.createTopic('t')
    expect(await write(client, 1)).toBe(0n)
  })
})

describe('truncate', () => {
  it('loses records, what they said of their producer, and the leader epoch grows', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    for (const sequence of [0, 1, 2]) await write(client, sequence)
    cluster.truncate('t', 0, 1)
    expect(cluster.records('t').map(({ sequence }) => sequence)).toEqual([0])
    expect(await write(client, 3)).toBe(OUT_OF_ORDER)
    expect([await write(client, 0), await write(client, 1)]).toEqual([0n, 1n])
    expect(await partitionOf(client)).toMatchObject([{ leaderEpoch: 1, leaderId: 1 }])
  })

  it('brings back what the sixth batch had pushed out, and the epoch before', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    for (let sequence = 0; sequence < 6; sequence++) await write(client, sequence)
    await write(client, 0, 1, 1)
    expect(await write(client, 5)).toBe(47)
    cluster.truncate('t', 0, 5)
    expect([await write(client, 0), await write(client, 5)]).toEqual([0n, 5n])
  })

  it('takes a batch as a whole, and brings back nobody who expired', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    await write(client, 0, 3)
    cluster.expireProducers()
    await write(client, 9, 3)
    cluster.truncate('t', 0, 4)
    expect(cluster.recordCount('t')).toBe(3)
    expect(await write(client, 20)).toBe(3n)
  })

  it('is nothing beyond the end, and impossible without records', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    await write(client, 0)
    cluster.truncate('t', 0, 1)
    expect([cluster.recordCount('t'), await write(client, 1)]).toEqual([1, 1n])
    const blind = await clusterOf({ keepRecords: false })
    expect(() => blind.truncate('t', 0, 0)).toThrow('truncate: needs keepRecords')
    expect(() => cluster.truncate('t', 3, 0)).toThrow('truncate: there is no partition 3 of t')
  })
})

describe('deleteRecords', () => {
  it('removes from the front; offsets go on, and the answer says where the log starts', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    await write(client, 0, 4)
    cluster.deleteRecords('t', 0, 3)
    expect(cluster.records('t').map(({ offset }) => offset)).toEqual([3n])
    expect(cluster.recordCount('t')).toBe(1)
    const { responses } = await client.ask(produce, 9, writeTo('t', batchOf('a')))
    expect(responses[0]?.partitionResponses[0]).toMatchObject({ baseOffset: 4n, logStartOffset: 3n })
    cluster.deleteRecords('t', 0, 99)
    cluster.deleteRecords('t', 0, 1)
    expect([cluster.records('t'), await write(client, 4)]).toEqual([[], 5n])
  })
})

describe('addPartitions', () => {
  it('leaves what there is, and counts on', async () => {
    const cluster = await clusterOf({ brokers: 2 })
    const client = await clientOf(cluster)
    await write(client, 0)
    cluster.addPartitions('t', 3)
    expect((await partitionOf(client)).map(({ partitionIndex, leaderId }) => [partitionIndex, leaderId])).toEqual([
      [0, 1],
      [1, 2],
      [2, 1],
    ])
    expect(errorOf(await client.ask(produce, 9, writeTo('t', batchOf('a'), 2)))).toBe(0)
    expect(cluster.records('t').map(({ partition }) => partition)).toEqual([0, 2])
    expect(() => cluster.addPartitions('t', 3)).toThrow('t has 3 partitions already')
    expect(() => cluster.addPartitions('u', 3)).toThrow('there is no topic "u"')
  })
})

describe('moveLeader', () => {
  it('to -1 leaves a partition without a leader, until it gets one', async () => {
    const cluster = await clusterOf({ brokers: 2, topics: { t: { partitions: 1, replicationFactor: 2 } } })
    const client = await clientOf(cluster)
    cluster.moveLeader('t', 0, -1)
    expect(await partitionOf(client)).toMatchObject([{ errorCode: 5, leaderId: -1, leaderEpoch: 1 }])
    expect(await write(client, 0)).toBe(6)
    await cluster.stopBroker(2)
    await cluster.startBroker(2)
    expect(cluster.leader('t', 0)).toBe(-1)
    cluster.moveLeader('t', 0, 1)
    expect(await partitionOf(client)).toMatchObject([{ errorCode: 0, leaderId: 1, leaderEpoch: 2 }])
    expect(await write(client, 0)).toBe(0n)
  })
})

describe('minInsyncReplicas', () => {
  it('refuses writes of acks -1, and no others, while too few replicas are up', async () => {
    const topics = { t: { partitions: 1, replicationFactor: 2 } }
    const cluster = await clusterOf({ brokers: 2, topics, minInsyncReplicas: 2 })
    const client = await clientOf(cluster)
    expect(await write(client, 0)).toBe(0n)
    await cluster.stopBroker(2)
    expect(await write(client, 1)).toBe(19)
    expect(errorOf(await client.ask(produce, 9, { ...writeTo('t', batchOf('a')), acks: 1 }))).toBe(0)
    await cluster.startBroker(2)
    expect(await write(client, 1)).toBe(2n)
  })
})

describe('connectionsMaxIdleMs', () => {
  it('closes a connection on which nobody asks, and no other', async () => {
    const clock = new FakeClock()
    const cluster = await clusterOf({ clock, connectionsMaxIdleMs: 1000 })
    const [busy, idle] = [await clientOf(cluster), await clientOf(cluster)]
    await Promise.all([write(busy, 0), idle.ask(apiVersions, 0, {})])
    await clock.advance(900)
    await write(busy, 1)
    await clock.advance(100)
    await idle.closed
    expect(await write(busy, 2)).toBe(2n)
    await clock.advance(999)
    expect(await write(busy, 3)).toBe(3n)
    await clock.advance(1000)
    await busy.closed
    expect(cluster.violations).toEqual([])
  })
})

describe('apiVersions: false', () => {
  it('hides an API: it is not listed, and who asks all the same is hung up on', async () => {
    const cluster = await clusterOf({ apiVersions: { InitProducerId: false } })
    const client = await clientOf(cluster)
    const { apiKeys } = await client.ask(apiVersions, 0, {})
    expect(apiKeys.map(({ apiKey }) => apiKey)).toEqual([0, 3, 17, 18, 36])
    client.write(frameOf(initProducerId, 4, ID))
    await client.closed
    expect(cluster.violations[0]).toContain('InitProducerId, which this broker lacks')
  })

  it('of ApiVersions itself is a broker before 0.10', async () => {
    const cluster = await clusterOf({ apiVersions: { ApiVersions: false } })
    const client = await clientOf(cluster)
    client.write(frameOf(apiVersions, 0, {}))
    await client.closed
    expect([client.answered, cluster.violations]).toEqual([0, []])
  })

  it('is refused for what there is not', async () => {
    const options = { apiVersions: { Fetch: [0, 1] } } as unknown as TestClusterOptions
    await expect(TestCluster.start(options)).rejects.toThrow('apiVersions: there is no Fetch; there are Produce')
    const wrong = { apiVersions: { Produce: [9, 3] } } as const
    await expect(TestCluster.start(wrong)).rejects.toThrow('Produce must be [min, max] within 0 to 13, or false')
  })
})

describe('clusterId', () => {
  it('is another one for each cluster, unless it is given', async () => {
    const ids: unknown[] = []
    for (const options of [{}, {}, { clusterId: 'mine' }]) {
      const client = await clientOf(await clusterOf(options))
      const body = { topics: [], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false }
      ids.push((await client.ask(metadata, 12, body)).clusterId)
    }
    expect(new Set(ids).size).toBe(3)
    expect(ids[2]).toBe('mine')
    await expect(TestCluster.start({ clusterId: '' })).rejects.toThrow('clusterId: got ""')
  })
})

describe('kafkaVersion', () => {
  it.each<[PlayedKafka, number[][]]>([
    [
      '4.3',
      [
        [0, 3, 13],
        [3, 0, 13],
        [17, 0, 1],
        [18, 0, 4],
        [22, 0, 5],
        [36, 0, 2],
      ],
    ],
    [
      '2.8',
      [
        [0, 0, 9],
        [3, 0, 11],
        [17, 0, 1],
        [18, 0, 3],
        [22, 0, 4],
        [36, 0, 2],
      ],
    ],
    [
      '0.11',
      [
        [0, 0, 3],
        [3, 0, 4],
        [17, 0, 0],
        [18, 0, 1],
        [22, 0, 0],
      ],
    ],
    [
      '0.10.0',
      [
        [0, 0, 2],
        [3, 0, 1],
        [17, 0, 0],
        [18, 0, 0],
      ],
    ],
  ])('%s lists its versions', async (kafkaVersion, expected) => {
    const client = await clientOf(await clusterOf({ kafkaVersion }))
    const { apiKeys } = await client.ask(apiVersions, 0, {})
    expect(apiKeys.map((row) => [row.apiKey, row.minVersion, row.maxVersion])).toEqual(expected)
  })

  it.each<[PlayedKafka, unknown[]]>([
    ['2.8', [{ apiKey: 18, minVersion: 0, maxVersion: 3 }]],
    ['1.1', []],
  ])('%s says what it can of its own ApiVersions (KIP-511)', async (kafkaVersion, expected) => {
    const client = await clientOf(await clusterOf({ kafkaVersion }))
    const body = { clientSoftwareName: 'a', clientSoftwareVersion: '1' }
    client.write(frameOf(apiVersions, 4, body))
    expect(decodeApiVersionsFrame(4, await client.frame())).toMatchObject({ errorCode: 35, apiKeys: expected })
  })

  it.each<[PlayedKafka, (number | bigint)[]]>([
    ['4.3', [0n, 1n, 2n, 3n, 0n]],
    ['1.1', [59, 0n, 1n, 2n, 0n]],
    ['0.11', [OUT_OF_ORDER, 0n, 1n, 2n, OUT_OF_ORDER]],
  ])('%s knows producers in its own way', async (kafkaVersion, expected) => {
    const cluster = await clusterOf({ kafkaVersion })
    const client = await clientOf(cluster)
    const said: unknown[] = []
    const first = kafkaVersion === '4.3' ? 5 : 0
    said.push(await produceV3(client, 5))
    for (const sequence of kafkaVersion === '4.3' ? [6, 7, 8] : [0, 1, 2]) said.push(await produceV3(client, sequence))
    said.push(await produceV3(client, first))
    expect(said).toEqual(expected)
  })

  it('is one of those that there are', async () => {
    const wrong = { kafkaVersion: '5.0' } as unknown as TestClusterOptions
    await expect(TestCluster.start(wrong)).rejects.toThrow('expected one of 4.3, 3.9, 2.8, 1.1, 0.11, 0.10.2, 0.10.0')
  })

  it('gives way to apiVersions', async () => {
    const cluster = await clusterOf({ kafkaVersion: '2.8', apiVersions: { Produce: [3, 13] } })
    const { apiKeys } = await (await clientOf(cluster)).ask(apiVersions, 0, {})
    expect(apiKeys[0]).toMatchObject({ apiKey: 0, maxVersion: 13 })
  })
})

/** In the version that all Kafkas since 0.11 have. */
async function produceV3(client: RawClient, baseSequence: number): Promise<bigint | number | undefined> {
  const stamp = { producerId: 7n, producerEpoch: 0, baseSequence }
  const batch = Buffer.from(encodeRecordBatch([{ key: null, value: 'v', timestamp: 5 }], stamp))
  const answer = await client.ask(produce, 3, writeTo('t', batch))
  return errorOf(answer) === 0 ? offsetOf(answer) : errorOf(answer)
}
