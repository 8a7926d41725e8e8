import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { Payload } from '../../../src/cli/bench/payload.ts'

const topic = 'load'

describe('the records of a bench', () => {
  test.each([1, 100, 1024, 1_000_000])('have values of %i bytes', (valueBytes) => {
    const payload = new Payload({ topic, valueBytes, keys: 0 })
    const sizes = [0, 1, 2, 3, 4, 99_999].map((i) => payload.record(i).value?.length)
    expect(new Set(sizes)).toEqual(new Set([valueBytes]))
    expect(payload.recordBytes).toBe(valueBytes)
  })

  test.each([
    ['a batch of small ones', 100, 16_384],
    ['a large batch of small ones', 100, 1_000_000],
    ['a batch of large ones', 10_240, 262_144],
  ])('%s becomes three to five times smaller', (_, valueBytes, batchBytes) => {
    const payload = new Payload({ topic, valueBytes, keys: 0 })
    const values = Array.from(
      { length: Math.floor(batchBytes / valueBytes) },
      (__, i) => payload.record(i).value as Buffer,
    )
    const ratio = batchBytes / gzipSync(Buffer.concat(values)).length
    expect(ratio).toBeGreaterThan(3)
    expect(ratio).toBeLessThan(5)
  })

  test('are JSON events, the same in every run', () => {
    const one = new Payload({ topic, valueBytes: 4096, keys: 0 }).record(1)
    expect(new Payload({ topic, valueBytes: 4096, keys: 0 }).record(1)).toEqual(one)
    const lines = String(one.value).split('\n').slice(1, -1)
    expect(lines.length).toBeGreaterThan(5)
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object)[0])).toEqual(lines.map(() => 'id'))
  })

  test('have as many different keys as asked for, in turn', () => {
    const payload = new Payload({ topic, valueBytes: 10, keys: 3 })
    const keys = [0, 1, 2, 3].map((i) => String(payload.record(i).key))
    expect(keys).toEqual(['key-00000000', 'key-00000001', 'key-00000002', 'key-00000000'])
    expect(payload.recordBytes).toBe(22)
    expect(new Payload({ topic, valueBytes: 10, keys: 0 }).record(0)).not.toHaveProperty('key')
  })
})
