import { beforeEach, describe, expect, it } from 'vitest'
import type { Producer } from '../../src/index.ts'
import { type ProducerRecord } from '../../src/index.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { turns } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'
import { advanceUntilSettled, failureOf } from '../support/settling.ts'

const harness = producerHarness()
let cluster: TestCluster
let clock: FakeClock
let producer: Producer

beforeEach(async () => {
  clock = harness.clock
  cluster = await harness.startCluster({ brokers: 2, topics: { t: { partitions: 2, replicationFactor: 2 } } })
  producer = harness.newProducer({ batchBytes: 1 })
  await producer.sendAll([record('a'), record('b'), record('c')])
})

const TRUNCATED = 'the log loses acknowledged records'
const record = (value: string, partition = 0): ProducerRecord => ({ topic: 't', partition, value })
const values = (): string[] =>
  cluster
    .records('t')
    .filter(({ partition }) => partition === 0)
    .map(({ value }) => String(value))

async function send(value: string, partition = 0): Promise<bigint> {
  const sent = producer.send(record(value, partition))
  await advanceUntilSettled(clock, sent, 50)
  return (await sent).offset
}

/** Another leader, that has only so many records, and the first one again. */
async function moveAwayAndBack(recordCount: number, lookAround: () => Promise<void>): Promise<void> {
  cluster.moveLeader('t', 0, 2)
  await lookAround()
  cluster.truncate('t', 0, recordCount)
  cluster.moveLeader('t', 0, 1)
  await lookAround()
}

describe('a leader that moved away and back, and lost records on the way, while we were idle', () => {
  it.each([true, false])('is no reason to end the producer (metadata showed it: %s)', async (isSeen) => {
    harness.except({ noLoss: TRUNCATED, bytes: TRUNCATED, order: TRUNCATED })
    await moveAwayAndBack(0, async () => {
      if (!isSeen) return
      await producer.connect() // asks for metadata
      await turns(5)
    })
    expect(await send('d')).toBe(0n)
    expect(values()).toEqual(['d'])
  })

  it('nor when another partition has raised the epoch meanwhile', async () => {
    harness.except({ bytes: TRUNCATED, order: TRUNCATED })
    await moveAwayAndBack(2, () => Promise.resolve())
    cluster.fail({ api: 'Produce', partition: 1, error: 'INVALID_TIMESTAMP' })
    const poison = failureOf(producer.send(record('poison', 1)))
    await advanceUntilSettled(clock, poison, 50)
    await send('q', 1)
    expect(producer.stats().epochBumps).toBe(1)
    expect(await send('d')).toBe(2n)
    expect(values()).toEqual(['a', 'b', 'd'])
  })
})
