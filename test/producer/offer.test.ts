import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Producer } from '../../src/index.ts'
import { type KafkaError, type ProducerOptions, type ProducerRecord } from '../../src/index.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { turns, until } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'
import { advanceUntilSettled, failureOf } from '../support/settling.ts'

let cluster: TestCluster
let clock: FakeClock
const harness = producerHarness()

beforeEach(async () => {
  cluster = await harness.startCluster({ brokers: 3, topics: { t: 3 }, autoCreateTopics: false })
  clock = harness.clock
})

const newProducer = (options: Partial<ProducerOptions> = {}): Producer => harness.newProducer(options)

/** Every partition's first record is there: metadata, connections and an identity, too. */
async function warmUp(producer: Producer): Promise<void> {
  for (let partition = 0; partition < 3; partition++) await producer.send({ topic: 't', partition, value: 'warm' })
}

const DEAD = 1 // the broker with node id 2
const silence = (): void => void cluster.fail({ api: 'Produce', silent: true, times: Infinity, isWritten: false })

describe('offer', () => {
  it('calls back once, never before it has returned, with the context it was given', async () => {
    const producer = newProducer()
    await warmUp(producer)
    const calls: unknown[] = []
    let hasReturned = false
    const isTaken = producer.offer(
      { topic: 't', partition: 0, value: 'x' },
      (error, metadata, context) => calls.push([hasReturned, error, metadata?.offset, context]),
      'context',
    )
    hasReturned = true
    await producer.flush()
    expect([isTaken, calls]).toEqual([true, [[true, null, 1n, 'context']]])
  })

  it('throws for what can never be sent, and then calls nothing back', async () => {
    const producer = newProducer({ partitioner: () => 7, maxRequestBytes: 1000 })
    await warmUp(producer)
    const done = (): never => expect.unreachable()
    expect(() => producer.offer({ topic: 't' } as never, done)).toThrow('INVALID_RECORD')
    expect(() => producer.offer({ topic: 't', value: Buffer.alloc(2000) }, done)).toThrow('RECORD_TOO_LARGE')
    expect(() => producer.offer({ topic: 't', value: 'x' }, done)).toThrow('PARTITIONER_FAILED')
    await producer.close()
    expect(() => producer.offer({ topic: 't', partition: 0, value: 'x' }, done)).toThrow('CLOSED')
    expect(producer.stats()).toMatchObject({ accepted: 3, unsettled: 0 })
  })

  it('without a callback tells failures to onUndelivered', async () => {
    const heard: string[] = []
    const producer = newProducer({ onUndelivered: ({ code }) => heard.push(code) })
    await warmUp(producer)
    cluster.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED' })
    producer.offer({ topic: 't', partition: 0, value: 'x' })
    await producer.flush()
    expect(heard).toEqual(['TOPIC_AUTHORIZATION_FAILED'])
  })

  it('takes records for a topic that is not known yet, in order with those that are sent', async () => {
    const producer = newProducer()
    producer.offer({ topic: 't', partition: 0, value: 'a' })
    void producer.send({ topic: 't', partition: 0, value: 'b' })
    producer.offer({ topic: 't', partition: 0, value: 'c' })
    await producer.flush()
    expect(cluster.records('t').map(({ value }) => String(value))).toEqual(['a', 'b', 'c'])
  })
})

describe('P4: a caller that never awaits, and brokers that never answer', () => {
  it.each([100, 1024, 20_000])(
    '%i bytes: holds bufferBytes, lets as much wait, and refuses the rest',
    async (bytes) => {
      const bufferBytes = 500_000
      const producer = newProducer({ bufferBytes, maxBlockMs: 5000, deliveryTimeoutMs: 20_000 })
      await warmUp(producer)
      silence()
      const codes = new Map<string, number>()
      const sends: Promise<void>[] = []
      const value = Buffer.alloc(bytes)
      const sentCount = Math.ceil((3 * bufferBytes) / (bytes + 512))
      for (let i = 0; i < sentCount; i++) {
        sends.push(
          producer.send({ topic: 't', partition: i % 3, value }).then(
            () => expect.unreachable(),
            (error: unknown) => {
              const { code } = error as KafkaError
              codes.set(code, (codes.get(code) ?? 0) + 1)
            },
          ),
        )
        expect(producer.stats().bufferUsedBytes).toBeLessThanOrEqual(2 * bufferBytes)
      }
      await turns(2)
      const { unsettled, waiting, bufferUsedBytes } = producer.stats()
      expect(bufferUsedBytes).toBeGreaterThan(1.9 * bufferBytes)
      expect(codes).toEqual(new Map([['BUFFER_FULL', sentCount - unsettled]]))
      await clock.advance(5000)
      expect(codes.get('BUFFER_FULL')).toBe(sentCount - unsettled + waiting)
      await advanceUntilSettled(clock, Promise.all(sends), 1000)
      expect(codes.get('DELIVERY_TIMEOUT')).toBe(unsettled - waiting)
      await advanceUntilSettled(
        clock,
        failureOf(producer.close({ timeoutMs: 60_000 })).catch(() => undefined),
        1000,
      )
      expect(producer.stats()).toMatchObject({ bufferUsedBytes: 0, unsettled: 0, waiting: 0 })
    },
  )

  it('a topic that nobody knows: the same', async () => {
    const bufferBytes = 100_000
    const producer = newProducer({ bufferBytes, maxBlockMs: 1000 })
    cluster.fail({ api: 'Metadata', silent: true, times: Infinity })
    const sends = Array.from({ length: 1000 }, () => failureOf(producer.send({ topic: 't', value: 'x' })))
    expect(producer.stats().bufferUsedBytes).toBeLessThanOrEqual(2 * bufferBytes)
    expect(producer.offer({ topic: 't', value: 'x' })).toBe(false)
    await clock.advance(1000)
    const codes = (await Promise.all(sends)).map(({ code }) => code)
    expect(new Set(codes)).toEqual(new Set(['METADATA_TIMEOUT', 'BUFFER_FULL']))
    expect(producer.stats()).toMatchObject({ bufferUsedBytes: 0, unsettled: 0 })
  })
})

describe('P5: one dead broker of three', () => {
  it('does not keep the others from sends that are never awaited', async () => {
    const producer = newProducer({ bufferBytes: 300_000 })
    await warmUp(producer)
    cluster.blackHole(DEAD + 1)
    const refused = [0, 0, 0]
    for (let round = 0; round < 100; round++) {
      for (let i = 0; i < 60; i++) {
        const partition = i % 3
        producer.send({ topic: 't', partition, value: Buffer.alloc(300) }).catch(() => refused[partition]!++)
      }
      const healthy = cluster.recordCount('t')
      await until(() => cluster.recordCount('t') > healthy, 'the healthy brokers to go on')
    }
    await until(() => cluster.recordCount('t') === 3 + 4000, 'all records of the healthy brokers')
    expect([refused[0], refused[2]]).toEqual([0, 0])
    expect(refused[DEAD]).toBeGreaterThan(1000)
    expect(producer.stats().bufferUsedBytes).toBeLessThanOrEqual(600_000)
  })

  it.each(['offer', 'send'] as const)('does not keep records without a key to itself (%s)', async (method) => {
    const producer = newProducer({ bufferBytes: 400_000 })
    await warmUp(producer)
    let seed = 7
    clock.random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
    cluster.blackHole(DEAD + 1)
    const record = { topic: 't', value: Buffer.alloc(1000) }
    for (let i = 0; i < 4000; i++) {
      if (method === 'offer') while (!producer.offer(record)) await producer.ready()
      else producer.send(record).catch(() => undefined)
      if (i % 50 === 0) await turns(1)
    }
    const stuck = 400_000 / 2 / 1500 // what half of the buffer holds
    await until(() => cluster.recordCount('t') >= 4000 - stuck - 10, 'records to reach the healthy brokers')
  })

  it('is waited for in order, when it comes back', async () => {
    const producer = newProducer({ bufferBytes: 100_000 })
    await warmUp(producer)
    cluster.blackHole(DEAD + 1)
    const sends = Array.from({ length: 150 }, (_, i) =>
      producer.send({ topic: 't', partition: DEAD, value: String(i).padEnd(400) }),
    )
    await turns(5)
    expect(producer.stats().waiting).toBeGreaterThan(50)
    cluster.blackHole(DEAD + 1, 'none')
    await Promise.all(sends)
    const values = cluster
      .records('t')
      .flatMap(({ value, partition }) => (partition === DEAD ? [String(value).trim()] : []))
    expect(values).toEqual(['warm', ...Array.from({ length: 150 }, (_, i) => String(i))])
  })
})

describe('while (!offer) await ready', () => {
  /** Offers one record until it is taken; how often it had to wait. */
  async function insist(producer: Producer, record: ProducerRecord): Promise<number> {
    let waits = 0
    while (!producer.offer(record)) {
      waits++
      await producer.ready()
      if (waits > 1000) throw new Error('it spins')
    }
    return waits
  }

  it('gets every record in, at a rest between two that grows with the buffer', async () => {
    const producer = newProducer({ bufferBytes: 50_000 })
    await warmUp(producer)
    let waits = 0
    for (let i = 0; i < 3000; i++) waits += await insist(producer, { topic: 't', partition: i % 3, value: 'x' })
    await producer.flush()
    expect(cluster.recordCount('t')).toBe(3003)
    expect(waits).toBeLessThan(1000)
  })

  it('works for many who do it at the same time, with records of all sizes', async () => {
    const producer = newProducer({ bufferBytes: 60_000 })
    await warmUp(producer)
    const loops = Array.from({ length: 20 }, async (_, loop) => {
      for (let i = 0; i < 20; i++) {
        await insist(producer, {
          topic: 't',
          partition: loop % 3,
          value: Buffer.alloc(((loop * 7 + i * 13) % 28) * 1000),
        })
      }
    })
    await Promise.all(loops)
    await producer.flush()
    expect(cluster.recordCount('t')).toBe(403)
  })

  it('takes a record of the size of the whole buffer, once all else has gone', async () => {
    const producer = newProducer({ bufferBytes: 20_000 })
    await warmUp(producer)
    for (let i = 0; i < 10; i++) producer.offer({ topic: 't', partition: i % 3, value: 'x' })
    const waits = await insist(producer, { topic: 't', partition: 0, value: Buffer.alloc(19_000) })
    expect(waits).toBeGreaterThan(0)
    await producer.flush()
  })

  it('waits for a dead broker as long as it keeps its records, without a turn of its own', async () => {
    const producer = newProducer({ bufferBytes: 60_000, deliveryTimeoutMs: 10_000, requestTimeoutMs: 3000 })
    await warmUp(producer)
    cluster.blackHole(DEAD + 1)
    const record = { topic: 't', partition: DEAD, value: Buffer.alloc(1000) }
    while (producer.offer(record));
    const insisting = insist(producer, record)
    await turns(20)
    await advanceUntilSettled(clock, insisting, 500)
    expect(await insisting).toBeLessThan(5)
  })

  it('waits for an unknown topic until there is room, and ends with the producer', async () => {
    const producer = newProducer({ bufferBytes: 10_000 })
    cluster.fail({ api: 'Metadata', silent: true, times: Infinity })
    const record = { topic: 'unknown', value: Buffer.alloc(1000) }
    while (producer.offer(record));
    const insisting = failureOf(insist(producer, record))
    await turns(5)
    await producer.close({ timeoutMs: 0 }).catch(() => undefined)
    expect(await insisting).toMatchObject({ code: 'CLOSED' })
    const fresh = newProducer({ bufferBytes: 10_000, maxBlockMs: 2000 })
    while (fresh.offer(record));
    const [waiting] = [insist(fresh, record)]
    await advanceUntilSettled(clock, waiting, 500)
    expect(await waiting).toBe(1)
  })

  it('is called off by a signal', async () => {
    const producer = newProducer({ bufferBytes: 10_000 })
    await warmUp(producer)
    silence()
    while (producer.offer({ topic: 't', partition: 0, value: Buffer.alloc(1000) }));
    const abort = new AbortController()
    const ready = failureOf(producer.ready({ signal: abort.signal }))
    abort.abort()
    expect(await ready).toMatchObject({ code: 'ABORTED', maybeWritten: false })
  })
})

describe('P4: a large record', () => {
  it('is not starved by small ones', async () => {
    const producer = newProducer({ bufferBytes: 60_000 })
    await warmUp(producer)
    let isLargeIn = false
    let smallSince = 0
    const small = async (): Promise<void> => {
      while (!isLargeIn) {
        await producer.send({ topic: 't', partition: 1, value: Buffer.alloc(100) })
        if (++smallSince > 10_000) throw new Error('starved')
      }
    }
    const smalls = Array.from({ length: 90 }, small)
    await until(() => producer.stats().waiting > 0, 'the buffer to be full')
    await producer.send({ topic: 't', partition: 0, value: Buffer.alloc(50_000) })
    isLargeIn = true
    await Promise.all(smalls)
  })
})

describe('P4: after everything has settled nothing is held', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom('send', 'offer', 'sendAll', 'aborted', 'keyless'),
        partition: fc.nat(2),
        bytes: fc.nat(6000),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom('fail'),
        error: fc.constantFrom(
          'NOT_LEADER_OR_FOLLOWER',
          'MESSAGE_TOO_LARGE',
          'TOPIC_AUTHORIZATION_FAILED',
          'REQUEST_TIMED_OUT',
          'OUT_OF_ORDER_SEQUENCE_NUMBER',
          'cut',
          'silent',
        ),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('time'), ms: fc.nat(3000) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('unknown', 'flush', 'turns') }) },
  )

  it('whatever mixture of sends, aborts, failures, timeouts and splits it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.boolean(), async (steps, isClosedEarly) => {
        const producer = newProducer({
          ...{
            bufferBytes: 20_000,
            maxBlockMs: 2000,
            deliveryTimeoutMs: 5000,
            requestTimeoutMs: 1000,
            batchBytes: 5000,
          },
        })
        const settled: Promise<unknown>[] = []
        const note = (promise: Promise<unknown>): void => void settled.push(promise.catch(() => undefined))
        let called = 0
        let taken = 0
        const rules = []
        for (const each of steps) {
          if ('partition' in each) {
            const record = { topic: 't', partition: each.partition, value: Buffer.alloc(each.bytes) }
            const abort = new AbortController()
            if (each.do === 'send') note(producer.send(record))
            else if (each.do === 'keyless') note(producer.send({ topic: 't', value: record.value }))
            else if (each.do === 'sendAll') note(producer.sendAll([record, record, record]))
            else if (each.do === 'offer') taken += Number(producer.offer(record, () => called++))
            else {
              note(producer.send(record, { signal: abort.signal }))
              settled.push(turns(1).then(() => abort.abort()))
            }
          } else if ('error' in each) {
            const fault =
              each.error === 'cut'
                ? { closeAfterBytes: 3 }
                : each.error === 'silent'
                  ? { silent: true }
                  : { error: each.error }
            rules.push(cluster.fail({ api: 'Produce', ...fault }))
          } else if ('ms' in each) await clock.advance(each.ms)
          else if (each.do === 'unknown') note(producer.send({ topic: 'unknown', value: 'x' }))
          else if (each.do === 'flush') note(producer.flush({ timeoutMs: 500 }))
          else await turns(3)
          const { accepted, delivered, failed, unsettled, waiting, bufferUsedBytes } = producer.stats()
          expect(accepted).toBe(delivered + failed + unsettled)
          expect(unsettled).toBeGreaterThanOrEqual(waiting)
          expect(bufferUsedBytes).toBeLessThanOrEqual(40_000)
          expect(unsettled === 0 || bufferUsedBytes > 0).toBe(true)
        }
        if (!isClosedEarly) await advanceUntilSettled(clock, producer.flush(), 500)
        const closing = producer.close({ timeoutMs: isClosedEarly ? 0 : 10_000 }).catch(() => undefined)
        await advanceUntilSettled(clock, closing, 500)
        await advanceUntilSettled(clock, Promise.all(settled), 500)
        await turns(2)
        expect(called).toBe(taken)
        expect(producer.stats()).toMatchObject({
          unsettled: 0,
          waiting: 0,
          bufferUsedBytes: 0,
          batchesWaiting: 0,
          batchesInFlight: 0,
        })
        for (const rule of rules) rule.remove()
      }),
      { numRuns: 60 },
    )
  })
})
