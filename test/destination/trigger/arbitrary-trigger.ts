import fc from 'fast-check'
import { pathSubjects, textSubjects, type Subject, type Trigger } from '../../../src/destination/trigger/trigger.ts'

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'plan', 'and', 'null', '0', 'é', 'c d', '__proto__', 'constructor', 'toString', 'length'),
  fc.string({ minLength: 1, unit: 'grapheme' }).map((text) => text.replaceAll(/[.[\]]/g, '') || 'x'),
)
const subject: fc.Arbitrary<Subject> = fc.oneof(
  fc.record({ root: fc.constantFrom(...textSubjects), path: fc.constant([]) }),
  fc.record({ root: fc.constantFrom(...pathSubjects), path: fc.array(name, { minLength: 1, maxLength: 3 }) }),
)
const text = fc
  .oneof(fc.constantFrom('track', 'x', '', '*', 'true', 'null', '5'), fc.string({ unit: 'grapheme' }))
  .map((value) => value.replaceAll('"', ''))
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
const bit = fc.boolean()

const leaf: fc.Arbitrary<Trigger> = fc.oneof(
  fc.record({
    kind: fc.constant('equals' as const),
    subject,
    isNegated: bit,
    value: fc.oneof(text, number, fc.constantFrom(0, 1, 5, true, false, null)),
  }),
  fc.record({
    kind: fc.constant('order' as const),
    subject,
    operator: fc.constantFrom('<' as const, '<=' as const, '>' as const, '>=' as const),
    value: fc.oneof(number, fc.constantFrom(0, 5)),
  }),
  fc.record({
    kind: fc.constant('text' as const),
    subject,
    test: fc.constantFrom('contains' as const, 'startsWith' as const),
    isNegated: bit,
    value: text,
  }),
  fc.record({
    kind: fc.constant('text' as const),
    subject,
    test: fc.constant('endsWith' as const),
    isNegated: bit,
    // "*x*" is read as "begins with *x".
    value: text.map((value) => value.replace(/\*+$/, '') || 'x'),
  }),
)

/** Every tree that some text gives. */
export const arbitraryTrigger: fc.Arbitrary<Trigger> = fc.letrec<{ trigger: Trigger }>((tie) => ({
  trigger: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.record({ kind: fc.constant('not' as const), child: tie('trigger') }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      children: fc.array(tie('trigger'), { minLength: 2, maxLength: 4 }),
    }),
  ),
})).trigger

const scalar = fc.oneof(
  fc.constantFrom<unknown>('track', 'x', '', '5', 0, 5, true, false, null, 'true', 'null'),
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const names = fc.constantFrom('a', 'b', 'plan', '0', '__proto__', 'constructor', 'toString')
const members = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(names, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value

/** Events whose members often are what the triggers look at. */
export const arbitraryEvent: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record(
      {
        type: scalar,
        event: scalar,
        name: members,
        userId: scalar,
        properties: members,
        traits: members,
        context: members,
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue() },
)
