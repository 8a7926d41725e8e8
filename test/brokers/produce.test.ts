import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Producer, type ProducerRecord } from '../../src/index.ts'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import { dumpBatches, readTopic, sharedJavaHelper, createTopic, type ReadRecord } from '../support/kafka/readers.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { runCli } from '../support/run-cli.ts'
import { telcoLines } from '../support/telco-lines.ts'

const LINES = 10_000

/** Values by partition, in the order of their offsets. */
function byPartition(records: readonly ReadRecord[]): string[][] {
  const partitions: string[][] = []
  for (const { partition, value } of records) (partitions[partition] ??= []).push(value?.toString('utf8') ?? 'null')
  return partitions
}

/** Lines keep the order of the file within each partition; empty ones cannot be told apart and only count. */
function expectSameLines(records: readonly ReadRecord[], lines: readonly string[]): void {
  expect(records.map(({ value }) => value?.toString('utf8')).sort()).toEqual([...lines].sort())
  const place = new Map(lines.map((line, i) => [line, i]))
  for (const values of byPartition(records)) {
    const places = values.filter((value) => value !== '').map((value) => place.get(value) ?? NaN)
    expect(places).toEqual([...places].sort((a, b) => a - b))
  }
}

for (const { nodes, replicationFactor } of [
  { nodes: 1, replicationFactor: 1 },
  { nodes: 3, replicationFactor: 3 },
] as const) {
  describeBrokers(`Kafka 4.3.1, nodes: ${nodes}, replication: ${replicationFactor}`, () => {
    let cluster: RealCluster
    let bootstrap: string

    const newTopic = async (partitions: number, configs: Record<string, string> = {}): Promise<string> => {
      const topic = `t-${randomUUID()}`
      await createTopic({ bootstrap, topic, partitions, replicationFactor, configs })
      return topic
    }

    beforeAll(async () => {
      cluster = await startCluster({ version: '4.3.1', nodes })
      bootstrap = cluster.listeners.plaintext
    })

    afterAll(async () => {
      await cluster.close()
    })

    it(`gives back ${LINES} real lines that 'headrace produce' sent, byte for byte, in order`, async () => {
      const topic = await newTopic(3)
      const lines = telcoLines(LINES)
      const sent = await runCli(
        ['produce', '--brokers', bootstrap, '--topic', topic, '--json'],
        lines.join('\n') + '\n',
      )
      expect(sent.stderr).toBe('')
      expect(JSON.parse(sent.stdout)).toMatchObject({ records: LINES, delivered: LINES, failed: 0 })
      expect(sent.code).toBe(0)
      expectSameLines(await readTopic({ bootstrap, topic }), lines)
    })

    if (nodes === 3) {
      it('spreads over all leaders and keeps the order of sends within a partition', async () => {
        const topic = await newTopic(6)
        await using producer = new Producer({ brokers: bootstrap })
        const sent = await producer.sendAll(
          Array.from({ length: 6000 }, (_, i) => ({ topic, partition: i % 6, value: String(i) })),
        )
        expect(sent.failed).toEqual([])
        const read = byPartition(await readTopic({ bootstrap, topic }))
        expect(read).toEqual(
          Array.from({ length: 6 }, (_, p) => Array.from({ length: 1000 }, (_, i) => String(i * 6 + p))),
        )
        const leaders = new Set((await producer.partitionsFor(topic)).map(({ leader }) => leader))
        expect(leaders.size).toBe(3)
      })
      return
    }

    it('writes what was given: null and empty, headers, unicode, timestamps; and says where', async () => {
      const topic = await newTopic(2)
      const records: (ProducerRecord & { partition: number })[] = [
        { topic, partition: 0, key: 'k', value: 'v', timestamp: 1_700_000_000_000 },
        { topic, partition: 1, key: '', value: '', timestamp: new Date(1_700_000_000_001) },
        {
          topic,
          partition: 0,
          value: null,
          headers: { a: ['1', null, ''], ключ: Buffer.from([0, 255]) },
          timestamp: 0,
        },
        { topic, partition: 1, key: Buffer.from([0, 1, 255]), value: '📦 \u2028', timestamp: 1_600_000_000_000 },
      ]
      await using producer = new Producer({ brokers: bootstrap })
      const placed = await Promise.all(records.map((record) => producer.send(record)))
      const bytes = (value: string | Uint8Array | null | undefined): Buffer | null =>
        value === null || value === undefined ? null : Buffer.from(value as string)
      const read = await readTopic({ bootstrap, topic })
      expect(read).toHaveLength(records.length)
      records.forEach(({ partition, key, value, timestamp }, i) => {
        const { offset } = placed[i]!
        const back = read.find((record) => record.partition === partition && record.offset === offset)
        const timestampMs = timestamp instanceof Date ? timestamp.getTime() : timestamp
        expect(back).toMatchObject({
          key: bytes(key),
          value: bytes(value),
          timestamp: timestampMs,
          timestampType: 'CreateTime',
        })
        expect(placed[i]).toMatchObject({ topic, partition, timestamp: timestampMs })
      })
      expect(read.find(({ timestamp }) => timestamp === 0)?.headers).toEqual([
        ['a', Buffer.from('1')],
        ['a', null],
        ['a', Buffer.from('')],
        ['ключ', Buffer.from([0, 255])],
      ])
    })

    it("takes the load of 'headrace bench', and has exactly what was reported", async () => {
      const topic = await newTopic(3)
      const load = ['--records', '30000', '--rate', '20000', '--keys', '100', '--compression', 'gzip', '--json']
      const { code, stdout, stderr } = await runCli(['bench', '--brokers', bootstrap, '--topic', topic, ...load])
      expect(stderr).toMatch(/^writing to .* 30,000 records at 20,000 records\/s\n.*\n$/)
      expect(code).toBe(0)
      const outcome = JSON.parse(stdout) as { latencyMs: { p50: number } }
      expect(outcome).toMatchObject({ records: 30_000, delivered: 30_000, failed: 0, bytes: 30_000 * 112, ended: null })
      expect(outcome.latencyMs.p50).toBeGreaterThan(0)
      const records = await readTopic({ bootstrap, topic })
      expect(records).toHaveLength(30_000)
      expect(new Set(records.map(({ value }) => value?.length))).toEqual(new Set([100]))
      expect(new Set(records.map(({ key, partition }) => `${String(key)} ${partition}`)).size).toBe(100)
    })

    it('is stored as valid record batches of format 2', async () => {
      const topic = await newTopic(1)
      await using producer = new Producer({ brokers: bootstrap, batchBytes: 2000 })
      await producer.sendAll(Array.from({ length: 100 }, (_, i) => ({ topic, value: `${i}`.repeat(50) })))
      const batches = await dumpBatches({ logDir: cluster.logDirs[0]!, topic, partition: 0 })
      expect(batches.length).toBeGreaterThan(2)
      expect(batches.map(({ isValid, magic, producerId }) => ({ isValid, magic, producerId }))).toEqual(
        batches.map(() => ({ isValid: true, magic: 2, producerId: producer.stats().producerId })),
      )
      expect(producer.stats().producerId).toBeGreaterThanOrEqual(0n)
      expect(batches.reduce((sum, { count }) => sum + count, 0)).toBe(100)
      expect(batches.filter(({ sizeBytes }) => sizeBytes > 2000)).toEqual([])
    })

    it('reports the broker’s own timestamp where the topic asks for it', async () => {
      const topic = await newTopic(1, { 'message.timestamp.type': 'LogAppendTime' })
      await using producer = new Producer({ brokers: bootstrap })
      const { timestamp } = await producer.send({ topic, value: 'now', timestamp: 1000 })
      const [record] = await readTopic({ bootstrap, topic })
      expect(record).toMatchObject({ timestamp, timestampType: 'LogAppendTime' })
      expect(timestamp).toBeGreaterThan(1_700_000_000_000)
    })

    it('does as acks says: 1 tells the offset, 0 tells that it does not know', async () => {
      const topic = await newTopic(1)
      await using one = new Producer({ brokers: bootstrap, acks: 1 })
      expect(await one.send({ topic, value: 'a' })).toMatchObject({ offset: 0n })
      await using none = new Producer({ brokers: bootstrap, acks: 0 })
      expect(await none.send({ topic, value: 'b' })).toMatchObject({ partition: 0, offset: -1n })
      expect((await readTopic({ bootstrap, topic, count: 2 })).map(({ value }) => String(value))).toEqual(['a', 'b'])
    })

    it('makes a topic by sending to it, where the cluster allows that', async () => {
      const topic = `made-${randomUUID()}`
      await using producer = new Producer({ brokers: bootstrap })
      const sent = await Promise.all([1, 2, 3].map((i) => producer.send({ topic, partition: 0, value: String(i) })))
      expect(sent.map(({ offset }) => offset)).toEqual([0n, 1n, 2n])
    })

    describe('partitions', () => {
      it('are those that Kafka’s own producer chooses, for 2000 random keys on 1, 3, 7 and 64 partitions', async () => {
        const keys = fc.sample(fc.uint8Array({ minLength: 0, maxLength: 40 }), { numRuns: 2000, seed: 20261121 })
        const counts = [1, 3, 7, 64]
        const java = await (
          await sharedJavaHelper()
        ).murmur2(
          keys.map((key) => Buffer.from(key)),
          counts,
        )
        await using producer = new Producer({ brokers: bootstrap })
        for (const [c, count] of counts.entries()) {
          const topic = await newTopic(count)
          const report = await producer.sendAll(keys.map((key) => ({ topic, key, value: null })))
          const ours = keys.map((_, i) => report.metadata(i).partition)
          expect(ours).toEqual(java.map(({ partitions }) => partitions[c]))
          const read = await readTopic({ bootstrap, topic, count: keys.length })
          const readKeys = new Set(read.map(({ partition, key }) => `${partition} ${key?.toString('hex') ?? ''}`))
          expect(readKeys).toEqual(
            new Set(keys.map((key, i) => `${ours[i] ?? ''} ${Buffer.from(key).toString('hex')}`)),
          )
        }
      })

      it('rotate one by one for records without a key, if asked to: counts differ by at most one', async () => {
        const topic = await newTopic(7)
        await using producer = new Producer({ brokers: bootstrap, partitioner: 'round-robin' })
        await producer.sendAll(Array.from({ length: 1000 }, (_, i) => ({ topic, value: String(i) })))
        const counts = byPartition(await readTopic({ bootstrap, topic, count: 1000 })).map(({ length }) => length)
        expect(counts).toHaveLength(7)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
      })
    })
  })
}
