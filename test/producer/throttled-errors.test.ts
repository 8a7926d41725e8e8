import { describe, expect, it } from 'vitest'
import { producerHarness } from '../support/producer-harness.ts'
import { advanceUntilSettled, failureOf } from '../support/settling.ts'

const harness = producerHarness()
const record = { topic: 'orders', partition: 0, value: 'x' }

describe('an error of a broker that throttles us', () => {
  it('says for how long', async () => {
    const cluster = await harness.startCluster({ topics: { orders: 1 } })
    const producer = harness.newProducer()
    await producer.send(record)
    cluster.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED', throttleMs: 5000 })
    expect(await failureOf(producer.send(record))).toMatchObject({
      code: 'TOPIC_AUTHORIZATION_FAILED',
      throttleMs: 5000,
    })
  })

  it('says no more than it is granted, a minute', async () => {
    const cluster = await harness.startCluster({ topics: { orders: 1 } })
    const producer = harness.newProducer()
    await producer.send(record)
    cluster.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED', throttleMs: 600_000 })
    expect(await failureOf(producer.send(record))).toMatchObject({ throttleMs: 60_000 })
  })

  it('has nothing of the kind where nobody throttles', async () => {
    const cluster = await harness.startCluster({ topics: { orders: 1 } })
    const producer = harness.newProducer()
    cluster.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED' })
    expect(await failureOf(producer.send(record))).not.toHaveProperty('throttleMs')
  })

  it('is a timeout for what could not even be sent meanwhile, and says how long it goes on', async () => {
    const cluster = await harness.startCluster({ topics: { orders: 1 } })
    const producer = harness.newProducer({ deliveryTimeoutMs: 20_000, requestTimeoutMs: 10_000 })
    cluster.fail({ api: 'Produce', throttleMs: 50_000 })
    await producer.send(record)
    const late = failureOf(producer.send(record))
    await advanceUntilSettled(harness.clock, late, 1000)
    const error = await late
    expect(error).toMatchObject({ code: 'DELIVERY_TIMEOUT', maybeWritten: false, throttleMs: 30_000 })
    expect(error.message).toContain('never sent; the broker throttles us for another 30000 ms')
  })
})
