import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { audienceMembership } from '../../../src/destination/mapping/audience.ts'
import { resolveFields } from '../../../src/destination/mapping/resolve-fields.ts'
import { matchesTrigger } from '../../../src/destination/trigger/match-trigger.ts'
import { defaultTrigger } from '../../../src/destination/mapping/send-fields.ts'

const fixtures = new URL('../../fixtures/segment/', import.meta.url)
const engage = readdirSync(fixtures).filter((name) => name.startsWith('engage-'))

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, fixtures), 'utf8'))
}

describe('seg-S19: Engage', () => {
  it.each(engage)('%s passes the default trigger and arrives as it is', (name) => {
    const event = fixture(name)
    expect(matchesTrigger(defaultTrigger, event)).toBe(true)
    expect(JSON.stringify(resolveFields({ payload: { '@path': '$.' } }, event)['payload'])).toBe(JSON.stringify(event))
  })

  it.each([
    ['engage-1-trait-identify.json', undefined],
    ['engage-2-trait-track.json', undefined],
    ['engage-3-audience-identify.json', true],
    ['engage-4-audience-track.json', true],
    ['engage-6-audience-identify.json', true],
  ])('%s says %s', (name, expected) => {
    expect(audienceMembership(fixture(name))).toBe(expected)
  })

  const personas = (computation_class: string): object => ({ personas: { computation_class, computation_key: 'vip' } })
  it.each<[string, unknown, boolean | undefined]>([
    [
      'left by identify',
      { type: 'identify', traits: { vip: false, other: true }, context: personas('audience') },
      false,
    ],
    ['entered by track', { type: 'track', properties: { vip: true }, context: personas('audience') }, true],
    ['journey step', { type: 'track', properties: { vip: true }, context: personas('journey_step') }, true],
    ['trait', { type: 'identify', traits: { vip: true }, context: personas('trait') }, undefined],
    ['no boolean', { type: 'identify', traits: { vip: 'yes' }, context: personas('audience') }, undefined],
    ['page', { type: 'page', properties: { vip: true }, context: personas('audience') }, undefined],
    ['not Engage', { type: 'identify', traits: { vip: true } }, undefined],
    ['nothing', null, undefined],
  ])('membership: %s', (_name, event, expected) => {
    expect(audienceMembership(event)).toBe(expected)
  })
})
