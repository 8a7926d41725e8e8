import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KafkaError } from '../../../src/index.ts'
import { matchesTrigger } from '../../../src/destination/trigger/match-trigger.ts'
import { MAX_TRIGGER_LENGTH, parseTrigger } from '../../../src/destination/trigger/parse-trigger.ts'
import { printTrigger } from '../../../src/destination/trigger/print-trigger.ts'
import { TriggerError } from '../../../src/destination/trigger/trigger-error.ts'
import { defaultTrigger } from '../../../src/destination/mapping/send-fields.ts'
import { arbitraryEvent, arbitraryTrigger } from './arbitrary-trigger.ts'
import { matchesSlowly } from './slow-trigger.ts'

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../fixtures/segment/${name}.json`, import.meta.url), 'utf8'))
}

function refusal(text: string): TriggerError {
  try {
    parseTrigger(text)
  } catch (error) {
    if (error instanceof TriggerError) return error
    throw error
  }
  throw new Error(`was accepted: ${text}`)
}

describe('seg-S18: the trigger language (A.12)', () => {
  it.each([
    ['track', true],
    ['identify', true],
    ['page', true],
    ['screen', true],
    ['group', true],
    ['alias', false],
  ])('the default trigger on %s is %s', (type, expected) => {
    expect(matchesTrigger(defaultTrigger, fixture(`${type}.full`))).toBe(expected)
    expect(matchesTrigger(defaultTrigger, fixture(`${type}.min`))).toBe(expected)
  })

  it('the default trigger refuses delete', () => {
    expect(matchesTrigger(defaultTrigger, { type: 'delete' })).toBe(false)
  })

  const event = {
    type: 'track',
    event: 'Order Completed',
    userId: 'u1',
    properties: {
      plan: 'pro',
      revenue: 12.5,
      zero: 0,
      isNew: true,
      old: false,
      none: null,
      items: [{ id: 'i1' }],
      'a b': 1,
      text: '42',
    },
    traits: { email: 'a@b.c' },
    context: { ip: '8.8.8.8', page: { path: '/academy/' } },
  }
  it.each<[string, boolean]>([
    ['type = "track"', true],
    ["type = 'track'", true],
    ['type != "track"', false],
    ['event = "Order Completed"', true],
    ['event = "order completed"', false],
    ['name = "x"', false],
    ['name != "x"', true],
    ['name = null', true],
    ['userId != null', true],
    ['userId = null', false],
    ['event != null', true],
    ['properties.none = null', true],
    ['properties.missing = null', true],
    ['properties.plan = "pro"', true],
    ['properties.text = 42', false],
    ['properties.text = "42"', true],
    ['properties.revenue = 12.5', true],
    ['properties.revenue = "12.5"', false],
    ['properties.revenue != 12', true],
    ['properties.plan != 12', false],
    ['properties.revenue > 12', true],
    ['properties.revenue >= 12.5', true],
    ['properties.revenue < 12.5', false],
    ['properties.revenue <= 12.5', true],
    ['properties.revenue > "12"', true],
    ['properties.text > 1', false],
    ['properties.zero = 0', true],
    ['properties.zero > -1', true],
    ['properties.isNew = true', true],
    ['properties.isNew = "true"', false],
    ['properties.old = false', true],
    ['properties.missing = false', false],
    ['properties.isNew != true', false],
    ['properties.missing != true', true],
    ['contains(event, "Completed")', true],
    ['contains(event, "Refunded")', false],
    ['!contains(event, "Refunded")', true],
    ['!contains(properties.missing, "x")', false],
    ['not contains(properties.missing, "x")', true],
    ['match(event, "Order*")', true],
    ['match(event, "*Completed")', true],
    ['match(event, "*Order")', false],
    ['!match(event, "Order*")', false],
    ['!match(properties.missing, "Order*")', false],
    ['contains(type, "rac")', true],
    ['traits.email = "a@b.c"', true],
    ['context.page.path = "/academy/"', true],
    ['properties.items\\[0\\].id = "i1"', true],
    ['properties.a\\ b = 1', true],
    ['(type = "track")', true],
    ['((type = "page" or (type = "track" and (event != null))))', true],
    ['!(type = "track")', false],
    ['NOT type = "page" AND (type = "track" OR type = "x")', true],
    ['type="track"and event="Order Completed"', true],
  ])('%s is %s', (text, expected) => {
    expect(matchesTrigger(text, event)).toBe(expected)
  })

  it('and binds closer than or; last-wins has it as Segment', () => {
    const text = 'type = "track" or type = "page" and event = "X"'
    const shown = { type: 'track', event: 'Y' }
    expect(matchesTrigger(parseTrigger(text), shown)).toBe(true)
    expect(matchesTrigger(parseTrigger(text, { precedence: 'last-wins' }), shown)).toBe(false)
    expect(parseTrigger(text, { precedence: 'last-wins' })).toMatchObject({ kind: 'and', children: [{}, {}, {}] })
    const swapped = 'type = "track" and event = "X" or event = "Y"'
    expect(parseTrigger(swapped, { precedence: 'last-wins' })).toMatchObject({ kind: 'or', children: [{}, {}, {}] })
    const grouped = '(type = "a" or type = "b") and event = "X"'
    expect(parseTrigger(grouped, { precedence: 'last-wins' })).toEqual(parseTrigger(grouped))
  })

  it('members that an event does not own are missing', () => {
    for (const path of ['constructor', 'toString', '__proto__', 'a.constructor', 'hasOwnProperty.length']) {
      expect(matchesTrigger(`properties.${path} = null`, { properties: { a: 'x' } })).toBe(true)
    }
    expect(matchesTrigger('type = null', Object.create({ type: 'track' }))).toBe(true)
    const own = JSON.parse('{"properties":{"__proto__":"p","toString":{"constructor":5}}}') as unknown
    expect(matchesTrigger('properties.__proto__ = "p" and properties.toString.constructor = 5', own)).toBe(true)
  })

  it.each([null, 5, 'track', undefined, true])(
    'an event that is %s matches nothing, and nothing is thrown',
    (event) => {
      expect(matchesTrigger('type != "x"', event)).toBe(false)
    },
  )
})

describe('parseTrigger', () => {
  it.each<[string, number, RegExp]>([
    ['', 0, /expected a condition on type, event.* got the end/],
    ['type = ', 7, /expected a text in quotes, a number, true, false or null, got the end/],
    ['type = track', 7, /expected a text in quotes.*got track/],
    ['type "track"', 5, /expected =, !=.* got the text "track"/],
    ['typo = "x"', 0, /expected a condition on .*got typo/],
    ['properties = "x"', 0, /properties needs a name/],
    ['type.x = "x"', 0, /type has no parts/],
    ['type = "a" type = "b"', 11, /expected and, or, or the end, got type/],
    ['type = "a" and', 14, /expected a condition.*got the end/],
    ['(type = "a"', 11, /expected and, or, or \), got the end/],
    ['type = "a")', 10, /expected and, or, or the end, got \)/],
    ['type = "a', 7, /no " closes this text/],
    ['type = 5x', 7, /begins as a number/],
    ['type = 1e999', 7, /too large/],
    ['properties.a < "x"', 15, /expected a number, got the text "x"/],
    ['properties.a < null', 15, /expected a number, got null/],
    ['match(event, "x")', 13, /match expects a text that ends with \*/],
    ['contains(event "x")', 15, /expected a comma/],
    ['contains event', 9, /expected \( after contains/],
    ['type = "a" & type = "b"', 11, /the character "&" cannot stand here/],
    ['properties.\\', 10, /cannot stand here/],
  ])('%s is refused at %i', (text, position, message) => {
    const error = refusal(text)
    expect(error).toBeInstanceOf(KafkaError)
    expect(error.message).toMatch(message)
    expect(error).toMatchObject({ code: 'INVALID_TRIGGER', position, retriable: false })
  })

  it('the message shows the text around the position', () => {
    expect(refusal('type = "a" and event = track').message).toContain(
      'position 23, at the mark in: type = "a" and event = >>>track',
    )
  })

  it('bounds the length and the nesting', () => {
    expect(refusal('x'.repeat(MAX_TRIGGER_LENGTH + 1)).message).toMatch(/at most 16384/)
    expect(refusal('('.repeat(16_000)).message).toMatch(/nested deeper than 64/)
    expect(refusal('!'.repeat(16_000)).message).toMatch(/nested deeper than 64/)
    expect(refusal('not '.repeat(4000)).message).toMatch(/nested deeper than 64/)
    const deep = `${'('.repeat(64)}type = "a"${')'.repeat(64)}`
    expect(parseTrigger(deep)).toEqual(parseTrigger('type = "a"'))
    const long = Array.from({ length: 1000 }, () => 'type = "a"').join(' or ')
    expect(parseTrigger(long)).toMatchObject({ kind: 'or' })
  })

  it('any text gives a tree or a TriggerError whose position is in it', () => {
    const pieces = fc.constantFrom(
      ...[
        'type',
        'properties.',
        'a',
        '.',
        '"',
        "'",
        '\\',
        '(',
        ')',
        '!',
        '=',
        '<',
        ' ',
        'and',
        'or',
        'not',
        'match',
        'contains',
        ',',
        '*',
        '5',
        '-',
        'null',
        'é',
        '\u{1F600}',
        '\uD800',
      ],
    )
    const soup = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''))
    const broken = fc
      .tuple(arbitraryTrigger.map(printTrigger), fc.nat(), fc.nat({ max: 4 }), fc.string({ maxLength: 3 }))
      .map(([text, at, cut, put]) => {
        const position = at % (text.length + 1)
        return text.slice(0, position) + put + text.slice(position + cut)
      })
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), soup, broken), (text) => {
        for (const precedence of ['and-first', 'last-wins'] as const) {
          try {
            parseTrigger(text, { precedence })
          } catch (error) {
            if (!(error instanceof TriggerError)) throw error
            expect(error.position).toBeGreaterThanOrEqual(0)
            expect(error.position).toBeLessThanOrEqual(text.length)
          }
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('printTrigger', () => {
  it('what is printed is read as the same tree', () => {
    fc.assert(
      fc.property(arbitraryTrigger, (trigger) => {
        expect(parseTrigger(printTrigger(trigger))).toEqual(trigger)
      }),
      { numRuns: 500 },
    )
  })

  it('writes what Segment reads', () => {
    const text =
      'type = "track" and (properties.\\0.a\\ b != null or !match(event, "x*") or contains(event, \'"\')) and traits.\\and > 5'
    expect(printTrigger(parseTrigger(text))).toBe(text)
  })

  it('refuses what no text gives', () => {
    const value = `"'`
    const subject = { root: 'event', path: [] } as const
    expect(() => printTrigger({ kind: 'equals', subject, isNegated: false, value })).toThrow(TriggerError)
    expect(() => printTrigger({ kind: 'text', subject, test: 'endsWith', isNegated: false, value: 'x*' })).toThrow(
      TriggerError,
    )
  })
})

describe('matchesTrigger', () => {
  it('equals the slow evaluator', () => {
    fc.assert(
      fc.property(arbitraryTrigger, arbitraryEvent, (trigger, event) => {
        expect(matchesTrigger(trigger, event)).toBe(matchesSlowly(trigger, event))
      }),
      { numRuns: 3000 },
    )
  })

  it('throws for a text that cannot be read, each time', () => {
    for (let i = 0; i < 2; i++) expect(() => matchesTrigger('type =', {})).toThrow(TriggerError)
  })

  it('keeps answering right when more texts were seen than are kept', () => {
    for (let i = 0; i < 600; i++) expect(matchesTrigger(`properties.a = ${i}`, { properties: { a: i } })).toBe(true)
    expect(matchesTrigger('properties.a = 0', { properties: { a: 0 } })).toBe(true)
  })
})
