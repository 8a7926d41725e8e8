import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Batches, type Batchable } from '../../src/destination/batches.ts'
import { validateSend, type Send } from '../../src/destination/mapping/validate-send.ts'
import { PreparedEvent } from '../../src/destination/prepare-event.ts'

const mappings = [{ index: 0 }, { index: 1 }]

interface Given {
  readonly mapping: number
  readonly fields: Record<string, unknown>
}

/** Mostly nothing, as in most mappings. */
function rarely<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })
}

const arbitraryGiven: fc.Arbitrary<Given> = fc.record({
  mapping: fc.nat(1),
  fields: fc.record({
    topic: fc.constantFrom('a', 'b'),
    payload: fc.constant({ x: 1 }),
    key: rarely(fc.constantFrom('k', 'l')),
    partition: rarely(fc.constantFrom(0, 1)),
    default_partition: rarely(fc.constantFrom(0, 1)),
    enable_batching: rarely(fc.boolean()),
    batch_keys: rarely(fc.constantFrom(['topic'], ['key'], ['partition', 'batch_size'])),
    batch_size: rarely(fc.constantFrom(1, 2, 1002)),
  }),
})

function jobOf({ mapping, fields }: Given): Batchable {
  const { send } = validateSend(fields)
  return { mapping: mappings[mapping] ?? { index: 0 }, prepared: new PreparedEvent(send as Send, '{"x":1}', undefined) }
}

/** The rules of A.5 in a few lines, without any haste. Limits are left out: see below. */
function groupKey({ mapping, fields }: Given, place: number): string {
  if (fields['enable_batching'] === false) return `alone ${place}`
  const keys = fields['batch_keys'] as string[] | undefined
  const values = (keys ?? ['partition', 'default_partition']).map((name) => (name === 'topic' ? null : fields[name]))
  return JSON.stringify([mapping, fields['topic'], keys === undefined, ...values.map((value) => value ?? null)])
}

function withoutSize({ batch_size: _, ...fields }: Given['fields']): Given['fields'] {
  return fields
}

function batched(jobs: readonly Batchable[]): Batchable[][] {
  const batches = new Batches()
  for (const job of jobs) batches.add(job)
  return batches.byTopic.flat().map((batch) => batch.jobs)
}

const byFirst = ([a = 0]: readonly number[], [b = 0]: readonly number[]): number => a - b

test('puts together what has the same mapping, topic and batch keys, in its order', () => {
  fc.assert(
    fc.property(fc.array(arbitraryGiven, { maxLength: 30 }), (givens) => {
      const batching = givens.map(({ mapping, fields }) => ({ mapping, fields: withoutSize(fields) }))
      const jobs = batching.map(jobOf)
      const groups = new Map<string, number[]>()
      for (const [place, given] of batching.entries()) {
        const key = groupKey(given, place)
        groups.set(key, [...(groups.get(key) ?? []), place])
      }
      const found = batched(jobs).map((batch) => batch.map((job) => jobs.indexOf(job)))
      expect(found.sort(byFirst)).toEqual([...groups.values()].sort(byFirst))
    }),
    { numRuns: 1000 },
  )
})

test('never has more in a batch than the lowest batch_size in it, and loses nothing', () => {
  fc.assert(
    fc.property(fc.array(arbitraryGiven, { maxLength: 30 }), (givens) => {
      const jobs = givens.map(jobOf)
      const batches = batched(jobs)
      for (const batch of batches) {
        expect(batch.length).toBeLessThanOrEqual(Math.min(...batch.map(({ prepared }) => prepared.batching.size)))
      }
      expect(batches.flat().length).toBe(jobs.length)
      expect(new Set(batches.flat()).size).toBe(jobs.length)
    }),
    { numRuns: 1000 },
  )
})
