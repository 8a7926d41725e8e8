import { expect, it } from 'vitest'
import { Producer } from '../../src/index.ts'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { advanceUntilSettled } from '../support/settling.ts'
import { closeLater, guardTests, PASSWORD, PLAIN } from './harness.ts'

// Found in review: records that fail although they could be delivered.

guardTests()

it('a brokers function that names another address is asked, although the one of the last time refuses us for a while', async () => {
  const bad = await TestCluster.start({ topics: { t: 1 }, sasl: { users: { alice: 'another' } } })
  closeLater(() => bad.close())
  const good = await TestCluster.start({ topics: { t: 1 }, sasl: { users: { alice: PASSWORD } } })
  closeLater(() => good.close())
  let where = bad.bootstrap
  const clock = new FakeClock()
  const producer = new Producer({ brokers: () => Promise.resolve(where), sasl: PLAIN }, clock)
  closeLater(() => producer.close({ timeoutMs: 0 }).catch(() => undefined))
  await expect(producer.send({ topic: 't', value: 'a' })).rejects.toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' })
  where = good.bootstrap
  const sent = producer.send({ topic: 't', value: 'b' })
  sent.catch(() => undefined)
  await advanceUntilSettled(clock, sent, 10)
  await expect(sent).resolves.toMatchObject({ offset: 0n })
})
