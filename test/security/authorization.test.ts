import { describe, expect, it } from 'vitest'
import { deliveredAt, errorOf, runWithLedger, type FaultRun } from '../faults/support.ts'
import { turns, until } from '../support/fake-clock.ts'
import { guardTests, PASSWORD, PLAIN } from './harness.ts'

guardTests()

describe('A11: somebody who is let in, and may not do it', () => {
  /** One broker that wants a login, with a topic `t` that is allowed and one that is not. */
  async function played(work: (run: FaultRun) => Promise<void>, producer: object = {}): Promise<void> {
    const cluster = { brokers: 1, topics: { t: 4, forbidden: 1 }, sasl: { users: { alice: PASSWORD } } }
    const options = { sasl: PLAIN, allowPlaintextCredentials: true, ...producer }
    await runWithLedger({ cluster, producer: options }, work)
  }

  const DENIED = { error: 'TOPIC_AUTHORIZATION_FAILED', times: Infinity }

  it.each(['Metadata', 'Produce'] as const)(
    'a topic, said by %s: fails fast, and other topics do not notice',
    async (api) => {
      await played(async (run) => {
        run.cluster.fail({ api, topic: 'forbidden', ...DENIED })
        const startMs = run.clock.now()
        const denied = run.send({ topic: 'forbidden' })
        const others = run.sendMany(20)
        for (const end of await others) deliveredAt(end)
        const error = errorOf(await denied)
        expect(error).toMatchObject({ name: 'BrokerError', code: 'TOPIC_AUTHORIZATION_FAILED', topic: 'forbidden' })
        expect([error.retriable, error.maybeWritten]).toEqual([false, false])
        expect(run.clock.now()).toBe(startMs)
        deliveredAt(await run.send())
        await turns(1)
      })
    },
  )

  it('idempotent writing, which was asked for: fails fast, and says what is missing', async () => {
    await played(
      async (run) => {
        run.cluster.fail({ api: 'InitProducerId', error: 'CLUSTER_AUTHORIZATION_FAILED', times: Infinity })
        const startMs = run.clock.now()
        const error = errorOf(await run.send())
        expect(error).toMatchObject({ code: 'CLUSTER_AUTHORIZATION_FAILED', maybeWritten: false })
        expect(run.clock.now()).toBe(startMs)
      },
      { idempotent: true },
    )
  })

  it('idempotent writing by default: goes on without', async () => {
    await played(async (run) => {
      run.cluster.fail({ api: 'InitProducerId', error: 'CLUSTER_AUTHORIZATION_FAILED', times: Infinity })
      for (const end of await run.sendMany(3)) deliveredAt(end)
      await until(() => !run.producer.stats().idempotent, 'it goes on without')
    })
  })
})
