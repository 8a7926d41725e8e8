import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Producer } from '../../src/index.ts'
import { type ProducerOptions, type ProducerRecord } from '../../src/index.ts'
import { asKafkaError } from '../../src/producer/arguments.ts'
import { encodeResponseFrame } from '../../src/protocol/frame.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { turns, until } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'
import { advanceUntilSettled } from '../support/settling.ts'

/** User code that comes back: whatever it calls from where the engine calls it, every record is told once. */

const harness = producerHarness()
let cluster: TestCluster
let clock: FakeClock
let producer: Producer
/** What the callbacks heard, as "record CODE" or "record ok". */
let told: string[]

beforeEach(() => {
  clock = harness.clock
  told = []
})

async function start(
  options: Partial<ProducerOptions> = {},
  clusterOptions: Partial<TestClusterOptions> = {},
): Promise<void> {
  cluster = await harness.startCluster({ brokers: 1, topics: { t: 2, u: 1 }, ...clusterOptions })
  producer = harness.newProducer({ batchBytes: 1, ...options })
}

/** Nothing can be looked up: records wait for their topics, for a second. */
async function startWithoutBroker(): Promise<void> {
  await start({ maxBlockMs: 1000 })
  await cluster.stopBroker(1)
}

const record = (value: string, topic = 't'): ProducerRecord => ({ topic, partition: 0, value })
const values = (): string[] => cluster.records('t').map(({ value }) => String(value))
const abandon = (): void => void producer.close({ timeoutMs: 0 }).catch(() => undefined)

function offer(value: string, then: () => void = () => undefined, what: Partial<ProducerRecord> = {}): void {
  producer.offer({ ...record(value), ...what }, (error) => {
    told.push(`${value} ${error?.code ?? 'ok'}`)
    then()
  })
}

/** Nothing is left: neither records nor memory nor timers of their own. */
function expectRest(): void {
  expect(producer.stats()).toMatchObject({ unsettled: 0, waiting: 0, bufferUsedBytes: 0, batchesInFlight: 0 })
}

describe('a callback of a record whose topic was not found', () => {
  it('may offer it again: that one settles, too', async () => {
    await startWithoutBroker()
    offer('a', () => offer('a again'))
    await clock.advance(500)
    offer('b')
    await clock.advance(2000)
    expect(told).toEqual(['a METADATA_TIMEOUT', 'b METADATA_TIMEOUT', 'a again METADATA_TIMEOUT'])
    await producer.flush()
    expectRest()
  })

  it('may flush and close: those that wait still are told', async () => {
    await startWithoutBroker()
    const ends: string[] = []
    offer('a', () => {
      void producer.flush().then(() => ends.push('flushed'))
      producer.close({ timeoutMs: 0 }).catch((error: unknown) => ends.push(String(error)))
    })
    await clock.advance(500)
    offer('b')
    await clock.advance(510)
    await until(() => ends.length === 2, 'flush and close')
    expect(told).toEqual(['a METADATA_TIMEOUT', 'b CLOSED'])
    expect(ends).toContain('flushed')
    expectRest()
    expect(clock.pendingMs).toEqual([])
  })

  it('may close: a record of another topic that failed in the same moment is told once', async () => {
    await startWithoutBroker()
    offer('a', abandon)
    offer('b', undefined, { topic: 'u' })
    await clock.advance(1010)
    expect(told).toHaveLength(2)
    expectRest()
  })

  it('may call another one off: it leaves once', async () => {
    await startWithoutBroker()
    const abort = new AbortController()
    offer('a', () => abort.abort())
    const other = producer.send(record('b', 'u'), { signal: abort.signal }).catch(() => told.push('b failed'))
    await clock.advance(1010)
    await other
    expect(told).toEqual(['a METADATA_TIMEOUT', 'b failed'])
    await producer.flush()
    expectRest()
  })
})

describe('a callback of a record for a partition that does not exist', () => {
  it('may send: the record stays behind those that were sent before it', async () => {
    await start()
    offer('x', () => offer('c'), { partition: 7 })
    await producer.sendAll([record('a'), record('b')])
    await until(() => told.length === 2, 'both')
    expect(told[1]).toBe('c ok')
    expect(values()).toEqual(['a', 'b', 'c'])
  })
})

describe('a callback of a record whose deadline passed', () => {
  it.each([
    ['flush', true],
    ['flush', false],
    ['close', false],
  ] as const)(
    'may %s (idempotent: %s): nothing that is told as not written is sent any more',
    async (what, idempotent) => {
      await start({ idempotent, deliveryTimeoutMs: 1000, requestTimeoutMs: 30_000 })
      await producer.send(record('x'))
      // Refused until the deadline: then the broker is well again.
      const rule = cluster.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: Infinity })
      const unwritten: string[] = []
      for (const value of ['a', 'b', 'c', 'd']) {
        producer.offer(record(value), (error) => {
          told.push(value)
          if (error?.maybeWritten === false) unwritten.push(value)
          producer[what]().catch(() => undefined)
        })
      }
      for (let i = 0; i < 18; i++) {
        await turns(5)
        await clock.advance(50)
      }
      rule.remove()
      await clock.advance(200)
      await until(() => told.length === 4, 'all four')
      await turns(20)
      expect(unwritten).not.toEqual([])
      expect(values().filter((value) => unwritten.includes(value))).toEqual([])
      expectRest()
    },
  )

  it('may close, while those behind it expire with it', async () => {
    await start({ deliveryTimeoutMs: 1000, requestTimeoutMs: 500 })
    await producer.send(record('x'))
    await cluster.stopBroker(1)
    await turns(10)
    offer('a', abandon)
    offer('b')
    offer('c')
    await turns(5)
    await clock.advance(1100)
    expect(told).toEqual(['a DELIVERY_TIMEOUT', 'b DELIVERY_TIMEOUT', 'c DELIVERY_TIMEOUT'])
    expectRest()
  })
})

describe('a callback of a record that cannot be written', () => {
  it('may close, while the batch of another partition is about to be sent', async () => {
    await start({}, { kafkaVersion: '0.10.2' })
    await producer.sendAll([record('x'), { ...record('x'), partition: 1 }])
    offer('fine')
    offer('poison', abandon, { partition: 1, headers: { name: 'too new for the broker' } })
    await until(() => told.length === 2, 'both')
    await turns(20)
    expect([...told].sort()).toEqual(['fine CLOSED', 'poison NOT_REPRESENTABLE'])
    expectRest()
  })
})

describe('a callback of a record that ended the producer', () => {
  it('may close', async () => {
    await start({ maxInFlightRequests: 1 }, { apiVersions: { Produce: [3, 12] } }) // answers name topics
    await producer.sendAll([record('x'), record('y')])
    cluster.fail({
      api: 'Produce',
      times: 2, // the first only raises a doubt
      answer: (correlationId) => {
        const partitionResponses = [{ index: 0, errorCode: 0, baseOffset: 1n }]
        const responses = [{ name: 't', partitionResponses }]
        return Buffer.concat(encodeResponseFrame(produce, 12, correlationId, { responses }).chunks)
      },
    })
    const all = new Promise<void>((resolve) => {
      for (const value of ['a', 'b', 'c', 'd']) {
        offer(value, () => {
          if (value === 'b') abandon()
          if (told.length === 4) resolve()
        })
      }
    })
    await advanceUntilSettled(clock, all, 50)
    await turns(20)
    expect(told).toEqual(['a', 'b', 'c', 'd'].map((value) => `${value} SEQUENCE_DESYNC`))
    expectRest()
  })
})

describe('user code in the middle of a step', () => {
  const acts: [string, () => void][] = [
    ['closes', abandon],
    ['flushes', () => void producer.flush()],
    ['sends', () => offer('again')],
  ]

  /** Five records, one of them refused for good, another one twice; until all are told. */
  async function sendSome(): Promise<void> {
    await producer.send(record('x')).catch(() => undefined)
    cluster.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', after: 1, times: 2 })
    cluster.fail({ api: 'Produce', error: 'INVALID_TIMESTAMP', after: 3 })
    const all = new Promise<void>((resolve) => {
      const names = ['a', 'b', 'c', 'd', 'e']
      const isAll = (): boolean => names.every((name) => told.some((line) => line.startsWith(`${name} `)))
      for (const name of names) {
        // A producer that was closed takes nothing any more.
        try {
          offer(name, () => isAll() && resolve())
        } catch {
          told.push(`${name} refused`)
        }
      }
      if (isAll()) resolve()
    })
    await advanceUntilSettled(clock, all, 50)
  }

  describe.each([
    'headrace:request:sent',
    'headrace:batch:delivered',
    'headrace:batch:retry',
    'headrace:batch:failed',
    'headrace:producer:epoch-bump',
  ])('a subscriber of %s', (channel) => {
    it.each(acts)('%s', async (_name, act) => {
      await start()
      let times = 0
      const listen = (): void => {
        if (times++ === 0) act()
      }
      subscribe(channel, listen)
      await sendSome().finally(() => unsubscribe(channel, listen))
      await advanceUntilSettled(clock, producer.flush(), 50)
      expect(times).toBeGreaterThan(0)
      expect(
        told
          .map((line) => line.split(' ')[0])
          .filter((name) => name !== 'again')
          .sort(),
      ).toEqual(['a', 'b', 'c', 'd', 'e'])
      expectRest()
    })
  })

  it('a subscriber closes when one batch fails, while that of another partition is loaded: it is not sent', async () => {
    await start({}, { kafkaVersion: '0.10.2' })
    await producer.sendAll([record('x'), { ...record('x'), partition: 1 }])
    subscribe('headrace:batch:failed', abandon)
    try {
      offer('fine')
      offer('poison', undefined, { partition: 1, headers: { name: 'too new for the broker' } })
      await until(() => told.length === 2, 'both')
      await turns(20)
    } finally {
      unsubscribe('headrace:batch:failed', abandon)
    }
    expect([...told].sort()).toEqual(['fine CLOSED', 'poison NOT_REPRESENTABLE'])
    expect(values()).not.toContain('fine')
    expectRest()
  })

  it.each(acts)('a partitioner %s', async (_name, act) => {
    let times = 0
    const partitioner = (): number => {
      if (times++ === 1) act()
      return 0
    }
    await start({ partitioner })
    await producer.connect()
    await producer.partitionsFor('t')
    const sends = ['a', 'b', 'c'].map((value) => producer.send({ topic: 't', value }).catch(() => undefined))
    await advanceUntilSettled(clock, Promise.all(sends), 50)
    await advanceUntilSettled(clock, producer.flush(), 50)
    expect(times).toBeGreaterThan(1)
    expectRest()
  })
})

describe('whoever says that all have settled', () => {
  const sendTen = (value: string): void => {
    for (let i = 0; i < 10; i++) producer.send(record(value)).catch(() => told.push('failed'))
  }

  it('comes behind the failures: flush of what fails later', async () => {
    await start()
    cluster.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED', times: Infinity })
    sendTen('x')
    const flushed = producer.flush().then(() => [...told])
    await advanceUntilSettled(clock, flushed, 1)
    expect(await flushed).toHaveLength(10)
  })

  it('comes behind the failures: flush of what has failed already', async () => {
    await start({ maxRequestBytes: 1000 })
    sendTen('x'.repeat(2000))
    await producer.flush()
    expect(told).toHaveLength(10)
  })

  it('comes behind the failures: close', async () => {
    await startWithoutBroker()
    sendTen('x')
    const toldThen = await producer.close({ timeoutMs: 0 }).catch(() => told.length)
    expect(toldThen).toBe(10)
  })
})

it('send settles where somebody has put another Promise in its place, which sends by itself', async () => {
  await start()
  const Native = Promise
  const inner: Promise<unknown>[] = []
  let isPatched = true
  class Patched<T> extends Native<T> {
    constructor(executor: ConstructorParameters<typeof Native<T>>[0]) {
      super(executor)
      if (!isPatched) return
      isPatched = false
      inner.push(producer.send(record('inner')))
    }
  }
  globalThis.Promise = Patched
  let outer: Promise<unknown>
  try {
    outer = producer.send(record('outer'))
  } finally {
    globalThis.Promise = Native
  }
  await advanceUntilSettled(clock, Native.all([outer, ...inner]), 1)
  expect(values().sort()).toEqual(['inner', 'outer'])
})

it('what cannot be made a text is an error like others, where a getter throws it', () => {
  expect(asKafkaError(Object.create(null))).toMatchObject({ code: 'INVALID_RECORD' })
})
