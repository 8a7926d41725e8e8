import { getEventListeners } from 'node:events'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Producer } from '../../src/index.ts'
import { BatchDeliveryError, type ProducerOptions, type RecordMetadata } from '../../src/index.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { until } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'
import { advanceUntilSettled, failureOf } from '../support/settling.ts'

let cluster: TestCluster
let clock: FakeClock
const harness = producerHarness()

beforeEach(async () => {
  cluster = await harness.startCluster({ brokers: 1, topics: { t: 2 }, autoCreateTopics: false })
  clock = harness.clock
})

const newProducer = (options: Partial<ProducerOptions> = {}): Producer => harness.newProducer(options)

const produceRequests = (): number => cluster.requests.filter(({ api }) => api === 'Produce').length
const values = (): string[] => cluster.records('t').map(({ value }) => String(value))
const numbered = (count: number, partition = 0): { topic: string; partition: number; value: string }[] =>
  Array.from({ length: count }, (_, i) => ({ topic: 't', partition, value: String(i) }))

describe('batching', () => {
  it('puts what is sent in one turn of the event loop into one batch, in the order of the calls', async () => {
    const producer = newProducer()
    await producer.send({ topic: 't', partition: 0, value: 'first' })
    const placed = await Promise.all(numbered(100).map((record) => producer.send(record)))
    expect(placed.map(({ offset }) => offset)).toEqual(Array.from({ length: 100 }, (_, i) => BigInt(i + 1)))
    expect(values()).toEqual(['first', ...numbered(100).map(({ value }) => value)])
    expect(produceRequests()).toBe(2)
  })

  it('asks for metadata once, and then leaves the process nothing to wait for', async () => {
    const producer = newProducer()
    await Promise.all(numbered(100).map((record) => producer.send(record)))
    expect(cluster.requests.filter(({ api }) => api === 'Metadata')).toHaveLength(1)
    expect(clock.keptMs).toEqual([])
    await clock.advance(120_000)
    expect(clock.pendingMs).toEqual([180_000, 420_000]) // metadataMaxAgeMs and connectionsMaxIdleMs
  })

  it('keeps the order of the calls while a topic is being looked up', async () => {
    const producer = newProducer()
    const sends = numbered(50).map((record) => producer.send(record))
    void sends[0]!.then(() => producer.send({ topic: 't', partition: 0, value: 'after' }))
    await Promise.all(sends)
    await producer.flush()
    expect(values()).toEqual([...numbered(50).map(({ value }) => value), 'after'])
  })

  it('lets a record wait for lingerMs while its broker is busy, and not at all when it is idle, or flushed', async () => {
    const producer = newProducer({ lingerMs: 500 })
    await producer.send({ topic: 't', partition: 0, value: 'alone' }) // time stands still: it did not linger
    const slow = cluster.fail({ api: 'Produce', partition: 1, delayMs: 10_000, times: 2 })
    const busy = producer.send({ topic: 't', partition: 1, value: 'busy' })
    await until(() => slow.hits === 1, 'the broker to be busy')
    const before = produceRequests()
    const lingering = producer.send({ topic: 't', partition: 0, value: 'a' })
    await until(() => clock.pendingMs.includes(500), 'the linger timer')
    await clock.advance(499)
    expect(produceRequests()).toBe(before)
    await clock.advance(1)
    await until(() => produceRequests() === before + 1, 'the end of lingerMs')
    const flushed = producer.send({ topic: 't', partition: 0, value: 'b' })
    const flush = producer.flush()
    await until(() => produceRequests() === before + 2, 'flush to end the lingering')
    await advanceUntilSettled(clock, Promise.all([busy, lingering, flushed, flush]), 1000)
    expect(values()).toEqual(['alone', 'a', 'b', 'busy'])
  })

  it('closes a batch at batchBytes, and lets a larger record go alone', async () => {
    const producer = newProducer({ batchBytes: 1000 })
    await producer.sendAll([
      ...Array.from({ length: 10 }, () => ({ topic: 't', partition: 0, value: 'x'.repeat(300) })),
      { topic: 't', partition: 0, value: 'y'.repeat(5000) },
    ])
    // 61 bytes of header and at most 300 + 21 + lengths a record: two fit.
    expect(produceRequests()).toBe(6)
  })

  it('never makes a request larger than maxRequestBytes out of several batches', async () => {
    const many = await harness.startCluster({ topics: { t: 20 } })
    const producer = newProducer({ brokers: many.bootstrap, maxRequestBytes: 5000, batchBytes: 2000 })
    const sizes: number[] = []
    await producer.sendAll(
      Array.from({ length: 20 }, (_, i) => ({ topic: 't', partition: i, value: 'x'.repeat(1500) })),
    )
    for (const { api } of many.requests) if (api === 'Produce') sizes.push(1)
    expect(sizes.length).toBeGreaterThanOrEqual(7)
    expect(many.recordCount('t')).toBe(20)
  })
})

describe('retries', () => {
  it.each([
    'NOT_LEADER_OR_FOLLOWER',
    'NOT_ENOUGH_REPLICAS',
    'REQUEST_TIMED_OUT',
    'UNKNOWN_SERVER_ERROR',
    'KAFKA_STORAGE_ERROR',
  ])('goes on after %s, with the same bytes and in order', async (error) => {
    const producer = newProducer()
    await producer.connect()
    const rule = cluster.fail({ api: 'Produce', topic: 't', times: 2, error })
    const sends = numbered(3).map((record) => producer.send(record))
    await until(() => rule.hits === 1, 'the first refusal')
    sends.push(producer.send({ topic: 't', partition: 0, value: '3' }))
    while (rule.hits < 2) await clock.advance(50)
    const placed = Promise.all(sends)
    for (let i = 0; i < 20; i++) await clock.advance(50)
    expect((await placed).map(({ offset }) => offset)).toEqual([0n, 1n, 2n, 3n])
    expect(values()).toEqual(['0', '1', '2', '3'])
  })

  it('waits 100 ms before the first retry and 200 before the second', async () => {
    const producer = newProducer()
    await producer.send({ topic: 't', partition: 0, value: 'known' })
    await clock.advance(200) // metadata has its own pauses; they are over
    const rule = cluster.fail({ api: 'Produce', topic: 't', times: 2, error: 'NOT_ENOUGH_REPLICAS' })
    const send = producer.send({ topic: 't', partition: 0, value: 'x' })
    await until(() => rule.hits === 1 && clock.pendingMs.includes(100), 'the first backoff')
    await clock.advance(99)
    expect(rule.hits).toBe(1)
    await clock.advance(1)
    await until(() => rule.hits === 2 && clock.pendingMs.includes(200), 'the second backoff')
    await clock.advance(200)
    await send
  })

  it('tries the leader that a refusal names at once (KIP-951)', async () => {
    const two = await harness.startCluster({ brokers: 2, topics: { t: 1 } })
    const producer = newProducer({ brokers: two.bootstrap })
    await producer.send({ topic: 't', value: 'before' })
    two.moveLeader('t', 0, two.leader('t', 0) === 1 ? 2 : 1)
    await producer.send({ topic: 't', value: 'after' }) // time stands still
    expect(two.records('t').map(({ value }) => String(value))).toEqual(['before', 'after'])
  })

  it('gives up at once where trying again cannot help', async () => {
    const producer = newProducer()
    cluster.fail({ api: 'Produce', topic: 't', error: 'TOPIC_AUTHORIZATION_FAILED' })
    const error = await failureOf(producer.send({ topic: 't', partition: 1, value: 'x' }))
    expect(error).toMatchObject({
      name: 'BrokerError',
      code: 'TOPIC_AUTHORIZATION_FAILED',
      errorCode: 29,
      topic: 't',
      partition: 1,
      attempts: 1,
      retriable: false,
      maybeWritten: false,
    })
  })

  it('lets one partition fail alone', async () => {
    const producer = newProducer()
    await producer.connect()
    cluster.fail({ api: 'Produce', topic: 't', partition: 0, error: 'INVALID_RECORD', errorMessage: 'no key' })
    const report = await producer.sendAllSettled([...numbered(2, 0), ...numbered(2, 1)])
    expect(report.failed.map(({ index }) => index)).toEqual([0, 1])
    expect(report.failed[0]!.error.message).toContain('the broker says: no key')
    expect(report.metadata(3)).toMatchObject({ partition: 1, offset: 1n })
  })

  it('survives a connection that is cut after every byte of an answer', async () => {
    const producer = newProducer()
    await producer.connect()
    for (let bytes = 0; bytes < 40; bytes += 3) {
      const rule = cluster.fail({ api: 'Produce', topic: 't', closeAfterBytes: bytes })
      const send = producer.send({ topic: 't', partition: 0, value: `cut after ${bytes}` })
      await until(() => rule.hits === 1, 'the cut')
      await advanceUntilSettled(clock, send, 100)
    }
    expect([...new Set(values())]).toEqual(Array.from({ length: 14 }, (_, i) => `cut after ${i * 3}`))
  })
})

describe('deadlines', () => {
  it('settles at deliveryTimeoutMs when no answer comes, and says that the record may be there', async () => {
    const producer = newProducer({ deliveryTimeoutMs: 5000, requestTimeoutMs: 60_000 })
    await producer.connect()
    const rule = cluster.fail({ api: 'Produce', topic: 't', silent: true })
    const failed = failureOf(producer.send({ topic: 't', partition: 0, value: 'x' }))
    await until(() => rule.hits === 1, 'the request')
    await clock.advance(5000)
    const error = await failed
    expect(error).toMatchObject({
      code: 'DELIVERY_TIMEOUT',
      maybeWritten: true,
      retriable: true,
      attempts: 1,
      topic: 't',
      partition: 0,
    })
    expect(error.message).toContain('not acknowledged within deliveryTimeoutMs (5000 ms), sent 1 time')
    expect(values()).toEqual(['x'])
  })

  it('says not written after nothing but definite refusals, with the last one as the reason', async () => {
    const producer = newProducer({ deliveryTimeoutMs: 1000 })
    await producer.connect()
    cluster.fail({ api: 'Produce', topic: 't', times: Infinity, error: 'NOT_ENOUGH_REPLICAS' })
    const failed = failureOf(producer.send({ topic: 't', partition: 0, value: 'x' }))
    await advanceUntilSettled(clock, failed, 50)
    const error = await failed
    expect(error).toMatchObject({
      code: 'DELIVERY_TIMEOUT',
      maybeWritten: false,
      cause: { code: 'NOT_ENOUGH_REPLICAS' },
    })
    expect(error.message).toContain('NOT_ENOUGH_REPLICAS (19)')
    expect(values()).toEqual([])
  })

  it('stays open-minded: a definite refusal after an attempt without an answer does not make it unwritten', async () => {
    const producer = newProducer({ deliveryTimeoutMs: 3000 })
    await producer.connect()
    const cut = cluster.fail({ api: 'Produce', topic: 't', closeAfterBytes: 0 })
    cluster.fail({ api: 'Produce', topic: 't', times: Infinity, error: 'NOT_ENOUGH_REPLICAS' })
    const failed = failureOf(producer.send({ topic: 't', partition: 0, value: 'x' }))
    await until(() => cut.hits === 1, 'the cut')
    await advanceUntilSettled(clock, failed, 100)
    expect(await failed).toMatchObject({ code: 'DELIVERY_TIMEOUT', maybeWritten: true })
  })

  it('does not wait for metadata longer than maxBlockMs', async () => {
    const producer = newProducer({ maxBlockMs: 700 })
    cluster.fail({ api: 'Metadata', times: Infinity, silent: true })
    const failed = failureOf(producer.send({ topic: 't', value: 'x' }))
    await until(() => clock.pendingMs.includes(700), 'the timer')
    await clock.advance(700)
    expect(await failed).toMatchObject({ code: 'METADATA_TIMEOUT', maybeWritten: false, topic: 't' })
  })

  it('lets the next batch through when the answer to an expired one comes late', async () => {
    const producer = newProducer({ deliveryTimeoutMs: 2000, requestTimeoutMs: 3000 })
    await producer.connect()
    const rule = cluster.fail({ api: 'Produce', topic: 't', silent: true })
    const failed = failureOf(producer.send({ topic: 't', partition: 0, value: 'late' }))
    await until(() => rule.hits === 1, 'the request')
    await clock.advance(2000)
    await failed
    const next = producer.send({ topic: 't', partition: 0, value: 'next' })
    await clock.advance(1000) // the request times out, its connection ends
    await advanceUntilSettled(clock, next, 50)
    expect(values()).toEqual(['late', 'next'])
  })
})

describe('topics', () => {
  it('that are missing are named, with what they may have been meant to be, after 5 s', async () => {
    const producer = newProducer()
    const failed = failureOf(producer.send({ topic: 'tt', value: 'x' }))
    const startedMs = clock.now()
    await advanceUntilSettled(clock, failed, 100)
    expect(clock.now() - startedMs).toBeGreaterThanOrEqual(5000)
    expect(clock.now() - startedMs).toBeLessThan(6000)
    const error = await failed
    expect(error).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', topic: 'tt', maybeWritten: false })
    expect(error.message).toContain('did you mean "t"?')
  })

  it('that appear meanwhile get what waited, in order', async () => {
    const producer = newProducer()
    const sends = numbered(5).map((record) => producer.send({ ...record, topic: 'later' }))
    await clock.advance(1000)
    cluster.createTopic('later', 1)
    const placed = Promise.all(sends)
    for (let i = 0; i < 10; i++) await clock.advance(100)
    expect((await placed).map(({ offset }) => offset)).toEqual([0n, 1n, 2n, 3n, 4n])
  })

  it('are listed with their partitions', async () => {
    const producer = newProducer()
    expect(await producer.topics()).toEqual([{ name: 't', partitions: 2, isInternal: false }])
    expect(await producer.partitionsFor('t')).toEqual([
      { partition: 0, leader: 1, replicas: [1], inSyncReplicas: [1], offlineReplicas: [] },
      { partition: 1, leader: 1, replicas: [1], inSyncReplicas: [1], offlineReplicas: [] },
    ])
    expect(await failureOf(producer.partitionsFor('u'))).toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      topic: 'u',
    })
    expect(await failureOf(producer.partitionsFor(''))).toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  it('refuse partitions they do not have, and wait for one that is just being added', async () => {
    const producer = newProducer()
    const failed = failureOf(producer.send({ topic: 't', partition: 2, value: 'x' }))
    await clock.advance(200)
    expect(await failed).toMatchObject({ code: 'UNKNOWN_PARTITION', partition: 2 })
  })
})

describe('a partitioner of the user’s own', () => {
  it('decides, and what it does wrong rejects that record alone', async () => {
    const seen: unknown[] = []
    const producer = newProducer({
      partitioner: (record, topic) => {
        seen.push(topic)
        if (record.value === 'throw') throw new Error('boo')
        return record.value === 'bad' ? 2 : 1
      },
    })
    const report = await producer.sendAllSettled(['a', 'throw', 'bad', 'b'].map((value) => ({ topic: 't', value })))
    expect(report.failed.map(({ index, error }) => [index, error.code])).toEqual([
      [1, 'PARTITIONER_FAILED'],
      [2, 'PARTITIONER_FAILED'],
    ])
    expect(report.failed[0]!.error.message).toContain('it threw: boo')
    expect(report.failed[1]!.error.message).toContain('it gave 2, expected an integer from 0 to 1')
    expect(report.metadata(3)).toMatchObject({ partition: 1, offset: 1n })
    expect(seen[0]).toEqual({ topic: 't', partitionCount: 2, available: [0, 1] })
  })
})

describe('an AbortSignal', () => {
  it('withdraws a record that still waits for metadata', async () => {
    const producer = newProducer()
    const reason = new Error('changed my mind')
    const abort = new AbortController()
    const failed = failureOf(producer.send({ topic: 'later', value: 'x' }, { signal: abort.signal }))
    await clock.advance(100)
    abort.abort(reason)
    expect(await failed).toMatchObject({ code: 'ABORTED', maybeWritten: false, cause: reason })
    cluster.createTopic('later', 1)
    for (let i = 0; i < 5; i++) await clock.advance(100)
    await producer.flush()
    expect(cluster.records('later')).toEqual([])
  })

  it('only stops the waiting for a record that is in a batch: delivery goes on', async () => {
    const producer = newProducer()
    await producer.connect()
    const rule = cluster.fail({ api: 'Produce', topic: 't', delayMs: 5 })
    const abort = new AbortController()
    const failed = failureOf(producer.send({ topic: 't', partition: 0, value: 'x' }, { signal: abort.signal }))
    await until(() => rule.hits === 1, 'the request')
    abort.abort()
    expect(await failed).toMatchObject({ code: 'ABORTED', maybeWritten: true })
    await producer.flush()
    expect(values()).toEqual(['x'])
  })

  it('that aborted before rejects at once; one listener serves ten thousand records', async () => {
    const producer = newProducer()
    expect(await failureOf(producer.send({ topic: 't', value: 'x' }, { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'ABORTED',
      maybeWritten: false,
    })
    const { signal } = new AbortController()
    const sends = Array.from({ length: 10_000 }, () => producer.send({ topic: 't', value: 'x' }, { signal }))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await Promise.all(sends)
  })
})

describe('sendAll', () => {
  it('takes arrays, generators and async iterables, with one topic for all', async () => {
    const producer = newProducer()
    async function* later(): AsyncGenerator<{ value: string }> {
      for (const value of ['a', 'b']) yield await Promise.resolve({ value })
    }
    expect((await producer.sendAll(later(), { topic: 't' })).count).toBe(2)
    expect((await producer.sendAll(new Set([{ value: 'c' }]), { topic: 't' })).count).toBe(1)
    expect((await producer.sendAll([])).count).toBe(0)
    expect(values().sort()).toEqual(['a', 'b', 'c'])
  })

  it('waits for all, then says which failed', async () => {
    const producer = newProducer()
    const error = await failureOf(
      producer.sendAll([
        { topic: 't', value: 'a' },
        { topic: 't', value: undefined as unknown as string },
        { topic: 't', value: 'b' },
      ]),
    )
    if (!(error instanceof BatchDeliveryError)) throw error
    expect(error.report.failed.map(({ index, error: { code } }) => [index, code])).toEqual([[1, 'INVALID_RECORD']])
    expect(error.message).toContain('1 of 3 records were not delivered')
    expect(values().sort()).toEqual(['a', 'b'])
  })

  it('settles what it has read when the iterable throws', async () => {
    const producer = newProducer()
    const boo = new Error('boo')
    const error = await failureOf(
      producer.sendAllSettled(
        (function* () {
          yield { topic: 't', value: 'read' }
          throw boo
        })(),
      ),
    )
    if (!(error instanceof BatchDeliveryError)) throw error
    expect(error.cause).toBe(boo)
    expect(error.report.metadata(0).offset).toBe(0n)
    expect(values()).toEqual(['read'])
  })

  it.each([[undefined], ['abc'], [{ topic: 't', messages: [] }], [5]])(
    'refuses %j instead of records',
    async (records) => {
      const error = await failureOf(newProducer().sendAll(records as never))
      expect(error).toMatchObject({ name: 'OptionError', code: 'INVALID_ARGUMENT' })
    },
  )

  it('reads no further than bufferBytes ahead of the acknowledgements, also for a topic that is not known yet', async () => {
    const producer = newProducer({ maxBlockMs: 1000 })
    cluster.fail({ api: 'Metadata', times: Infinity, silent: true })
    let read = 0
    const value = 'x'.repeat(100_000)
    const report = producer.sendAllSettled(
      (function* () {
        for (; read < 1000; read++) yield { topic: 't', value }
      })(),
    )
    await until(() => read >= 333, 'the buffer to fill')
    await clock.advance(100)
    expect(read).toBeLessThan(336)
    await advanceUntilSettled(clock, report, 1000)
    expect((await report).failed).toHaveLength(1000)
  })

  it('stops reading when the producer is closed', async () => {
    const producer = newProducer()
    let read = 0
    const endless = producer.sendAllSettled(
      (function* () {
        for (;;) yield { topic: 't', value: String(read++) }
      })(),
    )
    await until(() => read > 2000, 'some reading')
    await producer.close()
    const error = await failureOf(endless)
    expect(error).toMatchObject({ code: 'BATCH_FAILED', cause: { code: 'CLOSED' } })
  })
})

describe('flush and close', () => {
  it('flush waits for what was sent before it, and not for what comes after', async () => {
    const producer = newProducer()
    await producer.connect()
    const slow = cluster.fail({ api: 'Produce', topic: 't', silent: true, isWritten: false })
    const stuck = failureOf(producer.send({ topic: 't', partition: 0, value: 'stuck' }))
    await until(() => slow.hits === 1, 'the request')
    const flushed = failureOf(producer.flush({ timeoutMs: 500 }))
    await clock.advance(500)
    expect(await flushed).toMatchObject({ code: 'FLUSH_TIMEOUT', message: expect.stringContaining('500 ms') as string })
    const abort = new AbortController()
    const aborted = failureOf(producer.flush({ signal: abort.signal }))
    abort.abort()
    expect(await aborted).toMatchObject({ code: 'ABORTED' })
    await producer.close({ timeoutMs: 0 }).catch(() => undefined)
    expect(await stuck).toMatchObject({ code: 'CLOSED', maybeWritten: true })
    await producer.flush() // nothing is left to wait for
  })

  it('close sends what is waiting, then takes nothing more; a second call gives the same promise', async () => {
    const producer = newProducer({ lingerMs: 10_000 })
    const sends = Promise.all(numbered(10).map((record) => producer.send(record)))
    const closing = producer.close()
    expect(producer.close()).toBe(closing)
    await closing
    expect((await sends).map((metadata: RecordMetadata) => metadata.offset)).toHaveLength(10)
    for (const call of [
      producer.send({ topic: 't', value: 'x' }),
      producer.sendAll([]),
      producer.topics(),
      producer.connect(),
    ]) {
      expect(await failureOf(call)).toMatchObject({ code: 'CLOSED', maybeWritten: false })
    }
  })

  it('close gives up at its timeout, and says of every record whether it may be written', async () => {
    const producer = newProducer()
    await producer.connect()
    const rule = cluster.fail({ api: 'Produce', topic: 't', silent: true })
    const sent = failureOf(producer.send({ topic: 't', partition: 0, value: 'sent' }))
    await until(() => rule.hits === 1, 'the request')
    const queued = failureOf(producer.send({ topic: 't', partition: 0, value: 'queued' }))
    const waiting = failureOf(producer.send({ topic: 'missing', value: 'waiting' }))
    const closing = failureOf(producer.close({ timeoutMs: 300 }))
    await clock.advance(300)
    expect(await sent).toMatchObject({ code: 'CLOSED', maybeWritten: true })
    expect(await queued).toMatchObject({ code: 'CLOSED', maybeWritten: false })
    expect(await waiting).toMatchObject({ code: 'CLOSED', maybeWritten: false, topic: 'missing' })
    expect((await closing).message).toContain('3 records had not settled')
    expect(clock.pendingMs).toEqual([])
  })

  it.each([-1, NaN, 'x'])('refuses a timeoutMs of %s', async (timeoutMs) => {
    const producer = newProducer()
    expect(await failureOf(producer.flush({ timeoutMs: timeoutMs as number }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })
})

describe('acks', () => {
  it('0: resolves without an offset, and nothing waits for an answer', async () => {
    const producer = newProducer({ acks: 0 })
    const placed = await Promise.all(numbered(3).map((record) => producer.send(record)))
    expect(placed.map(({ offset }) => offset)).toEqual([-1n, -1n, -1n])
    await until(() => cluster.recordCount('t') === 3, 'the records')
    expect(values()).toEqual(['0', '1', '2'])
  })
})
