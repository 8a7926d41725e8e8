import { describe, expect, it } from 'vitest'
import { RecordMetadata, type ProducerRecord } from '../../src/index.ts'
import { Load, type LoadOptions } from '../support/chaos/load.ts'
import { Progress } from '../support/chaos/progress.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { Ledger } from '../support/oracles.ts'

const TOPICS = [
  { name: 'named', partitions: 2, isExplicit: true },
  { name: 'free', partitions: 1, isExplicit: false },
]

/** A load to a broker that answers when the test says so. */
function setUp(options: Partial<LoadOptions> = {}) {
  const clock = new FakeClock()
  const startMs = clock.now()
  const progress = new Progress()
  const ledger = new Ledger({ idempotent: true, acks: 'all', seed: 1 })
  const sent: { record: ProducerRecord; deliver: () => void }[] = []
  const send: LoadOptions['send'] = (record) =>
    new Promise((resolve) => {
      const metadata = new RecordMetadata(record.topic, record.partition ?? 0, BigInt(sent.length), 0)
      sent.push({ record, deliver: () => resolve(metadata) })
    })
  const nowMs = () => clock.now() - startMs
  const rate = { recordsPerSecond: 1000, maxRecords: Infinity, seed: 1, topics: TOPICS }
  const load = new Load({ ...{ ...rate, clock, nowMs, send, books: ledger, progress }, ...options })
  return { load, clock, progress, sent }
}

describe('the load of chaos', () => {
  it('keeps its rate', async () => {
    const { load, clock, sent } = setUp()
    load.start()
    await clock.advance(1000)
    expect(sent.length).toBeGreaterThanOrEqual(990)
    expect(sent.length).toBeLessThanOrEqual(1000)
    load.stop()
    await clock.advance(1000)
    expect(sent.length).toBeLessThanOrEqual(1000)
  })

  it('names partitions where it shall, and gives every partition its share', async () => {
    const { load, clock, sent } = setUp()
    load.start()
    await clock.advance(3000)
    load.stop()
    const counts = new Map<string, number>()
    for (const { record } of sent) {
      const place = `${record.topic} ${record.partition ?? 'any'}`
      counts.set(place, (counts.get(place) ?? 0) + 1)
    }
    expect([...counts.keys()].sort()).toEqual(['free any', 'named 0', 'named 1'])
    for (const count of counts.values()) expect(count).toBeGreaterThan(sent.length / 4)
  })

  it('has values from 100 B to 100 KB, mostly small', async () => {
    const { load, clock, sent } = setUp()
    load.start()
    await clock.advance(8000)
    load.stop()
    const sizes = sent.map(({ record }) => record.value?.length ?? 0).sort((a, b) => a - b)
    expect(sizes[0]).toBeLessThan(110)
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThan(300)
    expect(sizes.at(-1)).toBeGreaterThan(50_000)
  })

  it('waits when 20,000 records are out, and makes up for ten seconds, not for more', async () => {
    const { load, clock, sent, progress } = setUp({ recordsPerSecond: 2000 })
    load.start()
    await clock.advance(30_000)
    const whileFullBytes = sent.reduce((sum, { record }) => sum + (record.value?.length ?? 0), 0)
    expect(sent.length === 20_000 || whileFullBytes >= 16 << 20).toBe(true)
    const before = sent.length
    for (const { deliver } of sent.splice(0)) deliver()
    await clock.advance(300)
    expect(progress.delivered).toBe(before)
    // 300 ms in ticks of 400 records would be 24,000: it is a burst, and it ends.
    expect(sent.length).toBeGreaterThan(10_000)
    for (const { deliver } of sent.splice(0)) deliver()
    await clock.advance(5000)
    expect(progress.accepted).toBeLessThan(before + 20_000 + 5300 * 2 + 500)
    load.stop()
  })

  it('ends by itself when it has sent what it should', async () => {
    const { load, clock, sent } = setUp({ maxRecords: 50 })
    load.start()
    await clock.advance(1000)
    await load.isExhausted
    expect(sent).toHaveLength(50)
    expect(clock.pendingMs).toEqual([])
  })
})
