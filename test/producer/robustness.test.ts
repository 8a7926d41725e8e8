import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Producer } from '../../src/index.ts'
import { type Logger, type ProducerOptions } from '../../src/index.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { turns, until } from '../support/fake-clock.ts'
import { producerHarness, realTime } from '../support/producer-harness.ts'
import { advanceUntilSettled, failureOf } from '../support/settling.ts'

/** Each of these was a bug once: found by a reviewer's chaos, pinned here. */
let cluster: TestCluster
let clock: FakeClock
const harness = producerHarness()

beforeEach(async () => {
  cluster = await harness.startCluster({ brokers: 2, topics: { t: 4 }, autoCreateTopics: false })
  clock = harness.clock
})

const newProducer = (options: Partial<ProducerOptions> = {}): Producer => harness.newProducer(options)

describe('the pump', () => {
  it('rests while the answer to an expired batch is out', async () => {
    const producer = newProducer({ deliveryTimeoutMs: 500, requestTimeoutMs: 5000 })
    await producer.send({ topic: 't', partition: 0, value: 'x' })
    const rule = cluster.fail({ api: 'Produce', silent: true })
    const failed = failureOf(producer.send({ topic: 't', partition: 0, value: 'y' }))
    await until(() => rule.hits === 1, 'the request')
    await clock.advance(500)
    await failed
    let soons = 0
    clock.soon = (fn) => {
      soons++
      setImmediate(fn)
    }
    await turns(50)
    expect(soons).toBe(0)
  })

  it('hears of it when a question of another kind leaves its place among the requests in flight', async () => {
    const producer = newProducer({ maxInFlightRequests: 1 })
    await producer.send({ topic: 't', partition: 0, value: 'x' })
    const asked = producer.topics()
    const sent = producer.send({ topic: 't', partition: 0, value: 'y' })
    await asked
    expect((await sent).offset).toBe(1n) // time stands still: nothing but that answer can have woken it
  })
})

describe('records that wait for metadata', () => {
  it('are refused by name where no broker could take the name', async () => {
    const producer = newProducer()
    for (const topic of ['x'.repeat(250), 'x'.repeat(40_000), '\ud800bad']) {
      expect(await failureOf(producer.send({ topic, value: 'x' }))).toMatchObject({ code: 'INVALID_RECORD' })
    }
    for (const topic of ['a b', '.']) {
      expect(await failureOf(producer.send({ topic, value: 'x' }))).toMatchObject({ code: 'INVALID_TOPIC_EXCEPTION' })
    }
    await producer.send({ topic: 't', value: 'innocent' })
  })

  it('are gone when they are called off: flush and close have nothing to wait for', async () => {
    const producer = newProducer({ brokers: '127.0.0.1:1' })
    const abort = new AbortController()
    const failed = failureOf(producer.send({ topic: 't', value: 'x' }, { signal: abort.signal }))
    await turns(5)
    abort.abort()
    expect(await failed).toMatchObject({ code: 'ABORTED', maybeWritten: false })
    await producer.flush()
    await producer.close({ timeoutMs: 0 })
  })

  it('stay in sight while a hint for their missing topic is looked for', async () => {
    const producer = newProducer()
    await producer.send({ topic: 't', value: 'x' })
    const failed = failureOf(producer.send({ topic: 'missing', value: 'x' }))
    for (let i = 0; i < 49; i++) await clock.advance(100)
    const hint = cluster.fail({ api: 'Metadata', silent: true, times: Infinity })
    while (hint.hits === 0) await clock.advance(50)
    const closing = failureOf(producer.close({ timeoutMs: 0 }))
    expect(await failed).toMatchObject({ topic: 'missing' })
    await closing
  })

  it('of a topic that has just grown wait for the news', async () => {
    harness.except({ noLoss: 'the topic is deleted, and made again' })
    const producer = newProducer({ maxBlockMs: 5000 })
    await producer.send({ topic: 't', partition: 0, value: 'x' })
    cluster.deleteTopic('t')
    cluster.createTopic('t', 8)
    cluster.fail({ api: 'Metadata', topic: 't', error: 'LEADER_NOT_AVAILABLE' })
    const sent = producer.send({ topic: 't', partition: 7, value: 'x' })
    await advanceUntilSettled(clock, sent, 50)
    expect((await sent).partition).toBe(7)
  })

  it('are not refused by what was said of their topic the last time', async () => {
    const producer = newProducer()
    const rule = cluster.fail({ api: 'Metadata', topic: 't', error: 'TOPIC_AUTHORIZATION_FAILED', times: Infinity })
    expect(await failureOf(producer.send({ topic: 't', value: 'x' }))).toMatchObject({
      code: 'TOPIC_AUTHORIZATION_FAILED',
    })
    rule.remove()
    const sent = producer.send({ topic: 't', value: 'x' })
    await advanceUntilSettled(clock, sent, 50)
    await sent
  })

  it('make no storm of metadata requests', async () => {
    const producer = newProducer()
    await producer.send({ topic: 't', partition: 0, value: 'x' })
    const before = cluster.requests.filter(({ api }) => api === 'Metadata').length
    await cluster.stopBroker(2)
    const stuck = producer.send({ topic: 't', partition: 1, value: 'x' })
    stuck.catch(() => undefined)
    for (let i = 0; i < 200; i++) await clock.advance(50)
    expect(cluster.requests.filter(({ api }) => api === 'Metadata').length - before).toBeLessThanOrEqual(26) // 10 s
    await cluster.startBroker(2)
    await advanceUntilSettled(clock, stuck, 50)
    await stuck
  })
})

describe('code of the user’s own', () => {
  it('a logger that throws harms nobody', async () => {
    const boom = (): never => {
      throw new Error('logger broke')
    }
    const logger: Logger = { debug: boom, info: boom, warn: boom, error: boom }
    const producer = newProducer({ logger })
    await producer.send({ topic: 't', partition: 0, value: 'x' })
    cluster.fail({ api: 'Produce', closeAfterBytes: 0 })
    const sent = producer.send({ topic: 't', partition: 0, value: 'y' })
    await advanceUntilSettled(clock, sent, 50)
    await sent
  })

  it('a brokers function that never answers is not waited for longer than connectTimeoutMs', async () => {
    const producer = newProducer({ brokers: () => new Promise<string>(() => undefined), connectTimeoutMs: 500 })
    const connect = failureOf(producer.connect())
    await until(() => clock.pendingMs.includes(500), 'the timer')
    await clock.advance(500)
    expect((await connect).message).toContain('no answer within connectTimeoutMs (500 ms)')
    const topics = failureOf(producer.topics())
    await turns(2)
    await producer.close({ timeoutMs: 0 })
    await topics
  })

  it('a socket that comes too late is closed', async () => {
    const sockets: Socket[] = []
    let let_go = (): void => undefined
    const gate = new Promise<void>((resolve) => (let_go = resolve))
    const producer = newProducer({
      createSocket: async ({ host, port }) => {
        await gate
        const socket = connect(port, host)
        sockets.push(socket)
        await once(socket, 'connect')
        return socket
      },
    })
    const failed = failureOf(producer.connect())
    await turns(2)
    await producer.close()
    await failed
    let_go()
    await until(() => sockets[0]?.destroyed === true, 'the late socket to be closed')
  })

  it('an async iterator that waits for ever is left by signal and by close', async () => {
    const producer = newProducer()
    let returned = 0
    const source = (): AsyncIterable<{ value: string }> => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: () => {
          returned++
          return Promise.resolve({ done: true, value: undefined })
        },
      }),
    })
    const abort = new AbortController()
    const aborted = failureOf(producer.sendAll(source(), { topic: 't', signal: abort.signal }))
    const closed = failureOf(producer.sendAll(source(), { topic: 't' }))
    abort.abort()
    expect(await aborted).toMatchObject({ code: 'BATCH_FAILED', cause: { code: 'ABORTED' } })
    await producer.close()
    expect(await closed).toMatchObject({ code: 'BATCH_FAILED', cause: { code: 'CLOSED' } })
    expect(returned).toBe(2)
  })

  it('a partitioner may close the producer, or call its record off, and the truth is told', async () => {
    const abort = new AbortController()
    const calling = newProducer({
      partitioner: () => {
        abort.abort()
        return 0
      },
    })
    const aborted = await failureOf(calling.send({ topic: 't', value: 'x' }, { signal: abort.signal }))
    expect(aborted).toMatchObject({ code: 'ABORTED', maybeWritten: false })
    await calling.flush()
    expect(cluster.recordCount('t')).toBe(0)
    const closing: Producer = newProducer({
      partitioner: () => {
        closing.close({ timeoutMs: 0 }).catch(() => undefined)
        return 0
      },
    })
    expect(await failureOf(closing.send({ topic: 't', value: 'x' }))).toMatchObject({
      code: 'CLOSED',
      maybeWritten: false,
    })
  })

  it.each([
    ['send', (p: Producer) => p.send({ topic: 't', value: 'x' }, { signal: {} as AbortSignal })],
    ['flush', (p: Producer) => p.flush(null as unknown as object)],
    ['connect', (p: Producer) => p.connect({ signal: 5 as unknown as AbortSignal })],
    ['sendAll', (p: Producer) => p.sendAll([], 'x' as unknown as object)],
    ['close', (p: Producer) => p.close({ timeoutMs: -1 })],
  ])('%s refuses options that are none, and goes on', async (_name, call) => {
    const producer = newProducer()
    expect(await failureOf(call(producer))).toMatchObject({ name: 'OptionError', code: 'INVALID_ARGUMENT' })
    await producer.send({ topic: 't', value: 'x' })
    await producer.close()
  })

  it('records of a class with getters keep them in sendAll', async () => {
    class Row {
      get value(): string {
        return 'from a getter'
      }
    }
    await newProducer().sendAll([new Row()], { topic: 't' })
    expect(cluster.records('t').map(({ value }) => String(value))).toEqual(['from a getter'])
  })
})

describe('acks 0', () => {
  it('leaves an idle producer alone when its broker goes away', async () => {
    const producer = newProducer({ acks: 0 })
    await producer.send({ topic: 't', partition: 0, value: 'x' })
    await cluster.close()
    await turns(20)
    expect(clock.pendingMs.filter((ms) => ms < 60_000)).toEqual([])
  })

  it('loses nothing of what it handed over when an answer is unread at close', async () => {
    for (let round = 0; round < 10; round++) {
      const producer = harness.newProducer({ acks: 0, batchBytes: 100_000 }, realTime)
      await producer.sendAll(
        Array.from({ length: 20 }, (_, i) => ({ topic: 't', partition: i % 4, value: Buffer.alloc(20_000) })),
      )
      const asked = producer.topics().catch(() => undefined)
      await producer.close()
      await asked
    }
    await until(() => cluster.recordCount('t') === 200, 'all records')
  })
})

describe('CORRUPT_MESSAGE', () => {
  it('is final the third time, whatever else failed before', async () => {
    const producer = newProducer()
    await producer.connect()
    cluster.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: 3 })
    cluster.fail({ api: 'Produce', error: 'CORRUPT_MESSAGE', times: 2 })
    const sent = producer.send({ topic: 't', value: 'x' })
    await advanceUntilSettled(clock, sent, 100)
    await sent
  })
})
