import { describe, expect, test } from 'vitest'
import { classifyFailure, KafkaDestination, testAuthentication } from '../../src/destination/destination.ts'
import { BrokerError, DeliveryError } from '../../src/index.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { FakeClock, until } from '../support/fake-clock.ts'
import { newDestination, password, settingsFor, startCluster, track, wholeEvent, written } from './harness.ts'

const path = (name: string): object => ({ '@path': `$.properties.${name}` })
/** Real time: enough for a slow machine to try once. */
const shortly = { deliveryTimeoutMs: 4000, requestTimeoutMs: 3900 }
const to = { partition: path('p'), payload: { n: path('n') } }

describe('seg-S14: results', () => {
  test('are one for each event, in their order; a partition that fails marks its own events', async () => {
    const cluster = await startCluster()
    cluster.fail({ api: 'Produce', partition: 1, error: 'MESSAGE_TOO_LARGE', times: Infinity })
    const destination = newDestination(cluster, { fields: to })
    const results = await destination.deliver([0, 1, 2, 1, 0].map((p, n) => track({ p, n })))
    expect(results.map(({ event, status, partition, offset }) => [event, status, partition, offset])).toEqual([
      [0, 200, 0, 0n],
      [1, 413, 1, undefined],
      [2, 200, 2, 0n],
      [3, 413, 1, undefined],
      [4, 200, 0, 1n],
    ])
  })

  test('a record that the broker dislikes does not take those with it along', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    const recordErrors = [{ batchIndex: 1, message: 'needs a key' }]
    cluster.fail({ api: 'Produce', error: 'INVALID_RECORD', recordErrors })
    const results = await newDestination(cluster, { fields: to }).deliver([0, 1, 2].map((n) => track({ n })))
    expect(results.map(({ status, retry }) => [status, retry])).toEqual([
      [200, undefined],
      [400, false],
      [200, undefined],
    ])
    expect(results[1]?.error?.message).toContain('needs a key')
    expect(written(cluster)).toEqual(['0 - {"n":0}', '0 - {"n":2}'])
  })

  test('nor where the broker does not say which one it is', async () => {
    const cluster = await startCluster({ topics: { t: 1 } })
    // The batch of four, its first half, and of that the second record.
    cluster.fail({ api: 'Produce', error: 'INVALID_RECORD', times: 2 })
    cluster.fail({ api: 'Produce', error: 'INVALID_RECORD', after: 1 })
    const results = await newDestination(cluster, { fields: to }).deliver([0, 1, 2, 3].map((n) => track({ n })))
    expect(results.map(({ status }) => status)).toEqual([200, 400, 200, 200])
    expect(written(cluster)).toEqual(['0 - {"n":0}', '0 - {"n":2}', '0 - {"n":3}'])
  })

  test('one event that is too large is alone with it', async () => {
    const cluster = await startCluster({ topics: { t: { partitions: 1, maxMessageBytes: 2000 } } })
    const events = [track(), track({ text: 'x'.repeat(5000) }), track(), track({ text: 'x'.repeat(2_000_000) })]
    const results = await newDestination(cluster).deliver(events)
    expect(results.map(({ status, error }) => [status, error?.code])).toEqual([
      [200, undefined],
      [413, 'MESSAGE_TOO_LARGE'],
      [200, undefined],
      [413, 'RECORD_TOO_LARGE'],
    ])
  })
})

describe('seg-S15: what errors mean', () => {
  const refusals = [
    { error: 'TOPIC_AUTHORIZATION_FAILED', status: 403, retry: false },
    { error: 'POLICY_VIOLATION', status: 403, retry: false },
    { error: 'MESSAGE_TOO_LARGE', status: 413, retry: false },
    { error: 'INVALID_TIMESTAMP', status: 400, retry: false },
    { error: 'UNSUPPORTED_COMPRESSION_TYPE', status: 400, retry: false },
  ]
  test.each(refusals)('$error is $status', async ({ error, status, retry }) => {
    const cluster = await startCluster({ topics: { t: 1 } })
    cluster.fail({ api: 'Produce', error, times: Infinity })
    const [result] = await newDestination(cluster).deliver([track()])
    expect(result).toMatchObject({ status, retry, topic: 't', error: { code: error } })
    expect(result?.error?.message.startsWith(`Kafka Producer Error - ${error}: `)).toBe(true)
  })

  test('what passes, but not in time, may be tried again', async () => {
    const statusFor = async (error: string): Promise<unknown> => {
      const cluster = await startCluster({ topics: { t: 1 } })
      const destination = newDestination(cluster, { producer: shortly })
      await destination.deliver([track()])
      cluster.fail({ api: 'Produce', error, times: Infinity })
      const [result] = await destination.deliver([track()])
      return [result?.status, result?.retry, result?.error?.code]
    }
    const names = ['LEADER_NOT_AVAILABLE', 'NOT_ENOUGH_REPLICAS', 'THROTTLING_QUOTA_EXCEEDED']
    expect(await Promise.all(names.map(statusFor))).toEqual([
      [504, true, 'DELIVERY_TIMEOUT'],
      [504, true, 'DELIVERY_TIMEOUT'],
      [429, true, 'DELIVERY_TIMEOUT'],
    ])
  })

  test('a wrong password is 401, at once, and is not tried again', async () => {
    const cluster = await startCluster()
    const settings = { ...settingsFor(cluster), password: 'wrong' }
    const results = await newDestination(cluster, { settings }).deliver([track(), track()])
    expect(results.map(({ status, retry }) => [status, retry])).toEqual([
      [401, false],
      [401, false],
    ])
    expect(results[0]?.error?.message).toMatch(/^Kafka Connection Error - SASL_AUTHENTICATION_FAILED: /)
  })

  test('nobody there is 5xx', async () => {
    const cluster = await startCluster()
    await cluster.close()
    const results = await newDestination(cluster, { producer: { maxBlockMs: 100 } }).deliver([track()])
    expect(results).toMatchObject([{ status: 503, retry: true }])
  })

  test('a topic whose events are still tried holds up no other one', async () => {
    const cluster = await startCluster({ topics: { a: 1, b: 1 } })
    const rule = cluster.fail({ api: 'Produce', topic: 'a', error: 'NOT_ENOUGH_REPLICAS', times: Infinity })
    const destination = newDestination(cluster, { fields: { topic: path('to') }, topicAllowList: ['a', 'b'] })
    const results = destination.deliver([track({ to: 'a' }), track({ to: 'b' })])
    await until(() => cluster.recordCount('b') === 1, 'the other topic is written')
    rule.remove()
    expect((await results).map(({ status, topic }) => [status, topic])).toEqual([
      [200, 'a'],
      [200, 'b'],
    ])
  })

  test('a partition in trouble holds up no other one', async () => {
    const cluster = await startCluster()
    cluster.fail({ api: 'Produce', partition: 0, error: 'NOT_ENOUGH_REPLICAS', times: Infinity })
    const destination = newDestination(cluster, { fields: { ...to, enable_batching: false }, producer: shortly })
    await destination.deliver([track({ p: 1 })])
    const results = await destination.deliver([0, 1, 0, 2].map((p) => track({ p })))
    expect(results.map(({ status }) => status)).toEqual([504, 200, 504, 200])
  })

  test('Event Hubs says POLICY_VIOLATION when it throttles', () => {
    const error = new BrokerError('POLICY_VIOLATION', 44, 'no')
    expect(classifyFailure(error, true)).toMatchObject({ status: 429, retry: true })
    expect(classifyFailure(error)).toMatchObject({ status: 403, retry: false })
  })

  test('what may be written is said, and tried again', () => {
    const error = new DeliveryError('DELIVERY_UNCERTAIN', 'hm', { maybeWritten: true })
    expect(classifyFailure(error)).toMatchObject({ status: 500, retry: true, maybeWritten: true })
    const refused = new BrokerError('INVALID_RECORD', 87, 'no', { maybeWritten: true })
    expect(classifyFailure(refused)).toMatchObject({ status: 500, retry: true, maybeWritten: true })
  })
})

test('the log has the warning about plaintext once, a line for each kind of failure, and no secret', async () => {
  const cluster = await startCluster()
  const lines: string[] = []
  const say = (fields: object, message: string): number => lines.push(`${JSON.stringify(fields)} ${message}`)
  const logger = { debug: () => 0, info: () => 0, warn: say, error: say }
  const destination = newDestination(cluster, { logger })
  cluster.fail({ api: 'Produce', error: 'TOPIC_AUTHORIZATION_FAILED', times: 3 })
  await destination.deliver([track(), track(), track()])
  await destination.testAuthentication()
  expect(lines.filter((line) => line.includes('PLAINTEXT'))).toHaveLength(1)
  const failures = lines.filter((line) => line.includes('"events":3'))
  expect(failures).toHaveLength(1)
  expect(failures[0]).toContain('"code":"TOPIC_AUTHORIZATION_FAILED","status":403,"retry":false')
  expect(lines.join()).not.toContain(password)
})

describe('seg-S16: testAuthentication', () => {
  test('resolves where the settings lead in', async () => {
    const cluster = await startCluster()
    await expect(newDestination(cluster).testAuthentication()).resolves.toBeUndefined()
  })

  test('says what is wrong with settings without connecting, in the words of Segment', async () => {
    const settings = { clientId: 'c', brokers: 'nowhere', mechanism: 'plain', username: 'u', password: 'p' } as const
    await expect(testAuthentication({ settings })).rejects.toMatchObject({
      ...{ name: 'DestinationError', code: 'CREDENTIALS_INVALID', status: 400 },
      message: 'Credentials are invalid:  Brokers must be in the format host:port',
    })
  })

  test('a wrong password is 401, nobody there is 503', async () => {
    const cluster = await startCluster()
    const wrong = newDestination(cluster, { settings: { ...settingsFor(cluster), password: 'wrong' } })
    await expect(wrong.testAuthentication()).rejects.toMatchObject({
      status: 401,
      message: /^Credentials are invalid: {2}\S/,
    })
    const destination = newDestination(cluster)
    await cluster.close()
    await expect(destination.testAuthentication()).rejects.toMatchObject({ status: 503 })
  })
})

test('seg-S16: a broker that is silent is not waited for without end', async () => {
  const cluster = await startCluster()
  cluster.blackHole(1)
  const clock = new FakeClock()
  const answer = newDestination(cluster, { clock }).testAuthentication()
  void clock.advance(15_000)
  await expect(answer).rejects.toMatchObject({
    status: 503,
    message: 'Credentials are invalid:  no answer in 15000 ms',
  })
})

test('what is no list of events is refused', async () => {
  const destination = newDestination(await startCluster())
  for (const wrong of [undefined, null, 'events', track(), 5]) {
    await expect(destination.deliver(wrong as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', status: 400 })
  }
  expect(await destination.deliver([])).toEqual([])
})

describe('seg-S6: certificates', () => {
  const deliver = async (cluster: TestCluster, ssl: object): Promise<unknown> => {
    const mappings = [{ name: 'all', fields: { topic: 't', ...wholeEvent } }]
    const settings = { ...settingsFor(cluster), ssl_enabled: true, ...ssl }
    const destination = new KafkaDestination({ settings, mappings })
    const results = await destination.deliver([track()])
    await destination.close()
    return results
  }

  test('a self-signed one is refused unless it is given, or nobody is to look', async () => {
    const cluster = await startCluster({ tls: true })
    expect(await deliver(cluster, {})).toMatchObject([{ status: 401, retry: false }])
    expect(await deliver(cluster, { ssl_ca: cluster.ca })).toMatchObject([{ status: 200 }])
    expect(await deliver(cluster, { ssl_reject_unauthorized_ca: false })).toMatchObject([{ status: 200 }])
  })
})
