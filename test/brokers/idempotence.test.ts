import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { openConnection } from '../../src/connection/handshake.ts'
import { Producer, type KafkaError, type Logger, type ProducerOptions, type RecordMetadata } from '../../src/index.ts'
import { api, array, int16, int32, int64, string } from '../../src/protocol/schema.ts'
import { Random } from '../fuzz/random.ts'
import { ChaosProxy } from '../support/chaos/proxy.ts'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import { createTopic, deleteTopic, readTopic, sharedJavaHelper, type ReadRecord } from '../support/kafka/readers.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { Ledger, type LedgerOptions, type VerdictCounts } from '../support/oracles.ts'
import { failureOf } from '../support/settling.ts'

/** Source: DeleteRecordsRequest.json and DeleteRecordsResponse.json of Apache Kafka. */
const deleteRecords = api({
  name: 'DeleteRecords',
  key: 21,
  versions: [1, 1],
  flexible: Infinity,
  request: {
    topics: array({ name: string, partitions: array({ partitionIndex: int32, offset: int64 }) }),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({ partitionIndex: int32, lowWatermark: int64, errorCode: int16 }),
    }),
  },
})

let seed = 7000

/** A producer whose records the ledger knows; what Kafka's own consumer reads is judged by it. */
class Stage {
  readonly ledger: Ledger
  readonly producer: Producer
  readonly topic: string
  readonly #at: RealCluster['at']

  constructor(
    { at }: Pick<RealCluster, 'at'>,
    topic: string,
    options: Partial<ProducerOptions> = {},
    ledger: Partial<LedgerOptions> = {},
  ) {
    this.#at = at
    this.topic = topic
    this.producer = new Producer({ brokers: at.bootstrap, ...options })
    this.ledger = new Ledger({ idempotent: true, acks: 'all', seed: ++seed, ...ledger })
  }

  send(partition: number | null, sizeBytes = 100, key?: string): Promise<RecordMetadata | KafkaError> {
    const { id, value } = this.ledger.next(this.topic, partition, sizeBytes)
    this.ledger.accepted(id)
    const where = partition === null ? {} : { partition }
    const record = { topic: this.topic, value, ...where, ...(key === undefined ? {} : { key }) }
    return this.producer.send(record).then(
      (at) => {
        this.ledger.delivered(id, at)
        return at
      },
      (error: unknown) => {
        this.ledger.failed(id, error as KafkaError)
        return error as KafkaError
      },
    )
  }

  /** So many records, all at once. @throws the first error. */
  async sendAll(count: number, partitions: number, sizeBytes?: number): Promise<RecordMetadata[]> {
    const ends = await Promise.all(Array.from({ length: count }, (_, i) => this.send(i % partitions, sizeBytes)))
    return ends.map((end) => {
      if (end instanceof Error) throw end
      return end
    })
  }

  async read(): Promise<ReadRecord[]> {
    return readTopic({ ...this.#at, topic: this.topic })
  }

  async judge(): Promise<VerdictCounts> {
    await this.producer.close()
    const rows = (await this.read()).map((row) => ({ ...row, topic: this.topic }))
    const { violations, counts } = this.ledger.judge(rows)
    expect(violations).toEqual([])
    return counts
  }
}

const newName = (): string => `t-${randomUUID()}`

for (const version of ['4.3.1', '2.8.2'] as const) {
  describeBrokers(`idempotence on Kafka ${version}`, () => {
    let cluster: RealCluster

    const newTopic = async (partitions: number, configs: Record<string, string> = {}): Promise<string> => {
      const topic = newName()
      await createTopic({ ...cluster.at, topic, partitions, replicationFactor: 1, configs })
      return topic
    }

    beforeAll(async () => {
      cluster = await startCluster({ version, nodes: 1 })
    })

    afterAll(async () => {
      await cluster.close()
    })

    it('lost answers: each record once, in order, where it was said to be (N1, N4, N16)', async () => {
      const topic = await newTopic(3)
      const [host = '', port] = cluster.at.bootstrap.split(':')
      const proxy = await ChaosProxy.start({ host, port: Number(port), clock: systemClock, random: new Random(1) })
      const mapAddress = (): { host: string; port: number } => ({ host: '127.0.0.1', port: proxy.port })
      const options = { mapAddress, retryBackoffMs: 10, reconnectBackoffMs: 5, batchBytes: 1000 }
      const stage = new Stage(cluster, topic, options)
      try {
        await stage.sendAll(30, 3)
        for (let round = 0; round < 12; round++) {
          const sent = stage.sendAll(300, 3)
          if (round % 3 === 0) proxy.disturb({ kind: 'mute', direction: 'answers' })
          else
            proxy.disturb({
              kind: 'reset',
              direction: round % 3 === 1 ? 'answers' : 'requests',
              afterBytes: 17 * round,
            })
          await delay(40)
          proxy.calm()
          await sent
        }
        expect(proxy.broken).toBeGreaterThanOrEqual(12)
        expect(stage.producer.stats()).toMatchObject({ failed: 0, epochBumps: 0, idempotent: true })
        expect(await stage.judge()).toMatchObject({ delivered: 3630, lost: 0, duplicated: 0, reordered: 0 })
      } finally {
        await proxy.close()
      }
    })

    it('C8: a topic is deleted and made again under load: what comes afterwards arrives, nobody is accused', async () => {
      const topic = await newTopic(2)
      const options = { retryBackoffMs: 20, allowAutoTopicCreation: false }
      const stage = new Stage(cluster, topic, options, { mayLose: true })
      for (let cycle = 0; cycle < 3; cycle++) {
        await stage.sendAll(50, 2)
        await deleteTopic({ ...cluster.at, topic })
        const between = stage.sendAll(20, 2)
        // Deleting goes on in the background.
        await vi.waitFor(() => createTopic({ ...cluster.at, topic, partitions: 2, replicationFactor: 1 }), 10_000)
        await between
        const after = await stage.sendAll(20, 2)
        const read = await stage.read()
        const at = new Set(read.map(({ partition, offset }) => `${partition} ${offset}`))
        expect(after.every(({ partition, offset }) => at.has(`${partition} ${offset}`))).toBe(true)
      }
      const counts = await stage.judge()
      expect(counts).toMatchObject({ duplicated: 0, failed: 0, misplaced: 0 })
      expect(counts.read).toBeGreaterThanOrEqual(20)
    })

    it('C6: partitions grow under load: keys keep their order within each partition', async () => {
      const topic = await newTopic(2)
      const stage = new Stage(cluster, topic, { metadataMaxAgeMs: 1000 })
      const helper = await sharedJavaHelper(version)
      let isGrown = false
      let sent = 0
      const growth = helper.createPartitions({ ...cluster.at, topic, partitions: 8 }).then(() => (isGrown = true))
      for (let partitions = 2; partitions < 8;) {
        const ends = await Promise.all(Array.from({ length: 200 }, (_, i) => stage.send(null, 60, `key-${i % 50}`)))
        for (const end of ends) if (!(end instanceof Error)) partitions = Math.max(partitions, end.partition + 1)
        sent += ends.length
        await delay(20)
      }
      await growth
      expect(isGrown).toBe(true)
      expect(await stage.judge()).toMatchObject({ delivered: sent, lost: 0, duplicated: 0, reordered: 0 })
    })

    it('C20: DeleteRecords while producing: it goes on, nothing twice', async () => {
      const topic = await newTopic(1)
      const stage = new Stage(cluster, topic, {}, { mayLose: true })
      for (let round = 0; round < 5; round++) {
        const placed = await stage.sendAll(20, 1)
        const [last] = placed.slice(-1)
        await deleteBefore(cluster.at.bootstrap, topic, (last?.offset ?? 0n) + 1n)
      }
      await stage.sendAll(20, 1)
      expect(await stage.judge()).toMatchObject({ duplicated: 0, failed: 0, delivered: 120, read: 20 })
    })

    it.each(['none', 'gzip'] as const)(
      'MESSAGE_TOO_LARGE: cut up until it fits, in order (%s)',
      async (compression) => {
        const topic = await newTopic(1, { 'max.message.bytes': '4000' })
        const stage = new Stage(cluster, topic, { compression, batchBytes: 100_000 })
        await stage.sendAll(200, 1, 300)
        const { splits, epochBumps } = stage.producer.stats()
        expect(splits).toBeGreaterThan(2)
        expect(epochBumps).toBe(0)
        const large = await stage.send(0, 50_000)
        expect(large).toMatchObject({ code: 'MESSAGE_TOO_LARGE', maybeWritten: false })
        await stage.sendAll(5, 1, 300)
        expect(await stage.judge()).toMatchObject({ delivered: 205, failed: 1, lost: 0, duplicated: 0, reordered: 0 })
      },
    )

    it('KIP-467: a record with an impossible time: its own reason, and the others are told', async () => {
      const configs =
        version === '4.3.1'
          ? { 'message.timestamp.after.max.ms': '3600000' }
          : { 'message.timestamp.difference.max.ms': '3600000' }
      const topic = await newTopic(1, configs)
      await using producer = new Producer({ brokers: cluster.at.bootstrap })
      await producer.send({ topic, value: 'first' })
      const far = Date.now() + 86_400_000
      const report = await producer.sendAllSettled(
        ['a', 'b', 'c', 'd'].map((value, i) => ({ topic, value, ...(i === 1 ? { timestamp: far } : {}) })),
      )
      expect(report.failed.map(({ error }) => [error.code, error.maybeWritten])).toEqual([
        ['BATCH_REJECTED', false],
        ['INVALID_TIMESTAMP', false],
        ['BATCH_REJECTED', false],
        ['BATCH_REJECTED', false],
      ])
      expect(report.failed[1]?.error.message).toMatch(/[Tt]imestamp/)
      await producer.sendAll(['a', 'c', 'd'].map((value) => ({ topic, value })))
      const read = await readTopic({ ...cluster.at, topic })
      expect(read.map(({ value }) => String(value))).toEqual(['first', 'a', 'c', 'd'])
    })
  })
}

/** A broker of its own: what it forgets while an answer is lost would be written twice, and rightly so. */
describeBrokers('a broker that forgets producers after a second', () => {
  it('C20: the broker forgets the producer (producer.id.expiration.ms): it goes on, nothing twice', async () => {
    const properties = { 'producer.id.expiration.ms': '1000', 'producer.id.expiration.check.interval.ms': '200' }
    await using cluster = await startCluster({ version: '4.3.1', nodes: 1, properties })
    const topic = newName()
    await createTopic({ ...cluster.at, topic, partitions: 1, replicationFactor: 1 })
    const stage = new Stage(cluster, topic)
    for (let round = 0; round < 3; round++) {
      await stage.sendAll(20, 1)
      await delay(1500) // the broker's own time: longer than expiration and check
    }
    await stage.sendAll(20, 1)
    expect(await stage.judge()).toMatchObject({ lost: 0, duplicated: 0, failed: 0, delivered: 80 })
  })
})

describeBrokers('Kafka 0.10.2.2, which has no idempotence', () => {
  let cluster: RealCluster

  beforeAll(async () => {
    cluster = await startCluster({ version: '0.10.2.2', nodes: 1 })
  })

  afterAll(async () => {
    await cluster.close()
  })

  it('goes on without, with one warning; refuses where it was asked for', async () => {
    const topic = newName()
    await createTopic({ ...cluster.at, topic, partitions: 1, replicationFactor: 1 })
    const warn = vi.fn<Logger['warn']>()
    const logger = { debug: vi.fn(), info: vi.fn(), warn, error: vi.fn() }
    const stage = new Stage(cluster, topic, { logger }, { idempotent: false })
    await stage.sendAll(100, 1)
    expect(warn).toHaveBeenCalledTimes(1)
    expect(String(warn.mock.calls[0]?.[1])).toContain('InitProducerId')
    expect(stage.producer.stats().idempotent).toBe(false)
    await using strict = new Producer({ brokers: cluster.at.bootstrap, idempotent: true })
    const refused = await failureOf(strict.send({ topic, value: 'x' }))
    expect(refused).toMatchObject({ code: 'UNSUPPORTED_VERSION', maybeWritten: false })
    expect(await stage.judge()).toMatchObject({ delivered: 100, lost: 0, duplicated: 0, read: 100 })
  })
})

async function deleteBefore(address: string, topic: string, offset: bigint): Promise<void> {
  const [host = '', port] = address.split(':')
  const limits = { connectTimeoutMs: 10_000, requestTimeoutMs: 30_000, maxIdleMs: 60_000 }
  const target = { nodeId: null, host, port: Number(port), clientId: 'deleter', clock: systemClock, ...limits }
  const connection = await openConnection(target, { name: 'headrace-test', version: '1' }, () => undefined)
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0, offset }] }]
  const outcome = await connection.request(deleteRecords, { topics, timeoutMs: 10_000 })
  connection.close()
  if ('error' in outcome) throw outcome.error
  expect(outcome.response.topics[0]?.partitions[0]).toMatchObject({ errorCode: 0, lowWatermark: offset })
}
