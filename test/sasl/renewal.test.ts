import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { reauthenticateAfterMs } from '../../src/sasl/renewal.ts'

const after = (sessionLifetimeMs: bigint | number, random = 0.5, authenticationMs = 0): number =>
  reauthenticateAfterMs({ sessionLifetimeMs, authenticationMs }, { random: () => random })

describe('a session is renewed', () => {
  it('never if it has no end', () => {
    expect([after(0n), after(0), after(-1n), after(NaN)]).toEqual([Infinity, Infinity, Infinity, Infinity])
  })

  it('at 85 to 95 % of its life', () => {
    expect([after(3_600_000n, 0), after(3_600_000n, 0.5)]).toEqual([3_060_000, 3_240_000])
    expect(after(3_600_000n, 0.999_999_999)).toBeCloseTo(3_420_000, 0)
  })

  it('early enough for two logins like the last one and a second', () => {
    expect(after(10_000n, 0.99, 2000)).toBe(5000)
    expect(after(10_000n, 0.5, 0)).toBe(9000)
    expect(after(10_000n, 0.99, 0)).toBe(9000)
  })

  it('within 85 to 95 % where it is too short for that', () => {
    expect(after(1000n, 0)).toBe(850)
    expect(after(10_000n, 0, 5000)).toBe(8500)
    expect(after(1999n, 0), 'not within a second of the last login').toBeCloseTo(1699.15)
    expect(after(1n, 0.99)).toBeCloseTo(0.949)
  })

  it('also where it is as long as can be written', () => {
    expect(after(2n ** 63n - 1n, 0)).toBeCloseTo(0.85 * 2 ** 63, -10)
  })

  it('before it ends, whatever the broker says', () => {
    const property = fc.property(
      fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
      fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      fc.nat(100_000),
      (lifetime, random, authenticationMs) => {
        const ms = after(lifetime, random, authenticationMs)
        expect(ms > 0 && ms < Number(lifetime)).toBe(true)
      },
    )
    fc.assert(property, { numRuns: 1000 })
  })
})
