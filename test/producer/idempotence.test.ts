import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Producer } from '../../src/index.ts'
import { type Logger, type ProducerOptions, type ProducerRecord } from '../../src/index.ts'
import { encodeResponseFrame } from '../../src/protocol/frame.ts'
import { initProducerId } from '../../src/protocol/messages/init-producer-id.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { turns, until } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'
import { advanceUntilSettled, failureOf } from '../support/settling.ts'

let cluster: TestCluster
let clock: FakeClock
const harness = producerHarness()

async function start(options: Partial<TestClusterOptions> = {}): Promise<void> {
  cluster = await harness.startCluster({ brokers: 2, topics: { t: 4 }, autoCreateTopics: false, ...options })
}

beforeEach(() => {
  clock = harness.clock
})

/** One batch a record: nothing else shares it. */
const newProducer = (options: Partial<ProducerOptions> = {}, firstSequence = 0): Producer =>
  harness.newProducer({ batchBytes: 1, ...options }, { firstSequence })

const record = (value: string, partition = 0): ProducerRecord => ({ topic: 't', partition, value })
const values = (partition = 0): string[] =>
  cluster
    .records('t')
    .filter((row) => row.partition === partition)
    .map(({ value }) => String(value))
const stamps = (partition = 0): [number | bigint, number, number][] =>
  cluster
    .records('t')
    .filter((row) => row.partition === partition)
    .map(({ producerId, epoch, sequence }) => [producerId, epoch, sequence])
const TRUNCATED = 'the log loses acknowledged records'
const letters = (text: string): string[] => Array.from(text)
const produceRequests = (): number => cluster.requests.filter(({ api }) => api === 'Produce').length
const sendMany = (producer: Producer, names: string[], partition = 0): Promise<unknown[]> =>
  Promise.all(names.map((name) => producer.send(record(name, partition))))

/** What a channel says while the work is done. */
async function heard<T>(channel: string, work: () => Promise<T>): Promise<unknown[]> {
  const events: unknown[] = []
  const listen = (event: unknown): void => void events.push(event)
  subscribe(channel, listen)
  await work().finally(() => unsubscribe(channel, listen))
  return events
}

describe('sequences on the wire', () => {
  it('begin at 0 for each partition, and count records', async () => {
    await start()
    const producer = newProducer({ batchBytes: 16_384 })
    await producer.sendAll([record('a'), record('b'), record('c', 1)])
    await producer.sendAll([record('d'), record('e', 1)])
    const id = producer.stats().producerId
    expect(stamps(0)).toEqual([
      [id, 0, 0],
      [id, 0, 1],
      [id, 0, 2],
    ])
    expect(stamps(1).map(([, , sequence]) => sequence)).toEqual([0, 1])
    expect(producer.stats()).toMatchObject({ idempotent: true, producerEpoch: 0, delivered: 5, unsettled: 0 })
  })

  it('wrap after 2^31-1', async () => {
    await start()
    const producer = newProducer({}, 2 ** 31 - 3)
    await sendMany(producer, ['a', 'b', 'c', 'd', 'e'])
    expect(stamps().map(([, , sequence]) => sequence)).toEqual([2 ** 31 - 3, 2 ** 31 - 2, 2 ** 31 - 1, 0, 1])
    expect(values()).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('let five batches of a partition be out at once, once its leader has acknowledged one', async () => {
    await start()
    const producer = newProducer({ maxInFlightRequests: 100 })
    const first = cluster.fail({ api: 'Produce', delayMs: 100 })
    const sends = sendMany(producer, letters('abcdefgh'))
    await until(() => first.hits === 1, 'the first')
    await turns(20)
    expect(produceRequests()).toBe(1) // the gate
    const slow = cluster.fail({ api: 'Produce', delayMs: 100, times: 7 })
    await clock.advance(100)
    await until(() => slow.hits === 5, 'five')
    await turns(20)
    expect(produceRequests()).toBe(6)
    await advanceUntilSettled(clock, sends, 100)
    expect(values()).toEqual(letters('abcdefgh'))
  })

  it('one batch at a time without idempotence', async () => {
    await start()
    const producer = newProducer({ idempotent: false })
    await producer.send(record('x'))
    const slow = cluster.fail({ api: 'Produce', delayMs: 100, times: 3 })
    const sends = sendMany(producer, ['a', 'b', 'c'])
    await until(() => slow.hits === 1, 'the first')
    await turns(20)
    expect(slow.hits).toBe(1)
    await advanceUntilSettled(clock, sends, 100)
    expect(stamps()[0]).toEqual([-1n, -1, -1])
  })
})

describe('retries write no second copy', () => {
  it('after an answer that was lost: the broker knows the batch again and gives its offset', async () => {
    await start()
    const producer = newProducer()
    await producer.send(record('x'))
    cluster.fail({ api: 'Produce', closeAfterBytes: 0, isWritten: true })
    const sent = producer.send(record('a'))
    await advanceUntilSettled(clock, sent, 50)
    expect((await sent).offset).toBe(1n)
    expect(values()).toEqual(['x', 'a'])
  })

  it('and the records keep their own times, although the broker answers one time for a batch that it knows', async () => {
    await start()
    const producer = newProducer({ batchBytes: 16_384 })
    cluster.fail({ api: 'Produce', closeAfterBytes: 0, isWritten: true })
    const sent = producer.sendAll([
      { ...record('a'), timestamp: 1000 },
      { ...record('b'), timestamp: 3000 },
      { ...record('c'), timestamp: 2000 },
    ])
    await advanceUntilSettled(clock, sent, 50)
    const report = await sent
    expect([0, 1, 2].map((i) => report.metadata(i).timestamp)).toEqual([1000, 3000, 2000])
    expect(values()).toEqual(['a', 'b', 'c'])
  })

  it('after DUPLICATE_SEQUENCE_NUMBER: delivered, and nobody knows where', async () => {
    harness.except({ coordinates: 'the broker does not say where a duplicate is' })
    await start()
    const producer = newProducer()
    cluster.fail({ api: 'Produce', error: 'REQUEST_TIMED_OUT', isWritten: true })
    cluster.fail({ api: 'Produce', error: 'DUPLICATE_SEQUENCE_NUMBER' })
    const sent = producer.send(record('a'))
    await advanceUntilSettled(clock, sent, 50)
    expect((await sent).offset).toBe(-1n)
    expect((await producer.send(record('b'))).offset).toBe(1n)
    expect(values()).toEqual(['a', 'b'])
  })

  it('but what was sent for the first time is no duplicate: the broker took it for another batch (S2)', async () => {
    await start()
    const producer = newProducer()
    cluster.fail({ api: 'Produce', error: 'DUPLICATE_SEQUENCE_NUMBER', isWritten: false })
    expect(await failureOf(producer.send(record('a')))).toMatchObject({ code: 'SEQUENCE_DESYNC', fatal: true })
  })

  it.each([1, 2, 3, 4, 5])('order holds when batch %i of five in flight is refused', async (nth) => {
    await start()
    const producer = newProducer()
    await producer.send(record('x'))
    cluster.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', after: nth - 1 })
    const sends = sendMany(producer, letters('abcdefgh'))
    await advanceUntilSettled(clock, sends, 50)
    await sends
    expect(values()).toEqual(letters('xabcdefgh'))
    expect(producer.stats()).toMatchObject({ epochBumps: 0, delivered: 9 })
  })

  it.each([1, 2, 3, 4, 5])('order holds when the connection ends with batch %i of five', async (nth) => {
    await start()
    const producer = newProducer()
    await producer.send(record('x'))
    cluster.fail({ api: 'Produce', closeAfterBytes: 3, after: nth - 1, isWritten: true })
    const sends = sendMany(producer, letters('abcdefgh'))
    await advanceUntilSettled(clock, sends, 50)
    await sends
    expect(values()).toEqual(letters('xabcdefgh'))
    expect(producer.stats()).toMatchObject({ epochBumps: 0, delivered: 9 })
  })

  it('S3: a topic that is missing from one answer does not start again at 0', async () => {
    await start()
    const producer = newProducer({ metadataMaxAgeMs: 1000 })
    await sendMany(producer, ['a', 'b'])
    const flap = cluster.fail({ api: 'Metadata', topic: 't', error: 'UNKNOWN_TOPIC_OR_PARTITION' })
    await clock.advance(1000)
    await until(() => flap.hits === 1, 'the answer')
    await producer.send(record('c'))
    expect(stamps().map(([, , sequence]) => sequence)).toEqual([0, 1, 2])
    expect(values()).toEqual(['a', 'b', 'c'])
  })

  it('S2: sends at the same time share no sequence', async () => {
    await start()
    const producer = newProducer({ batchBytes: 16_384 })
    const names = Array.from({ length: 500 }, (_, i) => String(i))
    await Promise.all(
      names.map(async (name, i) => {
        await turns(i % 7)
        await producer.send(record(name))
      }),
    )
    expect(new Set(values()).size).toBe(500)
    expect(stamps().map(([, , sequence]) => sequence)).toEqual(names.map(Number))
  })
})

describe('a new epoch', () => {
  it('begins when a batch was refused for good, so that those behind it have no gap in front of them', async () => {
    await start()
    const producer = newProducer()
    await producer.send(record('x'))
    cluster.fail({ api: 'Produce', error: 'INVALID_TIMESTAMP' })
    const refused = failureOf(producer.send(record('poison')))
    const rest = sendMany(producer, ['a', 'b', 'c'])
    await advanceUntilSettled(clock, Promise.all([refused, rest]), 50)
    expect(await refused).toMatchObject({ code: 'INVALID_TIMESTAMP', maybeWritten: false })
    expect(values()).toEqual(['x', 'a', 'b', 'c'])
    const id = producer.stats().producerId
    expect(stamps().slice(1)).toEqual([
      [id, 1, 0],
      [id, 1, 1],
      [id, 1, 2],
    ])
    expect(producer.stats().epochBumps).toBe(1)
  })

  it('is taken over by other partitions without another bump, at 0 again', async () => {
    await start()
    const producer = newProducer()
    await sendMany(producer, ['a', 'b'], 1)
    await producer.send(record('x'))
    cluster.fail({ api: 'Produce', partition: 0, error: 'INVALID_TIMESTAMP' })
    await failureOf(producer.send(record('poison')))
    await producer.send(record('y'))
    await producer.send(record('c', 1))
    const id = producer.stats().producerId
    expect(stamps(1)).toEqual([
      [id, 0, 0],
      [id, 0, 1],
      [id, 1, 0],
    ])
    expect(producer.stats().epochBumps).toBe(1)
  })

  it('S6: another partition keeps the old one for what may have been written, and nothing is written twice', async () => {
    await start()
    const producer = newProducer()
    await producer.send(record('x', 0))
    await producer.send(record('y', 1))
    // Written to partition 1, and the answer is lost; tried again only after partition 0 has raised the epoch.
    const lost = cluster.fail({ api: 'Produce', partition: 1, closeAfterBytes: 0, isWritten: true })
    const uncertain = producer.send(record('uncertain', 1))
    await until(() => lost.hits === 1, 'the loss')
    cluster.fail({ api: 'Produce', partition: 0, error: 'INVALID_TIMESTAMP' })
    await failureOf(producer.send(record('poison', 0)))
    await producer.send(record('z', 0))
    expect(producer.stats()).toMatchObject({ epochBumps: 1, producerEpoch: 1 })
    await advanceUntilSettled(clock, uncertain, 50)
    await producer.send(record('after', 1))
    expect(values(1)).toEqual(['y', 'uncertain', 'after'])
    expect(stamps(1).map(([, epoch]) => epoch)).toEqual([0, 0, 1])
  })

  it('begins when the broker has lost what it knew and the batch was certainly not written', async () => {
    harness.except({ bytes: TRUNCATED, order: TRUNCATED })
    await start()
    const producer = newProducer()
    await sendMany(producer, ['a', 'b', 'c'])
    cluster.truncate('t', 0, 2) // "c" is gone, and with it its sequence
    const sent = producer.send(record('d'))
    await advanceUntilSettled(clock, sent, 50)
    expect(values()).toEqual(['a', 'b', 'd'])
    expect(producer.stats().epochBumps).toBe(1)
  })

  it('S6: what may have been written is reported then, never given another sequence', async () => {
    await start()
    const producer = newProducer()
    await sendMany(producer, ['a', 'b'])
    cluster.fail({ api: 'Produce', error: 'REQUEST_TIMED_OUT' })
    cluster.fail({ api: 'Produce', error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    const failed = failureOf(producer.send(record('c')))
    await advanceUntilSettled(clock, failed, 50)
    expect(await failed).toMatchObject({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER', maybeWritten: true, attempts: 2 })
    await producer.send(record('d'))
    expect(values()).toEqual(['a', 'b', 'd'])
  })

  it('begins after a deadline that passed while nobody knew; later records do not wait for the old answer for ever', async () => {
    await start()
    const producer = newProducer({ deliveryTimeoutMs: 500, requestTimeoutMs: 1000 })
    await producer.send(record('x'))
    const rule = cluster.fail({ api: 'Produce', silent: true, isWritten: false })
    const failed = failureOf(producer.send(record('late')))
    await until(() => rule.hits === 1, 'the request')
    await clock.advance(500)
    expect(await failed).toMatchObject({ code: 'DELIVERY_TIMEOUT', maybeWritten: true, attempts: 1 })
    await clock.advance(400)
    const next = producer.send(record('next'))
    await advanceUntilSettled(clock, next, 50)
    expect((await next).offset).toBe(1n)
    expect(values()).toEqual(['x', 'next'])
    expect(producer.stats().epochBumps).toBe(1)
  })

  it('is another producer id when epochs have run out, and when the broker says that ours is too old', async () => {
    await start()
    cluster.fail({
      api: 'InitProducerId',
      answer: (correlationId) => {
        const response = { errorCode: 0, producerId: 4711n, producerEpoch: 32_766, throttleTimeMs: 0 }
        return Buffer.concat(encodeResponseFrame(initProducerId, 5, correlationId, response).chunks)
      },
    })
    const producer = newProducer()
    await producer.send(record('x'))
    expect(stamps()).toEqual([[4711n, 32_766, 0]])
    cluster.fail({ api: 'Produce', error: 'INVALID_TIMESTAMP' })
    await failureOf(producer.send(record('poison')))
    await producer.send(record('y'))
    const second = producer.stats().producerId
    expect(second).not.toBe(4711n)
    cluster.fail({ api: 'Produce', error: 'INVALID_PRODUCER_EPOCH' })
    const sent = producer.send(record('z'))
    await advanceUntilSettled(clock, sent, 50)
    expect(producer.stats().producerId).not.toBe(second)
    expect(values()).toEqual(['x', 'y', 'z'])
  })
})

describe('MESSAGE_TOO_LARGE', () => {
  it.each([true, false])(
    'cuts a batch up until it fits; order, times and headers stay (idempotent: %s)',
    async (idempotent) => {
      await start({ topics: { t: { partitions: 1, maxMessageBytes: 3000 } } })
      const producer = newProducer({ batchBytes: 100_000, idempotent, compression: 'none' })
      const records = Array.from({ length: 40 }, (_, i) => ({
        ...record(`${i}:`.padEnd(500, 'x')),
        headers: { n: String(i) },
        timestamp: 1_700_000_000_000 + i,
      }))
      const report = await producer.sendAll(records)
      const rows = cluster.records('t')
      expect(rows.map(({ value }) => String(value))).toEqual(records.map(({ value }) => value))
      expect(rows.map(({ timestamp }) => timestamp)).toEqual(records.map(({ timestamp }) => timestamp))
      expect(rows.map(({ headers }) => String(headers[0]?.[1]))).toEqual(records.map((_, i) => String(i)))
      expect(records.map((_, i) => report.metadata(i).offset)).toEqual(records.map((_, i) => BigInt(i)))
      expect(producer.stats()).toMatchObject({ epochBumps: 0, unsettled: 0, bufferUsedBytes: 0 })
      if (idempotent) expect(stamps().map(([, , sequence]) => sequence)).toEqual(records.map((_, i) => i))
      const splits = producer.stats().splits
      expect(splits).toBeGreaterThan(2)
      await producer.sendAll(records)
      expect(producer.stats().splits).toBe(splits) // it has learnt
    },
  )

  it('fails one record alone that is too large, and nothing else', async () => {
    await start({ topics: { t: { partitions: 1, maxMessageBytes: 3000 } } })
    const producer = newProducer({ batchBytes: 100_000 })
    const large = failureOf(producer.send(record('x'.repeat(4000))))
    const small = sendMany(producer, ['a', 'b', 'c'])
    await advanceUntilSettled(clock, Promise.all([large, small]), 50)
    expect(await large).toMatchObject({ code: 'MESSAGE_TOO_LARGE', maybeWritten: false, topic: 't', partition: 0 })
    expect(values()).toEqual(['a', 'b', 'c'])
  })

  it.each(['gzip', 'zstd'] as const)('cuts up compressed batches (%s)', async (compression) => {
    await start({ topics: { t: { partitions: 1, maxMessageBytes: 600 } } })
    const producer = newProducer({ batchBytes: 100_000, compression })
    const names = Array.from({ length: 200 }, (_, i) => `${i}-${(i * 7919) % 104_729}-${(i * 104_729) % 7919}`)
    await producer.sendAll(names.map((name) => record(name)))
    expect(values()).toEqual(names)
  })

  it('flush waits for the parts', async () => {
    await start({ topics: { t: { partitions: 1, maxMessageBytes: 3000 } } })
    const producer = newProducer({ batchBytes: 100_000 })
    const sends = Promise.all(Array.from({ length: 20 }, () => producer.send(record('x'.repeat(500)))))
    await producer.flush()
    expect(values()).toHaveLength(20)
    await sends
  })
})

describe('records that the broker names (KIP-467)', () => {
  it('several: each has its own reason, the others are told and may be sent again', async () => {
    await start()
    const producer = newProducer({ batchBytes: 16_384 })
    cluster.fail({
      api: 'Produce',
      error: 'INVALID_RECORD',
      errorMessage: 'two of them',
      recordErrors: [{ batchIndex: 1, message: 'no key' }, { batchIndex: 3 }],
    })
    const report = await producer.sendAllSettled(letters('abcde').map((name) => record(name)))
    expect(report.failed.map(({ error }) => error.code)).toEqual([
      'BATCH_REJECTED',
      'INVALID_RECORD',
      'BATCH_REJECTED',
      'INVALID_RECORD',
      'BATCH_REJECTED',
    ])
    expect(report.failed[1]?.error.message).toContain('no key')
    expect(report.failed[3]?.error.message).toContain('two of them')
    expect(report.failed[0]?.error).toMatchObject({ retriable: true, maybeWritten: false })
    await producer.send(record('f'))
    expect(values()).toEqual(['f'])
  })

  it('one: it has the error of the answer, with the text of the record', async () => {
    await start()
    const producer = newProducer({ batchBytes: 16_384 })
    cluster.fail({ api: 'Produce', error: 'INVALID_TIMESTAMP', recordErrors: [{ batchIndex: 0, message: 'too old' }] })
    const report = await producer.sendAllSettled([record('a'), record('b')])
    expect(report.failed.map(({ error }) => error.code)).toEqual(['INVALID_TIMESTAMP', 'BATCH_REJECTED'])
    expect(report.failed[0]?.error.message).toContain('too old')
  })

  it('none that is in the batch: all have the error of the answer', async () => {
    await start()
    const producer = newProducer({ batchBytes: 16_384 })
    cluster.fail({ api: 'Produce', error: 'INVALID_RECORD', recordErrors: [{ batchIndex: 7, message: 'no' }] })
    const report = await producer.sendAllSettled([record('a'), record('b')])
    expect(report.failed.map(({ error }) => error.code)).toEqual(['INVALID_RECORD', 'INVALID_RECORD'])
    expect(report.failed.map(({ error }) => error.retriable)).toEqual([false, false])
  })
})

describe('where idempotence is not to be had', () => {
  it.each([
    ['an old broker', { apiVersions: { InitProducerId: false } }, null, 'InitProducerId'],
    ['a broker that does not allow it', {}, 'CLUSTER_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED'],
  ] as const)('%s: goes on without, one request at a time, with one warning', async (_name, options, error, word) => {
    await start({ brokers: 1, ...options })
    if (error !== null) cluster.fail({ api: 'InitProducerId', error })
    const warn = vi.fn<Logger['warn']>()
    const producer = newProducer({ logger: { debug: vi.fn(), info: vi.fn(), warn, error: vi.fn() } })
    await sendMany(producer, ['a', 'b'])
    expect(stamps()).toEqual([
      [-1n, -1, -1],
      [-1n, -1, -1],
    ])
    expect(producer.stats().idempotent).toBe(false)
    expect(warn).toHaveBeenCalledTimes(1)
    expect(String(warn.mock.calls[0]?.[1])).toContain(word)
    const slow = cluster.fail({ api: 'Produce', delayMs: 100, times: 2 })
    const both = Promise.all([producer.send(record('c')), producer.send(record('d', 1))])
    await until(() => slow.hits === 1, 'one request')
    await turns(20)
    expect(slow.hits).toBeLessThan(3)
    await advanceUntilSettled(clock, both, 100)
  })

  it.each([
    ['an old broker', { apiVersions: { InitProducerId: false } }, null, 'UNSUPPORTED_VERSION'],
    ['a broker that does not allow it', {}, 'CLUSTER_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED'],
  ] as const)('%s: fails when it was asked for, and may be tried again (S12)', async (_name, options, error, code) => {
    await start({ brokers: 1, ...options })
    if (error !== null) cluster.fail({ api: 'InitProducerId', error })
    const producer = newProducer({ idempotent: true })
    expect(await failureOf(producer.send(record('a')))).toMatchObject({ code, maybeWritten: false })
    expect(values()).toEqual([])
    if (error === null) return
    const sent = producer.send(record('b')) // the right was given meanwhile
    await advanceUntilSettled(clock, sent, 50)
    expect(values()).toEqual(['b'])
    expect(producer.stats().idempotent).toBe(true)
  })

  it('asks again when asking failed for a reason that passes', async () => {
    await start()
    const rule = cluster.fail({ api: 'InitProducerId', error: 'COORDINATOR_LOAD_IN_PROGRESS', times: 3 })
    const producer = newProducer()
    const sent = producer.send(record('a'))
    await advanceUntilSettled(clock, sent, 50)
    expect(rule.hits).toBe(3)
    expect(producer.stats().idempotent).toBe(true)
  })
})

describe('O7: the check that ships', () => {
  it('a broker that takes new records for old ones ends the producer, loudly, instead of being believed', async () => {
    await start({ brokers: 1, apiVersions: { Produce: [3, 12] } }) // the last version with names of topics
    const producer = newProducer()
    await sendMany(producer, ['a', 'b'])
    // Once may mean that the topic was made anew: metadata is asked. Twice is proof.
    cluster.fail({
      api: 'Produce',
      times: 2,
      answer: (correlationId) => {
        const partitionResponses = [{ index: 0, errorCode: 0, baseOffset: 1n }]
        const responses = [{ name: 't', partitionResponses }]
        return Buffer.concat(encodeResponseFrame(produce, 12, correlationId, { responses }).chunks)
      },
    })
    const waiting = failureOf(producer.send(record('c')))
    const events = await heard('headrace:producer:desync', async () => {
      await advanceUntilSettled(clock, waiting, 50)
      expect(await waiting).toMatchObject({ code: 'SEQUENCE_DESYNC', fatal: true, maybeWritten: true })
    })
    expect(events).toMatchObject([{ topic: 't', partition: 0, baseOffset: 1n }])
    expect(await failureOf(producer.send(record('d')))).toMatchObject({ code: 'SEQUENCE_DESYNC', fatal: true })
    await producer.close()
  })

  it('does not accuse a broker that has made the topic anew, by its old name', async () => {
    const why = 'the topic is deleted, and made again'
    harness.except({ noLoss: why, bytes: why, order: why })
    await start({ brokers: 1, apiVersions: { Produce: [3, 12] } })
    const producer = newProducer()
    await sendMany(producer, letters('abc'))
    cluster.deleteTopic('t')
    cluster.createTopic('t', 4)
    const sent = producer.send(record('d'))
    await advanceUntilSettled(clock, sent, 50)
    expect((await sent).offset).toBe(0n)
    await producer.send(record('e'))
    expect(values()).toEqual(['d', 'e'])
  })

  it('does not take a late answer for a wrong one: written, called uncertain, known again after those behind it', async () => {
    await start()
    const producer = newProducer()
    await producer.send(record('x'))
    cluster.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', isWritten: true })
    const sends = sendMany(producer, letters('abcde'))
    await advanceUntilSettled(clock, sends, 50)
    expect(await sends).toMatchObject([1n, 2n, 3n, 4n, 5n].map((offset) => ({ offset })))
    expect(values()).toEqual(letters('xabcde'))
  })

  it('a log that lost its tail while we were away is reported, and no accusation', async () => {
    harness.except({ noLoss: TRUNCATED, bytes: TRUNCATED, order: TRUNCATED })
    await start({ brokers: 1 })
    const producer = newProducer()
    await sendMany(producer, ['a', 'b', 'c'])
    cluster.truncate('t', 0, 1)
    cluster.expireProducers()
    await cluster.stopBroker(1)
    await cluster.startBroker(1)
    const events = await heard('headrace:partition:truncated', async () => {
      const sent = producer.send(record('d'))
      await advanceUntilSettled(clock, sent, 50)
      expect((await sent).offset).toBe(1n)
    })
    expect(events).toMatchObject([{ topic: 't', partition: 0, baseOffset: 1n }])
  })
})
