import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Producer } from '../../src/index.ts'
import { type KafkaError, type ProducerOptions, type ProducerRecord } from '../../src/index.ts'
import { producerOptionTable, resolveProducerOptions } from '../../src/producer/options.ts'
import type { TestCluster, TestClusterOptions } from '../../src/testing/test-cluster.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { turns, until } from '../support/fake-clock.ts'
import { producerHarness } from '../support/producer-harness.ts'
import { advanceUntilSettled, failureOf } from '../support/settling.ts'

/**
 * What each option does, seen from outside: the same is done with it and without it, and both results are known. An option
 * that is ignored gives the second where the first is expected.
 */
interface Effect {
  readonly option: keyof ProducerOptions
  readonly set: unknown
  /** What else there is, with it and without it. */
  readonly base?: Partial<ProducerOptions>
  readonly brokers?: number
  /** How else the brokers are. */
  readonly cluster?: Partial<TestClusterOptions>
  readonly observe: (producer: Producer) => Promise<unknown>
  readonly given: unknown
  readonly without: unknown
}

let cluster: TestCluster
const harness = producerHarness()
let clock: FakeClock

async function start({ brokers = 1, cluster: more }: Effect): Promise<void> {
  cluster = await harness.startCluster({ brokers, topics: { t: 4 }, ...more })
}

beforeEach(() => {
  clock = harness.clock
  said.length = dials.length = 0
  blockedPort = undefined
})

/** What hooks and callbacks of the user's were told. */
const said: string[] = []
const record = (partition = 0, value = 'x'): ProducerRecord => ({ topic: 't', partition, value })
const requests = (api: string): number => cluster.requests.filter((request) => request.api === api).length
const clientIds = (): (string | null)[] => [...new Set(cluster.requests.map(({ clientId }) => clientId))]

/** How long, by the clock, until something fails, and with what. */
async function failsAfter(promise: Promise<unknown>, stepMs: number): Promise<[string, number]> {
  const startMs = clock.now()
  const failed = failureOf(promise)
  await advanceUntilSettled(clock, failed, stepMs)
  return [(await failed).code, clock.now() - startMs]
}

/** Lets time pass until something has happened `count` times; how long that took. */
async function timeUntil(count: () => number, wanted: number, stepMs: number): Promise<number> {
  const startMs = clock.now()
  while (count() < wanted) await clock.advance(stepMs)
  return clock.now() - startMs
}

async function warm(p: Producer): Promise<void> {
  await p.send(record())
  await clock.advance(2000) // metadata has pauses of its own; they are over
}

const PASSWORD = randomBytes(12).toString('hex')
const LOGIN = { mechanism: 'plain', username: 'alice', password: PASSWORD } as const
const ACCOUNTS = { users: { alice: PASSWORD } }

/** "connected", or the code of the error. */
async function outcomeOfConnect(p: Producer): Promise<string> {
  const outcome = p.connect().then(
    () => 'connected',
    (error: unknown) => (error as KafkaError).code,
  )
  await advanceUntilSettled(clock, outcome, 100)
  return outcome
}

const effects: readonly Effect[] = [
  {
    option: 'tls',
    set: { rejectUnauthorized: false },
    cluster: { tls: true },
    observe: outcomeOfConnect,
    given: 'connected',
    without: 'PEER_SPEAKS_TLS',
  },
  {
    option: 'sasl',
    set: LOGIN,
    cluster: { sasl: ACCOUNTS },
    observe: outcomeOfConnect,
    given: 'connected',
    without: 'CONNECTION_CLOSED',
  },
  {
    option: 'allowPlaintextCredentials',
    set: true,
    // Not a loopback address, as far as the producer can see.
    base: { brokers: '192.0.2.1:9092', sasl: LOGIN, createSocket: () => connect(cluster.ports[0]!, '127.0.0.1') },
    cluster: { sasl: ACCOUNTS },
    observe: outcomeOfConnect,
    given: 'connected',
    without: 'PLAINTEXT_CREDENTIALS_REFUSED',
  },
  {
    option: 'brokers',
    set: '127.0.0.1:1',
    observe: (p) =>
      p.connect().then(
        () => 'connected',
        (error: unknown) => (error as KafkaError).code,
      ),
    given: 'CONNECTION_REFUSED',
    without: 'connected',
  },
  {
    option: 'clientId',
    set: 'my-service',
    observe: (p) => p.send(record()).then(clientIds),
    given: ['my-service'],
    without: ['headrace'],
  },
  {
    option: 'acks',
    set: 0,
    observe: (p) => p.send(record()).then(({ offset }) => offset),
    given: -1n,
    without: 0n,
  },
  {
    option: 'lingerMs',
    set: 700,
    async observe(p) {
      await warm(p)
      const busy = cluster.fail({ api: 'Produce', partition: 1, silent: true })
      p.send(record(1)).catch(() => undefined)
      await until(() => busy.hits === 1, 'the broker to be busy')
      const before = requests('Produce')
      p.send(record(2)).catch(() => undefined)
      await turns(10)
      return timeUntil(() => requests('Produce') - before, 1, 100)
    },
    given: 700,
    without: 0,
  },
  {
    option: 'batchBytes',
    set: 1,
    async observe(p) {
      await warm(p)
      const before = p.stats().sentBatches
      await p.sendAll([record(), record(), record()])
      return p.stats().sentBatches - before
    },
    given: 3,
    without: 1,
  },
  {
    option: 'maxRequestBytes',
    set: 1000,
    observe: (p) =>
      p.send(record(0, 'x'.repeat(2000))).then(
        () => 'sent',
        (error: unknown) => (error as KafkaError).code,
      ),
    given: 'RECORD_TOO_LARGE',
    without: 'sent',
  },
  {
    option: 'maxInFlightRequests',
    set: 1,
    async observe(p) {
      await warm(p)
      cluster.fail({ api: 'Produce', silent: true, times: Infinity })
      for (let partition = 0; partition < 4; partition++) {
        p.send(record(partition)).catch(() => undefined)
        await turns(20)
      }
      return p.stats().batchesInFlight
    },
    given: 1,
    without: 4,
  },
  {
    option: 'maxBlockMs',
    set: 300,
    observe(p) {
      cluster.fail({ api: 'Metadata', silent: true, times: Infinity })
      return failsAfter(p.send(record()), 100)
    },
    given: ['METADATA_TIMEOUT', 300],
    without: ['METADATA_TIMEOUT', 60_000],
  },
  {
    option: 'deliveryTimeoutMs',
    set: 5000,
    observe(p) {
      cluster.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: Infinity })
      return failsAfter(p.send(record()), 1000)
    },
    given: ['DELIVERY_TIMEOUT', 5000],
    without: ['DELIVERY_TIMEOUT', 120_000],
  },
  {
    option: 'requestTimeoutMs',
    set: 2000,
    async observe(p) {
      await warm(p)
      const rule = cluster.fail({ api: 'Produce', silent: true })
      const before = requests('Produce')
      p.send(record()).catch(() => undefined)
      await until(() => rule.hits === 1, 'the request')
      const ms = await timeUntil(() => requests('Produce') - before, 2, 1000)
      return Math.round(ms / 1000)
    },
    given: 3, // and the pause before the retry
    without: 31,
  },
  {
    option: 'retryBackoffMs',
    set: 400,
    observe: (p) => retriesAfter(p, 1),
    given: 400,
    without: 100,
  },
  {
    option: 'retryBackoffMaxMs',
    set: 150,
    observe: (p) => retriesAfter(p, 3),
    given: 100 + 150 + 150,
    without: 100 + 200 + 400,
  },
  {
    option: 'reconnectBackoffMs',
    set: 300,
    base: { connectGuard: (at) => guard(at) },
    brokers: 2,
    observe: (p) => redialsAfter(p, 2),
    given: 300,
    without: 50,
  },
  {
    option: 'reconnectBackoffMaxMs',
    set: 60,
    base: { connectGuard: (at) => guard(at) },
    brokers: 2,
    observe: (p) => redialsAfter(p, 3),
    given: 50 + 60,
    without: 50 + 100,
  },
  {
    option: 'metadataMaxAgeMs',
    set: 10_000,
    async observe(p) {
      await p.send(record())
      return timeUntil(() => requests('Metadata'), 2, 1000)
    },
    given: 10_000,
    without: 300_000,
  },
  {
    option: 'connectionsMaxIdleMs',
    set: 20_000,
    async observe(p) {
      await p.send(record())
      await clock.advance(25_000)
      await p.send(record())
      return requests('ApiVersions')
    },
    given: 2,
    without: 1,
  },
  {
    option: 'connectTimeoutMs',
    set: 1000,
    base: { createSocket: () => new Promise(() => undefined) },
    observe: (p) => failsAfter(p.connect(), 100).then(([, ms]) => Math.floor(ms / 1000)),
    given: 1,
    without: 10,
  },
  {
    option: 'allowAutoTopicCreation',
    set: false,
    async observe(p) {
      const sent = p.send({ topic: 'new', value: 'x' }).then(
        () => 'sent',
        (error: unknown) => (error as KafkaError).code,
      )
      await advanceUntilSettled(clock, sent, 100)
      return sent
    },
    given: 'UNKNOWN_TOPIC_OR_PARTITION',
    without: 'sent',
  },
  {
    option: 'partitioner',
    set: () => 3,
    observe: (p) => p.send({ topic: 't', key: 'a', value: 'x' }).then(({ partition }) => partition),
    given: 3,
    without: 0, // murmur2 of "a"
  },
  {
    option: 'compression',
    set: 'gzip',
    async observe(p) {
      await p.send(record(0, 'x'.repeat(1000)))
      return cluster.records('t')[0]?.compression
    },
    given: 'gzip',
    without: 'none',
  },
  {
    option: 'createSocket',
    set: ({ host, port }: { host: string; port: number }) => {
      said.push('createSocket')
      return connect(port, host)
    },
    observe: (p) => p.connect().then(() => said),
    given: ['createSocket'],
    without: [],
  },
  {
    option: 'mapAddress',
    set: (at: { host: string; port: number }) => {
      said.push('mapAddress')
      return at
    },
    observe: (p) => p.connect().then(() => said),
    given: ['mapAddress'],
    without: [],
  },
  {
    option: 'connectGuard',
    set: () => {
      throw new Error('not there')
    },
    observe: (p) =>
      p.connect().then(
        () => 'connected',
        (error: unknown) => (error as KafkaError).message.includes('not there'),
      ),
    given: true,
    without: 'connected',
  },
  {
    option: 'logger',
    set: Object.fromEntries(
      ['debug', 'info', 'warn', 'error'].map((level) => [
        level,
        (_fields: object, message: string) => said.push(`${level} ${message}`),
      ]),
    ),
    async observe(p) {
      await warm(p)
      cluster.fail({ api: 'Produce', closeAfterBytes: 0 })
      await advanceUntilSettled(clock, p.send(record()), 100)
      return said.map((line) => /^warn .*CONNECTION_CLOSED/.test(line))
    },
    given: [true],
    without: [],
  },
  {
    option: 'idempotent',
    set: false,
    observe: (p) => p.send(record()).then(() => [p.stats().idempotent, cluster.records('t')[0]?.producerId === -1n]),
    given: [false, true],
    without: [true, false],
  },
  {
    option: 'bufferBytes',
    set: 10_000,
    async observe(p) {
      await warm(p)
      cluster.fail({ api: 'Produce', silent: true, times: Infinity })
      return Array.from({ length: 20 }, () => p.offer(record(0, 'x'.repeat(500)))).filter(Boolean).length
    },
    given: 9,
    without: 20,
  },
  {
    option: 'onUndelivered',
    set: ({ code }: KafkaError) => said.push(code),
    async observe(p) {
      await warm(p)
      cluster.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED' })
      p.offer(record())
      await p.flush()
      return said
    },
    given: ['TOPIC_AUTHORIZATION_FAILED'],
    without: [],
  },
]

/** How long the first so many retries of a refused batch take in all. */
async function retriesAfter(p: Producer, retries: number): Promise<number> {
  await warm(p)
  const rule = cluster.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: Infinity })
  p.send(record()).catch(() => undefined)
  await until(() => rule.hits === 1, 'the first refusal')
  await turns(10)
  return timeUntil(() => rule.hits, retries + 1, 10)
}

/** How long the first so many attempts to reach a broker take in all, while another one answers what is asked of any. */
async function redialsAfter(p: Producer, attempts: number): Promise<number> {
  await p.send(record(0))
  await p.send(record(1))
  await clock.advance(2000)
  blockedPort = cluster.ports[0]
  cluster.fail({ api: 'Produce', broker: 1, closeBefore: true })
  p.send(record(0)).catch(() => undefined)
  while (dials.length < attempts) await clock.advance(10)
  return dials[attempts - 1]! - dials[0]!
}

function guard({ port }: { port: number }): void {
  if (port !== blockedPort) return
  dials.push(clock.now())
  throw new Error('not there')
}
let blockedPort: number | undefined
const dials: number[] = []

/** Only the value that changes nothing is taken: there is nothing that could be ignored. */
const notYet = Object.entries(producerOptionTable).flatMap(([name, row]) => (row.isNotYet === true ? [name] : []))

describe('the options of Producer', () => {
  it('all have an effect that is tested here, or are refused', () => {
    const tested = effects.map(({ option }) => option)
    expect([...tested, ...notYet].sort()).toEqual(Object.keys(producerOptionTable).sort())
  })

  it.each(effects)('$option does something', async (effect) => {
    const { option, set, base, observe, given } = effect
    await start(effect)
    const producer = harness.newProducer({ ...base, [option]: set })
    expect(await observe(producer)).toEqual(given)
  })

  it.each(effects)('$option, left out, does its default', async (effect) => {
    const { base, observe, without } = effect
    await start(effect)
    const producer = harness.newProducer(base)
    expect(await observe(producer)).toEqual(without)
  })

  it.each(notYet)('%s is refused, not ignored', (name) => {
    const given = { brokers: 'a:1', [name]: name === 'transactionTimeoutMs' ? 5 : { some: 'value' } }
    expect(() => resolveProducerOptions(given)).toThrow(`NOT_AVAILABLE_YET: ${name}: not available`)
  })

  it.each([
    [{ idempotent: true, acks: 0 }, "idempotent: true needs acks 'all', got 0"],
    [{ idempotent: true, acks: 'all' }, null],
    [{ deliveryTimeoutMs: 50, lingerMs: 50 }, 'is not longer than lingerMs (50)'],
    [{ deliveryTimeoutMs: 51, lingerMs: 50 }, null],
    [{ deliveryTimeoutMs: Infinity, lingerMs: 50 }, null],
    [{ retryBackoffMs: 1001 }, 'retryBackoffMaxMs (1000) is below retryBackoffMs (1001)'],
    [{ retryBackoffMs: 1000 }, null],
    [{ reconnectBackoffMaxMs: 49 }, 'reconnectBackoffMaxMs (49) is below reconnectBackoffMs (50)'],
    [{ reconnectBackoffMaxMs: 50 }, null],
  ])('%j together: %s', (options, problem) => {
    const resolve = (): unknown => resolveProducerOptions({ brokers: 'a:1', ...options })
    if (problem === null) resolve()
    else expect(resolve).toThrow(problem)
  })
})
