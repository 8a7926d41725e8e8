import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DeliveryResult } from '../../src/destination/destination.ts'
import type { FaultOptions } from '../../src/testing/fault-options.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { newDestination, startCluster, track } from './harness.ts'

const path = (name: string): object => ({ '@path': `$.properties.${name}` })
const fields = { topic: path('topic'), partition: path('p'), payload: { n: path('n') } }
/** Impatient, so that many cases fit into a second. */
const producer = { deliveryTimeoutMs: 400, requestTimeoutMs: 200, retryBackoffMs: 1, retryBackoffMaxMs: 5 }

const effect = fc.oneof(
  fc.constantFrom<Omit<FaultOptions, 'api'>>(
    ...[{ closeBefore: true }, { closeAfterBytes: 0 }, { closeAfterBytes: 6 }, { silent: true }, { throttleMs: 50 }],
    ...[
      { error: 'INVALID_RECORD', recordErrors: [{ batchIndex: 0 }] },
      { error: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', isWritten: true },
    ],
  ),
  fc
    .constantFrom(
      ...['NOT_LEADER_OR_FOLLOWER', 'NOT_ENOUGH_REPLICAS', 'REQUEST_TIMED_OUT', 'TOPIC_AUTHORIZATION_FAILED'],
      ...['MESSAGE_TOO_LARGE', 'INVALID_RECORD', 'CORRUPT_MESSAGE', 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'POLICY_VIOLATION'],
    )
    .map((error) => ({ error })),
)
const fault: fc.Arbitrary<FaultOptions> = fc
  .record({
    effect,
    more: fc.record({
      after: fc.nat(3),
      times: fc.integer({ min: 1, max: 4 }),
      partition: fc.constantFrom(0, 1, undefined),
    }),
  })
  .map(({ effect: what, more }) => ({ api: 'Produce', ...what, ...more }))
const target = fc.record({ topic: fc.constantFrom('a', 'b', 'none'), p: fc.constantFrom(0, 0, 1, 1, 7) })
const scene = fc.record({
  faults: fc.array(fault, { maxLength: 3 }),
  calls: fc.array(fc.array(target, { maxLength: 12 }), { minLength: 1, maxLength: 2 }),
  batch_size: fc.constantFrom(1, 3, 1000),
})

interface Sent {
  readonly n: number
  readonly topic: string
  readonly result: DeliveryResult | undefined
}

test('whatever brokers do: a result each, what is 200 is there once and in order, and what is certainly not written is not there', async () => {
  await fc.assert(
    fc.asyncProperty(scene, async ({ faults, calls, batch_size }) => {
      const cluster = await startCluster({ topics: { a: 2, b: 2 }, autoCreateTopics: false })
      const destination = newDestination(cluster, {
        ...{ fields: { ...fields, batch_size }, topicAllowList: 'any' },
        producer: { ...producer, maxBlockMs: 150 },
      })
      for (const each of faults) cluster.fail(each)
      let n = 0
      const sent: Sent[] = []
      for (const targets of calls) {
        const events = targets.map((to) => ({ ...to, n: n++ }))
        const results = await destination.deliver(events.map(track))
        expect(results.map(({ event }) => event)).toEqual(events.map((_, index) => index))
        sent.push(...events.map(({ topic, n: number }, index) => ({ topic, n: number, result: results[index] })))
      }
      judge(cluster, sent)
      expect(cluster.violations).toEqual([])
      await destination.close()
      await cluster.close()
    }),
    { numRuns: 30 },
  )
}, 60_000)

function judge(cluster: TestCluster, sent: readonly Sent[]): void {
  for (const topic of ['a', 'b']) {
    const records = cluster
      .records(topic)
      .map(({ value, partition, offset }) => ({ n: (JSON.parse(String(value)) as { n: number }).n, partition, offset }))
    for (const { n, result } of sent.filter((each) => each.topic === topic)) {
      const found = records.filter((record) => record.n === n)
      const { status, partition, offset, maybeWritten } = result ?? {}
      if (status === 200) expect(found).toEqual([{ n, partition, offset: offset === -1n ? found[0]?.offset : offset }])
      else if (maybeWritten === true) expect(found.length).toBeLessThanOrEqual(1)
      else expect(found, `${n}: ${result?.error?.message ?? ''}`).toEqual([])
    }
    for (const partition of [0, 1]) {
      const numbers = records.filter((record) => record.partition === partition).map(({ n }) => n)
      expect(numbers).toEqual([...numbers].sort((x, y) => x - y))
    }
  }
}
