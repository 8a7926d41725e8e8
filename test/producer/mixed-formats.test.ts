import { beforeEach, describe, expect, it } from 'vitest'
import type { Producer } from '../../src/index.ts'
import { type KafkaError, type ProducerOptions, type ProducerRecord } from '../../src/index.ts'
import { encodeResponseFrame } from '../../src/protocol/frame.ts'
import { apiVersions } from '../../src/protocol/messages/api-versions.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { turns, until } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'
import { advanceUntilSettled } from '../support/settling.ts'

/** Clusters in the middle of an upgrade: some brokers read other formats than others. */

const harness = producerHarness()
let cluster: TestCluster
let clock: FakeClock
let producer: Producer

beforeEach(() => {
  clock = harness.clock
})

/** Two brokers, each leads the partition one below its number; one of them says that it is Kafka 0.10. */
async function start(oldBroker: number, options: Partial<ProducerOptions>): Promise<void> {
  cluster = await harness.startCluster({
    brokers: 2,
    topics: { t: { partitions: 2, replicationFactor: 2 } },
    kafkaVersion: '2.8',
    apiVersions: { ApiVersions: [0, 0] },
  })
  const apiKeys = [
    { apiKey: 0, minVersion: 0, maxVersion: 2 },
    { apiKey: 3, minVersion: 0, maxVersion: 2 },
    { apiKey: 18, minVersion: 0, maxVersion: 0 },
  ]
  cluster.fail({
    api: 'ApiVersions',
    broker: oldBroker,
    times: Infinity,
    answer: (correlationId) =>
      Buffer.concat(encodeResponseFrame(apiVersions, 0, correlationId, { errorCode: 0, apiKeys }).chunks),
  })
  producer = harness.newProducer(options)
}

const record = (value: string, partition: number): ProducerRecord => ({ topic: 't', partition, value })
/** "ok", or the code of the error. */
const outcomeOf = (sent: Promise<unknown>): Promise<string> =>
  sent.then(
    () => 'ok',
    (error: unknown) => (error as KafkaError).code,
  )

describe('a batch that was written for an old broker, or for a new one, and is led by the other kind now', () => {
  it.each([
    ['from the old to the new: it is read there, too', 1, 'ok'],
    ['from the new to the old: it fails alone', 2, 'UNSUPPORTED_VERSION'],
  ])('%s', async (_name, oldBroker, expected) => {
    await start(oldBroker, { idempotent: false })
    await producer.sendAll([record('x', 0), record('x', 1)])
    const rule = cluster.fail({ api: 'Produce', partition: 0, error: 'LEADER_NOT_AVAILABLE' })
    const retried = outcomeOf(producer.send(record('a', 0)))
    await until(() => rule.hits === 1, 'the refusal')
    await turns(5)
    cluster.moveLeader('t', 0, 2)
    await producer.connect() // asks for metadata
    await turns(5)
    const innocent = outcomeOf(producer.send(record('b', 1))) // due in one moment with the retry, at the same broker
    await advanceUntilSettled(clock, Promise.all([retried, innocent]), 100)
    expect(await innocent).toBe('ok')
    expect(await retried).toBe(expected)
  })
})

describe('where idempotence is required, and one broker has it not', () => {
  it('only what is for that broker fails', async () => {
    await start(2, { idempotent: true, batchBytes: 1 })
    await producer.send(record('x', 0))
    await producer.partitionsFor('t')
    cluster.fail({ api: 'Produce', partition: 0, delayMs: 100 })
    const others = Array.from({ length: 8 }, (_, i) => outcomeOf(producer.send(record(String(i), 0))))
    const old = outcomeOf(producer.send(record('b', 1)))
    await advanceUntilSettled(clock, Promise.all([...others, old]), 50)
    expect(await Promise.all(others)).toEqual(Array.from({ length: 8 }, () => 'ok'))
    expect(await old).toBe('UNSUPPORTED_VERSION')
    expect(producer.stats()).toMatchObject({ idempotent: true, unsettled: 0 })
  })
})
