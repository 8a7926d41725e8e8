import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Awaiters } from '../../src/producer/awaiters.ts'
import type { Awaiter } from '../../src/producer/receipt.ts'

const receipt = { settleDelivered: () => undefined, settleFailed: () => undefined }
const all: readonly Awaiter[] = [receipt, { ...receipt }, (): void => undefined]

test('is one run where one receipt hears of all, with tokens that are equal or count up', () => {
  for (const [tokens, step] of [
    [[4], 0],
    [[4, 4, 4], 0],
    [[4, 5, 6], 1],
  ] as const) {
    const awaiters = new Awaiters()
    for (const token of tokens) awaiters.push(receipt, token)
    expect(awaiters.run).toEqual({ receipt, firstToken: 4, step })
  }
  const promise = new Awaiters()
  promise.push(() => undefined, 0)
  expect([promise.run, new Awaiters().run]).toEqual([null, null])
})

test('gives back who was pushed with which token, in any order', () => {
  // Mostly the same one, with tokens that stay or count up: that is what is kept short.
  const step = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(0, 1) }, fc.integer({ min: -3, max: 3 }))
  const awaiter = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(2))
  const entries = fc.array(fc.tuple(awaiter, step), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(entries, fc.constantFrom(0, 1, null), fc.nat(9), (pushed, always, first) => {
      const awaiters = new Awaiters()
      let token = first
      const expected = pushed.map(([who, by], i) => {
        if (i > 0) token += always ?? by
        const one = all[who] as Awaiter
        awaiters.push(one, token)
        return [one, token] as const
      })
      expect(awaiters.count).toBe(expected.length)
      const { run } = awaiters
      if (run !== null) {
        const all = expected.map((_, i) => [run.receipt, run.firstToken + i * run.step])
        expect(all).toEqual(expected)
      }
      for (const i of [...expected.keys(), 0]) expect([awaiters.at(i), awaiters.tokenAt(i)]).toEqual(expected[i])
    }),
    { numRuns: 2000 },
  )
})
