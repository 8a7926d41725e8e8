import { describe, expect, it } from 'vitest'
import type { ProducerOptions } from '../../src/index.ts'
import { producerHarness } from '../support/producer-harness.ts'
import { turns } from '../support/fake-clock.ts'

const MINUTES = 60
const harness = producerHarness()

/** Counts what wakes the process up: timers, and turns of the event loop that were asked for. */
function countWakeUps(): { timers: number; turns: number } {
  const { clock } = harness
  const counted = { timers: 0, turns: 0 }
  const after = clock.after.bind(clock)
  const soon = clock.soon.bind(clock)
  clock.after = (delayMs, fn) =>
    after(delayMs, () => {
      counted.timers++
      fn()
    })
  clock.soon = (fn) => {
    counted.turns++
    soon(fn)
  }
  return counted
}

// All time of src goes through its clock, which the linter sees to, so that what is counted here is everything.
describe('perf-10: a producer that has sent, and is idle for an hour', () => {
  it.each<[string, Partial<ProducerOptions>]>([
    ['by default', {}],
    ['without idempotence', { idempotent: false }],
    ['with acks 0', { acks: 0 }],
    ['with short timeouts', { lingerMs: 5, deliveryTimeoutMs: 2000, requestTimeoutMs: 1000, maxBlockMs: 1000 }],
    ['with compression', { compression: 'gzip' }],
  ])('wakes the process up less than once a minute: %s', async (_how, options) => {
    await harness.startCluster({ brokers: 3, topics: { t: 6, u: 1 } })
    const counted = countWakeUps()
    const producer = harness.newProducer(options)
    await Promise.all(Array.from({ length: 100 }, (_, i) => producer.send({ topic: 't', key: `k${i}`, value: 'x' })))
    await producer.sendAll([{ topic: 'u', value: 'x' }])
    producer.offer({ topic: 't', value: 'x' })
    await producer.flush()
    await harness.clock.advance(60_000)
    Object.assign(counted, { timers: 0, turns: 0 })
    for (let minute = 0; minute < MINUTES; minute++) {
      await harness.clock.advance(60_000)
      await turns(10)
    }
    expect(counted.timers).toBeLessThan(MINUTES)
    expect(counted.turns).toBeLessThan(2 * MINUTES)
    expect(counted.timers).toBeGreaterThan(0) // metadata is kept fresh
  })
})
