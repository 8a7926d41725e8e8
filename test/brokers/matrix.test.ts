import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Producer, type ProducerOptions, type ProducerRecord } from '../../src/index.ts'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import { startForeignBroker, foreignBrokerAvailable, type ForeignBroker } from '../support/kafka/foreign-broker.ts'
import { createTopic, dumpBatches, readTopic, type ReadRecord } from '../support/kafka/readers.ts'
import { describeBrokers, describeWhere } from '../support/kafka/require-brokers.ts'
import { kafkaVersionsUnderTest } from '../support/kafka/versions-under-test.ts'
import { telcoLines } from '../support/telco-lines.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
type CodecName = (typeof CODECS)[number]

/** Every version against every codec that it has, with everything that a record can be: read back by Kafka's own consumer. */
const isAtLeast = (version: string, major: number, minor: number): boolean => {
  const [a = 0, b = 0] = version.split('.').map(Number)
  return a > major || (a === major && b >= minor)
}

function recordsOf(topic: string, hasHeaders: boolean): (ProducerRecord & { partition: 0; timestamp: number })[] {
  const at = 1_700_000_000_000
  const plain = [
    { key: 'key', value: 'value' },
    { key: '', value: '' },
    { key: null, value: null },
    { key: Buffer.from([0, 255, 10]), value: 'schön \u2028 鍵 📦' },
    { key: null, value: 'x'.repeat(999_800) },
    ...telcoLines(300).map((value, i) => ({ key: i % 3 === 0 ? null : String(i), value })),
  ]
  return plain.map((record, i) => ({
    ...record,
    topic,
    partition: 0,
    timestamp: at + i * 1000,
    ...(hasHeaders && i % 2 === 0 ? { headers: { a: ['1', null, ''], ключ: Buffer.from([0, 255]) } } : {}),
  }))
}

const bytes = (value: string | Uint8Array | null | undefined): Buffer | null =>
  value === null || value === undefined ? null : Buffer.from(value as string)

function expectSame(read: readonly ReadRecord[], sent: ReturnType<typeof recordsOf>): void {
  expect(read).toHaveLength(sent.length)
  for (const [i, { key, value, timestamp, headers }] of sent.entries()) {
    const expected =
      headers === undefined
        ? []
        : [
            ['a', Buffer.from('1')],
            ['a', null],
            ['a', Buffer.alloc(0)],
            ['ключ', Buffer.from([0, 255])],
          ]
    expect(read[i]).toMatchObject({
      offset: BigInt(i),
      key: bytes(key),
      value: bytes(value),
      timestamp,
      headers: expected,
    })
  }
}

for (const { version } of kafkaVersionsUnderTest()) {
  describeBrokers(`Kafka ${version}`, () => {
    let cluster: RealCluster
    const hasHeaders = isAtLeast(version, 0, 11)
    const hasZstd = isAtLeast(version, 2, 1)

    beforeAll(async () => {
      cluster = await startCluster({ version, nodes: 1 })
    })

    afterAll(async () => {
      await cluster.close()
    })

    const producerOf = (options: Partial<ProducerOptions>): Producer =>
      new Producer({ brokers: cluster.listeners.plaintext, ...options })

    it.each(CODECS.filter((codec) => codec !== 'zstd' || hasZstd))(
      'takes %s, and gives back what was sent',
      async (codec: CodecName) => {
        const topic = `t-${randomUUID()}`
        await createTopic({ ...cluster.at, topic, partitions: 1, replicationFactor: 1 })
        await using producer = producerOf({ compression: codec, batchBytes: 100_000 })
        const sent = recordsOf(topic, hasHeaders)
        const report = await producer.sendAll(sent)
        expect(report.metadata(sent.length - 1).offset).toBe(BigInt(sent.length - 1))
        expectSame(await readTopic({ ...cluster.at, topic, count: sent.length }), sent)
        const stored = await dumpBatches({ logDir: cluster.logDirs[0]!, topic, partition: 0 })
        expect(new Set(stored.map(({ compression }) => compression))).toContain(codec)
        expect(stored.filter(({ isValid }) => !isValid)).toEqual([])
        expect(new Set(stored.map(({ magic }) => magic))).toEqual(new Set([hasHeaders ? 2 : 1]))
      },
    )

    it('says what it cannot take', async () => {
      const topic = `t-${randomUUID()}`
      await createTopic({ ...cluster.at, topic, partitions: 1, replicationFactor: 1 })
      if (!hasZstd) {
        await using producer = producerOf({ compression: 'zstd' })
        await expect(producer.send({ topic, value: 'x' })).rejects.toThrow(
          "compression 'zstd' needs Produce v7 (Kafka 2.1)",
        )
      }
      if (!hasHeaders) {
        await using producer = producerOf({})
        await expect(producer.send({ topic, value: 'x', headers: { a: '1' } })).rejects.toMatchObject({
          code: 'NOT_REPRESENTABLE',
        })
      }
      await using producer = producerOf({})
      expect(await producer.send({ topic, value: 'x' })).toMatchObject({ offset: 0n })
      expect(await producer.partitionsFor(topic)).toMatchObject([{ partition: 0 }])
      expect((await producer.topics()).map(({ name }) => name)).toContain(topic)
    })
  })
}

for (const kind of ['kfake', 'librdkafka-mock'] as const) {
  describeWhere(await foreignBrokerAvailable(kind), `the foreign broker ${kind}`, () => {
    let broker: ForeignBroker

    beforeAll(async () => {
      broker = await startForeignBroker(kind)
    })

    afterAll(async () => {
      await broker.close()
    })

    describe.each(CODECS)('%s', (codec) => {
      it('arrives unchanged', async () => {
        const topic = `t-${codec}`
        await broker.createTopic(topic, 1)
        await using producer = new Producer({ brokers: broker.bootstrap, compression: codec })
        const values = telcoLines(200)
        await producer.sendAll(values.map((value) => ({ topic, partition: 0, value })))
        const read = await broker.readTopic({ topic, count: values.length })
        expect(read.map(({ value }) => String(value))).toEqual(values)
      })
    })
  })
}
