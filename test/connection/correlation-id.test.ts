import { expect, it } from 'vitest'
import { correlationIdAfter } from '../../src/connection/correlation-id.ts'

it('S10: correlation ids begin again at 0 before the eight that Java keeps for SASL, and never leave int32', () => {
  const last = 0x7fffffff - 8
  expect([last - 2, last - 1, last].map(correlationIdAfter)).toEqual([last - 1, last, 0])
  expect(correlationIdAfter(0)).toBe(1)
})
