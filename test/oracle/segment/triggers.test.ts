import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { defaultTrigger } from '../../../src/destination/mapping/send-fields.ts'
import { printTrigger } from '../../../src/destination/trigger/print-trigger.ts'
import type { Trigger } from '../../../src/destination/trigger/trigger.ts'
import { arbitraryEvent, arbitraryTrigger } from '../../destination/trigger/arbitrary-trigger.ts'
import { describeWhere } from '../../support/kafka/require-brokers.ts'
import { differencesIn, ourAnswer, theirAnswer } from './compare-triggers.ts'
import { segmentAvailable } from './segment-code.ts'

const SEED = 20_261_121

type Leaf = Exclude<Trigger, { kind: 'and' | 'or' | 'not' }>

const isLeaf = (trigger: Trigger): trigger is Leaf => !('children' in trigger) && trigger.kind !== 'not'
const leaf = arbitraryTrigger.filter(isLeaf)
const common = leaf.filter((trigger) => differencesIn(trigger).size === 0)
const comparison = common.filter(({ kind }) => kind !== 'text')
/** One row, and in it conditions or parentheses with one row of comparisons. */
const commonGroup: fc.Arbitrary<Trigger> = fc.record({
  kind: fc.constantFrom('and' as const, 'or' as const),
  children: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: common },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('or' as const),
          children: fc.array(comparison, { minLength: 2, maxLength: 3 }),
        }),
      },
    ),
    { minLength: 2, maxLength: 4 },
  ),
})
const event = arbitraryEvent.filter((value) => typeof value === 'object' && value !== null)

describeWhere(segmentAvailable, "seg-S18: triggers, beside Segment's own parser and evaluator", () => {
  it('say the same wherever both have the language in common', () => {
    const answers = new Map<unknown, number>()
    fc.assert(
      fc.property(fc.oneof(common, commonGroup), event, (trigger, given) => {
        const text = printTrigger(trigger)
        const theirs = theirAnswer(text, given)
        expect(ourAnswer(text, given), text).toBe(theirs)
        answers.set(theirs, (answers.get(theirs) ?? 0) + 1)
      }),
      { numRuns: 4000, seed: SEED },
    )
    expect(answers.get(true)).toBeGreaterThan(400)
    expect(answers.get(false)).toBeGreaterThan(400)
  })

  it.each([
    ['one condition', leaf],
    ['any trigger', arbitraryTrigger],
  ])('differ only as the list says: %s', (_, arbitrary) => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(arbitrary, event, (trigger, given) => {
        const text = printTrigger(trigger)
        if (ourAnswer(text, given) === theirAnswer(text, given)) return
        const reasons = [...differencesIn(trigger)]
        expect(reasons, text).not.toEqual([])
        for (const reason of reasons) seen.add(reason)
      }),
      { numRuns: 2000, seed: SEED },
    )
    expect(seen.size).toBeGreaterThan(3)
  })

  it('last-wins evaluates a row without parentheses as Segment does', () => {
    const row = fc
      .tuple(common, fc.array(fc.tuple(fc.constantFrom('and', 'or'), common), { minLength: 1, maxLength: 4 }))
      .map(([first, rest]) => [printTrigger(first), ...rest.map(([word, one]) => `${word} ${printTrigger(one)}`)])
    fc.assert(
      fc.property(row, event, (parts, given) => {
        const text = parts.join(' ')
        expect(ourAnswer(text, given, 'last-wins'), text).toBe(theirAnswer(text, given))
      }),
      { numRuns: 2000, seed: SEED },
    )
  })

  it('the default trigger says the same of every fixture', () => {
    const folder = new URL('../../fixtures/segment/', import.meta.url)
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.json'))) {
      const given: unknown = JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
      expect(ourAnswer(defaultTrigger, given), name).toBe(theirAnswer(defaultTrigger, given))
    }
  })
})
