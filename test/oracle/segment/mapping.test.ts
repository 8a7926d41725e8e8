import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import { arbitraryJson, arbitraryMapping } from '../../destination/mapping/arbitrary-mapping.ts'
import { describeWhere } from '../../support/kafka/require-brokers.ts'
import { arbitraryEvent, arbitraryFields } from './arbitrary-fields.ts'
import { MappingProbe, ourOutcome, type Outcome } from './compare-mapping.ts'
import { segmentAvailable } from './segment-code.ts'

const SEED = 20_261_121

describeWhere(segmentAvailable, "seg-S7: mappings and checks, beside Segment's own code", () => {
  let probe: MappingProbe
  beforeAll(() => void (probe = new MappingProbe()))

  it('give the same record or the same refusal, wherever both have the language in common', async () => {
    const kinds = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(arbitraryFields, arbitraryEvent, fc.boolean(), async (mapping, event, isBatch) => {
        const theirs = await probe.outcome(mapping, event, isBatch)
        expect(withoutPlaces(ourOutcome(mapping, event, isBatch))).toEqual(theirs)
        kinds.set(theirs.kind, (kinds.get(theirs.kind) ?? 0) + 1)
      }),
      { numRuns: 4000, seed: SEED },
    )
    // Otherwise little would have been compared.
    expect(kinds.get('sent')).toBeGreaterThan(700)
    expect(kinds.get('refused')).toBeGreaterThan(700)
  })

  it.each<[string, object]>([
    ['a number for a path', { '@path': 1 }],
    ['a directive that is none', { '@foo': 'x' }],
    ['two directives', { '@path': 'a', '@template': 'b' }],
    ['a directive among raw members', { '@path': 'a', other: 'b' }],
    ['a long pattern', { '@replace': { value: 'x', pattern: '01234567890' } }],
    ['an empty pattern', { '@replace': { value: 'x', pattern: '' } }],
    ['no pattern', { '@replace': { value: 'x' } }],
    ['a switch that is none', { '@replace': { value: 'x', pattern: 'a', global: 'yes' } }],
    ['no options', { '@if': 'x' }],
    ['a number for an operator', { '@case': { operator: 1, value: 'x' } }],
    ['no list', { '@arrayPath': { a: 1 } }],
    ['a mode that is none', { '@json': { mode: 'read', value: 'x' } }],
    ['no mode and no value', { '@json': {} }],
    ['a direction that is none', { '@merge': { direction: 'up', objects: [] } }],
    ['objects that are none', { '@merge': { direction: 'left', objects: 'x' } }],
    ['a transformation of nothing', { '@transform': { mapping: {} } }],
    ['a template that is none', { '@template': null }],
    ['a liquid template that is none', { '@liquid': 5 }],
  ])('name what is wrong with a mapping in the same words: %s', async (_, directive) => {
    const mapping = { topic: 't', payload: { a: directive } }
    const theirs = await probe.outcome(mapping, {})
    expect(theirs.kind).toBe('invalid')
    const ours = ourOutcome(mapping, {})
    expect({ ...ours, problems: problemsOf(ours) }).toEqual({ ...theirs, problems: problemsOf(theirs) })
  })

  it('differ, for any mapping and any event, only as the list says', async () => {
    const fields = fc.record(
      {
        topic: fc.oneof(fc.constant('t'), arbitraryMapping),
        payload: fc.oneof(fc.constant({ '@path': '$.' }), arbitraryMapping),
        ...{ headers: arbitraryMapping, partition: arbitraryMapping, key: arbitraryMapping },
      },
      { requiredKeys: ['topic', 'payload'] },
    )
    const event = fc.dictionary(fc.constantFrom('a', 'type', 'properties', 'c d', 'b'), arbitraryJson, {
      noNullPrototype: true,
    })
    const seen = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(fields, event, async (mapping, given) => {
        const difference = await explain(probe, mapping, given)
        seen.set(difference, (seen.get(difference) ?? 0) + 1)
      }),
      { numRuns: 7000, seed: SEED },
    )
    expect([...seen.keys()].sort()).toEqual([
      ...['', 'header-values', 'mapping-checked-whole', 'options-unused', 'own-members', 'topic-empty'],
    ])
  })
})

/** The id of the difference that a case shows, or '' for none. @throws where there is one that the list does not have. */
async function explain(probe: MappingProbe, mapping: object, event: object): Promise<string> {
  const theirs = await probe.outcome(mapping, event)
  const ours = withoutPlaces(ourOutcome(mapping, event))
  if (isDeepStrictEqual(ours, theirs)) return ''
  if (theirs.kind === 'invalid' && theirs.problems.every(isInUnusedOption)) return 'options-unused'
  if (ours.kind === 'invalid') return 'mapping-checked-whole'
  const noTopic = { kind: 'refused', text: "The root value is missing the required field 'topic'." }
  if (theirs.kind === 'sent' && theirs.message.topic === '' && isDeepStrictEqual(ours, noTopic)) return 'topic-empty'
  if (theirs.kind === 'sent' && (theirs.message.partition ?? 0) < 0 && isBelowZero(ours)) return 'partition-unknown'
  if (isDeepStrictEqual(withTextHeaders(ours), withTextHeaders(theirs))) return 'header-values'
  // The same case under harmless names: what is left then is not about names.
  const renamed = [rename(mapping), rename(event)] as const
  if (isDeepStrictEqual(renamed, [mapping, event])) expect(ours).toEqual(theirs)
  await explain(probe, ...renamed)
  return 'own-members'
}

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  '@if': ['exists', 'blank', 'then', 'else'],
  '@case': ['operator', 'value'],
  '@replace': ['value', 'pattern', 'replacement', 'pattern2', 'replacement2', 'ignorecase', 'global'],
  '@flatten': ['value', 'separator', 'omitArrays'],
  '@json': ['value', 'mode'],
  '@merge': ['objects', 'direction'],
  '@transform': ['apply', 'mapping'],
}

/** Whether a problem is in a member that its directive does not know, and so never looks at. */
function isInUnusedOption(problem: string): boolean {
  return [...problem.matchAll(/(@[a-z]+)\/([^/@][^/ ]*)/gi)].some(([, name = '', option = '']) => {
    const known = OPTIONS[name]
    return known !== undefined && !known.includes(option)
  })
}

function isBelowZero(outcome: Outcome): boolean {
  return (
    outcome.kind === 'refused' && /^(?:Default )?Partition must be equal to or greater than 0\.$/.test(outcome.text)
  )
}

/** Their order says nothing. */
function problemsOf(outcome: Outcome): readonly string[] {
  return 'problems' in outcome ? [...outcome.problems].sort() : []
}

/** Ours say where in the mapping, and for failures Segment does not. */
function withoutPlaces(outcome: Outcome): Outcome {
  if (outcome.kind !== 'failed') return outcome
  return { ...outcome, problems: outcome.problems.map((problem) => /^\/\S* (.*)\.$/s.exec(problem)?.[1] ?? problem) }
}

function withTextHeaders(outcome: Outcome): Outcome {
  if (outcome.kind !== 'sent') return outcome
  const asText = (value: unknown): string | null => {
    if (value === null || typeof value === 'string') return value
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : JSON.stringify(value)
  }
  const headers = outcome.message.headers
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, asText(value)] as const)
  return { ...outcome, message: { ...outcome.message, headers } }
}

/** `__proto__` becomes `_proto_`, and so on, in names, paths and templates. */
function rename<T extends object>(value: T): T {
  const text = JSON.stringify(value).replaceAll('__proto__', '_proto_').replaceAll('constructor', 'konstruktor')
  return JSON.parse(text.replaceAll('toString', 'toText')) as T
}
