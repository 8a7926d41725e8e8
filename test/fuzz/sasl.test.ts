import { describe, expect, it } from 'vitest'
import { Engine } from './engine.ts'
import { saslSeeds, saslTargets } from './sasl-targets.ts'

const targets = saslTargets()

describe('what a broker says during a login', () => {
  it('is read or refused, 50 000 times', { timeout: 120_000 }, () => {
    const engine = new Engine({ targets, seed: 36, inputs: saslSeeds() })
    const report = engine.run({ seconds: 600, executions: 50_000 })
    expect(report.findings.map(({ target, bytes, what }) => [target.name, bytes.toString('hex'), what])).toEqual([])
    expect([...report.perTarget.values()].every((count) => count > 100)).toBe(true)
    expect(report.accepted).toBeGreaterThan(report.executions / 50)
  })

  it('has a seed for every reader that it takes, and one that it refuses where it can', () => {
    const engine = new Engine({ targets, seed: 36, inputs: [] })
    expect(saslSeeds().flatMap((seed) => engine.replay(seed) ?? [])).toEqual([])
    const taken = targets.filter((target) =>
      saslSeeds().some((seed) => seed.target === target.name && isTaken(target, seed.bytes)),
    )
    expect(taken.map(({ name }) => name)).toEqual(targets.map(({ name }) => name))
  })
})

function isTaken(target: (typeof targets)[number], bytes: Buffer): boolean {
  try {
    target.run(bytes)
    return (target.check?.(bytes, target.run(bytes)) ?? null) === null
  } catch {
    // Refused, as some of them must be.
    return false
  }
}
