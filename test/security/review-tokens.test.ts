import { expect, it } from 'vitest'
import { Producer } from '../../src/index.ts'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { FakeClock, turns } from '../support/fake-clock.ts'
import { advanceUntilSettled } from '../support/settling.ts'
import { closeLater, guardTests } from './harness.ts'

guardTests()

it('a token that is still good is used while the endpoint hangs: A2, without even an outage', async () => {
  const cluster = await TestCluster.start({
    topics: { t: 1 },
    sasl: { verifyToken: () => ({ principal: 'alice' }) },
  })
  closeLater(() => cluster.close())
  const clock = new FakeClock()
  let calls = 0
  const token = (): Promise<{ value: string; expiresAtMs: number }> =>
    ++calls === 1
      ? Promise.resolve({ value: 'abc', expiresAtMs: clock.wallNow() + 1_000_000 })
      : new Promise(() => undefined)
  const producer = new Producer(
    { brokers: cluster.bootstrap, sasl: { mechanism: 'oauthbearer', token }, connectionsMaxIdleMs: 10_000 },
    clock,
  )
  closeLater(() => producer.close({ timeoutMs: 0 }).catch(() => undefined))
  await producer.send({ topic: 't', value: 'a' })
  // Time to renew it, and far from its end. The connection was closed for idleness.
  await clock.advance(860_000)
  await turns(10)
  const startMs = clock.now()
  const sent = producer.send({ topic: 't', value: 'b' })
  sent.catch(() => undefined)
  await advanceUntilSettled(clock, sent, 100)
  await sent
  expect(calls).toBeGreaterThan(1)
  expect(clock.now() - startMs).toBeLessThan(1000)
})
