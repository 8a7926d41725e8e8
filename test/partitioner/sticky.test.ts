import { describe, expect, it } from 'vitest'
import { noLoads, type KeylessChoice, type PartitionLoads, type TopicShape } from '../../src/partitioner/partitioner.ts'
import { StickyChoice } from '../../src/partitioner/sticky.ts'
import { all, chiSquare, CHI_SQUARE_OF_6, queues, seeded, shape } from './shapes.ts'

function put(choice: KeylessChoice, topic: TopicShape, bytes: number): number {
  const partition = choice.choose(topic, bytes)
  choice.placed(partition, bytes)
  return partition
}

/** Randomness that leads from partition to partition in this order, among `count`. */
function leadingTo(order: readonly number[], count: number): () => number {
  let drawn = 0
  return () => ((order[drawn++] ?? NaN) + 0.5) / count
}

describe('StickyChoice', () => {
  it('stays with a partition until stickyBytes went there, then chooses again', () => {
    const choice = new StickyChoice(1000, leadingTo([1, 2, 2, 0], 3))
    const topic = all(3)
    const chosen = [600, 399, 1, 1000, 999, 2, 1].map((bytes) => put(choice, topic, bytes))
    // 600 + 399 + 1 are enough, then 1000, then (the same partition again) 999 + 2.
    expect(chosen).toEqual([1, 1, 1, 2, 2, 2, 0])
  })

  it('stays as long as a batch is open there that takes the record, but not past twice stickyBytes', () => {
    let isOpen = true
    const loads = { queued: () => 0, hasOpenBatch: () => isOpen }
    const choice = new StickyChoice(1000, leadingTo([0, 1, 2], 3), loads)
    const topic = all(3)
    expect([999, 500, 500].map((bytes) => put(choice, topic, bytes))).toEqual([0, 0, 0]) // 1999: the batch is open
    expect(put(choice, topic, 1)).toBe(0) // 2000: whatever is open
    expect(put(choice, topic, 1200)).toBe(1)
    isOpen = false
    expect(put(choice, topic, 1)).toBe(2)
  })

  it('decides when the record is placed: a batch that is opened later by a key holds nothing up', () => {
    let isOpen = false
    const choice = new StickyChoice(1000, leadingTo([0, 1], 2), { queued: () => 0, hasOpenBatch: () => isOpen })
    put(choice, all(2), 1000)
    isOpen = true
    expect(put(choice, all(2), 1)).toBe(1)
  })

  it('asks of the record to come whether the batch takes it', () => {
    const asked: (readonly [number, number])[] = []
    const hasOpenBatch = (partition: number, recordBytes: number): boolean => {
      asked.push([partition, recordBytes])
      return true
    }
    const choice = new StickyChoice(100, leadingTo([1], 2), { queued: () => 0, hasOpenBatch })
    put(choice, all(2), 150)
    choice.choose(all(2), 77)
    expect(asked).toEqual([
      [1, 1],
      [1, 77],
    ])
  })

  it('leaves no half-filled batch behind', () => {
    const fills = fillBatches({ batchBytes: 16_384, recordBytes: 100, records: 100_000, partitions: 6 })
    const whole = Math.floor(16_384 / 100)
    expect(fills.filter((count) => count < whole).length).toBeLessThanOrEqual(1)
    expect(fills.length).toBeGreaterThan(500)
  })

  it('counts only what it placed itself', () => {
    const choice = new StickyChoice(1000, leadingTo([0, 1], 2))
    expect(put(choice, all(2), 500)).toBe(0)
    choice.placed(1, 10_000)
    expect(put(choice, all(2), 500)).toBe(0)
    expect(put(choice, all(2), 1)).toBe(1)
  })

  it('leaves a partition that lost its leader at once, and comes to one that has it back', () => {
    const choice = new StickyChoice(1000, () => 0)
    expect(put(choice, all(3), 1)).toBe(0)
    expect(put(choice, shape([1, 2], 3), 1)).toBe(1)
    expect(put(choice, all(3), 1)).toBe(1)
    expect(put(choice, shape([0], 3), 1)).toBe(0)
    // A topic that was made anew, with fewer partitions.
    const other = new StickyChoice(1000, () => 0.99)
    expect(put(other, all(8), 1)).toBe(7)
    expect(put(other, all(2), 1)).toBe(1)
  })

  it('has one partition and stays there', () => {
    const choice = new StickyChoice(10, () => 0.99)
    expect([0, 0, 0].map(() => put(choice, all(1), 100))).toEqual([0, 0, 0])
  })

  it('goes less to long queues', () => {
    const choice = new StickyChoice(1, seeded(3), queues([9, 0]))
    const chosen = Array.from({ length: 1000 }, () => put(choice, all(2), 1))
    expect(chosen.filter((partition) => partition === 0).length).toBeLessThan(150) // 1 in 11
  })

  it('is even in bytes, whatever the sizes of the records', () => {
    const random = seeded(11)
    const choice = new StickyChoice(1000, random, noLoads)
    const bytes = [0, 0, 0, 0, 0, 0]
    const sizes = seeded(12)
    for (let i = 0; i < 200_000; i++) {
      const size = 1 + Math.floor(sizes() ** 4 * 2000)
      bytes[put(choice, all(6), size)]! += size
    }
    // What is drawn is a stay at a partition: in units of a stay, chance is what it is for counts.
    const stayBytes = 1500
    expect(chiSquare(bytes.map((sum) => sum / stayBytes))).toBeLessThan(CHI_SQUARE_OF_6)
  })
})

/** How many records each batch got that a plain accumulator made of records of one size. */
function fillBatches(run: { batchBytes: number; recordBytes: number; records: number; partitions: number }): number[] {
  const { batchBytes, recordBytes, records, partitions } = run
  const open = new Array<number>(partitions).fill(0)
  const fills: number[] = []
  const fits = (partition: number, bytes: number): boolean => open[partition]! * recordBytes + bytes <= batchBytes
  const loads: PartitionLoads = {
    queued: () => 0,
    hasOpenBatch: (partition, bytes) => open[partition]! > 0 && fits(partition, bytes),
  }
  const choice = new StickyChoice(batchBytes, seeded(5), loads)
  const topic = all(partitions)
  const close = (partition: number): void => {
    if (open[partition]! > 0) fills.push(open[partition]!)
    open[partition] = 0
  }
  let last = 0
  for (let i = 0; i < records; i++) {
    const partition = choice.choose(topic, recordBytes)
    // What is left behind is sent as it is.
    if (partition !== last) close(last)
    last = partition
    if (!fits(partition, recordBytes)) close(partition)
    open[partition]!++
    choice.placed(partition, recordBytes)
  }
  return fills
}
