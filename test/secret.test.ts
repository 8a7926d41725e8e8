import { serialize } from 'node:v8'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { fingerprint, Secret } from '../src/secret.ts'
import { canarySecret, leaksIn } from './support/canary.ts'

const VALUE = canarySecret('the value of a Secret')
const secret = new Secret(VALUE)

describe('a secret', () => {
  it('is given to who asks for it', () => {
    expect(secret.reveal()).toBe(VALUE)
  })

  it('is redacted as text, JSON and in the console', () => {
    expect([String(secret), ['', secret].join(''), JSON.stringify({ secret }), inspect(secret)]).toEqual([
      ...['[redacted]', '[redacted]', '{"secret":"[redacted]"}', '[redacted]'],
    ])
  })

  it('is in nothing that can be printed of it', () => {
    expect(leaksIn(secret, [VALUE])).toEqual([])
    expect(leaksIn({ deep: [{ secret }] }, [VALUE])).toEqual([])
    expect(Reflect.ownKeys(secret)).toEqual([])
    expect(Object.entries(secret)).toEqual([])
  })

  it('is refused by everything that copies objects', () => {
    expect(() => structuredClone(secret)).toThrow(/could not be cloned/)
    expect(() => structuredClone({ secret })).toThrow(/could not be cloned/)
    expect(() => serialize({ secret })).toThrow(/could not be cloned/)
  })

  it('has a fingerprint that is equal for equal texts only', () => {
    expect(fingerprint(VALUE)).toBe(fingerprint(VALUE))
    expect(fingerprint(VALUE)).not.toBe(fingerprint(`${VALUE} `))
    expect(leaksIn(fingerprint(VALUE), [VALUE])).toEqual([])
  })
})
