import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SharedMap } from '../../src/cluster/shared-map.ts'

const keys = Array.from({ length: 200 }, (_, i) => `k${i}`)

describe('SharedMap', () => {
  it('is what a plain map would be, after any changes, and none of them changes an older one', () => {
    const entries = fc.array(fc.tuple(fc.constantFrom(...keys), fc.option(fc.nat())), { maxLength: 100 })
    fc.assert(
      fc.property(fc.array(entries, { maxLength: 8 }), (changes) => {
        let shared = SharedMap.empty<{ n: number }>()
        const plain = new Map<string, { n: number }>()
        const history: [SharedMap<{ n: number }>, Map<string, { n: number }>][] = []
        for (const change of changes) {
          const values = new Map(change.map(([key, n]) => [key, n === null ? null : { n }]))
          shared = shared.with(values)
          for (const [key, value] of values) {
            if (value === null) plain.delete(key)
            else plain.set(key, value)
          }
          history.push([shared, new Map(plain)])
        }
        for (const [map, expected] of history) {
          expect(map.size).toBe(expected.size)
          expect(keys.map((key) => map.get(key))).toEqual(keys.map((key) => expected.get(key)))
        }
      }),
      { numRuns: 40 },
    )
  })
})
