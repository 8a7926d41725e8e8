import { once } from 'node:events'
import { Readable, Transform, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Producer } from '../../src/index.ts'
import { type KafkaError, type ProducerOptions, type ProducerRecord } from '../../src/index.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { turns, until } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'
import { failureOf } from '../support/settling.ts'

let cluster: TestCluster
let clock: FakeClock
const harness = producerHarness()

beforeEach(async () => {
  cluster = await harness.startCluster({ topics: { t: 1 }, autoCreateTopics: false })
  clock = harness.clock
})

const newProducer = (options: Partial<ProducerOptions> = {}): Producer => harness.newProducer(options)

const values = (): string[] => cluster.records('t').map(({ value }) => String(value))
const numbered = (count: number): ProducerRecord[] =>
  Array.from({ length: count }, (_, i) => ({ topic: 't', value: String(i) }))

/** What a stream was destroyed with. */
async function endOf(stream: Writable): Promise<KafkaError> {
  const [error] = (await once(stream, 'error')) as [KafkaError]
  return error
}

describe('writable', () => {
  it('finishes when all records have settled, in order, and without waiting for lingerMs', async () => {
    const producer = newProducer({ lingerMs: 60_000 })
    await pipeline(Readable.from(numbered(3000)), producer.writable())
    expect(values()).toEqual(numbered(3000).map(({ value }) => value))
    expect(producer.stats()).toMatchObject({ delivered: 3000, unsettled: 0, bufferUsedBytes: 0 })
  })

  it('is the end of a pipeline, and takes async generators', async () => {
    const toRecord = new Transform({
      objectMode: true,
      transform: (line: string, _encoding, callback) => callback(null, { topic: 't', value: line }),
    })
    async function* lines(): AsyncGenerator<string> {
      for (const line of ['a', 'b', 'c']) yield await Promise.resolve(line)
    }
    await pipeline(lines, toRecord, newProducer().writable())
    expect(values()).toEqual(['a', 'b', 'c'])
  })

  it('P4: holds back its source while bufferBytes is full, and holds nothing itself', async () => {
    const bufferBytes = 100_000
    const producer = newProducer({ bufferBytes })
    await producer.connect()
    const gate = cluster.fail({ api: 'Produce', silent: true, isWritten: false })
    let made = 0
    const source = Readable.from(
      (function* () {
        for (; made < 1000; made++) yield { topic: 't', value: Buffer.alloc(1000) }
      })(),
    )
    const finished = pipeline(source, producer.writable())
    await until(() => gate.hits === 1, 'the request that is never answered')
    await turns(20)
    expect(producer.stats().bufferUsedBytes).toBeLessThanOrEqual(bufferBytes)
    expect(made).toBeLessThan(100_000 / 1512 + 40) // 16 each in both streams' own queues
    await clock.advance(30_000) // requestTimeoutMs
    await clock.advance(1000)
    while (made < 1000) await turns(1)
    await finished
    expect(cluster.recordCount('t')).toBe(1000)
  })

  it('lets the event loop turn although its source never waits', async () => {
    const producer = newProducer()
    await producer.connect()
    const seen = { turns: 0, whileReading: 0 }
    let timer: NodeJS.Immediate
    const count = (): void => {
      seen.turns++
      timer = setImmediate(count)
    }
    count()
    await pipeline(
      Readable.from(
        (function* () {
          for (let i = 0; i < 5000; i++) yield { topic: 't', value: 'x' }
          seen.whileReading = seen.turns
        })(),
      ),
      producer.writable(),
    )
    clearImmediate(timer!)
    expect(seen.whileReading).toBeGreaterThanOrEqual(4)
  })

  it('is destroyed by the first record that is not delivered, with its error', async () => {
    const producer = newProducer()
    await producer.connect()
    cluster.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED' })
    const failed = failureOf(pipeline(Readable.from(numbered(10)), producer.writable()))
    expect(await failed).toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED', maybeWritten: false })
  })

  it('names the record that can never be sent', async () => {
    const stream = newProducer().writable()
    stream.write({ topic: 't', value: 'fine' })
    stream.write({ topic: 't', value: 5 })
    const error = await endOf(stream)
    expect(error).toMatchObject({ name: 'OptionError', code: 'INVALID_RECORD' })
    expect(error.message).toMatch(/^writable: record 1: .*value: got 5/)
    expect(() => stream.write(null)).toThrow('May not write null')
    await until(() => values().length === 1, 'the first record, which was accepted')
  })

  it('goes on with onError, which hears of each record that failed', async () => {
    const producer = newProducer()
    await producer.connect()
    const heard: [string, unknown][] = []
    const stream = producer.writable({ onError: (error, { value }) => heard.push([error.code, value]) })
    cluster.fail({
      ...{ api: 'Produce', error: 'INVALID_RECORD' },
      recordErrors: [{ batchIndex: 1, message: 'no key' }],
    })
    for (const value of ['a', 'b', 'c']) stream.write({ topic: 't', value })
    stream.write({ topic: 't' })
    stream.write({ topic: 't', value: 'x'.repeat(2_000_000) })
    await until(() => heard.length === 5, 'the refused batch')
    stream.end({ topic: 't', value: 'last' })
    await once(stream, 'finish')
    expect(heard.map(([code]) => code).sort()).toEqual(
      ['BATCH_REJECTED', 'BATCH_REJECTED', 'INVALID_RECORD', 'INVALID_RECORD', 'RECORD_TOO_LARGE'].sort(),
    )
    expect(heard).toContainEqual(['INVALID_RECORD', 'b'])
    expect(values()).toEqual(['last'])
  })

  it('P8: is destroyed by an onError that throws, and by nothing else of it', async () => {
    const boo = new Error('boo')
    const stream = newProducer().writable({
      onError: () => {
        throw boo
      },
    })
    stream.write({ topic: 't' })
    expect(await endOf(stream)).toBe(boo)
  })

  it('loses nothing of what it accepted when it is destroyed; what fails then is told to onUndelivered', async () => {
    const undelivered: KafkaError[] = []
    const producer = newProducer({ onUndelivered: (error) => undelivered.push(error) })
    await producer.connect()
    const stream = producer.writable()
    for (const record of numbered(10)) stream.write(record)
    stream.destroy()
    await once(stream, 'close')
    await producer.flush()
    expect(values()).toHaveLength(10)
    expect(undelivered).toEqual([])
    const failing = producer.writable()
    cluster.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED' })
    for (const record of numbered(3)) failing.write(record)
    failing.destroy()
    await producer.flush()
    expect(undelivered.map(({ code }) => code)).toEqual(Array(3).fill('TOPIC_AUTHORIZATION_FAILED'))
  })

  it('is destroyed at once while it waits for room, and gives the record up that it waits with', async () => {
    const producer = newProducer({ bufferBytes: 10_000 })
    await producer.connect()
    const gate = cluster.fail({ api: 'Produce', silent: true })
    const stream = producer.writable()
    for (let i = 0; i < 8; i++) stream.write({ topic: 't', value: Buffer.alloc(4000) })
    await until(() => gate.hits === 1, 'the request')
    stream.destroy()
    await once(stream, 'close')
    expect(producer.stats().accepted).toBe(2)
  })

  it.each([
    ['with', { onError: () => undefined }],
    ['without', {}],
  ] as const)('is over when the producer is closed, %s onError', async (_name, options) => {
    const producer = newProducer()
    const stream = producer.writable(options)
    stream.write({ topic: 't', value: 'a' })
    const [closing, error] = [producer.close(), endOf(stream)]
    stream.write({ topic: 't', value: 'b' })
    expect(await error).toMatchObject({ code: 'CLOSED' })
    await closing
    expect(values()).toEqual(['a'])
    expect(() => producer.writable()).toThrow('CLOSED')
  })

  it('refuses options that are none', () => {
    const producer = newProducer()
    expect(() => producer.writable(null as never)).toThrow('writable: INVALID_ARGUMENT: options: got null')
    expect(() => producer.writable({ onError: 5 as never })).toThrow('onError: got 5, expected a function')
  })

  it('costs no listener that stays: many streams, one producer', async () => {
    const producer = newProducer()
    for (let i = 0; i < 50; i++) await pipeline(Readable.from(numbered(2)), producer.writable())
    expect(values()).toHaveLength(100)
  })
})
