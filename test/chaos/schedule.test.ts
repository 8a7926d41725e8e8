import { describe, expect, it } from 'vitest'
import {
  clusterFaults,
  describeFault,
  FAULT_GROUPS,
  PROXY_FAULTS,
  proxyFaults,
  type Fault,
  type FaultGroup,
} from '../support/chaos/schedule.ts'

function first(track: Generator<Fault>, count: number): Fault[] {
  const faults: Fault[] = []
  for (const fault of track) {
    if (faults.push(fault) === count) break
  }
  return faults
}

function tally(faults: readonly Fault[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kind } of faults) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

describe('a schedule of faults', () => {
  it.each([clusterFaults, proxyFaults])('is the same for the same seed, and another for another: %o', (track) => {
    const faults = first(track(7, FAULT_GROUPS, 3), 100)
    expect(first(track(7, FAULT_GROUPS, 3), 100)).toEqual(faults)
    expect(first(track(8, FAULT_GROUPS, 3), 100)).not.toEqual(faults)
    expect(faults.map(({ number }) => number)).toEqual(faults.map((_, i) => i + 1))
  })

  it('deals its faults from decks: ten in a row have each in its share', () => {
    const faults = first(clusterFaults(1, FAULT_GROUPS, 3), 30)
    for (const from of [0, 10, 20]) {
      const expected = { kill: 4, term: 1, stop: 1, leader: 2, reassign: 1, topic: 1 }
      expect(tally(faults.slice(from, from + 10))).toEqual(expected)
    }
    expect(Object.keys(tally(first(proxyFaults(1, FAULT_GROUPS, 3), 11))).sort()).toEqual([...PROXY_FAULTS].sort())
  })

  it('names a broker for what hits one, each of them, and none for the rest', () => {
    const faults = first(clusterFaults(3, FAULT_GROUPS, 3), 200)
    const hit = (kinds: readonly string[]): Set<number> =>
      new Set(faults.filter(({ kind }) => kinds.includes(kind)).map(({ node }) => node))
    expect([...hit(['kill', 'term', 'stop'])].sort()).toEqual([1, 2, 3])
    expect([...hit(['leader', 'reassign', 'topic'])]).toEqual([0])
  })

  it('has nothing that was not asked for', () => {
    const groups: FaultGroup[] = ['kill', 'topic']
    expect(Object.keys(tally(first(clusterFaults(1, groups, 3), 50))).sort()).toEqual(['kill', 'topic'])
    expect(first(proxyFaults(1, groups, 3), 5)).toEqual([])
    expect(first(clusterFaults(1, ['proxy'], 3), 5)).toEqual([])
    expect(first(proxyFaults(1, ['proxy'], 3), 5)).toHaveLength(5)
  })

  it('can be read', () => {
    const fault: Fault = { number: 12, kind: 'kill', afterMs: 1400, holdMs: 800, node: 2, choice: 0 }
    expect(describeFault(fault)).toBe('12. after 1.4 s: kill node 2 for 0.8 s')
    expect(describeFault({ ...fault, kind: 'leader', node: 0, holdMs: 0 })).toBe('12. after 1.4 s: leader')
  })
})
