import fc from 'fast-check'
import { afterEach, describe, expect, it, test, vi } from 'vitest'
import { Accumulator } from '../../src/producer/accumulator.ts'
import { Batch } from '../../src/producer/batch.ts'
import { ReportReceipt } from '../../src/producer/delivery-report.ts'
import { DeliveryError } from '../../src/errors.ts'
import { RecordMetadata } from '../../src/producer/record-metadata.ts'
import { Runs } from '../../src/producer/runs.ts'

const place = { topic: 't', partition: 0, createdMs: 0, deadlineMs: 1 }
const parts = { key: null, value: null, headers: [] }
const ignore = (): void => undefined

afterEach(() => {
  vi.restoreAllMocks()
})

describe('Batch', () => {
  it('knows its latest time, however often times change', () => {
    const batch = new Batch(place, 100)
    expect(batch.maxTimestamp).toBe(-1)
    for (let i = 0; i < 200_000; i++) batch.append({ ...parts, timestamp: 1000 + (i % 3) }, ignore, 0, 1)
    expect(batch.maxTimestamp).toBe(1002)
  })

  it.each([0n, -1n, 2n ** 53n - 4n, 2n ** 53n - 1n, 2n ** 62n + 1n])('tells offsets from %i on exactly', (base) => {
    const batch = new Batch(place, 100)
    const report = new ReportReceipt()
    const told: bigint[] = []
    const hear = (metadata: RecordMetadata | Promise<never>): void =>
      void told.push((metadata as RecordMetadata).offset)
    batch.append({ ...parts, timestamp: 0 }, hear, 0, 1)
    for (let i = 0; i < 2; i++) batch.append({ ...parts, timestamp: 0 }, report, report.next(), 1)
    batch.append({ ...parts, timestamp: 0 }, hear, 0, 1)
    batch.deliver(base, -1)
    const [first, last] = told
    const offsets = [first, report.metadata(0).offset, report.metadata(1).offset, last]
    expect(offsets).toEqual([0n, 1n, 2n, 3n].map((i) => (base < 0n ? -1n : base + i)))
  })

  it.each([0n, -1n, 2n ** 53n - 2n, 2n ** 62n + 1n])(
    'tells one report of all its records, from %i on',
    async (base) => {
      for (const logAppendTimeMs of [-1, 77]) {
        const batch = new Batch({ ...place, partition: 3 }, 100)
        const report = new ReportReceipt()
        for (let i = 0; i < 4; i++) report.next()
        // As after a split: not from the first on.
        for (let token = 1; token < 4; token++)
          batch.append({ ...parts, timestamp: 10 + (token >> 1) }, report, token, 1)
        report.settleFailed(0, new DeliveryError('CLOSED', 'closed'))
        const settled = report.allSettled()
        batch.deliver(base, logAppendTimeMs)
        const offsetOf = (i: number): bigint => (base < 0n ? -1n : base + BigInt(i))
        expect([1, 2, 3].map((index) => report.metadata(index))).toEqual(
          [10, 11, 11].map((ms, i) => new RecordMetadata('t', 3, offsetOf(i), logAppendTimeMs < 0 ? ms : 77)),
        )
        await settled
      }
    },
  )
})

test('Runs gives back what was pushed, in any order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2), { minLength: 1 }), fc.array(fc.nat()), (values, places) => {
      const runs = new Runs()
      for (const value of values) runs.push(value)
      for (const index of [...values.keys(), ...places.map((n) => n % values.length)]) {
        expect(runs.at(index)).toBe(values[index])
      }
      expect(runs.max).toBe(Math.max(...values))
    }),
  )
})

describe('the buffer of a batch', () => {
  const options = { batchBytes: 16_384, lingerMs: 0, deliveryTimeoutMs: 1000, bufferBytes: 100_000 }

  it('is that of the batch before while the partition is busy, and small when it is not', () => {
    const sizes = vi.spyOn(Buffer, 'allocUnsafe')
    const accumulator = new Accumulator(options)
    const queue = accumulator.queue('t', 0)
    const large = accumulator.batchFor(100, 0, queue)
    expect(sizes).toHaveBeenLastCalledWith(1024)
    queue.latestBatchBytes = 4000
    // What is out keeps the partition busy.
    large.seal({ magic: 2, codec: null }, ignore)
    accumulator.batchFor(100, 0, queue)
    expect(sizes).toHaveBeenLastCalledWith(4000)
    for (const batch of [...queue.waiting]) queue.drop(batch)
    accumulator.batchFor(100, 0, queue)
    expect(sizes).toHaveBeenLastCalledWith(1024)
  })

  it('is that of the batch before, too, where memory for it lies about', () => {
    const small = vi.spyOn(Buffer, 'allocUnsafe')
    const large = vi.spyOn(Buffer, 'allocUnsafeSlow')
    const accumulator = new Accumulator(options)
    const queue = accumulator.queue('t', 0)
    const batch = accumulator.batchFor(8000, 0, queue)
    batch.append({ ...parts, timestamp: 0 }, ignore, 0, 1)
    queue.latestBatchBytes = 7000
    batch.seal({ magic: 2, codec: null }, ignore)
    queue.takeHead().send()
    batch.deliver(0n, -1)
    queue.landed(batch)
    batch.recycle()
    accumulator.batchFor(100, 0, queue)
    expect([small.mock.calls, large.mock.calls]).toEqual([[], [[8192]]])
  })
})
