import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Producer } from '../../src/index.ts'
import { type DiagnosticEvents, type Logger, type ProducerOptions, type ProducerRecord } from '../../src/index.ts'
import { encodeResponseFrame } from '../../src/protocol/frame.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { CHANNELS } from '../support/eavesdropper.ts'
import { turns, until } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'
import { advanceUntilSettled, failureOf } from '../support/settling.ts'

type Name = keyof DiagnosticEvents

/** In everything that users give: nothing of it may be told. */
const CANARY = 'canary-4711'

let cluster: TestCluster
let clock: FakeClock
const harness = producerHarness()

beforeEach(async () => {
  cluster = await harness.startCluster({ brokers: 2, topics: { t: 2 }, autoCreateTopics: false })
  clock = harness.clock
})

const newProducer = (options: Partial<ProducerOptions> = {}): Producer => harness.newProducer(options)

const record = (partition = 0): ProducerRecord => ({
  ...{ topic: 't', partition, value: `value ${CANARY}`, key: `key ${CANARY}` },
  headers: { [`name-${CANARY}`]: `header ${CANARY}` },
})

/** A warm producer and one send that meets a fault. */
async function sendThrough(
  fault: Parameters<TestCluster['fail']>[0] | null,
  options: Partial<ProducerOptions> = {},
  count = 1,
): Promise<Producer> {
  const producer = newProducer(options)
  await producer.send(record())
  if (fault !== null) cluster.fail(fault)
  const sends = Promise.allSettled(Array.from({ length: count }, () => producer.send(record())))
  await advanceUntilSettled(clock, sends, 100)
  return producer
}

/** A cluster whose broker acknowledges what comes after `after` requests as if it were old. */
async function lyingCluster(after: number): Promise<TestCluster> {
  const lying = await harness.startCluster({ topics: { t: 1 }, apiVersions: { Produce: [3, 12] } })
  lying.fail({
    ...{ api: 'Produce', after, times: 2 }, // once may mean that the topic was made anew
    answer: (correlationId) => {
      const responses = [{ name: 't', partitionResponses: [{ index: 0, errorCode: 0, baseOffset: 0n }] }]
      return Buffer.concat(encodeResponseFrame(produce, 12, correlationId, { responses }).chunks)
    },
  })
  return lying
}

interface Scenario {
  /** What makes the channel speak. */
  readonly run: () => Promise<unknown>
  /** One of the events that are heard. */
  readonly payload: Record<string, unknown>
}

const error = expect.objectContaining({ code: expect.any(String) as string }) as unknown
// A connection that began at a bootstrap address does not say which broker it turned out to be.
const node = { nodeId: null, host: '127.0.0.1', port: expect.any(Number) as number }
const batch = { topic: 't', partition: 0, records: 1, bytes: expect.any(Number) as number, attempts: 1 }

const scenarios: Record<Name, Scenario> = {
  'headrace:connection:ready': {
    run: () => sendThrough(null),
    payload: { ...node, connectMs: 0 },
  },
  'headrace:connection:authenticated': {
    async run() {
      const { bootstrap } = await harness.startCluster({ sasl: { users: { alice: CANARY } } })
      await newProducer({
        brokers: bootstrap,
        sasl: { mechanism: 'plain', username: 'alice', password: CANARY },
      }).connect()
    },
    payload: {
      ...{ ...node, mechanism: 'PLAIN', user: 'alice' },
      ...{ sessionLifetimeMs: 0n, authenticationMs: 0, isReauthentication: false },
    },
  },
  'headrace:connection:closed': {
    run: () => sendThrough({ api: 'Produce', closeAfterBytes: 0 }),
    payload: { ...node, error },
  },
  'headrace:connection:state': {
    run: () => sendThrough({ api: 'Produce', closeAfterBytes: 0 }),
    payload: { ...node, state: 'closed', error },
  },
  'headrace:connection:throttled': {
    run: () => sendThrough({ api: 'Produce', throttleMs: 700 }),
    payload: { ...node, throttleMs: 700, askedMs: 700 },
  },
  'headrace:cluster:mismatch': {
    async run() {
      const other = await harness.startCluster({ brokers: 1, topics: { t: 2 } })
      const producer = newProducer({ brokers: `${cluster.bootstrap},${other.bootstrap}` })
      await producer.send(record())
      await cluster.stopBroker(1)
      await cluster.stopBroker(2)
      producer.send(record()).catch(() => undefined)
      for (let i = 0; i < 600; i++) await clock.advance(1000)
    },
    payload: { address: expect.any(String), clusterId: expect.any(String), expectedClusterId: expect.any(String) },
  },
  'headrace:cluster:rebootstrap': {
    async run() {
      const producer = await sendThrough(null)
      await cluster.stopBroker(1)
      await cluster.stopBroker(2)
      producer.send(record()).catch(() => undefined)
      for (let i = 0; i < 600; i++) await clock.advance(1000)
    },
    payload: { reason: expect.any(String) },
  },
  'headrace:topic:recreated': {
    async run() {
      const producer = await sendThrough(null)
      const why = 'the topic is deleted, and made again'
      harness.except({ noLoss: why, coordinates: why, order: why })
      cluster.deleteTopic('t')
      cluster.createTopic('t', 2)
      await advanceUntilSettled(clock, producer.send(record()), 100)
    },
    payload: { topic: 't', topicId: expect.any(String), formerTopicId: expect.any(String) },
  },
  'headrace:metadata:refreshed': {
    run: () => sendThrough(null),
    payload: { brokers: 2, topics: 1, clusterId: expect.any(String) },
  },
  'headrace:metadata:failed': {
    run: () => failureOf(newProducer({ brokers: '127.0.0.1:1' }).connect()),
    payload: { error },
  },
  'headrace:batch:delivered': { run: () => sendThrough(null), payload: batch },
  'headrace:batch:retry': {
    run: () => sendThrough({ api: 'Produce', error: 'REQUEST_TIMED_OUT' }),
    payload: { ...batch, maybeWritten: true, error },
  },
  'headrace:batch:split': {
    run: () => sendThrough({ api: 'Produce', error: 'MESSAGE_TOO_LARGE' }, {}, 4),
    payload: { ...batch, records: 4, parts: [2, 2] },
  },
  'headrace:request:sent': {
    run: () => sendThrough(null),
    payload: { broker: expect.stringMatching(/^127\.0\.0\.1:\d+$/), batches: 1, bytes: expect.any(Number) },
  },
  'headrace:producer:identity': {
    run: () => sendThrough(null),
    payload: { producerId: expect.any(BigInt), producerEpoch: 0 },
  },
  'headrace:producer:epoch-bump': {
    run: () => sendThrough({ api: 'Produce', error: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }),
    payload: { topic: 't', partition: 0, producerId: expect.any(BigInt), producerEpoch: 0, isIdSpent: false },
  },
  'headrace:producer:desync': {
    async run() {
      const lying = await lyingCluster(1)
      await sendThrough(null, { brokers: lying.bootstrap })
    },
    payload: { topic: 't', partition: 0, baseOffset: 0n, error },
  },
  'headrace:partition:truncated': {
    async run() {
      const one = await harness.startCluster({ topics: { t: 1 } })
      const producer = await sendThrough(null, { brokers: one.bootstrap })
      const why = 'the log loses acknowledged records'
      harness.except({ coordinates: why, order: why })
      one.truncate('t', 0, 1)
      one.expireProducers()
      await one.stopBroker(1)
      await one.startBroker(1)
      await advanceUntilSettled(clock, producer.send(record()), 50)
    },
    payload: { topic: 't', partition: 0, baseOffset: 1n },
  },
  'headrace:batch:failed': {
    run: () => sendThrough({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED' }),
    payload: { ...batch, error },
  },
}

async function heard(names: readonly Name[], work: () => Promise<unknown>): Promise<[string, unknown][]> {
  const events: [string, unknown][] = []
  const listen = (event: unknown, name: string | symbol): void => void events.push([String(name), event])
  for (const name of names) subscribe(name, listen)
  try {
    await work()
  } finally {
    for (const name of names) unsubscribe(name, listen)
  }
  return events
}

describe('diagnostics_channel', () => {
  it('has a scenario for every channel', () => {
    expect(Object.keys(scenarios).sort()).toEqual([...CHANNELS].sort())
  })

  it.each(CHANNELS)('%s: says what happened, and nothing of the records', async (name) => {
    const { run, payload } = scenarios[name]
    const events = await heard(CHANNELS, run)
    expect(events.filter(([from]) => from === name).map(([, event]) => event)).toContainEqual(payload)
    expect(inspect(events, { depth: 20, showHidden: true, maxStringLength: null })).not.toContain(CANARY)
  })

  it('builds nothing where nobody listens', async () => {
    harness.except({ secrecy: 'who looks for secrets listens' })
    const published: string[] = []
    const original = CHANNELS.map((name) => [channel(name), channel(name).publish.bind(channel(name))] as const)
    for (const [at] of original) at.publish = (): void => void published.push(String(at.name))
    try {
      const producer = await sendThrough({ api: 'Produce', error: 'REQUEST_TIMED_OUT' })
      await producer.close()
    } finally {
      for (const [at] of original) delete (at as Partial<typeof at>).publish
    }
    expect(published).toEqual([])
  })
})

describe('logger', () => {
  type Line = [keyof Logger, string, object]

  function newLog(): { logger: Logger; lines: Line[] } {
    const lines: Line[] = []
    const at =
      (level: keyof Logger) =>
      (fields: object, message: string): void =>
        void lines.push([level, message, fields])
    return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
  }

  it('is silent on a healthy start, run and end', async () => {
    const { logger, lines } = newLog()
    const producer = newProducer({ logger })
    await producer.connect()
    await producer.sendAll([record(), record(1)])
    await producer.close()
    expect(lines).toEqual([])
  })

  it.each<[string, RegExp, keyof Logger, () => Promise<unknown>, Partial<ProducerOptions>]>([
    [
      'metadata that cannot be had',
      /metadata could not be refreshed: .*CONNECTION_REFUSED/,
      'warn',
      () => Promise.resolve(),
      { brokers: '127.0.0.1:1', maxBlockMs: 300 },
    ],
    [
      'a connection that breaks',
      /CONNECTION_CLOSED/,
      'warn',
      () => Promise.resolve(void cluster.fail({ api: 'Produce', closeAfterBytes: 0 })),
      {},
    ],
    [
      'going on without idempotence',
      /going on without idempotence: .*CLUSTER_AUTHORIZATION_FAILED/,
      'warn',
      () => Promise.resolve(void cluster.fail({ api: 'InitProducerId', error: 'CLUSTER_AUTHORIZATION_FAILED' })),
      {},
    ],
  ])('tells of %s, once, with the error and without the records', async (_what, message, level, prepare, options) => {
    const { logger, lines } = newLog()
    await prepare()
    const producer = newProducer({ logger, ...options })
    await advanceUntilSettled(
      clock,
      producer.send(record()).catch(() => undefined),
      100,
    )
    await advanceUntilSettled(
      clock,
      producer.send(record()).catch(() => undefined),
      100,
    )
    const told = lines.filter(([, text]) => message.test(text))
    expect(told.length).toBeGreaterThan(0)
    expect(new Set(told.map(([at]) => at))).toEqual(new Set([level]))
    expect(told[0]![2]).toMatchObject({ err: { code: expect.any(String) as string } })
    expect(inspect(lines, { depth: 20 })).not.toContain(CANARY)
  })

  it('tells of the end of the producer, when a broker took new records for old ones', async () => {
    const lying = await lyingCluster(1)
    const { logger, lines } = newLog()
    const producer = newProducer({ logger, brokers: lying.bootstrap })
    const sends = Promise.allSettled([producer.send(record()), producer.send(record())])
    await advanceUntilSettled(clock, sends, 100)
    await advanceUntilSettled(
      clock,
      producer.send(record()).catch(() => undefined),
      100,
    )
    expect(lines.filter(([level, text]) => level === 'error' && text.includes('SEQUENCE_DESYNC'))).toHaveLength(1)
  })

  it('P8: tells of what a callback of the user’s threw, and other records are unaffected', async () => {
    const { logger, lines } = newLog()
    const producer = newProducer({ logger })
    await producer.send(record())
    const settled: number[] = []
    for (let i = 0; i < 3; i++) {
      producer.offer(record(), () => {
        settled.push(i)
        throw new Error('boo')
      })
    }
    await producer.flush()
    expect(settled).toEqual([0, 1, 2])
    expect(lines.map(([level, text]) => [level, text])).toEqual(
      Array(3).fill(['error', 'the callback of offer() threw: boo']),
    )
  })
})

describe('errors', () => {
  it('hold nothing of the records, whatever went wrong', async () => {
    const producer = newProducer({
      maxRequestBytes: 1000,
      deliveryTimeoutMs: 2000,
      requestTimeoutMs: 500,
      maxBlockMs: 500,
    })
    await producer.send(record())
    const failures: unknown[] = []
    const tries: ProducerRecord[] = [
      { ...record(), value: CANARY.repeat(1000) },
      { ...record(), partition: 99 },
      { ...record(), topic: 'missing' },
      { ...record(), headers: { [CANARY]: 5 as never } },
      { ...record(), value: { [CANARY]: CANARY } as never },
    ]
    for (const each of tries) {
      const failed = failureOf(producer.send(each))
      await advanceUntilSettled(clock, failed, 100)
      failures.push(await failed)
    }
    cluster.fail({ api: 'Produce', silent: true, times: Infinity })
    const failed = failureOf(producer.send(record()))
    await advanceUntilSettled(clock, failed, 100)
    failures.push(await failed)
    await turns(1)
    await until(() => failures.length === 6, 'all failures')
    const text = inspect(failures, { depth: 20, maxStringLength: null })
    // The name of a header is said where its value is of the wrong kind: like the name of a field.
    expect(text.replaceAll(`header "${CANARY}"`, '')).not.toContain(CANARY)
  })
})
