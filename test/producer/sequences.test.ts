import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { producerStamp, Sequences, wireSequence, type BatchStamp } from '../../src/producer/sequences.ts'

const identity = { producerId: 7n, producerEpoch: 0 }
const connection = {}
const source = { topicId: 'A', connection, leaderEpoch: 5 }

/** DefaultRecordBatch.incrementSequence of Apache Kafka, written out. */
function javaIncrement(sequence: number, increment: number): number {
  const max = 2 ** 31 - 1
  return sequence > max - increment ? increment - (max - sequence) - 1 : sequence + increment
}

describe('sequences', () => {
  it('wrap to 0 after 2^31-1 as in Java, wherever a batch lies', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2 ** 20 }), { maxLength: 50 }), (counts) => {
        const sequences = new Sequences(2 ** 31 - 3)
        sequences.adopt(identity)
        let java = 2 ** 31 - 3
        for (const count of counts) {
          expect(producerStamp(sequences.take(count)).baseSequence).toBe(java)
          java = javaIncrement(java, count)
        }
      }),
    )
    expect([2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 33 + 5].map(wireSequence)).toEqual([
      2 ** 31 - 1,
      0,
      2 ** 31 - 1,
      0,
      5,
    ])
  })

  it('can still be compared after the wrap', () => {
    const sequences = new Sequences(2 ** 31 - 2)
    sequences.adopt(identity)
    const [first, second] = [sequences.take(5), sequences.take(5)]
    expect(second.firstSequence).toBeGreaterThan(first.firstSequence)
    expect(wireSequence(second.firstSequence)).toBeLessThan(wireSequence(first.firstSequence))
  })

  it('are not given out while it is open whether there is a gap; a new epoch begins at 0', () => {
    const sequences = new Sequences()
    sequences.adopt(identity)
    sequences.take(10)
    sequences.markBroken()
    expect(() => sequences.take(1)).toThrow('without an identity')
    sequences.adopt({ producerId: 7n, producerEpoch: 1 })
    expect(sequences.take(1)).toEqual({ producerId: 7n, producerEpoch: 1, firstSequence: 0 })
  })

  const at = (firstSequence: number): BatchStamp => ({ ...identity, firstSequence })

  it('O7: higher sequences lie behind lower ones, or the broker took new records for old ones', () => {
    const sequences = new Sequences()
    sequences.adopt(identity)
    expect(sequences.acknowledge(at(0), 100n, 10, source)).toBe('fine')
    expect(sequences.acknowledge(at(10), 110n, 5, source)).toBe('fine')
    expect(sequences.acknowledge(at(15), -1n, 5, source)).toBe('fine') // a double: nobody told us where it is
    expect(sequences.acknowledge(at(20), 500n, 5, source)).toBe('fine') // others write, too
    expect(sequences.acknowledge(at(25), 500n, 5, source)).toBe('desync')
    expect(sequences.acknowledge(at(25), 504n, 5, source)).toBe('desync')
    expect(sequences.acknowledge(at(25), 505n, 5, source)).toBe('fine')
    sequences.adopt({ producerId: 7n, producerEpoch: 1 })
    expect(sequences.acknowledge(at(0), 509n, 5, source)).toBe('desync')
    expect(sequences.acknowledge(at(0), 510n, 5, source)).toBe('fine')
  })

  it('O7: what was acknowledged late lies between its neighbours', () => {
    const sequences = new Sequences()
    sequences.adopt(identity)
    sequences.acknowledge(at(0), 100n, 10, source)
    // The answer to 10 was NOT_ENOUGH_REPLICAS_AFTER_APPEND: written, tried again, acknowledged after 20.
    sequences.acknowledge(at(20), 120n, 5, source)
    expect(sequences.acknowledge(at(10), 116n, 10, source)).toBe('desync')
    expect(sequences.acknowledge(at(10), 109n, 10, source)).toBe('desync')
    expect(sequences.acknowledge(at(10), 110n, 10, source)).toBe('fine')
    for (let i = 0; i < 100; i++) expect(sequences.acknowledge(at(25 + i), 125n + BigInt(i), 1, source)).toBe('fine')
    expect(sequences.acknowledge(at(125), 223n, 1, source)).toBe('desync')
  })

  it('O7 does not accuse where the log may have been cut, or is another one', () => {
    const sequences = new Sequences()
    sequences.adopt(identity)
    sequences.acknowledge(at(0), 100n, 10, source)
    expect(sequences.acknowledge(at(10), 50n, 10, { ...source, connection: {} })).toBe('truncated')
    expect(sequences.acknowledge(at(15), 40n, 10, { ...source, connection: {}, leaderEpoch: 6 })).toBe('truncated')
    expect(sequences.acknowledge(at(18), 30n, 10, { ...source, leaderEpoch: 7 })).toBe('truncated')
    expect(sequences.acknowledge(at(20), 0n, 10, { ...source, topicId: 'B' })).toBe('fine')
    sequences.acknowledge(at(30), 10n, 10, { ...source, topicId: 'B' })
    sequences.forgetLog()
    expect(sequences.acknowledge(at(40), 0n, 10, { ...source, topicId: 'B' })).toBe('fine')
  })
})
