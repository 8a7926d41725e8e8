import { describe, expect, it } from 'vitest'
import { isWantedBy } from '../../../src/destination/mapping/integrations.ts'

describe('isWantedBy', () => {
  it.each<[unknown, boolean]>([
    [undefined, true],
    [null, true],
    [{}, true],
    [{ All: true }, true],
    [{ Kafka: true }, true],
    [{ Kafka: {} }, true],
    [{ Kafka: false }, false],
    [{ All: true, Kafka: false }, false],
    [{ All: false }, false],
    [{ All: false, Kafka: true }, true],
    [{ All: false, Kafka: { topic: 'x' } }, true],
    [{ All: false, Kafka: false }, false],
    [{ All: false, Kafka: null }, false],
    [{ All: false, kafka: true }, false],
    [{ Mixpanel: false }, true],
    ['All', true],
    [Object.create({ All: false }), true],
  ])('integrations %j: %s', (integrations, expected) => {
    expect(isWantedBy({ integrations }, 'Kafka')).toBe(expected)
  })

  it('an event without integrations, or that is no object, is wanted', () => {
    for (const event of [{}, null, 'x', []]) expect(isWantedBy(event, 'Kafka')).toBe(true)
    expect(isWantedBy({ integrations: { All: false } }, 'constructor')).toBe(false)
  })
})
