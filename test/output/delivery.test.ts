import { describe, expect, it } from 'vitest'
import { FakeClock, until } from '../support/fake-clock.ts'
import { heard, Lines, newOutput, numbered, outputError, rejection, startCluster, values } from './harness.ts'

const onePartition = { topics: { t: 1 } } as const

describe('a failure that passes', () => {
  it.each(['NOT_LEADER_OR_FOLLOWER', 'NOT_ENOUGH_REPLICAS', 'REQUEST_TIMED_OUT', 'KAFKA_STORAGE_ERROR'])(
    'is no failure: %s, twenty times over',
    async (error) => {
      const cluster = await startCluster(onePartition)
      const rule = cluster.fail({ api: 'Produce', times: 20, error })
      const report = await newOutput(cluster).write(numbered(100))
      expect(rule.hits).toBe(20)
      expect(report).toMatchObject({ delivered: 100, retried: 0 })
      expect(values(cluster)).toEqual(numbered(100).map((row) => JSON.stringify(row)))
    },
  )

  it('asa-Z10: brokers that go away in the middle: every row there once, in order', async () => {
    const topics = { t: { partitions: 1, replicationFactor: 2 } }
    const cluster = await startCluster({ brokers: 2, topics })
    const output = newOutput(cluster)
    async function* rows(): AsyncGenerator<object> {
      for (const row of numbered(2000)) {
        if (row.n % 500 === 250) {
          await until(() => cluster.recordCount('t') > row.n / 2, 'some are written')
          const broker = row.n % 1000 === 250 ? 1 : 2
          await cluster.stopBroker(broker)
          await cluster.startBroker(broker)
        }
        yield row
      }
    }
    const report = await output.write(rows())
    expect(report).toMatchObject({ delivered: 2000, possibleDuplicates: 0 })
    expect(values(cluster)).toEqual(numbered(2000).map((row) => JSON.stringify(row)))
  })

  it('of the start is waited for, visibly: brokers that are not there yet', async () => {
    const cluster = await startCluster(onePartition)
    const clock = new FakeClock()
    const lines = new Lines()
    const retries = heard('headrace:output:retry')
    await cluster.stopBroker(1)
    const output = newOutput(cluster, { clock, logger: lines.logger })
    const write = output.write(numbered(3))
    for (const delayMs of [1000, 2000, 4000]) {
      await until(() => retries.at(-1)?.delayMs === delayMs, `it waits for ${delayMs} ms`)
      expect(clock.pendingMs[0]).toBe(delayMs)
      if (delayMs === 4000) await cluster.startBroker(1)
      await clock.advance(delayMs)
    }
    expect(await write).toMatchObject({ delivered: 3 })
    expect(retries[0]).toMatchObject({ rows: 0, error: { code: 'CONNECTION_REFUSED' } })
    expect(lines.of('warn')).toContainEqual(expect.stringMatching(/not ready yet, tried again in 1000 ms: .*REFUSED/))
    expect(output.metrics()['Runtime Errors']).toBe(3)
  })

  it('that the producer gives up is given to it again, in order, before anything new', async () => {
    const cluster = await startCluster(onePartition)
    const clock = new FakeClock()
    const retries = heard('headrace:output:retry')
    // The producer believes it at the third time.
    cluster.fail({ api: 'Produce', times: 3, error: 'CORRUPT_MESSAGE' })
    const output = newOutput(cluster, { clock })
    const write = output.write(numbered(5))
    await until(() => retries.length === 1, 'it failed')
    const later = output.write(numbered(5, 5))
    expect(retries[0]).toMatchObject({ delayMs: 1000, error: { code: 'CORRUPT_MESSAGE' } })
    expect(cluster.recordCount('t')).toBe(0)
    await clock.advance(1000)
    expect(await write).toMatchObject({ delivered: 5, retried: 5, possibleDuplicates: 0, safeRows: 5 })
    await later
    expect(values(cluster)).toEqual(numbered(10).map((row) => JSON.stringify(row)))
  })

  it.each([
    ['of which nobody knows whether it is written: a broker that takes new records for old ones', 1],
    ['the same again with the next producer', 2],
  ])('%s', async (_, times) => {
    const cluster = await startCluster(onePartition)
    const clock = new FakeClock()
    const retries = heard('headrace:output:retry')
    const output = newOutput(cluster, { clock })
    await output.write(numbered(1))
    // At the first try of a batch: the producer cannot go on after that.
    cluster.fail({ api: 'Produce', times, error: 'DUPLICATE_SEQUENCE_NUMBER' })
    const write = output.write(numbered(5, 1))
    for (let count = 1; count <= times; count++) {
      await until(() => retries.length === count, 'it failed')
      expect(retries.at(-1)).toMatchObject({ rows: 5, error: { code: 'SEQUENCE_DESYNC' } })
      await clock.advance(2000)
    }
    expect(await write).toMatchObject({ delivered: 5, safeRows: 5, retried: 5 * times, possibleDuplicates: 5 * times })
    expect(values(cluster)).toEqual(numbered(6).map((row) => JSON.stringify(row)))
  })

  it('of the start is waited for only as long as somebody wants to write', async () => {
    const cluster = await startCluster(onePartition)
    const clock = new FakeClock()
    const retries = heard('headrace:output:retry')
    await cluster.stopBroker(1)
    const output = newOutput(cluster, { clock })
    const controller = new AbortController()
    const write = outputError(output.write(numbered(3), { signal: controller.signal }))
    await until(() => retries.length === 1, 'it waits')
    controller.abort(new Error('enough'))
    expect(await write).toMatchObject({ code: 'ABORTED', maybeWritten: false, unsettledRows: 0 })
    expect(clock.pendingMs).toEqual([])
    await cluster.startBroker(1)
    expect(await output.write(numbered(3))).toMatchObject({ delivered: 3 })
  })

  it('without a word of anybody is told once a minute: a topic that was deleted, and comes back', async () => {
    const cluster = await startCluster({ ...onePartition, autoCreateTopics: false })
    const clock = new FakeClock()
    const lines = new Lines()
    const stalls = heard('headrace:output:stalled')
    const output = newOutput(cluster, { clock, logger: lines.logger })
    await output.write(numbered(1))
    cluster.deleteTopic('t')
    const write = output.write(numbered(5))
    await until(() => output.metrics()['Backlogged Input Events'] === 5, 'all rows are taken')
    await clock.advance(119_000)
    expect(stalls).toEqual([{ outputAlias: 'telemetry', rows: 5, waitedMs: 60_000 }])
    await clock.advance(1000)
    expect(stalls).toHaveLength(2)
    expect(lines.of('warn')).toContainEqual(
      expect.stringMatching(/5 rows are sent and not acknowledged, the oldest for 120 s; .*is topic t there/),
    )
    cluster.createTopic('t', 1)
    expect(await write).toMatchObject({ delivered: 5 })
    expect(clock.pendingMs).toEqual([])
  })

  it('can be ended by close, and what was given up is told', async () => {
    const cluster = await startCluster(onePartition)
    const clock = new FakeClock()
    const retries = heard('headrace:output:retry')
    cluster.fail({ api: 'Produce', times: 1000, error: 'CORRUPT_MESSAGE' })
    const output = newOutput(cluster, { clock })
    const write = outputError(output.write(numbered(5)))
    await until(() => retries.length === 1, 'it failed')
    expect(await outputError(output.close({ timeoutMs: 0 }))).toMatchObject({ unsettledRows: 5 })
    expect(await write).toMatchObject({ code: 'CLOSED', unsettledRows: 5 })
    expect(clock.pendingMs).toEqual([])
  })
})

describe('a failure for good', () => {
  it.each(['TOPIC_AUTHORIZATION_FAILED', 'INVALID_RECORD', 'INVALID_REQUIRED_ACKS'])(
    'ends the write with the reason of the brokers: %s',
    async (error) => {
      const cluster = await startCluster(onePartition)
      const output = newOutput(cluster)
      await output.write([{ a: 1 }])
      cluster.fail({ api: 'Produce', times: 1, error })
      const failure = await outputError(output.write([{ a: 2 }]))
      expect(failure).toMatchObject({ code: 'WRITE_FAILED', cause: { code: error }, unsettledRows: 0 })
      expect(failure.message).toContain(error)
      expect(failure.report).toMatchObject({ rows: 1, delivered: 0, dropped: 0, safeRows: 0 })
      // The next write is another chance.
      expect(await output.write([{ a: 3 }])).toMatchObject({ delivered: 1 })
    },
  )

  it('is not dropped by the policy Drop: it is no conversion error', async () => {
    const cluster = await startCluster(onePartition)
    cluster.fail({ api: 'Produce', times: 1, error: 'TOPIC_AUTHORIZATION_FAILED' })
    const failure = await outputError(newOutput(cluster, { errorPolicy: 'Drop' }).write([{ a: 2 }]))
    expect(failure.report).toMatchObject({ dropped: 0 })
  })

  it('ends the reading of a source that has no end', async () => {
    const cluster = await startCluster(onePartition)
    cluster.fail({ api: 'Produce', times: 1000, error: 'TOPIC_AUTHORIZATION_FAILED' })
    function* endless(): Generator<object> {
      for (let n = 0; ; n++) yield { n }
    }
    expect(await outputError(newOutput(cluster).write(endless()))).toMatchObject({ code: 'WRITE_FAILED' })
  })

  it('of the start is thrown as it is, before a row is read: a wrong password', async () => {
    const cluster = await startCluster({ sasl: { users: { ann: 'right' } } })
    const output = newOutput(cluster, { securityProtocol: 'SASL_PLAINTEXT', username: 'ann', password: 'wrong' })
    let taken = 0
    function* rows(): Generator<object> {
      yield { n: taken++ }
    }
    expect(await rejection(output.write(rows()))).toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' })
    expect(taken).toBe(0)
    expect(output.metrics()).toMatchObject({ 'Runtime Errors': 1, 'Input Events': 0 })
  })
})
