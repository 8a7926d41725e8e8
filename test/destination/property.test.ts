import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DestinationError, type KafkaDestination } from '../../src/destination/destination.ts'
import { arbitraryJson, arbitraryMapping } from './mapping/arbitrary-mapping.ts'
import { newDestination, startCluster } from './harness.ts'

const part = fc.constantFrom<unknown>(
  ...[{ '@path': '$.' }, { '@path': '$.a' }, { '@path': '$.properties.b' }, { '@template': 'x{{a}}' }, 't', 1, null],
)
/** Mostly what can be used, so that events get somewhere. */
const value = fc.oneof({ weight: 12, arbitrary: part }, { weight: 1, arbitrary: arbitraryMapping })
const fields = fc.record(
  {
    topic: fc.oneof({ weight: 3, arbitrary: fc.constant('t') }, { weight: 1, arbitrary: value }),
    payload: fc.oneof(fc.constant({ '@path': '$.' }), fc.constant({ k: { '@path': '$.a' } }), value),
    headers: fc.oneof(fc.constant({ '@path': '$.' }), fc.constant({ h: { '@path': '$.a' } }), value),
    partition: fc.oneof(fc.nat(3), value),
    default_partition: value,
    key: value,
  },
  { requiredKeys: ['topic', 'payload'] },
)
const event = fc.oneof(
  { weight: 4, arbitrary: fc.dictionary(fc.constantFrom('a', 'type', 'properties'), arbitraryJson) },
  { weight: 1, arbitrary: arbitraryJson },
)

/** A fault of a broker says 'try again'; there is none here, so whatever is not written is the event's own fault. */
const STATUSES = [200, 400]

test('any mapping and any JSON: a typed error at the beginning, or a result for every event, and never a 5xx', async () => {
  const cluster = await startCluster()
  await fc.assert(
    fc.asyncProperty(fields, fc.array(event, { minLength: 1, maxLength: 4 }), async (given, events) => {
      let destination: KafkaDestination
      try {
        destination = newDestination(cluster, { fields: given, topicAllowList: 'any' })
      } catch (error) {
        expect(error).toBeInstanceOf(DestinationError)
        return
      }
      const results = await destination.deliver(events)
      expect(results.map(({ event }) => event)).toEqual(events.map((_, index) => index))
      for (const { status, error } of results) expect(STATUSES, error?.message).toContain(status)
    }),
    { numRuns: 150 },
  )
})
