import { beforeEach, describe, expect, it } from 'vitest'
import type { Producer } from '../../src/index.ts'
import { encodeResponseFrame } from '../../src/protocol/frame.ts'
import { initProducerId } from '../../src/protocol/messages/init-producer-id.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'
import { advanceUntilSettled } from '../support/settling.ts'

const harness = producerHarness()
let cluster: TestCluster
let clock: FakeClock
let producer: Producer

beforeEach(async () => {
  clock = harness.clock
  cluster = await harness.startCluster({ brokers: 1, topics: { t: 1 } })
  producer = harness.newProducer({ batchBytes: 1, idempotent: true })
})

async function send(value: string): Promise<void> {
  const sent = producer.send({ topic: 't', value })
  await advanceUntilSettled(clock, sent, 50)
  await sent
}

describe('an answer without an error and without an id', () => {
  it.each([
    ['no id', -1n, 0],
    ['no epoch', 4711n, -1],
    ['neither', -1n, -1],
  ])(
    '(%s) is a failure: asked again, and no record goes without a sequence',
    async (_name, producerId, producerEpoch) => {
      const rule = cluster.fail({
        api: 'InitProducerId',
        answer: (correlationId) => {
          const response = { errorCode: 0, producerId, producerEpoch, throttleTimeMs: 0 }
          return Buffer.concat(encodeResponseFrame(initProducerId, 5, correlationId, response).chunks)
        },
      })
      await send('x')
      expect(rule.hits).toBe(1)
      cluster.fail({ api: 'Produce', closeAfterBytes: 0, isWritten: true }) // a second copy, had it no sequence
      await send('y')
      expect(cluster.records('t').map(({ value }) => String(value))).toEqual(['x', 'y'])
      expect(cluster.records('t').map(({ sequence }) => sequence)).toEqual([0, 1])
    },
  )
})
