/** The cluster rows of faults-and-security.md 2.4 that need a producer and no real Kafka. */
import { describe, expect, it } from 'vitest'
import { encodeResponseFrame } from '../../src/protocol/frame.ts'
import { apiVersions } from '../../src/protocol/messages/api-versions.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import { initProducerId } from '../../src/protocol/messages/init-producer-id.ts'
import { murmur2, toPositive } from '../../src/partitioner/murmur2.ts'
import { turns, until } from '../support/fake-clock.ts'
import { deliveredAt, errorOf, runWithLedger, timesOf, type FaultRun } from './support.ts'

const metadataRequests = (run: FaultRun): number => run.cluster.requests.filter(({ api }) => api === 'Metadata').length

describe('C6: the number of partitions grows', () => {
  it('2 to 4 to 64 under load: keys move only when metadata shows it, old partitions keep their order', async () => {
    const options = { cluster: { topics: { t: 2 } }, producer: { metadataMaxAgeMs: 1000, batchBytes: 16_384 } }
    await runWithLedger(options, async (run) => {
      const keys = Array.from({ length: 50 }, (_, i) => `key-${i}`)
      const sendKeys = async (partitions: number): Promise<void> => {
        const ends = keys.map((key) => run.send({ partition: null, record: { key } }))
        for (const [i, end] of (await run.settle(Promise.all(ends))).entries()) {
          expect(deliveredAt(end).partition).toBe(toPositive(murmur2(Buffer.from(keys[i] ?? ''))) % partitions)
        }
      }
      await sendKeys(2)
      for (const [before, after] of [
        [2, 4],
        [4, 64],
      ] as const) {
        run.cluster.addPartitions('t', after)
        await sendKeys(before) // nobody has told us yet
        const asked = metadataRequests(run)
        await run.clock.advance(1000)
        await until(() => metadataRequests(run) > asked, 'metadata')
        await turns(20)
        await sendKeys(after)
      }
    })
  })
})

describe('C7: a topic is deleted while records are on their way to it', () => {
  it('fails them at their deadline and says why, frees their memory, and leaves other topics alone', async () => {
    const options = {
      cluster: { topics: { t: 1, gone: 1 } },
      producer: { deliveryTimeoutMs: 5000 },
    }
    await runWithLedger({ ...options, ledger: { mayLose: true } }, async (run) => {
      await run.settle(Promise.all([run.send(), run.send({ topic: 'gone' })]))
      run.cluster.deleteTopic('gone')
      const beginMs = run.clock.now()
      const lost = Array.from({ length: 20 }, () => run.send({ topic: 'gone', sizeBytes: 1000 }))
      await turns(20)
      for (let i = 0; i < 20; i++) deliveredAt(await run.send()) // needs no time at all to pass
      expect(run.clock.now()).toBe(beginMs)
      const errors = (await run.settle(Promise.all(lost))).map(errorOf)
      expect(run.clock.now() - beginMs).toBeLessThan(5200)
      for (const error of errors) {
        expect(error).toMatchObject({ code: 'DELIVERY_TIMEOUT', maybeWritten: false, topic: 'gone' })
        expect(error.message).toMatch(/UNKNOWN_TOPIC/)
      }
      expect(run.producer.stats()).toMatchObject({ bufferUsedBytes: 0, unsettled: 0 })
      deliveredAt(await run.settle(run.send()))
    })
  })
})

describe('C8: a topic is deleted and made again', () => {
  it('100 times: what is acknowledged afterwards is in the new one, and nobody is accused', async () => {
    const cycles = 100
    let formerLife = 0
    const options = { producer: { deliveryTimeoutMs: 60_000 }, ledger: { mayLose: true } }
    const counts = await runWithLedger(options, async (run) => {
      for (let cycle = 0; cycle < cycles; cycle++) {
        for (const end of await run.settle(run.sendMany(3))) deliveredAt(end)
        formerLife += run.records().length
        run.cluster.deleteTopic('t')
        const between = cycle % 2 === 0 ? run.sendMany(2) : Promise.resolve([])
        await turns(cycle % 5)
        run.cluster.createTopic('t', 4)
        for (const end of await run.settle(between)) deliveredAt(end)
        const [after] = await run.settle(run.sendMany(1))
        const { offset } = deliveredAt(after)
        expect(offset).toBe(BigInt(run.records().length - 1))
      }
      expect(run.producer.stats()).toMatchObject({ failed: 0 })
    })
    expect(counts.lost).toBe(formerLife) // with the topic; of the last life nothing
    expect(counts).toMatchObject({ duplicated: 0, reordered: 0, failed: 0 })
  })
})

describe('C9: a topic is missing from metadata for a moment', () => {
  it('S3: 200 times, with records before, during and after: sequences go on', async () => {
    await runWithLedger({ producer: { metadataMaxAgeMs: 1000 } }, async (run) => {
      await run.settle(run.send())
      for (let round = 0; round < 200; round++) {
        const error = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE', 'UNKNOWN_TOPIC_ID'][round % 3] ?? ''
        const flap = run.cluster.fail({ api: 'Metadata', topic: 't', error })
        const before = run.sendMany(round % 4)
        await run.clock.advance(1000)
        await until(() => flap.hits === 1, 'the answer')
        const during = run.sendMany(3)
        for (const end of await run.settle(Promise.all([before, during]))) end.forEach(deliveredAt)
      }
      const sequences = run.records().map(({ sequence }) => sequence)
      expect(sequences).toEqual(sequences.map((_, i) => i))
      expect(run.producer.stats().epochBumps).toBe(0)
    })
  })
})

describe('C10: NOT_ENOUGH_REPLICAS for 60 s', () => {
  it('is tried again after 100 ms and then ever less often, up to every second, and delivered in the end', async () => {
    const topics = { t: { partitions: 1, replicationFactor: 3 } }
    await runWithLedger({ cluster: { brokers: 3, topics, minInsyncReplicas: 2 } }, async (run) => {
      await run.settle(run.send())
      await run.cluster.stopBroker(2)
      await run.cluster.stopBroker(3)
      const beginMs = run.clock.now()
      const times = await timesOf('headrace:request:sent', run.clock, async () => {
        const end = run.send()
        while (run.clock.now() < beginMs + 60_000) await run.clock.advance(10)
        await Promise.all([run.cluster.startBroker(2), run.cluster.startBroker(3)])
        deliveredAt(await run.settle(end, 10))
      })
      const waits = times.slice(1).map((at, i) => at - (times[i] ?? 0))
      expect(waits[0]).toBeLessThanOrEqual(120)
      expect(waits.slice(0, 3).map((ms) => Math.round(ms / 100))).toEqual([1, 2, 4])
      expect(Math.max(...waits)).toBeLessThanOrEqual(1300)
      expect(Math.min(...waits.slice(4))).toBeGreaterThanOrEqual(800)
      expect(times.length).toBeLessThan(80) // no more work than that in a minute
      expect(run.clock.now() - beginMs).toBeLessThan(61_500)
    })
  })
})

describe('C11: a partition has no leader for 60 s', () => {
  it('waits alone; the others need no more time than before, and metadata is not asked for all the time', async () => {
    await runWithLedger({}, async (run) => {
      await run.settle(Promise.all([0, 1, 2, 3].map((partition) => run.send({ partition }))))
      run.cluster.moveLeader('t', 0, -1)
      const waiting = run.sendMany(5, { partition: 0 })
      await turns(20)
      const asked = metadataRequests(run)
      for (let second = 0; second < 60; second++) {
        const beginMs = run.clock.now()
        for (const partition of [1, 2, 3]) deliveredAt(await run.send({ partition }))
        expect(run.clock.now()).toBe(beginMs)
        await run.clock.advance(1000)
      }
      expect(metadataRequests(run) - asked).toBeLessThanOrEqual(120)
      run.cluster.moveLeader('t', 0, 1)
      for (const end of await run.settle(waiting)) deliveredAt(end)
    })
  })
})

describe('C12: a quota is exceeded', () => {
  it('the connection rests for 5 s, no other does, and it counts as no failure', async () => {
    await runWithLedger({}, async (run) => {
      await run.settle(Promise.all([0, 1].map((partition) => run.send({ partition }))))
      run.cluster.fail({ api: 'Produce', partition: 0, throttleMs: 5000 })
      deliveredAt(await run.settle(run.send()))
      const beginMs = run.clock.now()
      const waiting = run.sendMany(3)
      for (let i = 0; i < 10; i++) deliveredAt(await run.send({ partition: 1 }))
      expect(run.clock.now()).toBe(beginMs)
      for (const end of await run.settle(waiting, 10)) deliveredAt(end)
      expect(Math.abs(run.clock.now() - beginMs - 5000)).toBeLessThanOrEqual(50)
      expect(run.producer.stats()).toMatchObject({ retries: 0, failed: 0 })
    })
  })
})

describe('C14: brokers are upgraded and downgraded', () => {
  const SERVED = [metadata, apiVersions]

  it('Produce v11, v3, v13: each connection in its own version, the batch unchanged, no error', async () => {
    await runWithLedger({ cluster: { brokers: 1 } }, async (run) => {
      const answerWith = (newestProduce: number): void => {
        const apiKeys = [
          ...SERVED.map(({ key, minVersion, maxVersion }) => ({ apiKey: key, minVersion, maxVersion })),
          { apiKey: produce.key, minVersion: 3, maxVersion: newestProduce },
          { apiKey: initProducerId.key, minVersion: 0, maxVersion: 5 },
        ]
        const answer = (id: number): Uint8Array =>
          Buffer.concat(encodeResponseFrame(apiVersions, apiVersions.maxVersion, id, { errorCode: 0, apiKeys }).chunks)
        run.cluster.fail({ api: 'ApiVersions', answer })
      }
      const newest = [11, 3, 13, 3, 12]
      answerWith(newest[0] ?? 0)
      await run.settle(run.send())
      for (const version of newest.slice(1)) {
        // Written by the version before, not answered; tried again in the next one.
        run.cluster.fail({ api: 'Produce', closeAfterBytes: 0 })
        answerWith(version)
        for (const end of await run.settle(run.sendMany(6))) deliveredAt(end)
      }
      const used = run.cluster.requests.filter(({ api }) => api === 'Produce').map(({ version }) => version)
      expect(used.filter((version, i) => version !== used[i - 1])).toEqual(newest)
      expect(run.producer.stats()).toMatchObject({ failed: 0, epochBumps: 0 })
    })
  })
})

describe('C20: the broker forgets', () => {
  it('the producer, when its id expires: goes on, nothing twice', async () => {
    const counts = await runWithLedger({}, async (run) => {
      for (let round = 0; round < 50; round++) {
        for (const end of await run.settle(run.sendMany(round % 7))) deliveredAt(end)
        run.cluster.expireProducers()
      }
    })
    expect(counts).toMatchObject({ lost: 0, duplicated: 0, failed: 0 })
  })

  it.each(['1.1', '0.11'] as const)('and says UNKNOWN_PRODUCER_ID, as Kafka %s does', async (kafkaVersion) => {
    const counts = await runWithLedger({ cluster: { kafkaVersion } }, async (run) => {
      for (let round = 0; round < 20; round++) {
        for (const end of await run.settle(run.sendMany(1 + (round % 7)))) deliveredAt(end)
        run.cluster.expireProducers()
      }
      expect(run.producer.stats().failed).toBe(0)
    })
    expect(counts).toMatchObject({ lost: 0, duplicated: 0, failed: 0 })
  })

  it.each(['4.3', '1.1', '0.11'] as const)('records, by DeleteRecords (Kafka %s)', async (kafkaVersion) => {
    const counts = await runWithLedger({ cluster: { kafkaVersion }, ledger: { mayLose: true } }, async (run) => {
      let deleted = 0
      for (let round = 0; round < 30; round++) {
        for (const end of await run.settle(run.sendMany(1 + (round % 6)))) deliveredAt(end)
        deleted += run.records().length
        run.cluster.deleteRecords('t', 0, run.cluster.recordCount('t') + deleted)
      }
    })
    expect(counts).toMatchObject({ duplicated: 0, failed: 0, wrongStatus: 0 })
  })

  it('the end of the log, in an unclean election: it goes on, nothing is written twice, and doubt is said', async () => {
    const counts = await runWithLedger({ ledger: { mayLose: true } }, async (run) => {
      for (let round = 0; round < 30; round++) {
        for (const end of await run.settle(run.sendMany(1 + (round % 6)))) {
          // The old leader's NOT_LEADER_OR_FOLLOWER leaves it open, and the new one knows the batch before it no more.
          if (end instanceof Error) expect(end.maybeWritten, end.message).toBe(true)
        }
        run.cluster.truncate('t', 0, Math.max(run.records().length - (round % 3), 0))
        const leader = run.cluster.leader('t', 0)
        run.cluster.moveLeader('t', 0, leader === 1 ? 2 : 1)
      }
      await run.settle(run.send()) // notices the last one
      for (const end of await run.settle(run.sendMany(5))) deliveredAt(end)
    })
    expect(counts).toMatchObject({ duplicated: 0, wrongStatus: 0 })
    expect(counts.delivered).toBeGreaterThan(counts.failed)
  })
})
