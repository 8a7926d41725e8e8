import { beforeEach, describe, expect, it } from 'vitest'
import type { Producer } from '../../src/index.ts'
import { type ProducerOptions, type ProducerRecord } from '../../src/index.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'
import { advanceUntilSettled } from '../support/settling.ts'

const harness = producerHarness()
let cluster: TestCluster
let clock: FakeClock
let producer: Producer

beforeEach(() => {
  clock = harness.clock
})

async function start(topic: TestClusterOptions['topics'], options: Partial<ProducerOptions> = {}): Promise<void> {
  cluster = await harness.startCluster({ brokers: 1, ...(topic === undefined ? {} : { topics: topic }) })
  producer = harness.newProducer({ batchBytes: 1, ...options })
}

const record = (value: string, partition = 0): ProducerRecord => ({ topic: 't', partition, value })
const values = (): string[] =>
  cluster
    .records('t')
    .filter(({ partition }) => partition === 0)
    .map(({ value }) => String(value))

async function sendEach(names: string[]): Promise<void> {
  const sends = Promise.all(names.map((name) => producer.send(record(name))))
  await advanceUntilSettled(clock, sends, 50)
  await sends
}

/** The broker calls the producer's epoch too old, of another partition: it needs another id. */
async function renewId(): Promise<void> {
  const { producerId } = producer.stats()
  cluster.fail({ api: 'Produce', partition: 1, error: 'INVALID_PRODUCER_EPOCH' })
  const sent = producer.send(record('y', 1))
  await advanceUntilSettled(clock, sent, 50)
  await sent
  expect(producer.stats().producerId).not.toBe(producerId)
}

describe('the first batch of a partition goes alone, since a broker takes any first sequence of a stranger', () => {
  it('under a new producer id', async () => {
    await start({ t: 2 })
    await producer.sendAll([record('x'), record('x', 1)])
    await renewId()
    cluster.fail({ api: 'Produce', partition: 0, error: 'NOT_ENOUGH_REPLICAS' })
    await sendEach(['a', 'b', 'c', 'd'])
    expect(values()).toEqual(['x', 'a', 'b', 'c', 'd'])
  })

  it('under a new producer id, and where it is too large and must be cut up, its parts do', async () => {
    await start({ t: { partitions: 2, maxMessageBytes: 1000 } }, { batchBytes: 1500 })
    await producer.send(record('x'))
    await renewId()
    const names = ['a'.repeat(700), 'b'.repeat(700), 'c'.repeat(800), 'd']
    await sendEach(names)
    expect(values()).toEqual(['x', ...names])
  })

  it('after a minute of rest, in which the broker may have forgotten the producer', async () => {
    await start({ t: 2 })
    await producer.send(record('x'))
    await clock.advance(61_000)
    cluster.expireProducers()
    cluster.fail({ api: 'Produce', partition: 0, error: 'NOT_ENOUGH_REPLICAS' })
    await sendEach(['a', 'b', 'c', 'd'])
    expect(values()).toEqual(['x', 'a', 'b', 'c', 'd'])
  })
})
