import { describe, expect, test } from 'vitest'
import { classifyFailure } from '../../src/destination/destination.ts'
import { sharedProducers } from '../../src/destination/producer-cache.ts'
import { DeliveryError } from '../../src/index.ts'
import { newDestination, settingsFor, startCluster, track, written } from './harness.ts'

const path = (name: string): object => ({ '@path': `$.properties.${name}` })
const fail = (): never => {
  throw new Error('no')
}

/** Objects that only a program can make. */
const hostile: Readonly<Record<string, unknown>> = {
  ...{ symbol: Symbol('s'), function: fail, bigint: 1n, map: new Map([[1, 2]]), date: new Date(Number.NaN) },
  'without a prototype': Object.assign(Object.create(null) as object, track()),
  'a toJSON that throws': { ...track(), toJSON: fail },
  'a toJSON that gives nothing': { ...track(), toJSON: () => undefined },
  'a getter that throws': Object.defineProperty(track(), 'context', { enumerable: true, get: fail }),
  'a messageId that throws': Object.defineProperty(track(), 'messageId', { get: fail }),
  'integrations that throw': Object.defineProperty(track(), 'integrations', { get: fail }),
  'a proxy whose keys throw': new Proxy(track(), { ownKeys: fail }),
  'a proxy that was revoked': revoked(),
  'functions and symbols inside': { ...track({ f: fail, s: Symbol('s') }), [Symbol('k')]: 1 },
}

describe('whatever an event is', () => {
  test.each(Object.entries(hostile))('%s has a result, and the next one, too', async (_name, event) => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const fields = { key: { '@path': '$.userId' }, headers: { '@path': '$.context' } }
    const destination = newDestination(cluster, { fields, dedupe: true, timestamp: 'event' })
    const results = await destination.deliver([event, { ...track(), messageId: 'm' }])
    expect(results.map(({ event: index }) => index)).toEqual([0, 1])
    expect([200, 400]).toContain(results[0]?.status)
    expect(results[1]?.status).toBe(200)
  })

  test('a messageId that throws holds up nobody who waits for another', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const destination = newDestination(cluster, { fields: { payload: { a: 1 } }, dedupe: true })
    const event = { ...track(), messageId: 'm' }
    const results = await destination.deliver([event, hostile['a messageId that throws'], event])
    expect(results.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(written(cluster)).toHaveLength(2)
  })
})

test('a logger that throws takes no result along', async () => {
  const cluster = await startCluster({ topics: { t: 1 } })
  cluster.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED' })
  const logger = { debug: fail, info: fail, warn: fail, error: fail }
  expect(await newDestination(cluster, { logger }).deliver([track()])).toMatchObject([{ status: 403 }])
})

describe('seg-S15: how long to wait before the next try', () => {
  test('where the broker throttles, as it says', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const destination = newDestination(cluster, { producer: { deliveryTimeoutMs: 200, requestTimeoutMs: 150 } })
    await destination.deliver([track()])
    cluster.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', throttleMs: 40_000 })
    const [result] = await destination.deliver([track()])
    expect(result).toMatchObject({ status: 429, retry: true, error: { code: 'DELIVERY_TIMEOUT' } })
    expect(result?.retryAfterMs).toBeGreaterThan(30_000)
    expect(result?.retryAfterMs).toBeLessThanOrEqual(40_000)
  })

  test('not where trying again is of no use, nor where nobody said so', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const destination = newDestination(cluster, { producer: { deliveryTimeoutMs: 200, requestTimeoutMs: 150 } })
    await destination.deliver([track()])
    cluster.fail({ api: 'Produce', error: 'NOT_ENOUGH_REPLICAS', times: Infinity })
    expect((await destination.deliver([track()]))[0]).not.toHaveProperty('retryAfterMs')
    const error = new DeliveryError('RECORD_TOO_LARGE', 'x', { throttleMs: 5 })
    expect(classifyFailure(error)).not.toHaveProperty('retryAfterMs')
  })
})

describe('seg-S14: a broker that says of a batch only that it dislikes it', () => {
  test('is asked about its parts, but not without end', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    cluster.fail({ api: 'Produce', error: 'INVALID_RECORD', times: Infinity })
    const events = Array.from({ length: 1002 }, (_, n) => track({ n }))
    const results = await newDestination(cluster).deliver(events)
    const count = (status: number, retry: boolean): number =>
      results.filter((result) => result.status === status && result.retry === retry).length
    expect(count(400, false)).toBeGreaterThan(10)
    expect(count(400, false) + count(503, true)).toBe(1002)
    expect(cluster.requests.filter(({ api }) => api === 'Produce').length).toBeLessThan(80)
  })
})

describe('a broker of several that refuses us', () => {
  test('fails what it leads, and nothing else; the producer is kept', async () => {
    const cluster = await startCluster({ brokers: 2, topics: { t: 2 } })
    const [first] = cluster.bootstrap.split(',')
    const open = cluster.leader('t', 0) === 1 ? 0 : 1
    cluster.fail({ api: 'SaslAuthenticate', broker: 2, error: 'SASL_AUTHENTICATION_FAILED', times: Infinity })
    const settings = { ...settingsFor(cluster), brokers: first ?? '' }
    const results = await newDestination(cluster, { settings, fields: { partition: path('p') } }).deliver(
      [1 - open, open, 1 - open, open].map((p) => track({ p })),
    )
    expect(results.map(({ status }) => status)).toEqual([401, 200, 401, 200])
    expect(sharedProducers.size).toBe(1)
  })
})

test('events that come after a partition in trouble keep their order', async () => {
  const cluster = await startCluster({ topics: { t: 2 } })
  cluster.fail({ api: 'Produce', partition: 0, error: 'NOT_ENOUGH_REPLICAS', times: Infinity })
  const fields = { partition: path('p'), payload: { n: path('n') }, batch_size: 1 }
  const destination = newDestination(cluster, { fields, producer: { deliveryTimeoutMs: 500, requestTimeoutMs: 300 } })
  await destination.deliver([track({ p: 1, n: -1 })])
  const events = Array.from({ length: 60 }, (_, n) => track({ n, p: n === 5 ? 0 : 1 }))
  const results = await destination.deliver(events)
  expect(results.map(({ status }) => status)).toEqual(events.map((_, n) => (n === 5 ? 504 : 200)))
  const numbers = cluster.records('t').map(({ value }) => (JSON.parse(String(value)) as { n: number }).n)
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
})

test('topics() of a cluster that is silent are not waited for without end', async () => {
  const cluster = await startCluster()
  cluster.blackHole(1)
  const destination = newDestination(cluster, { producer: { maxBlockMs: 300 } })
  await expect(destination.topics()).rejects.toMatchObject({ name: 'DeliveryError', code: 'METADATA_TIMEOUT' })
})

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable(track(), {})
  revoke()
  return proxy
}
