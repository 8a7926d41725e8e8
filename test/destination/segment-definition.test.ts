import { describe, expect, test } from 'vitest'
import {
  DestinationError,
  sendFields,
  settingsFields,
  toSegmentDestination,
} from '../../src/destination/destination.ts'
import { sharedProducers } from '../../src/destination/producer-cache.ts'
import { segmentCases } from './segment-cases.ts'
import { IntegrationError, MultiStatusResponse, standIn } from './segment-stand-in.ts'

describe('toSegmentDestination', () => {
  test.each(segmentCases)('%s', async (_, run) => {
    const host = standIn()
    try {
      await run(host)
    } finally {
      await host.close()
    }
    expect(sharedProducers.size).toBe(0)
  })

  test("has the names of Segment's own, and every setting and field", () => {
    const definition = toSegmentDestination({ MultiStatusResponse, IntegrationError })
    expect(definition).toMatchObject({ name: 'Kafka', slug: 'actions-kafka', mode: 'cloud', presets: [] })
    expect(definition.authentication.scheme).toBe('custom')
    expect(Object.keys(definition.authentication.fields)).toEqual(settingsFields.map(({ key }) => key))
    expect(Object.keys(definition.actions.send.fields)).toEqual(sendFields.map(({ key }) => key))
    expect(definition.actions.send.fields.payload.default).toEqual({ '@path': '$.' })
    expect(definition.actions.send.fields.topic).toMatchObject({ required: true, dynamic: true })
    expect(definition.actions.send.fields.batch_keys).toMatchObject({ multiple: true, unsafe_hidden: true })
    expect(definition.authentication.fields.ssl_key.depends_on).toEqual({
      match: 'any',
      conditions: [{ fieldKey: 'mechanism', operator: 'is', value: 'client-cert-auth' }],
    })
  })

  test.each([
    ['no classes', {}],
    ['no MultiStatusResponse', { IntegrationError }],
    ['an IntegrationError that is none', { MultiStatusResponse, IntegrationError: 'x' }],
    ['nothing', undefined],
  ])('is refused at once with %s', (_, options) => {
    expect(() => toSegmentDestination(options as never)).toThrow(DestinationError)
  })
})
