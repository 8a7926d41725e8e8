import { describe, expect, it } from 'vitest'
import { pinnedSeeds } from './pinned-seeds.ts'
import { simulate, type SimulationResult } from './simulate.ts'

const SEEDS = 25

/** What to tell about a seed that failed, so that it can be looked at. */
function complaint({ seed, violations, traceLines }: SimulationResult): string[] {
  if (violations.length === 0) return []
  return [`npm run simulate -- --seed ${seed} --trace`, ...violations, ...traceLines(40)]
}

describe('simulation', () => {
  it.each([
    ['idempotent', true],
    ['not idempotent', false],
  ])('%s: no seed breaks a promise', async (_name, idempotent) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      expect(complaint(await simulate({ seed, idempotent }))).toEqual([])
    }
  })

  it('what was found once stays away', async () => {
    for (const { seed, idempotent } of pinnedSeeds) {
      expect(complaint(await simulate({ seed, idempotent }))).toEqual([])
    }
  })

  it('the same seed is the same world, to the last event; another seed is another one', async () => {
    for (const seed of [3, 8, 21]) {
      const first = await simulate({ seed, idempotent: true })
      const again = await simulate({ seed, idempotent: true })
      expect(again.traceLines()).toEqual(first.traceLines())
      expect(again.traceHash).toBe(first.traceHash)
      expect(again.counts).toEqual(first.counts)
    }
    const [one, other] = [await simulate({ seed: 4, idempotent: true }), await simulate({ seed: 5, idempotent: true })]
    expect(one.traceHash).not.toBe(other.traceHash)
  })

  it('a record that the cluster lost is seen', async () => {
    const { violations } = await simulate({
      seed: 3,
      idempotent: true,
      spoil: (cluster) => cluster.deleteTopic('topic-0'),
    })
    expect(violations[0]).toMatch(/^O2 topic-0.* not in the log$/)
  })
})
