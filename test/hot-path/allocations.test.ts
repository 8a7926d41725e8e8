import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { BOUNDS, MANY_PARTITIONS, MANY_PARTITIONS_BUFFER_BYTES, MANY_PARTITIONS_FACTOR } from './bounds.ts'
import { Programs } from './programs.ts'
import { SpenderProcess } from './run-spender.ts'
import { median, WASTE_BYTES, WAVE_RECORDS, type Wave, type Way } from './spending.ts'

/** With 40 the compiler is not done: an `offer` has 40 bytes more then. */
const WARM_WAVES = 100
const COUNTED_WAVES = 20
/** Of so few waves without a collection the median is worth nothing. */
const MIN_CLEAN_WAVES = 8
/** What is counted twice differs by less than this. */
const NOISE_BYTES = 15

interface Cost {
  readonly heapBytes: number
  readonly bufferBytes: number
}

const programs = new Programs()
let cluster: TestCluster

beforeAll(async () => {
  await programs.build('spender')
  cluster = await TestCluster.start({ topics: { one: 1, many: MANY_PARTITIONS }, keepRecords: false })
})
afterAll(async () => {
  await cluster.close()
  programs.remove()
})

/** Bytes that a record allocates. */
async function costOf(way: Way, topic: 'one' | 'many' = 'one', wastes = false): Promise<Cost> {
  const job = { brokers: cluster.bootstrap, topic, way, wastes, warmWaves: WARM_WAVES }
  const spender = await SpenderProcess.start(programs, job)
  const waves: Wave[] = []
  while (waves.length < COUNTED_WAVES) waves.push(await spender.wave())
  await spender.close()
  const clean = waves.filter((wave) => wave !== null)
  if (clean.length < MIN_CLEAN_WAVES) throw new Error(`only ${clean.length} waves without a collection`)
  const cost = {
    heapBytes: median(clean.map(({ heapBytes }) => heapBytes)) / WAVE_RECORDS,
    bufferBytes: median(clean.map(({ bufferBytes }) => bufferBytes)) / WAVE_RECORDS,
  }
  const what = `${way}${wastes ? ' and waste' : ''}, ${topic === 'one' ? 'one partition' : 'many partitions'}`
  console.log(`${what}: ${cost.heapBytes.toFixed(0)} bytes a record, and ${cost.bufferBytes.toFixed(0)} of buffers`)
  return cost
}

describe('what a record allocates', { timeout: 120_000 }, () => {
  const costs = new Map<Way, Cost>()

  it.each(Object.entries(BOUNDS) as [Way, Cost][])('%s stays within its bound', async (way, bound) => {
    const cost = await costOf(way)
    costs.set(way, cost)
    expect(cost.heapBytes).toBeLessThan(bound.heapBytes)
    expect(cost.bufferBytes).toBeLessThan(bound.bufferBytes)
    // The report of a sendAll is in buffers: whoever counts less does not count.
    if (way === 'sendAll') expect(cost.bufferBytes).toBeGreaterThan(60)
    expect(cost.heapBytes).toBeGreaterThan(0)
  })

  it('one object more for each is seen', async () => {
    const cost = costs.get('offer') ?? (await costOf('offer'))
    const wasteful = await costOf('offer', 'one', true)
    expect(Math.abs(wasteful.heapBytes - cost.heapBytes - WASTE_BYTES)).toBeLessThan(NOISE_BYTES)
  })

  it.each(['send', 'sendAll'] as const)('perf-7: %s allocates as much among 10 000 partitions', async (way) => {
    const one = costs.get(way) ?? (await costOf(way))
    const many = await costOf(way, 'many')
    expect(many.heapBytes / one.heapBytes).toBeLessThan(MANY_PARTITIONS_FACTOR)
    expect(many.bufferBytes).toBeLessThan(MANY_PARTITIONS_BUFFER_BYTES[way])
  })
})
