import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { namedPartitioner, partitionerNames, type PartitionerName } from '../../src/partitioner/named.ts'
import { noLoads, type Partitioner, type Random } from '../../src/partitioner/partitioner.ts'
import { all, seeded, shape } from './shapes.ts'

const librdkafka = JSON.parse(readFileSync(new URL('librdkafka.json', import.meta.url), 'utf8')) as {
  keysHex: string[]
  counts: number[]
  partitions: Record<'consistent' | 'murmur2' | 'fnv1a', number[][]>
}
const EMPTY = new Uint8Array(0)
const names = fc.constantFrom(...partitionerNames)
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

function make(name: PartitionerName, draw: Random = () => 0): Partitioner {
  return namedPartitioner(name, { stickyBytes: 1000, random: draw, loads: noLoads })
}

describe('namedPartitioner', () => {
  it.each([
    ['default', 'murmur2'],
    ['round-robin', 'murmur2'],
    ['murmur2', 'murmur2'],
    ['murmur2_random', 'murmur2'],
    ['consistent', 'consistent'],
    ['consistent_random', 'consistent'],
    ['fnv1a', 'fnv1a'],
    ['fnv1a_random', 'fnv1a'],
  ] as const)('%s puts keys where librdkafka’s %s does', (name, hash) => {
    const { keysHex, counts, partitions } = librdkafka
    const keys = keysHex.map((hex) => Buffer.from(hex, 'hex')).filter(({ length }) => length > 0)
    const expected = partitions[hash].filter((_, i) => keysHex[i] !== '')
    expect(keys.map((key) => counts.map((count) => make(name).choose(key, all(count), 1)))).toEqual(expected)
  })

  // Where a record without a key, and one with an empty key, goes: `anywhere` is by chance, the number is of 12 partitions.
  const murmur2OfNothing = 0x106e08d9 % 12
  const fnv1aOfNothing = 0x7ee3623b % 12
  it.each([
    ['default', 'anywhere', murmur2OfNothing],
    ['round-robin', 'anywhere', murmur2OfNothing],
    ['random', 'anywhere', 'anywhere'],
    ['consistent', 0, 0],
    ['consistent_random', 'anywhere', 'anywhere'],
    ['murmur2', murmur2OfNothing, murmur2OfNothing],
    ['murmur2_random', 'anywhere', murmur2OfNothing],
    ['fnv1a', fnv1aOfNothing, fnv1aOfNothing],
    ['fnv1a_random', 'anywhere', fnv1aOfNothing],
  ] as const)('%s: no key: %s, an empty key: %s', (name, ofNull, ofEmpty) => {
    const places = (key: Uint8Array | null): unknown => {
      const chosen = [0, 0.99].map((drawn) => make(name, () => drawn).choose(key, all(12), 1))
      return chosen[0] === chosen[1] ? chosen[0] : 'anywhere'
    }
    expect([places(null), places(EMPTY)]).toEqual([ofNull, ofEmpty])
  })

  it('covers every name', () => {
    expect(partitionerNames).toEqual([
      ...['default', 'round-robin', 'random', 'consistent', 'consistent_random'],
      ...['murmur2', 'murmur2_random', 'fnv1a', 'fnv1a_random'],
    ])
  })

  it.each(partitionerNames)('%s is always in range, and asks for a leader only where no key decides', (name) => {
    const topic = fc
      .uniqueArray(fc.nat(40), { minLength: 1, maxLength: 20 })
      .chain((available) => fc.tuple(fc.constant(available), fc.integer({ min: Math.max(...available) + 1, max: 60 })))
      .map(([available, count]) =>
        shape(
          available.toSorted((a, b) => a - b),
          count,
        ),
      )
    const record = fc.tuple(fc.option(fc.uint8Array({ maxLength: 20 })), fc.nat(2000), topic)
    fc.assert(
      fc.property(fc.array(record, { maxLength: 40 }), random, (records, drawn) => {
        const partitioner = make(name, () => drawn)
        for (const [key, bytes, shape] of records) {
          const partition = partitioner.choose(key, shape, bytes)
          expect(Number.isInteger(partition) && partition >= 0 && partition < shape.partitionCount).toBe(true)
          const isByHash =
            (key !== null && key.length > 0 && name !== 'random') || /^(consistent|murmur2|fnv1a)$/.test(name)
          const isEmptyHashed = key?.length === 0 && name !== 'random' && name !== 'consistent_random'
          if (!isByHash && !isEmptyHashed) expect(shape.available).toContain(partition)
          partitioner.placed(key, partition, bytes)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('by key is a function of the key and the number of partitions alone: not of leaders, history or chance', () => {
    const hashing = names.filter((name) => name !== 'random')
    const key = fc.uint8Array({ minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(hashing, key, fc.integer({ min: 1, max: 2000 }), random, (name, bytes, count, drawn) => {
        const first = make(name).choose(bytes, all(count), 1)
        const partitioner = make(name, () => drawn)
        for (const other of [null, EMPTY, Buffer.from('x')]) {
          partitioner.placed(other, partitioner.choose(other, all(3), 500), 5000)
        }
        // Another view of the same bytes, other leaders.
        const memory = Buffer.concat([Buffer.from('xx'), bytes, Buffer.from('x')])
        const again = partitioner.choose(memory.subarray(2, 2 + bytes.length), shape([count - 1], count), 9)
        expect(again).toBe(first)
      }),
    )
  })

  it('sticky: keys neither move it nor count for it', () => {
    let drawn = 0
    const partitioner = make('murmur2_random', () => [0.1, 0.9][drawn++] ?? NaN)
    const topic = all(2)
    expect(partitioner.choose(null, topic, 10)).toBe(0)
    partitioner.placed(null, 0, 999)
    const key = Buffer.from('21') // partition 0 of 2
    expect(partitioner.choose(key, topic, 10)).toBe(0)
    partitioner.placed(key, 0, 5000)
    expect(partitioner.choose(null, topic, 10)).toBe(0)
    partitioner.placed(null, 0, 1)
    expect(partitioner.choose(null, topic, 10)).toBe(1)
  })

  it('consistent_random: what has an empty key sticks and counts as what has none', () => {
    let drawn = 0
    const partitioner = make('consistent_random', () => [0.1, 0.9][drawn++] ?? NaN)
    expect(partitioner.choose(EMPTY, all(2), 10)).toBe(0)
    partitioner.placed(EMPTY, 0, 1000)
    expect(partitioner.choose(null, all(2), 10)).toBe(1)
  })

  it('random: records with keys are spread one by one, over partitions that have a leader', () => {
    const partitioner = make('random', seeded(1))
    const counts = [0, 0, 0, 0]
    for (let i = 0; i < 3000; i++) counts[partitioner.choose(Buffer.from('k'), shape([0, 1, 3], 4), 1)]!++
    expect(counts[2]).toBe(0)
    for (const at of [0, 1, 3]) expect(counts[at]).toBeGreaterThan(900)
  })
})
