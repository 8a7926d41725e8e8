import { describe, expect, test } from 'vitest'
import { readEvents } from '../../../src/cli/destination/event-request.ts'

const AT = '2026-11-21T10:00:00.000Z'
const event = { type: 'track', userId: 'u', event: 'Bought', messageId: 'm', timestamp: '2026-11-20T00:00:00Z' }

describe('a batch', () => {
  test('what it says for all goes into each event; what an event says itself goes before that', () => {
    const context = { ip: '1.2.3.4', library: { name: 'batch' } }
    const integrations = { All: true, Kafka: false }
    const batch = [
      event,
      { ...event, context: { library: { name: 'own' } }, integrations: { Kafka: true } },
      { ...event, context: null },
    ]
    const { events } = readEvents({ batch, context, integrations, sentAt: 'then' }, 'batch', 100, AT)
    const added = { sentAt: 'then', receivedAt: AT }
    expect(events).toEqual([
      { ...event, context, integrations, ...added },
      {
        ...{ ...event, ...added, context: { ip: '1.2.3.4', library: { name: 'own' } } },
        integrations: { All: true, Kafka: true },
      },
      { ...event, context, integrations, ...added },
    ])
  })

  test('nothing is added that nobody has said, but a messageId and times', () => {
    const { events } = readEvents({ batch: [{ type: 'page', anonymousId: 'a' }] }, 'batch', 100, AT)
    expect(events).toEqual([
      { type: 'page', anonymousId: 'a', messageId: expect.any(String), timestamp: AT, receivedAt: AT },
    ])
  })

  test('members that look like a prototype stay members', () => {
    const json =
      '{"type":"page","userId":"u","messageId":"m","timestamp":"t","__proto__":{"x":1},"context":{"__proto__":2}}'
    const body = JSON.parse(`{"batch":[${json}],"context":{"a":1}}`) as unknown
    const { events } = readEvents(body, 'batch', 100, AT)
    const expected = `${json.slice(0, -'"__proto__":2}}'.length)}"a":1,"__proto__":2},"receivedAt":"${AT}"}`
    expect(JSON.stringify(events[0])).toBe(expected)
  })

  test('an empty one is fine', () => {
    expect(readEvents({ batch: [] }, 'batch', 12, AT)).toEqual({ events: [], indexes: [], faults: [] })
  })
})

test('an event that is nested too deeply to be written is refused alone, for good', () => {
  const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
  const { events, faults } = readEvents({ batch: [{ ...event, properties: { deep } }, event] }, 'batch', 200_000, AT)
  expect(events).toHaveLength(1)
  expect(faults).toEqual([
    { index: 0, messageId: 'm', code: 'EVENT_TOO_DEEP', message: 'The event is nested too deeply.' },
  ])
})
