import { describe, expect, it } from 'vitest'
import { partitionerNames } from '../../src/partitioner/named.ts'
import { resolveProducerOptions } from '../../src/producer/options.ts'

const resolved = (partitioner: unknown): unknown => resolveProducerOptions({ brokers: 'a:1', partitioner }).partitioner

describe('the option partitioner', () => {
  it.each(partitionerNames)('takes %s', (name) => {
    expect(resolved(name)).toBe(name)
  })

  it('takes a function as it is, and is the default without one', () => {
    const own = (): number => 0
    expect(resolved(own)).toBe(own)
    expect(resolved(undefined)).toBe('default')
  })

  it.each([
    ['murmur', 'murmur2'],
    ['consistent-random', 'consistent_random'],
    ['Consistent_Random', 'consistent_random'],
    ['murmur2-random', 'murmur2_random'],
    ['fnv1', 'fnv1a'],
    ['roundrobin', 'round-robin'],
    ['roundRobin', 'round-robin'],
    ['defualt', 'default'],
  ])('refuses %s and asks whether %s was meant', (given, meant) => {
    expect(() => resolved(given)).toThrow(
      `partitioner: got "${given}", expected 'default', 'round-robin', 'random', 'consistent', 'consistent_random', ` +
        `'murmur2', 'murmur2_random', 'fnv1a', 'fnv1a_random' or a function; did you mean '${meant}'?`,
    )
  })

  it.each([['sharded'], [''], [7], [null], [{}], ['toString'], ['__proto__'], [['default']]])(
    'refuses %j without a guess',
    (given) => {
      expect(() => resolved(given)).toThrow(/partitioner: got .*, expected 'default', .* or a function$/)
    },
  )
})
