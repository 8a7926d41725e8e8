import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Producer, type ProducerOptions } from '../../src/index.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import { producerHarness, realTime } from '../support/producer-harness.ts'
import { failureOf } from '../support/settling.ts'

const harness = producerHarness()

async function start(
  compression: ProducerOptions['compression'],
  options: TestClusterOptions = {},
  more: Partial<ProducerOptions> = {},
): Promise<{ cluster: TestCluster; producer: Producer }> {
  const cluster = await harness.startCluster({ topics: { t: 1 }, ...options })
  const producer = harness.newProducer({ compression, ...more }, realTime)
  return { cluster, producer }
}

const rows = (count: number, bytes = 50): { topic: string; key: string; value: string }[] =>
  Array.from({ length: count }, (_, i) => ({ topic: 't', key: String(i), value: `${i} `.padEnd(bytes, 'abc ') }))

describe.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('%s', (codec) => {
  it.each([
    ['small batches, at once', 16_384],
    ['large ones, off the event loop', 500_000],
  ])('%s: arrives unchanged and in order, compressed', async (_size, batchBytes) => {
    const { cluster, producer } = await start(codec, {}, { batchBytes })
    const records = rows(20_000)
    await producer.sendAll(records)
    const read = cluster.records('t')
    expect(read.map(({ value }) => String(value))).toEqual(records.map(({ value }) => value))
    expect(new Set(read.map(({ compression }) => compression))).toEqual(new Set([codec]))
    expect(cluster.violations).toEqual([])
  })

  it('leaves what it would make larger as it is', async () => {
    const { cluster, producer } = await start(codec)
    await producer.send({ topic: 't', value: randomBytes(2000) })
    expect(cluster.records('t').map(({ compression }) => compression)).toEqual(['none'])
  })

  it('sends the same bytes again after a refusal, and keeps the order', async () => {
    const { cluster, producer } = await start(codec, {}, { batchBytes: 100_000, retryBackoffMs: 1 })
    await producer.connect()
    cluster.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: 3 })
    const records = rows(10_000)
    await producer.sendAll(records)
    expect(cluster.records('t').map(({ key }) => String(key))).toEqual(records.map(({ key }) => key))
  })

  if (codec === 'zstd') return

  it.each([1, 2])('is written as message sets for brokers that have no Produce above v%i', async (newest) => {
    const { cluster, producer } = await start(codec, { apiVersions: { Produce: [0, newest] } })
    const records = rows(1000)
    const report = await producer.sendAll(records)
    expect(report.metadata(999).offset).toBe(999n)
    const read = cluster.records('t')
    expect(read.map(({ value }) => String(value))).toEqual(records.map(({ value }) => value))
    expect(new Set(read.map(({ compression }) => compression))).toEqual(new Set([codec]))
    expect(cluster.violations).toEqual([])
  })
})

describe('what a broker cannot read', () => {
  it('zstd before Produce v7 fails at the first send, and says what to do', async () => {
    const { cluster, producer } = await start('zstd', { apiVersions: { Produce: [3, 6] } })
    const error = await failureOf(producer.send({ topic: 't', value: 'x' }))
    expect(error).toMatchObject({ code: 'UNSUPPORTED_VERSION', retriable: false, maybeWritten: false })
    expect(error.message).toContain(
      "compression 'zstd' needs Produce v7 (Kafka 2.1), and the broker has none newer than v6",
    )
    expect(cluster.requests.filter(({ api }) => api === 'Produce')).toEqual([])
  })

  it('headers in message sets are refused by name; records without go through', async () => {
    const { cluster, producer } = await start('none', { apiVersions: { Produce: [0, 2] } })
    const error = await failureOf(producer.send({ topic: 't', value: 'x', headers: { trace: '1' } }))
    expect(error).toMatchObject({ code: 'NOT_REPRESENTABLE', maybeWritten: false })
    expect(error.message).toContain('header')
    await producer.send({ topic: 't', value: 'y', timestamp: 1234 })
    expect(cluster.records('t')).toMatchObject([{ value: Buffer.from('y'), timestamp: 1234 }])
  })
})

describe('a codec of the user’s own', () => {
  it('is used, and told its level', async () => {
    const { gzipSync } = await import('node:zlib')
    const levels: unknown[] = []
    const compress = (bytes: Uint8Array, level: number | undefined): Promise<Uint8Array> => {
      levels.push(level)
      return Promise.resolve(gzipSync(bytes))
    }
    const { cluster, producer } = await start({ codec: 'gzip', level: 3, compress })
    await producer.sendAll(rows(100))
    expect(cluster.records('t')[0]?.compression).toBe('gzip')
    expect(levels).toContain(3)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('boo')
      },
    ],
    ['rejects', () => Promise.reject(new Error('boo'))],
  ])('that %s fails the records of that batch, and the producer goes on', async (_how, broken) => {
    let isBroken = true
    const { gzipSync } = await import('node:zlib')
    const compress = (bytes: Uint8Array): Uint8Array | Promise<Uint8Array> => (isBroken ? broken() : gzipSync(bytes))
    const { producer } = await start({ codec: 'gzip', compress })
    const error = await failureOf(producer.send({ topic: 't', value: 'x'.repeat(100) }))
    expect(error).toMatchObject({ name: 'DeliveryError', code: 'COMPRESSION_FAILED', maybeWritten: false })
    expect(error.message).toContain('boo')
    isBroken = false
    expect((await producer.send({ topic: 't', value: 'x'.repeat(100) })).offset).toBe(0n)
  })
})

describe('the option', () => {
  it.each([
    [{ compression: 'brotli' }, "compression: got codec \"brotli\", expected 'none', 'gzip', 'snappy', 'lz4', 'zstd'"],
    [{ compression: { codec: 'gzip', level: 99 } }, 'level'],
    [{ compression: { codec: 'gzip', speed: 1 } }, 'unknown key "speed"'],
  ])('%j: %s', (options, sentence) => {
    expect(() => new Producer({ brokers: 'a:1', ...options } as ProducerOptions)).toThrow(sentence)
  })
})
