import { afterEach, describe, expect, it } from 'vitest'
import { decodeResponseFrame } from '../../src/protocol/frame.ts'
import { apiVersions } from '../../src/protocol/messages/api-versions.ts'
import { initProducerId } from '../../src/protocol/messages/init-producer-id.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import type { RequestInput } from '../../src/protocol/schema.ts'
import { TestCluster, type FaultOptions, type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import { FakeClock, turns, until } from '../support/fake-clock.ts'
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

const ALL_TOPICS: RequestInput<typeof metadata> = {
  ...{ topics: null, allowAutoTopicCreation: true },
  includeTopicAuthorizedOperations: false,
}
const ID: RequestInput<typeof initProducerId> = { transactionalId: null, transactionTimeoutMs: 1000 }

describe('fail({ after })', () => {
  it('hits the third attempt, and no other', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    const rule = cluster.fail({ api: 'Produce', after: 2, error: 'REQUEST_TIMED_OUT' })
    const said: (number | undefined)[] = []
    for (let i = 0; i < 4; i++) said.push(errorOf(await client.ask(produce, 9, writeTo('t', batchOf('a')))))
    expect([said, rule.hits]).toEqual([[0, 0, 7, 0], 1])
  })

  it('leaves those that pass to the next rule', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    cluster.fail({ api: 'Produce', after: 1, times: 2, error: 6 })
    cluster.fail({ api: 'Produce', times: 2, error: 19 })
    const said: (number | undefined)[] = []
    for (let i = 0; i < 5; i++) said.push(errorOf(await client.ask(produce, 9, writeTo('t', batchOf('a')))))
    expect(said).toEqual([19, 6, 6, 19, 0])
  })
})

describe('fail({ throttleMs })', () => {
  it('answers at once, and then reads nothing until the time has passed', async () => {
    const clock = new FakeClock()
    const cluster = await clusterOf({ clock })
    const client = await clientOf(cluster)
    cluster.fail({ api: 'Produce', throttleMs: 5000 })
    const first = client.ask(produce, 9, writeTo('t', batchOf('a')))
    const second = client.ask(produce, 9, writeTo('t', batchOf('b')))
    expect(await first).toMatchObject({ throttleTimeMs: 5000 })
    await clock.advance(4999)
    await turns(20)
    expect(cluster.recordCount('t')).toBe(1)
    await clock.advance(1)
    expect(await second).toMatchObject({ throttleTimeMs: 0 })
    expect(cluster.recordCount('t')).toBe(2)
  })

  it('leaves what comes in the socket, so that the client feels it', async () => {
    const clock = new FakeClock()
    const cluster = await clusterOf({ clock })
    const client = await clientOf(cluster)
    cluster.fail({ api: 'Produce', throttleMs: 5000 })
    await client.ask(produce, 9, writeTo('t', batchOf('a')))
    const large = frameOf(produce, 9, writeTo('t', Buffer.alloc(64 * 2 ** 20)))
    client.write(large)
    await turns(200)
    expect(client.unsentBytes).toBeGreaterThan(0)
    await clock.advance(5000)
    await until(() => client.unsentBytes === 0, 'the broker reads on')
  })

  it('leaves other connections alone', async () => {
    const cluster = await clusterOf({ clock: new FakeClock() })
    cluster.fail({ api: 'Produce', throttleMs: 5000 })
    await (await clientOf(cluster)).ask(produce, 9, writeTo('t', batchOf('a')))
    expect(offsetOf(await (await clientOf(cluster)).ask(produce, 9, writeTo('t', batchOf('b'))))).toBe(1n)
  })

  it('answers after the time has passed, before Kafka 2.0', async () => {
    const clock = new FakeClock()
    const cluster = await clusterOf({ clock, kafkaVersion: '1.1' })
    const client = await clientOf(cluster)
    cluster.fail({ api: 'Produce', throttleMs: 5000 })
    const answer = client.ask(produce, 5, writeTo('t', batchOf('a')))
    await until(() => cluster.recordCount('t') === 1, 'the record is written')
    await clock.advance(4999)
    await turns(20)
    expect(client.answered).toBe(0)
    await clock.advance(1)
    expect(await answer).toMatchObject({ throttleTimeMs: 5000 })
  })

  it('is in the answer of every API', async () => {
    const clock = new FakeClock()
    const cluster = await clusterOf({ clock })
    const client = await clientOf(cluster)
    for (const api of ['Metadata', 'InitProducerId', 'ApiVersions'] as const) cluster.fail({ api, throttleMs: 10 })
    const said = [
      await client.ask(metadata, 13, ALL_TOPICS).finally(() => clock.advance(10)),
      await client.ask(initProducerId, 5, ID).finally(() => clock.advance(10)),
      await client.ask(apiVersions, 1, {}),
    ]
    expect(said.map(({ throttleTimeMs }) => throttleTimeMs)).toEqual([10, 10, 10])
  })
})

describe('a fault of the connection', () => {
  it('closes it before anything is done', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    cluster.fail({ api: 'Produce', closeBefore: true })
    client.write(frameOf(produce, 9, writeTo('t', batchOf('a'))))
    await client.closed
    expect([client.answered, cluster.recordCount('t'), cluster.violations]).toEqual([0, 0, []])
  })

  it('closes it after everything is done', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    cluster.fail({ api: 'Produce', closeAfterBytes: 0 })
    client.write(frameOf(produce, 9, writeTo('t', batchOf('a'))))
    await client.closed
    expect([client.answered, cluster.recordCount('t')]).toEqual([0, 1])
  })

  it('answers twice', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    cluster.fail({ api: 'Produce', duplicateAnswer: true })
    const [first, second] = [client.frame(), client.frame()]
    client.write(frameOf(produce, 9, writeTo('t', batchOf('a'))))
    expect(await second).toEqual(await first)
    expect(cluster.recordCount('t')).toBe(1)
  })

  it('answers after the next answer', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    cluster.fail({ api: 'Produce', late: true })
    const frames = [client.frame(), client.frame(), client.frame()]
    for (const value of ['a', 'b', 'c']) client.write(frameOf(produce, 9, writeTo('t', batchOf(value))))
    const answers = (await Promise.all(frames)).map((frame) => offsetOf(decodeResponseFrame(produce, 9, frame)))
    expect(answers).toEqual([1n, 0n, 2n])
  })

  it('never answers the last one, if nothing comes after it', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    cluster.fail({ api: 'Produce', late: true })
    client.write(frameOf(produce, 9, writeTo('t', batchOf('a'))))
    await until(() => cluster.recordCount('t') === 1, 'the record is written')
    await turns(20)
    expect(client.answered).toBe(0)
  })
})

describe('a black hole', () => {
  it('swallows requests, on old connections and new ones, and gives them back', async () => {
    const cluster = await clusterOf({ brokers: 2, topics: { t: 2 } })
    const old = await clientOf(cluster)
    await old.ask(apiVersions, 0, {})
    cluster.blackHole(1)
    const young = await clientOf(cluster)
    const answers = [old, young].map((client) => client.ask(produce, 9, writeTo('t', batchOf('a'))))
    const other = await (await clientOf(cluster, 2)).ask(produce, 9, writeTo('t', batchOf('b'), 1))
    await turns(50)
    expect([errorOf(other), old.answered, young.answered, cluster.recordCount('t')]).toEqual([0, 1, 0, 1])
    cluster.blackHole(1, 'none')
    expect((await Promise.all(answers)).map(offsetOf).sort()).toEqual([0n, 1n])
  })

  it('of one way does what it is asked for, and says nothing', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    cluster.blackHole(1, 'answers')
    const answer = client.ask(produce, 9, writeTo('t', batchOf('a')))
    await until(() => cluster.recordCount('t') === 1, 'the record is written')
    await turns(20)
    expect(client.answered).toBe(0)
    cluster.blackHole(1, 'none')
    expect(offsetOf(await answer)).toBe(0n)
  })

  it('holds no broker back that is stopped', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    cluster.blackHole(1)
    client.write(frameOf(produce, 9, writeTo('t', batchOf('a'))))
    await cluster.stopBroker(1)
    await client.closed
    expect(() => cluster.blackHole(7)).toThrow('there is no broker 7')
  })
})

describe('fail({ error })', () => {
  it('names the records that are to blame', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    const recordErrors = [{ batchIndex: 1, message: 'too blue' }, { batchIndex: 2 }]
    cluster.fail({ api: 'Produce', error: 'INVALID_RECORD', errorMessage: 'colours', recordErrors })
    const { responses } = await client.ask(produce, 9, writeTo('t', batchOf('a', 'b', 'c')))
    expect(responses[0]?.partitionResponses).toMatchObject([
      {
        ...{ errorCode: 87, errorMessage: 'colours', baseOffset: -1n },
        recordErrors: [
          { batchIndex: 1, batchIndexErrorMessage: 'too blue' },
          { batchIndex: 2, batchIndexErrorMessage: null },
        ],
      },
    ])
    expect(cluster.recordCount('t')).toBe(0)
  })

  it('is about Metadata as a whole, where it names no topic', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    cluster.fail({ api: 'Metadata', error: 'REBOOTSTRAP_REQUIRED' })
    expect(await client.ask(metadata, 13, ALL_TOPICS)).toMatchObject({ errorCode: 129 })
    expect(await client.ask(metadata, 13, ALL_TOPICS)).toMatchObject({ errorCode: 0 })
  })

  it('refuses an id', async () => {
    const cluster = await clusterOf()
    const client = await clientOf(cluster)
    cluster.fail({ api: 'InitProducerId', error: 'CLUSTER_AUTHORIZATION_FAILED' })
    expect(await client.ask(initProducerId, 4, ID)).toMatchObject({ errorCode: 31, producerId: -1n, producerEpoch: -1 })
  })

  it('must be there for records to be blamed', async () => {
    const cluster = await clusterOf()
    const fault: FaultOptions = { api: 'Produce', delayMs: 1, recordErrors: [{ batchIndex: 0 }] }
    expect(() => cluster.fail(fault)).toThrow("say which error, such as error: 'INVALID_RECORD'")
  })
})
