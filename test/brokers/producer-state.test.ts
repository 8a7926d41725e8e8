import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { openConnection } from '../../src/connection/handshake.ts'
import { apiVersions } from '../../src/protocol/messages/api-versions.ts'
import { initProducerId } from '../../src/protocol/messages/init-producer-id.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { produce } from '../../src/protocol/messages/produce.ts'
import { saslAuthenticate } from '../../src/protocol/messages/sasl-authenticate.ts'
import { saslHandshake } from '../../src/protocol/messages/sasl-handshake.ts'
import { TestCluster, type PlayedKafka } from '../../src/testing/test-cluster.ts'
import { startCluster, type RealCluster } from '../support/kafka/cluster.ts'
import { createTopic, produce as produceWithJava } from '../support/kafka/readers.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { kafkaVersionsUnderTest } from '../support/kafka/versions-under-test.ts'
import { expected, run, scripts } from '../testing/producer-scripts.ts'

/** Real Kafka and a TestCluster that plays it are asked the same, and must say the same. */
const PLAYED_BY: readonly (readonly [real: string, played: PlayedKafka])[] = [
  ['4.', '4.3'],
  ['3.9', '3.9'],
  ['2.8', '2.8'],
  ['1.1', '1.1'],
  ['0.11', '0.11'],
  ['0.10.2', '0.10.2'],
  ['0.10.0', '0.10.0'],
]
/** From here on the rules are those of today. */
const LIKE_TODAY: readonly PlayedKafka[] = ['4.3', '3.9', '2.8']

for (const { version } of kafkaVersionsUnderTest()) {
  const [, kafkaVersion] = PLAYED_BY.find(([real]) => version.startsWith(real)) ?? []
  if (kafkaVersion === undefined) throw new RangeError(`no TestCluster plays Kafka ${version}`)

  describeBrokers(`Kafka ${version} and TestCluster ${kafkaVersion}`, () => {
    let real: RealCluster
    let played: TestCluster

    beforeAll(async () => {
      real = await startCluster({ version, nodes: 1 })
      played = await TestCluster.start({ kafkaVersion })
    })

    afterAll(async () => {
      await played.close()
      await real.close()
    })

    it('list the same versions of the same APIs', async () => {
      const listed = await versionsOf(real.listeners.plaintext)
      // Brokers of 4.x list Produce v0 to v2, which they refuse, because librdkafka looks for them (PR 18288).
      const honest = version.startsWith('4.') ? { ...listed, Produce: [3, listed['Produce']?.[1]] } : listed
      expect(await versionsOf(played.bootstrap)).toEqual(honest)
    })

    describe.skipIf(kafkaVersion.startsWith('0.10'))('say the same of producers:', () => {
      it.each(scripts)('$name', async (script) => {
        const topic = `t-${scripts.indexOf(script)}`
        const { timestampType } = script
        const configs = { 'message.timestamp.type': timestampType }
        await createTopic({ ...real.at, topic, partitions: 1, replicationFactor: 1, configs })
        played.createTopic(topic, { partitions: 1, timestampType })
        const byReal = await run(script, topic, { address: real.listeners.plaintext, restart: () => restarted(real) })
        const byPlayed = await run(script, topic, {
          address: played.bootstrap,
          deleteBefore: (name: string, offset: number) => played.deleteRecords(name, 0, offset),
          restart: async () => {
            await played.stopBroker(1)
            await played.startBroker(1)
          },
        })
        expect(byPlayed).toEqual(byReal)
        if (LIKE_TODAY.includes(kafkaVersion)) expect(byReal).toEqual(expected(script))
      })
    })
  })
}

/**
 * The other way round: what Kafka's own producer makes of a TestCluster, of which it knows nothing. Without answers that
 * nobody asked for (`wrongCorrelationId`, `duplicateAnswer`, `late`): Java 4.3.1 gets stuck on them.
 */
describeBrokers("Kafka's Java producer on a TestCluster", () => {
  it.each<[PlayedKafka, string]>([
    ['4.3', '4.3.1'],
    ['2.8', '4.3.1'],
    ['1.1', '3.9.1'],
  ])('%s writes each record once, in order, through every fault', async (kafkaVersion, version) => {
    const topics = { t: { partitions: 2, replicationFactor: 2 } }
    await using cluster = await TestCluster.start({ brokers: 2, kafkaVersion, topics })
    const rules = [
      cluster.fail({ api: 'InitProducerId', error: 'COORDINATOR_LOAD_IN_PROGRESS' }),
      cluster.fail({ api: 'Produce', after: 1, closeAfterBytes: 0 }),
      cluster.fail({ api: 'Produce', after: 5, error: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', isWritten: true, times: 3 }),
      cluster.fail({ api: 'Produce', after: 10, closeBefore: true }),
      cluster.fail({ api: 'Produce', after: 15, error: 'NOT_LEADER_OR_FOLLOWER', times: 3 }),
      cluster.fail({ api: 'Produce', after: 20, closeAfterBytes: 9, times: 2 }),
      cluster.fail({ api: 'Produce', after: 25, throttleMs: 30 }),
    ]
    const properties = { 'batch.size': '150', 'enable.idempotence': 'true', 'retry.backoff.ms': '5' }
    const records = Array.from({ length: 300 }, (_, i) => ({ partition: i % 2, value: Buffer.from(`value ${i}`) }))
    const at = { bootstrap: cluster.bootstrap, version, properties, topic: 't' }
    const written = await produceWithJava(at, records)

    const stored = cluster.records('t')
    for (const partition of [0, 1]) {
      const values = stored.filter((record) => record.partition === partition).map(({ value }) => String(value))
      expect(values).toEqual(Array.from({ length: 150 }, (_, i) => `value ${2 * i + partition}`))
    }
    expect(written).toEqual(records.map(({ partition }, i) => ({ partition, offset: BigInt(i >> 1) })))
    expect(rules.filter(({ hits }) => hits === 0)).toEqual([])
    expect(new Set(stored.map(({ producerId, epoch }) => `${producerId} ${epoch}`)).size).toBe(1)
    expect(cluster.violations).toEqual([])
  })
})

async function restarted(real: RealCluster): Promise<void> {
  await real.kill(1)
  await real.start(1)
}

/** What a broker lists of the APIs that a TestCluster can have. */
async function versionsOf(address: string): Promise<Record<string, readonly (number | undefined)[]>> {
  const [host = '', port] = address.split(':')
  const limits = { connectTimeoutMs: 10_000, requestTimeoutMs: 30_000, maxIdleMs: 60_000 }
  const target = { nodeId: null, host, port: Number(port), clientId: 'versions', clock: systemClock, ...limits }
  const software = { name: 'headrace-test', version: '1' }
  const connection = await openConnection(target, software, () => undefined)
  const body = { clientSoftwareName: software.name, clientSoftwareVersion: software.version }
  const outcome = await connection.request(apiVersions, body)
  connection.close()
  if ('error' in outcome) throw outcome.error
  const { apiKeys } = outcome.response
  return Object.fromEntries(
    [produce, metadata, apiVersions, initProducerId, saslHandshake, saslAuthenticate].map(({ name, key }) => {
      const row = apiKeys.find(({ apiKey }) => apiKey === key)
      return [name, row === undefined ? [] : [row.minVersion, row.maxVersion]]
    }),
  )
}
